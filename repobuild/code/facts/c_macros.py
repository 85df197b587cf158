"""Blank C and C++ macros that are no part of the language which the grammar reads."""

from __future__ import annotations

import re

# `class EXPORT Name {`
_EXPORT = re.compile(
    rb"\b(?:class|struct)\s+([A-Z][A-Z0-9_]{2,})(?=\s+\w+\s*(?:final\s*)?[:{])"
)
# Clang's classic thread safety marks, after a method's parameters or a field's name.
_THREAD_SAFETY = re.compile(
    rb"(?<=[\w)])\s+((?:\w+_LOCKS_REQUIRED|LOCKS_EXCLUDED|\w*LOCK_FUNCTION"
    rb"|(?:PT_)?GUARDED_BY|ASSERT_(?:EXCLUSIVE|SHARED)_LOCK|ACQUIRED_(?:BEFORE|AFTER)"
    rb"|NO_THREAD_SAFETY_ANALYSIS)\b(?:[ ]?\([^()\n]*\))?)(?=\s*[;{=])"
)

# `static ALWAYS_INLINE Type name(`: of two capitalised words the first is the type.
_MARK = re.compile(
    rb"\b(?:static|extern|inline)\s+([A-Z][A-Z0-9_]{2,})"
    rb"(?=\s+(?:(?:const|unsigned|signed|long|short|struct|enum|union)\s+)*"
    rb"(?![A-Z0-9_]+\b)\w+[\s*]+\w+\s*\()"
)
# `PyObject *Py_UNUSED(name)` in a list of parameters.
_UNUSED = re.compile(rb"(?:(?<=\w)\s+|(?<=\*)\s*)(\w*UNUSED\w*\()\w+(\))(?=\s*[,)])")


def blank_macros(source: bytes, links: str) -> bytes:
    """Return a C source with its macros as spaces, so that every offset stays.

    Sources of other languages (`links` is not "c") are returned unchanged.
    """
    if links != "c":
        return source
    for macro in (_EXPORT, _THREAD_SAFETY, _MARK, _UNUSED):
        source = macro.sub(_blank, source)
    return source


def _blank(match: re.Match[bytes]) -> bytes:
    start, text = match.start(), bytearray(match[0])
    for number in range(1, match.re.groups + 1):
        first, end = (at - start for at in match.span(number))
        text[first:end] = b" " * (end - first)
    return bytes(text)
