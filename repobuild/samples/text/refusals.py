"""Recognise what refuses a call or does nothing in it, and exceptions by name."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HEAD = re.compile(
    rb"(?:\s*@[^\n]*\n)*\s*(?:async\s+)?def\s.*?:[ \t]*(?:#[^\n]*)?\n"
    rb"(?:\s*[rR]?(\"\"\"|\'\'\').*?\1[ \t]*\n)?",
    re.DOTALL,
)
_INERT = frozenset({b"pass"})
_INERT_LINE = re.compile(rb"(?:async\s+)?def\s[^\n]*:[ \t]*pass[ \t]*(?:#[^\n]*)?\s*")
# What a decorator of another name adds may be all that the function is for.
_PLAIN_DECORATORS = frozenset("staticmethod classmethod property override".split())
_UNWRITTEN = re.compile(rb"^\s*raise NotImplementedError\b", re.MULTILINE)
_EXCEPTION = re.compile(r"(?:Error|Exception|Warning)$")


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


def does_nothing(code: bytes, decorators: Sequence[str]) -> bool:
    """Return whether the body of a function is empty, but for its docstring."""
    if not _PLAIN_DECORATORS.issuperset(one.rpartition(".")[2] for one in decorators):
        return False
    if _INERT_LINE.fullmatch(code.strip()):
        return True
    body = _HEAD.match(code + b"\n")
    if body is None:
        return False
    lines = (
        line.partition(b"#")[0].strip() for line in code[body.end() :].split(b"\n")
    )
    return _INERT.issuperset(line for line in lines if line)


def leaves_open(code: bytes, decorators: Sequence[str]) -> bool:
    """Return whether a method is for subclasses to write."""
    is_abstract = any("abstract" in one for one in decorators)
    return is_abstract or (only_raises(code) and bool(_UNWRITTEN.search(code)))


def is_exception(name: str) -> bool:
    """Return whether a class is named like an exception."""
    return _EXCEPTION.search(name) is not None


def _indent(line: bytes) -> int:
    return len(line) - len(line.lstrip())
