"""The language column of the `files` table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from repobuild.code.language import language_of


def language(path: str, settings: Mapping[str, Any]) -> str:
    """Return the language a path is analysed as, or "" when it is left alone."""
    languages = settings["project.languages"]
    return language_of(path, tuple(languages), tuple(settings["project.exclude"]))
