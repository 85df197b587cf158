"""Find the names that a Python file assigns to at its top level."""

from __future__ import annotations

import re

_ASSIGNED = re.compile(r"^([^\W\d]\w*)[ \t]*(?::[^=\n]+)?=(?!=)", re.MULTILINE)


def assigned_names(source: bytes) -> set[str]:
    """Return the names to which lines without indentation assign."""
    return set(_ASSIGNED.findall(source.decode("utf-8", "replace")))
