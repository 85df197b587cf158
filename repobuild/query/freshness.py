"""Say which commit a reply is about, and what changed since.

    indexed_commit   the commit that the tables were built from
    commits_behind   commits of HEAD that it lacks; 0 = current
    dirty_files      changed or new files of the work tree: the reply is not about them
    building         true while a build runs, or after one was interrupted

Worktrees share their tables. When these were built from a commit that HEAD does not
descend from, there is no answer: it would be about another branch.
"""

from __future__ import annotations

import time
from typing import Any

import pygit2
from pygit2.enums import FileStatus

from repobuild.engine.build import Build
from repobuild.errors import StaleError

_SHOWN = 5  # dirty files that are named
_KEPT_SECONDS = 2.0  # how long the state of the work tree is not looked at again
_BUILD = "run `repobuild --until areas` first"
TABLES = ("files", "facts", "graph", "features")


class Freshness:
    """Compares the tables with HEAD and the work tree."""

    def __init__(self) -> None:
        self._dirty: list[str] = []
        self._looked = -_KEPT_SECONDS

    def facts(self, build: Build) -> dict[str, Any]:
        """Return a reply's age; raises `StaleError` for another branch."""
        repository = build.snapshot.repository
        indexed = indexed_commit(build)
        head = str(repository.head.target) if not repository.head_is_unborn else ""
        behind = _behind(repository, indexed, head)
        found: dict[str, Any] = {
            "indexed_commit": indexed[:12],
            "commits_behind": behind,
            **self._work_tree(repository),
        }
        if _is_building(build):
            found["building"] = True
        return found

    def _work_tree(self, repository: pygit2.Repository) -> dict[str, Any]:
        if repository.is_bare:
            return {"dirty_files": []}
        now = time.monotonic()
        if now - self._looked >= _KEPT_SECONDS:
            self._looked, self._dirty = now, _dirty_files(repository)
        found: dict[str, Any] = {"dirty_files": self._dirty[:_SHOWN]}
        if len(self._dirty) > _SHOWN:
            found["more_dirty_files"] = len(self._dirty) - _SHOWN
        return found


def indexed_commit(build: Build) -> str:
    """Return the commit that the tables are of; raises `StaleError` for none."""
    lines = {line.name: line for line in build.state.lines()}
    missing = [name for name in ("graph", "features") if name not in lines]
    if missing:
        raise StaleError(f"{missing[0]} is not built yet\n{_BUILD}")
    files = lines["files"]
    if files.tree.startswith("worktree:"):
        raise StaleError(
            "the tables were built from a work tree, which may have changed since\n"
            "build a commit: repobuild --until areas"
        )
    # A commit that changed no file leaves the tables as they are.
    if files.tree == build.snapshot.tree:
        return build.snapshot.commit
    return files.commit


def _behind(repository: pygit2.Repository, indexed: str, head: str) -> int:
    """Return how many commits HEAD has that the tables lack."""
    if indexed == head:
        return 0
    try:
        is_own = repository.descendant_of(head, indexed)
    except (KeyError, ValueError, pygit2.GitError):
        is_own = False
    if not is_own:
        raise StaleError(
            f"the graph is of commit {indexed[:10]}, which is not on this branch\n"
            f"build this one: {_BUILD.removeprefix('run ').removesuffix(' first')}"
        )
    return int(repository.ahead_behind(head, indexed)[0])


def _dirty_files(repository: pygit2.Repository) -> list[str]:
    try:
        status = repository.status(untracked_files="normal")
    except pygit2.GitError:
        return []  # a sparse or split index, which libgit2 cannot read
    return sorted(p for p, one in status.items() if one != FileStatus.IGNORED)


def _is_building(build: Build) -> bool:
    marks = ", ".join("?" for _ in TABLES)
    query = f"SELECT 1 FROM pending WHERE consumer IN ({marks}) LIMIT 1"
    return build.state.database.execute(query, TABLES).fetchone() is not None
