"""Read more of the history of a shallow clone, as far as somebody needs it.

A shallow clone ends at the commits that the file `shallow` lists: git hides their
parents. `deepen` asks the clone's own remote for the commits below them, by the ids of
commits: no other branch is fetched. How far it must go is not known beforehand, so the
step doubles.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pygit2

from repobuild.git.program import run_git
from repobuild.git.repository import common_folder, open_repository

FIRST_STEP = 64  # commits
MOST = 4096  # commits below the edge; further back, the whole history is fetched


def edge(repository: pygit2.Repository) -> set[str]:
    """Return the commits whose parents a shallow clone hides; none in a whole one.

    git lists a first commit there, too, although it has no parent to hide.
    """
    try:
        text = (common_folder(repository) / "shallow").read_text("ascii")
        return {id for id in text.split() if _has_parent(repository, id)}
    except (OSError, ValueError):
        return set()


def _has_parent(repository: pygit2.Repository, commit: str) -> bool:
    """Return whether a commit names a parent, which may not be here."""
    try:
        _, data = repository.read(commit)
    except (KeyError, pygit2.GitError):
        return True
    return b"\nparent " in data.partition(b"\n\n")[0]


def commits_here(repository: pygit2.Repository, commit: str, most: int) -> int | None:
    """Return how many first parents from a commit on are here, itself included.

    Returns None where that is enough: `most` of them, or all there are.
    """
    hidden, count = edge(repository), 1
    while count < most:
        if commit in hidden:
            return count
        try:
            parents = repository[commit].peel(pygit2.Commit).parent_ids
        except (KeyError, ValueError, pygit2.GitError):
            return count
        if not parents:
            return None
        commit, count = str(parents[0]), count + 1
    return None


def deepen(
    folder: Path, commits: list[str], remote: str, is_enough: Callable[[], bool]
) -> int:
    """Fetch ancestors of these until `is_enough`, or all are here; count the fetches.

    `is_enough` must open the repository again: an open one does not see the new edge.

    Raises `BuildError` with git's reason when the remote does not answer.
    """
    fetches, step, depth = 0, FIRST_STEP, 0
    while not is_enough() and edge(open_repository(folder)):
        how = f"--deepen={step}" if depth < MOST else "--unshallow"
        run_git(
            "fetch", "--quiet", "--no-tags", "--no-recurse-submodules",
            "--no-write-fetch-head", how, "--", remote, *commits,
            folder=folder,
        )  # fmt: skip
        fetches, depth, step = fetches + 1, depth + step, step * 2
        if how == "--unshallow":
            break
    return fetches
