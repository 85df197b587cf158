"""Describe a hypernetwork: everything but its weights, readable without torch.

    {"format": 1, "kind": "residual|paper|linear", "evo": bool, "base": {"name",
     "digest"}, "shape", "encoded", "encoder", "settings", "training"}

`settings` are the sizes of the head, `training` is how it was trained and what it
scored, for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from repobuild.errors import UsageError
from repobuild.model.base import Base
from repobuild.model.hypernet.file_encoder import EncoderSettings
from repobuild.model.hypernet.shapes import ModelShape
from repobuild.model.load.model_files import read_object

FORMAT = 1
DESCRIPTION = "hypernet.json"
WEIGHTS = "hypernet.safetensors"
KINDS = ("residual", "paper", "linear")
REMEDY = "get the hypernetwork anew, or train one: `repobuild hypernet train LIST`"


@dataclass(frozen=True, slots=True)
class HypernetDescription:
    """Everything about a hypernetwork but its weights."""

    kind: str
    evo: bool
    base_name: str
    base_digest: str
    shape: ModelShape
    encoded: int  # size of a file vector
    encoder: EncoderSettings = EncoderSettings()
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the head
    training: Mapping[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "evo": self.evo,
            "base": {"name": self.base_name, "digest": self.base_digest},
            "shape": self.shape.plain(),
            "encoded": self.encoded,
            "encoder": self.encoder.plain(),
            "settings": dict(self.settings),
            "training": dict(self.training),
        }

    @classmethod
    def read(cls, folder: Path) -> HypernetDescription:
        """Read a folder's description; raises `UsageError` when it is damaged."""
        path = folder / DESCRIPTION
        if not path.is_file():
            raise UsageError(
                f'"{folder}" has no {DESCRIPTION}: it is no hypernetwork '
                "(adapter.hypernet)\ntrain one: `repobuild hypernet train LIST`"
            )
        plain = read_object(path)
        try:
            if plain["format"] > FORMAT:
                raise UsageError(
                    f'"{path}" was written by a newer repobuild\nupdate this one'
                )
            if plain["kind"] not in KINDS:
                raise ValueError(f'kind "{plain["kind"]}"')
            return cls(
                plain["kind"],
                bool(plain["evo"]),
                str(plain["base"]["name"]),
                str(plain["base"]["digest"]),
                ModelShape.from_plain(plain["shape"]),
                int(plain["encoded"]),
                EncoderSettings.from_plain(plain["encoder"]),
                plain["settings"],
                plain["training"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f'"{path}" is damaged: {error!r}\n{REMEDY}') from error

    def check_base(self, base: Base) -> None:
        """Raise `UsageError` when it was trained for another base model."""
        if self.base_digest != base.digest:
            raise UsageError(
                f'the hypernetwork is for the base model "{self.base_name}" '
                f'{self.base_digest[:12]}, not for "{base.name}" {base.digest[:12]}\n'
                "set base.model to its base, or train one for yours: "
                "`repobuild hypernet train LIST`"
            )
