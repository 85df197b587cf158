"""Find a definition in the two versions of a file that a commit changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from repobuild.truth.tree.python_reader import (
    PythonDefinition,
    PythonFile,
    display_name,
    parse_python,
)


class Commit(Protocol):
    """A commit beside its first parent; `commit_history.CommitRecord` reads git's."""

    @property
    def subject(self) -> str: ...

    @property
    def date(self) -> str: ...

    @property
    def paths(self) -> list[tuple[str, str]]:
        """(old path, new path) of each changed file; "" where there is no such file."""
        ...

    def before(self, path: str) -> str | None:
        """Return a file's text in the first parent; None when it is not there."""
        ...

    def after(self, path: str) -> str | None:
        """Return a file's text in the commit; None when it is not there."""
        ...


@dataclass(frozen=True, slots=True)
class FileVersion:
    """One version of a file, and one definition in it."""

    file: PythonFile
    definition: PythonDefinition

    def lines(self, with_head: bool = False) -> list[str]:
        """Return the definition's own code lines, stripped.

        Comments, blank lines, the docstring and nested definitions are left out, and
        so is the head (decorators and signature) without `with_head`.
        """
        node = self.definition.node
        if with_head:
            below = node.body[0]
            starts = [d.lineno for d in getattr(below, "decorator_list", [])]
            last = min([below.lineno, *starts]) - 1
            return [
                *self._code_lines(self.definition.decorated_start, last),
                *self.lines(),
            ]
        body = node.body[1:] if self.definition.doc else node.body
        first = min([n.lineno for n in body], default=self.definition.end + 1)
        if body:
            decorators = getattr(body[0], "decorator_list", [])
            first = min([first, *(d.lineno for d in decorators)])
        return self._code_lines(first, self.definition.end)

    def _code_lines(self, first: int, last: int) -> list[str]:
        nested = {
            row
            for child in self.file.children(self.definition.qual)
            for row in range(child.decorated_start, child.end + 1)
        }
        rows = [n for n in range(first, last + 1) if n not in nested]
        lines = (self.file.lines[row - 1].strip() for row in rows)
        return [line for line in lines if line and not line.startswith("#")]


class VersionPair(NamedTuple):
    """A definition before and after a commit."""

    old: FileVersion
    new: FileVersion


def version_pairs(commit: Commit, path: str, name: str) -> list[VersionPair]:
    """Return the element's versions; several when it has moved since the commit.

    The file at `path` is looked at first, then all that the commit changed; the full
    name first, then its last part.
    """
    changed = sorted(commit.paths, key=lambda pair: pair[1] != path)
    for wanted in (name, name.rpartition(".")[2]):
        pairs: list[VersionPair] = []
        for old, new in changed:
            before = _versions_named(old, commit.before(old), wanted)
            after = _versions_named(new, commit.after(new), wanted)
            pairs += [VersionPair(a, b) for a in before for b in after]
            if pairs and new == path:
                return pairs
        if pairs:
            return pairs
    return []


def all_version_pairs(commit: Commit) -> Iterator[VersionPair]:
    """Yield what has one name in both versions: the element may be renamed by now."""
    for old, new in commit.paths:
        before = {v.definition.qual: v for v in _versions(old, commit.before(old))}
        after = {v.definition.qual: v for v in _versions(new, commit.after(new))}
        for qual in before:
            if qual in after:
                yield VersionPair(before[qual], after[qual])


def _versions_named(path: str, text: str | None, name: str) -> list[FileVersion]:
    return [
        version
        for version in _versions(path, text)
        if name in (display_name(version.definition.qual), version.definition.name)
    ]


def _versions(path: str, text: str | None) -> list[FileVersion]:
    file = parse_python(path, text)
    return [FileVersion(file, d) for d in file.definitions.values()] if file else []
