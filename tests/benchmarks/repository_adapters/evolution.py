"""The evolution track: what each commit of a history newly asks.

A commit's tasks are those of its changed test files that no changed or removed file of
its parent had: with the same function, statement and target. So neither a line that is
inserted above, nor a file that is renamed, nor a test that moves to another file asks
anything new; a changed expected value does.

The split by date is at a commit: tasks of the commits up to it are for training, new
ones of the commits after it are measured. A task that an earlier commit asked is not
asked again, also when it was removed in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pygit2

from repobuild.model.bundled.corpus import SourceFile, read_text
from tests.benchmarks.repository_adapters.repositories import (
    LARGEST_FILE,
    Parsed,
    Repository,
    at_revision,
    is_left_out,
    is_test_path,
)
from tests.benchmarks.repository_adapters.tasks import Task, Windows, repository_windows

Asked = tuple[str, str, str]  # function, statement, target


@dataclass(frozen=True, slots=True)
class CommitTasks:
    """What a commit newly asks; windows are of its changed test files alone."""

    commit: str
    time: int  # seconds
    windows: Windows
    tasks: tuple[Task, ...]


def history(git: pygit2.Repository, commit: str, most: int) -> list[pygit2.Commit]:
    """Return the last first-parent commits that have a parent, oldest first."""
    found: list[pygit2.Commit] = []
    at = git.revparse_single(commit).peel(pygit2.Commit)
    while len(found) < most and at.parents:
        found.append(at)
        at = at.parents[0]
    return found[::-1]


def evolution(
    git: pygit2.Repository, name: str, commits: Sequence[pygit2.Commit]
) -> Iterator[CommitTasks]:
    """Yield the commits that ask something new, oldest first."""
    seen: set[Asked] = set()
    known: Parsed = {}
    for commit in commits:
        changed = changed_tests(git, commit)
        if not changed:
            continue
        old = {path: a for path, a, _ in changed if a is not None}
        new = {path: b for path, _, b in changed if b is not None}
        source = at_revision(git, name, str(commit.id), known).source
        before = _windows(name, source, old)
        seen.update(asked(task) for task in before.tasks)
        now = _windows(name, source, new)
        fresh = tuple(task for task in now.tasks if asked(task) not in seen)
        seen.update(asked(task) for task in fresh)
        if fresh:
            yield CommitTasks(str(commit.id), commit.commit_time, now, fresh)


def asked(task: Task) -> Asked:
    """Return what makes a task the same in another file."""
    return task.identity.function, task.identity.statement, task.target


def _windows(
    name: str, source: tuple[SourceFile, ...], tests: dict[str, bytes]
) -> Windows:
    """Return the tasks of some test files, as a commit's source defines names."""
    files = [read_text(data, path) for path, data in sorted(tests.items())]
    return repository_windows(Repository(name, source, tuple(f for f in files if f)))


def changed_tests(
    git: pygit2.Repository, commit: pygit2.Commit
) -> list[tuple[str, bytes | None, bytes | None]]:
    """Return path, old and new content of each test that a commit changed."""
    before, now = commit.parents[0].tree, commit.tree
    diff = git.diff(before, now)
    paths = {
        file.path
        for delta in diff.deltas
        for file in (delta.old_file, delta.new_file)
        if file.path.endswith(".py")
    }
    return [
        (path, _content(before, path), _content(now, path))
        for path in sorted(paths)
        if is_test_path(path) and not is_left_out(path)
    ]


def _content(tree: pygit2.Tree, path: str) -> bytes | None:
    """Return a file's bytes; None of none, of a large one, and of one that a partial
    clone lacks.
    """
    try:
        found = tree[path]
        if not isinstance(found, pygit2.Blob) or found.size > LARGEST_FILE:
            return None
        return bytes(found.data)
    except KeyError:
        return None
