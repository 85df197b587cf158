"""Find the names that a Python file assigns to at its top level."""

from __future__ import annotations

import re

from repobuild.samples.text.long_strings import without_long_strings

_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]+")
_ASSIGNED = re.compile(r"^([^\W\d]\w*)[ \t]*(?::[^=\n]+)?=(?!=)", re.MULTILINE)


def assigned_names(source: bytes) -> set[str]:
    """Return the names to which lines without indentation assign."""
    return set(_ASSIGNED.findall(source.decode("utf-8", "replace")))


def public_constants(source: bytes) -> list[str]:
    """Return the names in capitals that a file assigns to, in the order of the file."""
    plain = without_long_strings(source.decode("utf-8", "replace"))
    names = dict.fromkeys(_ASSIGNED.findall(plain))
    return [name for name in names if _CONSTANT.fullmatch(name)]
