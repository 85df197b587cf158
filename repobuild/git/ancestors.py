"""Find the nearest ancestor of a commit along first parents.

A branch continues the adapter of its nearest ancestor that has one, and every part of
the program must find the same ancestor: the key of a chained task, the training, the
forecast, garbage collection, and the verbs that read or print an adapter. All of them
use this module and its one limit. When the key searched 200 commits and training 1,000,
a key could name another branch's adapter as the parent of an adapter that was trained
on its own branch's (tests/promises/test_distant_parent.py).

The walk follows first parents only, so a merged branch's commits are not ancestors
here. It reads commits one by one, so a near answer costs a few reads.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from itertools import islice

import pygit2
from pygit2.enums import SortMode

from repobuild.git.repository import has_object

# Bounds the cost where no ancestor qualifies, as in a repository whose adapters were
# all built on unrelated branches: a walk of 1,000 commits takes
# 3 ms of packed objects and 10 ms of loose ones.
MAX_ANCESTORS = 1000


def first_parents(
    repository: pygit2.Repository, commit: str, limit: int = MAX_ANCESTORS
) -> Iterator[str]:
    """Yield up to `limit` first-parent ancestors, nearest first, without `commit`.

    Ends where a parent cannot be read, and yields nothing for an unknown commit.
    """
    if not commit or not has_object(repository, commit):
        return
    walker = repository.walk(commit, SortMode.NONE)
    walker.simplify_first_parent()
    try:
        for ancestor in islice(walker, 1, limit + 1):
            yield str(ancestor.id)
    except (KeyError, pygit2.GitError):
        return  # a parent is missing or broken


def nearest_ancestor(
    repository: pygit2.Repository, commit: str, wanted: Container[str]
) -> str:
    """Return the first wanted commit from `commit` on, itself included, or ""."""
    if not commit or not has_object(repository, commit):
        return ""
    if commit in wanted:
        return commit
    ancestors = first_parents(repository, commit)
    return next((ancestor for ancestor in ancestors if ancestor in wanted), "")


def distance(repository: pygit2.Repository, commit: str, ancestor: str) -> int | None:
    """Return how many commits `ancestor` is before `commit`; None: not an ancestor."""
    if ancestor == commit:
        return 0
    ancestors = first_parents(repository, commit)
    numbered = enumerate(ancestors, 1)
    return next((number for number, other in numbered if other == ancestor), None)
