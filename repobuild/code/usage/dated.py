"""Recognise code that nobody is to follow: it is there for old versions alone."""

from __future__ import annotations

import re

_DATED_NAME = re.compile(
    r"Legacy|Compat(?![a-z]*ib)|Deprecated|Obsolete|Py2|Python2|^_*Old(?=[A-Z_])"
    r"|(?:^|_)(?:legacy|compat|deprecated|obsolete|py2|old)(?:_|$)"
)
# What only Python 2 runs, unless the file brings a name of its own along.
_PYTHON_2 = re.compile(
    rb"^[ \t]*print\s+(?![=.(,)\]:])\S|^[ \t]*except\s+[\w.]+\s*,\s*\w+\s*:"
    rb"|^[ \t]*raise\s+[\w.]+\s*,",
    re.MULTILINE,
)
_OLD_NAMES = re.compile(rb"(?<![\w.])(xrange|unicode|basestring|raw_input|unichr)\b")


def has_dated_name(name: str) -> bool:
    """Return whether a name says that something is kept for compatibility."""
    return _DATED_NAME.search(name) is not None


def needs_python_2(code: bytes, source: bytes) -> bool:
    """Return whether code of a file runs with Python 2 alone."""
    if _PYTHON_2.search(code):
        return True
    names = set(_OLD_NAMES.findall(code))
    return any(not _brings_along(name, source) for name in names)


def _brings_along(name: bytes, source: bytes) -> bool:
    """Return whether a file imports a name, or assigns to it."""
    bound = rb"\bimport\b[^\n=]*\b" + name + rb"\b|^[ \t]*" + name + rb"\s*=(?!=)"
    return re.search(bound, source, re.MULTILINE) is not None
