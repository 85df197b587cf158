"""A value in one short piece of a line."""

from __future__ import annotations

from typing import Any

_MAX_CHARACTERS = 60


def shown(value: Any) -> str:
    """Return a value as people write it, cut to fit a line."""
    if value is None:
        return "nothing"
    said = value if isinstance(value, str) else repr(value)
    said = " ".join(said.split()) or '""'
    return said if len(said) <= _MAX_CHARACTERS else said[: _MAX_CHARACTERS - 1] + "…"
