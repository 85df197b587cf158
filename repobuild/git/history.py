"""The commits that led to one, and what each of them changed: the `commits` table.

    key   commit id (hex)
    row   {"parent": id, "before": id, "subject": str, "files": int,
           "changes": [[status, old path, old blob, new path, new blob], ...]}

Against the first parent, so that a merge counts as what it brought in. `status` is
git's letter: A, D, M, or R for a rename, exact or by likeness. Paths are keys, see
snapshot.py; what is not there is "". A link or a submodule has a path, but no blob:
nothing of it can be read. A commit of more than `MOST_FILES` files keeps only their
number in `files`.

**Loops are erased.** Where a later commit has the tree of an earlier one, what lies
between the two has come to nothing, and is left out: a `git revert` leaves exactly the
rows that were there before the reverted commit, and so there is nothing to train.
`before` is the next commit that is kept, "" where history ends. It depends on what led
to the commit alone: a row is a pure function of its key.

History ends at a root and at the edge of a shallow clone: a commit without a parent to
compare it with has no row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pygit2
from pygit2.enums import DiffFind, DiffOption

from repobuild.git.snapshot import REGULAR, quote

MOST_FILES = 100
LOOP = 64  # commits within which a tree is looked for again
_FARTHEST = 4096  # commits looked at; more only where trees come back without end
_LONGEST_SUBJECT = 100
_RENAME_LIMIT = 200
_ALIKE = 50  # percent, as git has it


class CommitStep(NamedTuple):
    """A commit that is kept, and the next one that is, "" at the end."""

    commit: str
    before: str


def steps(repository: pygit2.Repository, commit: str) -> Iterator[CommitStep]:
    """Yield the commits along first parents, newest first, without loops.

    Commits that cannot be compared with their parent are left out.
    """
    line = _Line(repository, commit)
    place = line.origin(0)
    while line.tree(place + 1):
        after = line.origin(place + 1)
        yield CommitStep(
            line.commit(place), line.commit(after) if line.tree(after + 1) else ""
        )
        place = after


class _Line:
    """First-parent commits, newest first, read as far as they are asked for."""

    def __init__(self, repository: pygit2.Repository, commit: str) -> None:
        self._repository = repository
        self._found: list[tuple[str, str]] = []  # commit, tree
        self._next = commit

    def commit(self, place: int) -> str:
        return self._found[place][0]

    def tree(self, place: int) -> str:
        """Return a commit's tree; "" beyond the end."""
        while len(self._found) <= place and self._next:
            self._read()
        return self._found[place][1] if place < len(self._found) else ""

    def origin(self, place: int) -> int:
        """Return the oldest place with the same tree, each within reach of the last."""
        tree = self.tree(place)
        while tree:
            self.tree(place + LOOP)
            near = self._found[place + 1 : place + LOOP + 1]
            same = [n for n, (_, other) in enumerate(near, place + 1) if other == tree]
            if not same:
                break
            place = same[-1]
        return place

    def _read(self) -> None:
        name, self._next = self._next, ""
        if len(self._found) >= _FARTHEST:
            return
        try:
            found = self._repository[name].peel(pygit2.Commit)
        except (KeyError, ValueError, pygit2.GitError):
            return  # not in this clone
        if found.tree_id not in self._repository:
            return
        self._found.append((name, str(found.tree_id)))
        self._next = str(found.parent_ids[0]) if found.parent_ids else ""


def row(repository: pygit2.Repository, step: CommitStep) -> dict[str, Any]:
    """Return the row of a commit that is kept."""
    commit = repository[step.commit].peel(pygit2.Commit)
    parent = repository[commit.parent_ids[0]].peel(pygit2.Commit)
    files, changed = _changes(parent.tree, commit.tree)
    return {
        "parent": str(parent.id),
        "before": step.before,
        "subject": subject(commit),
        "files": files,
        "changes": changed,
    }


def _changes(old: pygit2.Tree, new: pygit2.Tree) -> tuple[int, list[list[str]]]:
    """Return how many files differ, and which, unless they are too many.

    No flag and no limit is left to the user's configuration.
    """
    diff = old.diff_to_tree(new, DiffOption.NORMAL, 0, 0)
    if len(diff) > MOST_FILES:
        return len(diff), []
    diff.find_similar(
        DiffFind.FIND_RENAMES, _ALIKE, _ALIKE, _ALIKE, _ALIKE, _RENAME_LIMIT
    )
    changed = [_change(delta) for delta in diff.deltas]
    return len(changed), sorted(
        changed, key=lambda change: (change[3] or change[1], change)
    )


def _change(delta: pygit2.DiffDelta) -> list[str]:
    status = delta.status_char()
    old = ["", ""] if status == "A" else _side(delta.old_file)
    new = ["", ""] if status == "D" else _side(delta.new_file)
    return [status, *old, *new]


def _side(file: pygit2.DiffFile) -> list[str]:
    regular = int(file.mode) in [int(mode) for mode in REGULAR]
    return [quote(file.raw_path), str(file.id) if regular else ""]


def subject(commit: pygit2.Commit) -> str:
    """Return the first line of a message as clean, bounded text."""
    raw = commit.raw_message.strip().partition(b"\n")[0]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(text) <= _LONGEST_SUBJECT:
        return text
    return text[: _LONGEST_SUBJECT - 1].rstrip() + "…"
