"""Make the `touches` table: what the last commits touched, and what they say of it.

    key   commit id (hex)
    row   {"before": id, "terms": {term: count}, "paths": [path, ...]}

`before` is the next older commit that is kept (git/commit_diffs.py). The terms are
those of the subject; of a merge, whose subject names a branch, those of the next line.
A commit that touches more than `MOST_FILES` files says nothing of any: it has no paths.
Renames are not followed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import pygit2

from repobuild.code.changes.commits import newest_first, update_history
from repobuild.engine.contract import Source, Table, Value
from repobuild.errors import MissingObjectError
from repobuild.git.commit_diffs import KeptCommit
from repobuild.git.snapshot import quote
from repobuild.git.tree_objects import diff_trees
from repobuild.locate.words import terms_of

MOST_FILES = 60
_LONGEST = 400  # characters of a message that are read
_MERGE = re.compile(r"Merge (?:pull request|branch|remote|commit|tag)\b.*\n\s*(?=\S)")


@dataclass(frozen=True, slots=True)
class PastCommits:
    """The rows of the table, newest first; how many commits have each term."""

    rows: Sequence[Mapping[str, Value]]
    often: Mapping[str, int]

    @classmethod
    def of(cls, table: Table) -> PastCommits:
        """Read the table."""
        rows = dict(table.items())
        ordered = [rows[commit] for commit in newest_first(rows)]
        return cls(ordered, Counter(term for row in ordered for term in row["terms"]))


def touches(source: Source) -> None:
    """Update the rows to the snapshot's history; only new commits are compared."""
    update_history(source, int(source.settings["locate.commits"]), touch_row)


def touch_row(repository: pygit2.Repository, step: KeptCommit) -> dict[str, Value]:
    """Return the row of one commit; raises `MissingObjectError` without its trees."""
    try:
        commit = repository[step.commit].peel(pygit2.Commit)
        parent = repository[commit.parent_ids[0]].peel(pygit2.Commit)
        found = diff_trees(repository, str(parent.tree_id), str(commit.tree_id))
        paths = sorted(quote(raw) for raw, _ in islice(found, MOST_FILES + 1))
    except (KeyError, pygit2.GitError) as error:
        raise MissingObjectError(step.commit) from error
    terms = terms_of(subject_of(commit.raw_message.decode("utf-8", "replace")))
    return {
        "before": step.before,
        "terms": dict(sorted(terms.items())),
        "paths": paths if len(paths) <= MOST_FILES else [],
    }


def subject_of(message: str) -> str:
    """Return what a commit says of itself in one line."""
    message = message.strip()[: 4 * _LONGEST]
    return _MERGE.sub("", message, count=1).partition("\n")[0][:_LONGEST]
