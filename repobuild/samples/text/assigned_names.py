"""Find the names that a Python file assigns to at its top level."""

from __future__ import annotations

import re
from collections.abc import Collection

from repobuild.samples.text.long_strings import without_long_strings

_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]+")
# Every module may have them, and nobody looks for them there.
_ANYWHERE = frozenset(("logger", "log", "LOG", "LOGGER", "TYPE_CHECKING"))
_TYPE_VARIABLE = re.compile(
    r"^(\w+)[ \t]*=[ \t]*(?:\w+\.)?(?:TypeVar|ParamSpec|TypeVarTuple)\(",
    re.MULTILINE,
)
_ASSIGNED = re.compile(r"^([^\W\d]\w*)[ \t]*(?::[^=\n]+)?=(?!=)", re.MULTILINE)


def assigned_names(source: bytes) -> set[str]:
    """Return the names to which lines without indentation assign."""
    return set(_ASSIGNED.findall(source.decode("utf-8", "replace")))


def public_constants(source: bytes) -> list[str]:
    """Return the names in capitals that a file assigns to, in the order of the file."""
    plain = without_long_strings(source.decode("utf-8", "replace"))
    names = dict.fromkeys(_ASSIGNED.findall(plain))
    return [n for n in names if _CONSTANT.fullmatch(n) and n not in _ANYWHERE]


def other_public_names(source: bytes, known: Collection[str]) -> list[str]:
    """Return the other names that a file assigns to for those who use it.

    They are dictionaries, types, or second names of a class. What is not in `known`,
    the names that the file binds, is an argument on a line of its own.
    """
    plain = without_long_strings(source.decode("utf-8", "replace"))
    aside = {*_ANYWHERE, *_TYPE_VARIABLE.findall(plain)}
    return [
        name
        for name in dict.fromkeys(_ASSIGNED.findall(plain))
        if name in known and name[0] != "_" and name not in aside
        if not _CONSTANT.fullmatch(name)
    ]
