"""Reads what `.gitattributes` files say of vendored and generated files.

GitHub's Linguist reads two attributes, and so do we: `linguist-vendored` and
`linguist-generated`. Each may be set (`attr`, `attr=true`) or unset (`-attr`,
`attr=false`); `!attr` takes an outer file's word back. Patterns match as git's
documentation says (gitattributes): one without a slash matches a file's name, another
the path below the folder of the `.gitattributes`; within a file the last line wins, and
the nearest file wins over the outer ones. Macros (`[attr]name`) are read at the top
only. The files come from the tree that is built, never from the work tree.

Bounds for hostile files: `_MAX_BYTES` of a file, `_MAX_LINE` of a line (git's own), and
the first `_MAX_LINES` lines that name one of the two attributes. Patterns are matched a
folder at a time: at most (folders of the pattern x folders of the path) steps.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import NamedTuple

ATTRIBUTES = ".gitattributes"
_VENDORED, _GENERATED = "linguist-vendored", "linguist-generated"
_MAX_BYTES = 1_000_000
_MAX_LINE = 2_048  # bytes
_MAX_LINES = 1_000
_QUOTED_PATTERN = re.compile(r'"((?:[^"\\]|\\.)*+)"\s+(.*)')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MACRO = "[attr]"


class LinguistMarks(NamedTuple):
    """What the attributes say of one path; None where they say nothing."""

    vendored: bool | None = None
    generated: bool | None = None


UNMARKED = LinguistMarks()


class _AttributeLine(NamedTuple):
    """One line of a file: a pattern's folders, and the attributes it sets."""

    parts: tuple[str, ...]  # one part matches the file's name in any folder
    states: dict[str, bool | None]


_Lines = tuple[_AttributeLine, ...]


class TreeAttributes:
    """The attribute files of one tree, each read once when a path below it is asked.

    `read` returns the bytes of the file at a path's key, None where there is none.
    """

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read
        self._lines_by_folder: dict[str, _Lines] = {}
        self._macros: dict[str, dict[str, bool | None]] = {}

    def marks(self, key: str, path: str) -> LinguistMarks:
        """Return what applies to a path, given as its key and as git's own text."""
        states: dict[str, bool | None] = {}
        keys, names = key.split("/"), path.split("/")
        for depth in range(len(keys)):
            folder = "".join(part + "/" for part in keys[:depth])
            for line in self._lines(folder):
                if _matches(line.parts, names[depth:]):
                    states.update(line.states)
        return LinguistMarks(states.get(_VENDORED), states.get(_GENERATED))

    def _lines(self, folder: str) -> _Lines:
        if folder not in self._lines_by_folder:
            data = self._read(folder + ATTRIBUTES)
            text = (data or b"")[:_MAX_BYTES].decode("utf-8", "surrogateescape")
            self._lines_by_folder[folder] = self._parse(text, is_top=not folder)
        return self._lines_by_folder[folder]

    def _parse(self, text: str, is_top: bool) -> _Lines:
        found: list[_AttributeLine] = []
        for line in text.removeprefix("\ufeff").split("\n"):
            pattern, words = _split_line(line)
            if not pattern or len(line) > _MAX_LINE:
                continue
            states = self._states(words)
            if pattern.startswith(_MACRO):
                if is_top:
                    self._macros[pattern.removeprefix(_MACRO)] = states
            elif states and len(found) < _MAX_LINES and pattern[0] != "!":
                found.append(_AttributeLine(_pattern_parts(pattern), states))
        return tuple(found)

    def _states(self, words: list[str]) -> dict[str, bool | None]:
        """Return the states that the words give to the two attributes."""
        states: dict[str, bool | None] = {}
        for word in words:
            name, equals, value = word.lstrip("-!").partition("=")
            if name in self._macros and word == name:
                states.update(self._macros[name])
            elif name in (_VENDORED, _GENERATED):
                is_set = value != "false" if equals else word[0] != "-"
                states[name] = None if word[0] == "!" else is_set
        return states


def _split_line(line: str) -> tuple[str, list[str]]:
    """Return a line's pattern and its attributes; "" for a comment or an empty line."""
    line = line.strip()
    if quoted := _QUOTED_PATTERN.fullmatch(line):
        return _ESCAPED.sub(r"\1", quoted[1]), quoted[2].split()
    pattern, *words = line.split() or [""]
    return ("", []) if pattern.startswith("#") else (pattern, words)


def _pattern_parts(pattern: str) -> tuple[str, ...]:
    """Return the pattern's folders in the syntax of `fnmatch`."""
    translated = _ESCAPED.sub(
        lambda escape: f"[{escape[1]}]" if escape[1] in "*?[" else escape[1],
        pattern.replace("[^", "[!"),
    )
    parts = translated.removeprefix("/").split("/")
    # A leading slash ties a bare name to this folder: say so with an empty part.
    return tuple(["", *parts] if pattern.startswith("/") and len(parts) == 1 else parts)


def _matches(parts: tuple[str, ...], names: list[str]) -> bool:
    """Return whether a pattern matches a path below its folder.

    `**` matches any number of folders; after a mismatch the last one takes one more.
    """
    if len(parts) == 1:
        return fnmatchcase(names[-1], parts[0])
    if parts[0] == "":
        return len(names) == 1 and fnmatchcase(names[0], parts[1])
    part = name = 0
    retry: tuple[int, int] | None = None
    while name < len(names):
        if part < len(parts) and parts[part] == "**":
            if part == len(parts) - 1:
                return True
            part, retry = part + 1, (part + 1, name)
        elif part < len(parts) and fnmatchcase(names[name], parts[part]):
            part, name = part + 1, name + 1
        elif retry:
            part, name = retry[0], retry[1] + 1
            retry = (part, name)
        else:
            return False
    return part == len(parts)
