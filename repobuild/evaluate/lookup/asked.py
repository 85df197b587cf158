"""Read how people ask beside the taught phrasings, and what they hear of nothing found.

The files are configs/asked/LANGUAGE.toml; en.toml explains them. No model is trained on
any of it, so they are no ingredient of samples.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from repobuild.resources import data_folder


@dataclass(frozen=True, slots=True)
class Asked:
    """The phrasings of one language that are only read, and the texts of no answer."""

    phrasings: Mapping[str, tuple[str, ...]]  # by kind
    none: Mapping[str, str]  # by kind: that no fact of it was found
    missing: str  # that nothing has a name
    unknown: str  # that a kind of fact is not known of something
    nearest: str  # that no answer is known, and what the question may be about

    @classmethod
    @cache
    def of(cls, language: str) -> Asked:
        """Return those of a language."""
        return cls.read(data_folder("configs") / "asked" / f"{language}.toml")

    @classmethod
    def read(cls, path: Path) -> Asked:
        """Read a file."""
        body = tomllib.loads(path.read_text("utf-8"))
        kinds = {name: table for name, table in body.items() if isinstance(table, dict)}
        return cls(
            {name: tuple(kinds[name].get("asked", ())) for name in kinds},
            {name: kinds[name]["none"] for name in kinds if "none" in kinds[name]},
            body["missing"],
            body["unknown"],
            body["nearest"],
        )
