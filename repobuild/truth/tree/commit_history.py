"""Read commits from git, for the claims about changes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from repobuild.git.snapshot import REGULAR, Snapshot, first_line, quote
from repobuild.truth.tree.tree_file import decode_source

if TYPE_CHECKING:
    import pygit2

_MOST_COMMITS = 5000  # along first parents


@dataclass(frozen=True)
class CommitRecord:
    """A commit beside its first parent; implements `file_version.Commit`."""

    snapshot: Snapshot
    commit: pygit2.Commit

    @property
    def subject(self) -> str:
        """The first line, with a space for what cannot be printed."""
        shown = (c if c.isprintable() else " " for c in first_line(self.commit))
        return " ".join("".join(shown).split())

    @property
    def date(self) -> str:
        """The day in the author's time zone, "" when there is no such day."""
        seconds = self.commit.author.time + 60 * self.commit.author.offset
        try:
            return time.strftime("%Y-%m-%d", time.gmtime(seconds))
        except (OverflowError, ValueError, OSError):
            return ""

    @cached_property
    def paths(self) -> list[tuple[str, str]]:
        diff = self.commit.parents[0].tree.diff_to_tree(self.commit.tree)
        diff.find_similar()
        return [
            (quote(d.old_file.raw_path), quote(d.new_file.raw_path))
            for d in diff.deltas
        ]

    def before(self, path: str) -> str | None:
        return self._text(path, str(self.commit.parents[0].id))

    def after(self, path: str) -> str | None:
        return self._text(path, str(self.commit.id))

    def _text(self, path: str, commit: str) -> str | None:
        entry = self.snapshot.entry_at(path, commit) if path else None
        if entry is None or entry[1] not in REGULAR:
            return None
        return decode_source(self.snapshot.blob(entry[0]))


class CommitHistory:
    """Find a commit along the first parents by its id; root commits are not found."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._records: dict[str, CommitRecord] = {}

    def __call__(self, id: str) -> CommitRecord | None:
        if id not in self._records:
            walker = self._snapshot.repository.walk(self._snapshot.commit)
            walker.simplify_first_parent()
            for commit in islice(walker, _MOST_COMMITS):
                if str(commit.id) == id and commit.parents:
                    self._records[id] = CommitRecord(self._snapshot, commit)
                    break
        return self._records.get(id)
