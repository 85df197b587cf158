"""List the commits that led to one and what each changed: rows of the table `commits`.

    key   commit id (hex)
    row   {"parent": id, "before": id, "subject": str, "date": str, "files": int,
           "changes": [[status, old path, old blob, new path, new blob], ...]}

A commit is compared with its first parent, so a merge counts as everything it brought
in. `date` is the day on which its author made it, where he was (`2024-05-31`), "" for a
time that no calendar has. `status` is git's letter: A, D, M, or R for a rename, exact
or by similarity. Paths are keys (see snapshot.py); a missing side is "". A link or a
submodule has a path but no blob, because it has no content to read. A commit that
changes more than `MOST_FILES` files has their number in `files` and no `changes`.

**Loops are removed.** Where a later commit has the same tree as an earlier one, the
commits between them cancelled out and are left out. So a `git revert` leaves exactly
the rows that existed before the reverted commit, and there is nothing to train.
`before` is the next older commit that is kept, "" where history ends. It depends only
on the commit's own ancestors: a row is a pure function of its key.

History ends at a root and at the edge of a shallow clone: a commit without a readable
parent has no row.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

import pygit2
from pygit2.enums import DiffFind, DiffOption

from repobuild.errors import MissingObjectError
from repobuild.git.repository import has_object
from repobuild.git.snapshot import first_line, is_regular, quote
from repobuild.git.tree_objects import diff_trees

MOST_FILES = 100
_MOST_COMPARED = 100_000  # files that are counted; libgit2 would list every one
LOOP = 64  # longest loop that is detected, in commits
# Commits that are read at most. Only a history whose trees recur without end gets here.
_MOST_COMMITS = 4096
_LONGEST_SUBJECT = 100  # characters
_RENAME_LIMIT = 200
_SIMILARITY = 50  # percent, git's default


class KeptCommit(NamedTuple):
    """A kept commit and the next older one that is kept, "" at the end of history."""

    commit: str
    before: str


def kept_commits(
    repository: pygit2.Repository,
    commit: str,
    fail: Callable[[str, MissingObjectError], None] = lambda commit, error: None,
) -> Iterator[KeptCommit]:
    """Yield the commits along first parents, newest first, without loops.

    Commits that cannot be compared with their parent are left out. `fail` hears of a
    commit whose tree is missing, where history can be read again once it is there.
    """
    history = _FirstParentHistory(repository, commit, fail)
    kept = history.skip_loop(0)
    while history.tree(kept + 1):
        older = history.skip_loop(kept + 1)
        has_parent = bool(history.tree(older + 1))
        yield KeptCommit(
            history.commit(kept), history.commit(older) if has_parent else ""
        )
        kept = older


class _FirstParentHistory:
    """Commits along first parents, by age (0 is the newest); read on demand."""

    def __init__(
        self,
        repository: pygit2.Repository,
        commit: str,
        fail: Callable[[str, MissingObjectError], None],
    ) -> None:
        self._repository = repository
        self._fail = fail
        self._read: list[tuple[str, str]] = []  # commit, tree
        self._ages: dict[str, list[int]] = {}  # of the commits with a tree, ascending
        self._next = commit

    def commit(self, age: int) -> str:
        return self._read[age][0]

    def tree(self, age: int) -> str:
        """Return a commit's tree id; "" beyond the end of history."""
        while len(self._read) <= age and self._next:
            self._read_next()
        return self._read[age][1] if age < len(self._read) else ""

    def skip_loop(self, age: int) -> int:
        """Return the age of the oldest commit with the same tree.

        A tree may recur several times, each within `LOOP` commits of the last.
        """
        ages = self._ages.get(self.tree(age), [])
        while ages:
            self.tree(age + LOOP)
            last = ages[bisect_right(ages, age + LOOP) - 1]
            if last <= age:
                break
            age = last
        return age

    def _read_next(self) -> None:
        name, self._next = self._next, ""
        if len(self._read) >= _MOST_COMMITS:
            return
        try:
            commit = self._repository[name].peel(pygit2.Commit)
        except (KeyError, ValueError, pygit2.GitError):
            return  # not in this clone
        if not has_object(self._repository, str(commit.tree_id)):
            self._fail(name, MissingObjectError(str(commit.tree_id)))
            return
        tree = str(commit.tree_id)
        self._ages.setdefault(tree, []).append(len(self._read))
        self._read.append((name, tree))
        self._next = str(commit.parent_ids[0]) if commit.parent_ids else ""


def commit_row(repository: pygit2.Repository, step: KeptCommit) -> dict[str, Any]:
    """Return the table row of a kept commit.

    Raises `MissingObjectError` when a tree, or a blob that may be a renamed file, is
    missing.
    """
    try:
        commit = repository[step.commit].peel(pygit2.Commit)
        parent = repository[commit.parent_ids[0]].peel(pygit2.Commit)
        files, changes = _diff(repository, parent.tree, commit.tree)
    except (KeyError, pygit2.GitError) as error:
        raise MissingObjectError(step.commit) from error
    return {
        "parent": str(parent.id),
        "before": step.before,
        "subject": subject(commit),
        "date": day(commit),
        "files": files,
        "changes": changes,
    }


def diff_commits(
    repository: pygit2.Repository, old: pygit2.Commit, new: pygit2.Commit
) -> tuple[int, list[list[str]]]:
    """Return how many files two commits differ by, and the changes as a row has them.

    Raises `MissingObjectError` when a tree, or a blob that may be a renamed file, is
    missing.
    """
    try:
        return _diff(repository, old.tree, new.tree)
    except (KeyError, pygit2.GitError) as error:
        raise MissingObjectError(str(new.id)) from error


def _diff(
    repository: pygit2.Repository, old: pygit2.Tree, new: pygit2.Tree
) -> tuple[int, list[list[str]]]:
    """Return how many files differ, and their changes unless there are too many.

    Every flag and limit is given, so the user's git configuration has no influence.
    """
    differing = diff_trees(repository, str(old.id), str(new.id))
    if len(list(islice(differing, _MOST_COMPARED))) == _MOST_COMPARED:
        return _MOST_COMPARED, []
    diff = old.diff_to_tree(new, DiffOption.NORMAL, 0, 0)
    if len(diff) > MOST_FILES:
        return len(diff), []
    diff.find_similar(
        DiffFind.FIND_RENAMES,
        _SIMILARITY,
        _SIMILARITY,
        _SIMILARITY,
        _SIMILARITY,
        _RENAME_LIMIT,
    )
    changes = [_change(delta) for delta in diff.deltas]
    return len(changes), sorted(
        changes, key=lambda change: (change[3] or change[1], change)
    )


def _change(delta: pygit2.DiffDelta) -> list[str]:
    status = delta.status_char()
    old = ["", ""] if status == "A" else _path_and_blob(delta.old_file)
    new = ["", ""] if status == "D" else _path_and_blob(delta.new_file)
    return [status, *old, *new]


def _path_and_blob(file: pygit2.DiffFile) -> list[str]:
    return [quote(file.raw_path), str(file.id) if is_regular(int(file.mode)) else ""]


def day(commit: pygit2.Commit) -> str:
    """Return the day in the author's own time zone."""
    try:
        local = timedelta(seconds=commit.author.time, minutes=commit.author.offset)
        return (datetime(1970, 1, 1) + local).date().isoformat()
    except (OverflowError, ValueError):
        return ""


def subject(commit: pygit2.Commit) -> str:
    """Return the first line of a commit message as printable, bounded text."""
    text = first_line(commit)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(text) <= _LONGEST_SUBJECT:
        return text
    return text[: _LONGEST_SUBJECT - 1].rstrip() + "…"
