"""A definition as a commit found it and as it left it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from repobuild.truth.claims.list_claims import shown
from repobuild.truth.tree.python_reader import PythonDefinition, PythonFile


class Commit(Protocol):
    """A commit of the history that samples tell of."""

    @property
    def subject(self) -> str: ...

    @property
    def paths(self) -> list[tuple[str, str]]:
        """(old path, new path) of what it changed, "" for what is not there."""
        ...

    def before(self, path: str) -> str | None:
        """The text of a file in the first parent; None when it is not there."""
        ...

    def after(self, path: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class FileVersion:
    """A file as a commit has it, and one definition in it."""

    file: PythonFile
    found: PythonDefinition

    def lines(self, whole: bool = False) -> list[str]:
        """The definition's own lines, without docstring and what is nested in it.

        Without its head, too, but for `whole`.
        """
        node = self.found.node
        if whole:
            below = node.body[0]
            starts = [d.lineno for d in getattr(below, "decorator_list", [])]
            last = min([below.lineno, *starts]) - 1
            head = self._told(self.found.first, last)
            return [*head, *self.lines()]
        body = node.body[1:] if self.found.doc else node.body
        first = min([n.lineno for n in body], default=self.found.end + 1)
        if body:
            decorators = getattr(body[0], "decorator_list", [])
            first = min([first, *(d.lineno for d in decorators)])
        return self._told(first, self.found.end)

    def _told(self, first: int, last: int) -> list[str]:
        inner = self.file.children(self.found.qual)
        nested = {row for d in inner for row in range(d.first, d.end + 1)}
        rows = [n for n in range(first, last + 1) if n not in nested]
        lines = (self.file.lines[row - 1].strip() for row in rows)
        return [line for line in lines if line and not line.startswith("#")]


def versions(
    commit: Commit, path: str, name: str
) -> list[tuple[FileVersion, FileVersion]]:
    """The element before and after; more than one where it moved since."""
    pairs = sorted(commit.paths, key=lambda pair: pair[1] != path)
    for wanted in (name, name.rpartition(".")[2]):
        found = []
        for old, new in pairs:
            was, now = (
                _version(commit.before(old), wanted),
                _version(commit.after(new), wanted),
            )
            found += [(a, b) for a in was for b in now]
            if found and new == path:
                return found
        if found:
            return found
    return []


def _version(text: str | None, name: str) -> list[FileVersion]:
    try:
        file = PythonFile(text or "")
    except (SyntaxError, ValueError):
        return []
    return [
        FileVersion(file, d) for d in file.definitions.values()
        if name in (shown(d.qual), d.name)
    ]  # fmt: skip


def every(commit: Commit) -> Iterator[tuple[FileVersion, FileVersion]]:
    """What has one name in both versions: the element may have another by now."""
    for old, new in commit.paths:
        was, now = (_all(t) for t in (commit.before(old), commit.after(new)))
        yield from ((was[qual], now[qual]) for qual in was if qual in now)


def _all(text: str | None) -> dict[str, FileVersion]:
    try:
        file = PythonFile(text or "")
    except (SyntaxError, ValueError):
        return {}
    return {qual: FileVersion(file, d) for qual, d in file.definitions.items()}
