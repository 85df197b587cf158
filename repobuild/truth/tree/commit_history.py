"""Commits as git has them, for the claims about changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from repobuild.git.snapshot import REGULAR, Snapshot, quote
from repobuild.truth.subject import decoded

if TYPE_CHECKING:
    import pygit2

_FARTHEST = 5000  # commits along first parents


@dataclass(frozen=True)
class CommitRecord:
    """A commit beside its first parent; see `version.Commit`."""

    snapshot: Snapshot
    commit: pygit2.Commit

    @property
    def subject(self) -> str:
        return self.commit.message.partition("\n")[0]

    @cached_property
    def paths(self) -> list[tuple[str, str]]:
        diff = self._diff()
        return [
            (quote(d.old_file.raw_path), quote(d.new_file.raw_path))
            for d in diff.deltas
        ]

    def before(self, path: str) -> str | None:
        return self._text(path, str(self.commit.parents[0].id))

    def after(self, path: str) -> str | None:
        return self._text(path, str(self.commit.id))

    def _diff(self) -> Any:
        diff = self.commit.parents[0].tree.diff_to_tree(self.commit.tree)
        diff.find_similar()
        return diff

    def _text(self, path: str, commit: str) -> str | None:
        entry = self.snapshot.entry(path, commit) if path else None
        if entry is None or entry[1] not in REGULAR:
            return None
        return decoded(self.snapshot.blob(entry[0]))


class CommitHistory:
    """The commits along first parents, by their ids."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._steps: dict[str, CommitRecord] = {}

    def __call__(self, id: str) -> CommitRecord | None:
        if id not in self._steps:
            for commit in self._commits():
                if str(commit.id) == id and commit.parents:
                    self._steps[id] = CommitRecord(self._snapshot, commit)
                    break
        return self._steps.get(id)

    def _commits(self) -> Iterator[pygit2.Commit]:
        repository = self._snapshot.repository
        walker = repository.walk(self._snapshot.commit)
        walker.simplify_first_parent()
        return islice(walker, _FARTHEST)
