"""Find the hypernetwork that the settings choose, and what of it enters a cache key.

`adapter.hypernet` is a folder, relative to the repository, or a hub id, as owner/name
or owner/name@revision. Of a hub repository its two files are downloaded. The digest of
the two files is in the key of every adapter that is generated. Vectors of files depend
on how they are encoded only, so that another network of the same encoder finds them.

Nothing here loads torch: `repobuild status` asks for keys.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repobuild.errors import UsageError
from repobuild.model.base import HUB_ID, Base, file_digest, resolve_base
from repobuild.model.hypernet.description import (
    DESCRIPTION,
    WEIGHTS,
    HypernetDescription,
)

STATIC, EVO = "code2lora-static", "code2lora-evo"
HYPERNET = "hypernet"  # `adapter.start` from a generated adapter


@dataclass(frozen=True, slots=True)
class ChosenHypernet:
    """A hypernetwork's folder, its description, and the digest of both files."""

    folder: Path
    description: HypernetDescription
    digest: str


def uses_hypernet(settings: Mapping[str, Any]) -> bool:
    """Return whether an adapter, or its start, is generated."""
    generated = settings["adapter.strategy"] in (STATIC, EVO)
    return generated or settings["adapter.start"] == HYPERNET


def resolve_hypernet(settings: Mapping[str, Any], base: Base) -> ChosenHypernet:
    """Return the hypernetwork that the settings choose, for a base model.

    Raises `UsageError` when none is chosen, or it is missing, damaged, for another
    base, or follows no commits where `adapter.strategy` needs it to.
    """
    name = str(settings["adapter.hypernet"])
    strategy = str(settings["adapter.strategy"])
    if not name:
        needs = f'adapter.strategy "{strategy}"'
        if strategy not in (STATIC, EVO):
            needs = f'adapter.start "{HYPERNET}"'
        raise UsageError(
            f"{needs} needs a hypernetwork, and adapter.hypernet is empty\n"
            "none ships with repobuild; train one: `repobuild hypernet train LIST`, "
            "and set adapter.hypernet to its folder"
        )
    folder = _find_folder(name, str(settings.get("root", "")))
    description = HypernetDescription.read(folder)
    description.check_base(base)
    if strategy == EVO and not description.evo:
        raise UsageError(
            f'the hypernetwork in "{folder}" follows no commits\n'
            f'set adapter.strategy to "{STATIC}", or train one with --evo'
        )
    if not (folder / WEIGHTS).is_file():
        raise UsageError(
            f'"{folder}" has no {WEIGHTS}: its training did not end\n'
            "run `repobuild hypernet train` again to continue it"
        )
    files = [file_digest(folder / name) for name in (DESCRIPTION, WEIGHTS)]
    digest = hashlib.sha256("".join(files).encode()).hexdigest()
    return ChosenHypernet(folder, description, digest)


def _find_folder(name: str, root: str) -> Path:
    folder = Path(root, Path(name).expanduser())
    if folder.is_dir():
        return folder
    hub_name, _, revision = name.partition("@")
    if HUB_ID.fullmatch(hub_name) is None:
        raise UsageError(
            f'the folder "{folder}" does not exist (adapter.hypernet)\n'
            "train a hypernetwork there: `repobuild hypernet train LIST --out DIR`"
        )
    from huggingface_hub import snapshot_download

    try:
        found = snapshot_download(
            hub_name, revision=revision or None, allow_patterns=[DESCRIPTION, WEIGHTS]
        )
    except Exception as error:  # the hub client raises a dozen unrelated types
        raise UsageError(
            f'adapter.hypernet "{name}" is no folder, and the hub did not provide it: '
            f"{type(error).__name__}\n"
            "download it where there is a network, or set a local folder"
        ) from error
    return Path(found)


def hypernet_ingredients(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of an adapter's key that identifies the hypernetwork, if any."""
    if not uses_hypernet(settings):
        return {}
    return {"hypernet": resolve_hypernet(settings, resolve_base(settings)).digest}


def encoder_ingredients(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a vector's key that identifies its encoder, if any."""
    if not uses_hypernet(settings):
        return {}
    base = resolve_base(settings)
    encoder = resolve_hypernet(settings, base).description.encoder
    model = encoder.resolve(base, str(settings.get("root", "")))
    return {"encoder": [model.digest, json.dumps(encoder.plain(), sort_keys=True)]}
