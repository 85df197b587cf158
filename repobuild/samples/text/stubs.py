"""Recognise Python stubs: definitions that are written for type checkers only.

Their body is `...`, or they stand under `if TYPE_CHECKING:`. Nothing runs them, so
nobody has to write one to extend a class.
"""

from __future__ import annotations

import re

_EMPTY_BODY = re.compile(
    rb":[ \t]*(?:#[^\n]*)?\s*"
    rb"(?:[rR]?(\"\"\"|\'\'\').*?\1\s*)?\.\.\.[ \t]*(?:#[^\n]*)?\s*$",
    re.DOTALL,
)
_HEAD = re.compile(
    rb"(?:\s*@[^\n]*\n)*\s*(?:async\s+)?def\s.*?:[ \t]*(?:#[^\n]*)?\n"
    rb"(?:\s*[rR]?(\"\"\"|\'\'\').*?\1[ \t]*\n)?",
    re.DOTALL,
)
_FOR_TYPES = re.compile(rb"(?:el)?if\s+(?:[\w.]+\.)?TYPE_CHECKING\s*:")
_DEFINITION = re.compile(rb"(?:async\s+def|def|class)\s")


def has_empty_body(code: bytes) -> bool:
    """Return whether a function's code is its head and `...`, a comment behind it."""
    return b"..." in code[-200:] and _EMPTY_BODY.search(code) is not None


def only_raises(code: bytes) -> bool:
    """Return whether a function does nothing but raise: a call of it is refused."""
    body = _HEAD.match(code)
    if body is None:
        return False
    lines = [line for line in code[body.end() :].split(b"\n") if line.strip()]
    if not lines or not lines[0].strip().startswith(b"raise"):
        return False
    margin = _indent(lines[0])
    rest = lines[1:]
    return all(_indent(one) > margin or one.strip()[:1] in b")]}" for one in rest)


def is_stub(source: bytes, start: int, length: int) -> bool:
    """Return whether the definition in these bytes of a file is no code that runs."""
    return has_empty_body(source[start : start + length]) or _is_for_types(
        source, start
    )


def _is_for_types(source: bytes, start: int) -> bool:
    """Return whether a definition is in a branch that only type checkers read."""
    if b"TYPE_CHECKING" not in source[:start]:
        return False
    line_start = source.rfind(b"\n", 0, start) + 1
    indent = _indent(source[line_start:].split(b"\n", 1)[0])
    for line in reversed(source[:line_start].split(b"\n")):
        if not line.strip() or _indent(line) >= indent:
            continue
        text, indent = line.strip(), _indent(line)
        if _FOR_TYPES.match(text):
            return True
        if _DEFINITION.match(text) or not indent:
            return False
    return False


def _indent(line: bytes) -> int:
    return len(line) - len(line.lstrip())
