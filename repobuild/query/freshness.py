"""Say which commit a reply is about, and what changed since.

    indexed_commit   the commit that the tables were built from
    commits_behind   commits of HEAD that it lacks; 0 = current
    dirty_files      changed or new files of the work tree: the reply is not about them
    building         true while a build runs, or after one was interrupted

Worktrees share their tables. When these were built from a commit that HEAD does not
descend from, there is no answer: it would be about another branch.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

import pygit2
from pygit2.enums import FileStatus

from repobuild.engine.build import Build
from repobuild.errors import StaleError
from repobuild.git.snapshot import unquote
from repobuild.resources import program

_SHOWN = 5  # dirty files that are named
_SECONDS = 2.0  # between two comparisons of the work tree
_IDLE_SECONDS = 30.0  # without a question, after which there are none
# What is read, and must be built.
GRAPH = ("graph", "features")
LOCATE = ("lexicon", "touches")
_BUILT = ("files", "facts", *GRAPH)
_HOW: Mapping[tuple[str, ...], str] = {GRAPH: "--until areas", LOCATE: "locate TEXT"}


def build_command(tables: tuple[str, ...] = GRAPH) -> str:
    """Return the call that builds some tables."""
    return f"{program()} {_HOW[tables]}"


class Freshness:
    """Compares the tables with HEAD and the work tree.

    git's comparison of all files takes 45 ms of 3,700. A verb makes it once. A server
    makes it in a thread, every 2 seconds while it is asked, and of the files that a
    reply is about it looks at the times: when one differs, it compares at once.
    """

    def __init__(self, in_background: bool = False) -> None:
        self._in_background = in_background
        self._dirty: list[str] | None = None  # None = to be looked at
        self._times: dict[str, tuple[int, int]] = {}  # of files, as of the last look
        self._asked = 0.0
        self._thread: threading.Thread | None = None

    def facts(self, build: Build, tables: tuple[str, ...] = GRAPH) -> dict[str, Any]:
        """Return the age of a reply from some tables.

        Raises `StaleError` for those of another branch.
        """
        repository = build.snapshot.repository
        indexed = indexed_commit(build, tables)
        head = str(repository.head.target) if not repository.head_is_unborn else ""
        found: dict[str, Any] = {
            "indexed_commit": indexed[:12],
            "commits_behind": _behind(repository, indexed, head, build_command(tables)),
        }
        dirty = self._work_tree(repository)
        found["dirty_files"] = dirty[:_SHOWN]
        if len(dirty) > _SHOWN:
            found["more_dirty_files"] = len(dirty) - _SHOWN
        if any(_has_pending(build, name) for name in _BUILT):
            found["building"] = True
        return found

    def is_outdated(self, build: Build, paths: Iterable[str]) -> bool:
        """Return whether one of some files changed since the work tree was compared.

        The next `facts` then compares it again.
        """
        repository = build.snapshot.repository
        if not self._in_background or repository.is_bare:
            return False
        for path in paths:
            now = _stat(os.path.join(repository.workdir, unquote(path)))
            if self._times.setdefault(path, now) != now:
                self._times.clear()
                self._dirty = None
                return True
        return False

    def _work_tree(self, repository: pygit2.Repository) -> list[str]:
        if repository.is_bare:
            return []
        self._asked = time.monotonic()
        dirty = self._dirty
        if dirty is None:
            dirty = self._dirty = _dirty_files(repository)
        if self._in_background and not (self._thread and self._thread.is_alive()):
            arguments = (repository.path,)
            self._thread = threading.Thread(
                target=self._watch, args=arguments, daemon=True
            )
            self._thread.start()
        return dirty

    def _watch(self, path: str) -> None:
        """Compare the work tree again and again, until nobody asked for a while."""
        repository = pygit2.Repository(path)
        while True:
            time.sleep(_SECONDS)
            if time.monotonic() - self._asked > _IDLE_SECONDS:
                self._dirty = None
                return
            self._dirty = _dirty_files(repository)


def _stat(name: str) -> tuple[int, int]:
    try:
        found = os.lstat(name)
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def indexed_commit(build: Build, tables: tuple[str, ...] = GRAPH) -> str:
    """Return the commit that some tables are of; raises `StaleError` for none."""
    lines = {line.name: line for line in build.state.lines()}
    missing = [name for name in tables if name not in lines]
    if missing:
        raise StaleError(
            f"not built yet, and needed for an answer: {', '.join(missing)}\n"
            f"run `{build_command(tables)}` first"
        )
    files = lines["files"]
    if files.tree.startswith("worktree:"):
        raise StaleError(
            "the tables were built from a work tree, which may have changed since\n"
            f"build a commit: {build_command(tables)}"
        )
    if tables == LOCATE and _has_pending(build, "lexicon"):
        # A build of other tables went past it.
        return lines["lexicon"].commit
    # A commit that changed no file leaves the tables as they are.
    if files.tree == build.snapshot.tree:
        return build.snapshot.commit
    return files.commit


def _behind(repository: pygit2.Repository, indexed: str, head: str, how: str) -> int:
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
            f"build this one: {how}"
        )
    return int(repository.ahead_behind(head, indexed)[0])


def _dirty_files(repository: pygit2.Repository) -> list[str]:
    try:
        status = repository.status(untracked_files="normal")
    except pygit2.GitError:
        return []  # a sparse or split index, which libgit2 cannot read
    return sorted(p for p, one in status.items() if one != FileStatus.IGNORED)


def _has_pending(build: Build, table: str) -> bool:
    """Return whether changed rows wait for a table: a build runs, or was cut short."""
    query = "SELECT 1 FROM pending WHERE consumer = ? LIMIT 1"
    return build.state.database.execute(query, (table,)).fetchone() is not None
