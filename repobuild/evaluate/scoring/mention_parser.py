"""What exists in the repository, and what a text names of it.

A path is a string in backticks that is a path of the repository, or holds a slash and
no space, or ends in a file suffix of the repository and is no name of it.  `:12`,
`:12-34` and `#L12` at its end are cut.  An answer without any path in backticks is
searched for bare words by the same rule, because models that were never trained on our
form leave the backticks out.

A name is an identifier in backticks, dotted or with `()` behind it, that is no path.

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
_LINES = re.compile(r"(:\d+([-:]\d+)?|#L\d+(-L?\d+)?)$")
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_PYTHON = frozenset(
    {*dir(builtins), *keyword.kwlist, *sys.stdlib_module_names, "self", "cls"}
)


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What exists in the repository: paths, their suffixes, and names.

    Sets, or what looks in an index; see mentioned.py.
    """

    paths: Container[str]
    names: Container[str]
    suffixes: Container[str]

    @classmethod
    def of(cls, paths: Sequence[str], names: Sequence[str]) -> KnownNames:
        """Every part of a dotted name and of a path counts as a name by itself."""
        parts = {part for name in names for part in name.split(".")}
        stems = {part for path in paths for part in _segments(path)}
        suffixes = {_suffix(path) for path in paths} - {""}
        every = frozenset(parts | stems | set(names))
        return cls(frozenset(paths), every, frozenset(suffixes))

    def has_name(self, name: str) -> bool:
        """A dotted name exists when all of its parts do; Python's own always do."""
        if name in self.names:
            return True
        return all(part in self.names or is_python(part) for part in name.split("."))

    def is_path(self, text: str) -> bool:
        if text in self.paths:
            return True
        if any(sign.isspace() for sign in text) or "://" in text or "(" in text:
            return False
        slashed = "/" in text.strip("/")
        return slashed or (_suffix(text) in self.suffixes and text not in self.names)


def paths_in(text: str, known: KnownNames) -> list[str]:
    """Distinct paths in order; see the rule at the top."""
    quoted = [path_of(span) for span in spans(text)]
    paths = [span for span in quoted if known.is_path(span)]
    if not paths:
        words = (word.rstrip(".") for word in _WORD.findall(prose(text)))
        paths = [word for word in words if known.is_path(word)]
    return list(dict.fromkeys(paths))


def names_in(text: str, known: KnownNames) -> tuple[str, ...]:
    """Distinct names in backticks; paths, signatures and expressions are none."""
    bare = (span.removesuffix("()") for span in spans(text))
    names = (s for s in bare if is_name(s) and not known.is_path(s))
    return tuple(dict.fromkeys(names))


def is_python(name: str) -> bool:
    """Whether it is Python's own: a builtin, a keyword, a module it comes with."""
    return name in _PYTHON


def path_of(span: str) -> str:
    """A span without the place in the file behind it."""
    return _LINES.sub("", span)


def is_name(span: str) -> bool:
    return bool(_NAME.fullmatch(span))


def prose(text: str) -> str:
    return _FENCE.sub(" ", text)


def spans(text: str) -> list[str]:
    """What stands in backticks, outside of fenced code."""
    return [span.strip() for span in _SPAN.findall(prose(text))]


def _suffix(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    stem, dot, suffix = name.rpartition(".")
    return suffix if stem and dot and suffix.isalnum() else ""


def _segments(path: str) -> list[str]:
    """`a/b.py` also makes `a` and `b` names: modules are written without suffix."""
    *folders, name = path.split("/")
    return [*folders, name.split(".")[0]]
