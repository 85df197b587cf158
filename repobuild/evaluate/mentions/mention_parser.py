"""Find the paths and names that a text mentions.

A path is a string in backticks that is a path of the repository, or has a slash and no
space, or ends in a file suffix of the repository and is not one of its names. `:12`,
`:12-34`, `#L12` and `::name` at its end are removed. An answer without any path in
backticks is searched for bare words by the same rule, because models that were never
trained on our form use no backticks.

A name is an identifier in backticks, possibly dotted or with `()` at its end, that is
not a path.

Fenced code is not searched for paths or names, only text and inline code.
"""

from __future__ import annotations

import builtins
import keyword
import re
import sys
from collections.abc import Container, Sequence
from dataclasses import dataclass

_FENCE = re.compile(r"(```|~~~).*?(\1|\Z)", re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_WORD = re.compile(r"[\w./\\-]+")
_LINES = re.compile(r"(:\d+([-:]\d+)?|#L\d+(-L?\d+)?|::[\w.]+)$")
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_PYTHON = frozenset(
    {*dir(builtins), *keyword.kwlist, *sys.stdlib_module_names, "self", "cls"}
)


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The paths, file suffixes and names that exist in the repository.

    Sets, or containers that look in an index (symbol_lookup.py).
    """

    paths: Container[str]
    names: Container[str]
    suffixes: Container[str]

    @classmethod
    def of(cls, paths: Sequence[str], names: Sequence[str]) -> KnownNames:
        """Make the sets; each part of a dotted name or of a path is a name as well."""
        parts = {part for name in names for part in name.split(".")}
        stems = {segment for path in paths for segment in _segments(path)}
        suffixes = {_suffix(path) for path in paths} - {""}
        every = frozenset(parts | stems | set(names))
        return cls(frozenset(paths), every, frozenset(suffixes))

    def has_name(self, name: str) -> bool:
        """A dotted name exists if all of its parts do; Python's own names exist."""
        if name in self.names:
            return True
        return all(part in self.names or is_python(part) for part in name.split("."))

    def is_path(self, text: str) -> bool:
        if text in self.paths:
            return True
        if any(char.isspace() for char in text) or "://" in text or "(" in text:
            return False
        if "/" in text.strip("/"):
            return True
        return _suffix(text) in self.suffixes and text not in self.names


def paths_in(text: str, known: KnownNames) -> list[str]:
    """Return the distinct paths in order, by the rule at the top of this file."""
    quoted = [path_of(span) for span in spans(text)]
    paths = [path for path in quoted if known.is_path(path)]
    if not paths:
        words = (word.rstrip(".") for word in _WORD.findall(prose(text)))
        paths = [word for word in words if known.is_path(word)]
    return list(dict.fromkeys(paths))


def names_in(text: str, known: KnownNames) -> tuple[str, ...]:
    """Return the distinct names in backticks, without signatures and expressions."""
    candidates = (span.removesuffix("()") for span in spans(text))
    names = (name for name in candidates if is_name(name) and not known.is_path(name))
    return tuple(dict.fromkeys(names))


def is_python(name: str) -> bool:
    """Return whether Python has the name: a builtin, a keyword, a standard module."""
    return name in _PYTHON


def path_of(span: str) -> str:
    """Remove the line numbers, or the name, after a path."""
    return _LINES.sub("", span)


def is_name(span: str) -> bool:
    return bool(_NAME.fullmatch(span))


def prose(text: str) -> str:
    """Remove fenced code."""
    return _FENCE.sub(" ", text)


def spans(text: str) -> list[str]:
    """Return the inline code: text in backticks outside of fenced code."""
    return [span.strip() for span in _SPAN.findall(prose(text))]


def _suffix(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    stem, dot, suffix = name.rpartition(".")
    return suffix if stem and dot and suffix.isalnum() else ""


def _segments(path: str) -> list[str]:
    """Split a path into names: `a/b.py` has `a` and the module `b`."""
    *folders, name = path.split("/")
    return [*folders, name.split(".")[0]]
