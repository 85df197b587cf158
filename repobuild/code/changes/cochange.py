"""Make the `cochange` table: which files change together.

A row is a path of the newest commit: `{other path: strength}`, the strongest first, at
most 16. Of the commits c that the table `past_commits` has,

    strength(a, b) = sum of w(c) d(c) over the commits of both
                     / root of (sum of w(c) of a's commits * the same of b's)

    w(c) = 2 ^ (day of c / 180 days)      half a year makes a commit half as important
    d(c) = 2 / n    n files of the commit: a bulk commit says little of each pair

Both sums grow by the same factor as time passes, so a strength does not: a new commit
changes the rows of its own files and of their partners, no others. The strength is
between 0 and 1, rounded to 1/1000; below 0.02 a pair is left out.

Renames are followed backwards: what changed under an old name counts for the new one.
A removed file has no row.

The commits are read anew in each build: there are at most `history.plan_commits` of
them, whatever the size of the repository, and 200 take 10 ms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import combinations
from math import sqrt
from typing import NamedTuple

from repobuild.code.changes.commits import newest_first
from repobuild.engine.contract import Table, View

_HALF_LIFE = 180.0  # days
_EPOCH = date(2020, 1, 1).toordinal()
_MOST_PARTNERS = 16
_LEAST = 0.02
_LAST_HALVINGS = 400.0  # a clock that is wrong by centuries must not overflow


class _Commit(NamedTuple):
    weight: float
    paths: list[str]  # as they are named in the newest commit


def cochange(view: View) -> None:
    """Bring the partners of all files up to date with the commits."""
    rows = partners(_commits(view.table("past_commits")))
    for path in view.own.keys():
        if path not in rows:
            view.own.drop(path)
    for path, row in rows.items():
        view.own.put(path, row)


def partners(commits: Iterator[_Commit]) -> dict[str, dict[str, float]]:
    """Return the strongest partners of each path."""
    alone: dict[str, float] = defaultdict(float)
    both: dict[tuple[str, str], float] = defaultdict(float)
    for commit in commits:
        for path in commit.paths:
            alone[path] += commit.weight
        if len(commit.paths) > 1:
            share = 2.0 / len(commit.paths) * commit.weight
            for pair in combinations(commit.paths, 2):
                both[pair] += share
    found: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for (one, other), sum_ in both.items():
        strength = round(sum_ / sqrt(alone[one] * alone[other]), 3)
        if strength >= _LEAST:
            found[one].append((-strength, other))
            found[other].append((-strength, one))
    return {
        path: {other: -strength for strength, other in sorted(ranked)[:_MOST_PARTNERS]}
        for path, ranked in sorted(found.items())
    }


def _commits(table: Table) -> Iterator[_Commit]:
    """Yield the commits, newest first, with the paths that still exist."""
    names: dict[str, str] = {}  # as of the commit -> as of the newest; "" = removed
    rows = dict(table.items())
    for commit in newest_first(rows):
        paths = set()
        for status, old, _, new, _ in rows[commit]["changes"]:
            known = names.setdefault(new or old, "" if status == "D" else new)
            if status == "R":
                names.setdefault(old, known)
            if known:
                paths.add(known)
        yield _Commit(_weight(str(rows[commit]["date"])), sorted(paths))


def _weight(day: str) -> float:
    """Return the weight of a commit of a day; one without counts as of the epoch."""
    try:
        days = date.fromisoformat(day).toordinal() - _EPOCH
    except ValueError:
        days = 0
    halvings = days / _HALF_LIFE
    return float(2.0 ** max(-_LAST_HALVINGS, min(halvings, _LAST_HALVINGS)))
