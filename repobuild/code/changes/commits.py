"""Make the `commits` table: the latest commits along first parents.

`past_commits` is the same for a longer history, whose commits are read less closely
(additions.py). The format of a row is in git/commit_diffs.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice

import pygit2

from repobuild.engine.contract import Source, Value
from repobuild.errors import MissingObjectError
from repobuild.git.commit_diffs import KeptCommit, commit_row, kept_commits

RowOf = Callable[[pygit2.Repository, KeptCommit], dict[str, Value]]


def commits(source: Source) -> None:
    """Update the rows to the snapshot's history; only new commits are compared."""
    update_history(source, int(source.settings["history.commits"]), commit_row)


def past_commits(source: Source) -> None:
    """Do the same for the commits that plans look back on."""
    update_history(source, int(source.settings["history.plan_commits"]), commit_row)


def update_history(source: Source, limit: int, row_of: RowOf) -> None:
    """Keep a row for each of the latest commits; `row_of` reads the new ones.

    A row holds `before`; `row_of` raises `MissingObjectError` for what it cannot read.
    """
    repository, head = source.snapshot.repository, source.snapshot.commit
    history = kept_commits(repository, head, source.fail)
    kept = list(islice(history, limit))
    before = {commit: row["before"] for commit, row in source.own.items() if row}
    for commit in before.keys() - {step.commit for step in kept}:
        source.own.drop(commit)
    for step in kept:
        if before.get(step.commit) == step.before:
            continue
        try:
            source.own.put(step.commit, row_of(repository, step))
        except MissingObjectError as error:
            source.own.drop(step.commit)
            source.fail(step.commit, error)


def newest_first(rows: Mapping[str, Value]) -> list[str]:
    """Return the commits of a table's rows along their links `before`.

    The newest need not be HEAD: a loop of commits may have been left out after it.
    """
    left = dict(rows)
    older = {row["before"] for row in rows.values()}
    commit = next((commit for commit in sorted(rows) if commit not in older), "")
    order = []
    while row := left.pop(commit, None):
        order.append(commit)
        commit = row["before"]
    return order
