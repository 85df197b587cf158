"""Make the `commits` table: the latest commits along first parents.

`past_commits` is the same for a longer history, whose commits are read less closely
(additions.py). The format of a row is in git/commit_diffs.py.
"""

from __future__ import annotations

from itertools import islice

from repobuild.engine.contract import Source
from repobuild.errors import MissingObjectError
from repobuild.git.commit_diffs import commit_row, kept_commits


def commits(source: Source) -> None:
    """Update the rows to the snapshot's history; only new commits are compared."""
    _update(source, int(source.settings["history.commits"]))


def past_commits(source: Source) -> None:
    """Do the same for the commits that plans look back on."""
    _update(source, int(source.settings["history.plan_commits"]))


def _update(source: Source, limit: int) -> None:
    repository, head = source.snapshot.repository, source.snapshot.commit
    history = kept_commits(repository, head, source.fail)
    kept = list(islice(history, limit))
    for commit in set(source.own.keys()) - {step.commit for step in kept}:
        source.own.drop(commit)
    for step in kept:
        known = source.own.get(step.commit)
        if known is not None and known["before"] == step.before:
            continue
        try:
            source.own.put(step.commit, commit_row(repository, step))
        except MissingObjectError as error:
            source.own.drop(step.commit)
            source.fail(step.commit, error)
