"""Reduce the last commits to the newest change of each element and file.

The commits are applied one after another, oldest first, and each of them revises the
changes of those before it: a change follows its element when that moves, an element
that comes back is no longer gone, and everything is discarded about a path that could
not be read. The result is true as of the newest commit, as far as commits show;
`HistoryScope.is_current` checks it against the graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import NamedTuple

from repobuild.code.changes.commits import newest_first
from repobuild.engine.contract import Value

_RENAMES = ("moved", "renamed", "file renamed")
_REMOVALS = ("removed", "file removed")
_ARRIVALS = ("added", "file added")
_IN_PLACE = ("added", "changed")


class LatestChange(NamedTuple):
    """The newest change of one id."""

    item: Value  # see repobuild/code/changes/change.py
    commit: str
    subject: str
    date: str
    new_id: str = ""  # present id of an element that is gone from its own, or ""
    is_gone: bool = False


LatestChanges = dict[str, LatestChange]  # by id


def order_commits(commits: Mapping[str, Value]) -> list[str]:
    """Return the commits of the table, oldest first."""
    return newest_first(commits)[::-1]


def latest_changes(
    commits: Mapping[str, Value], changes: Mapping[str, Value]
) -> LatestChanges:
    """Return the newest change of each id in the rows of `commits` and `changes`."""
    latest: LatestChanges = {}
    for commit in order_commits(commits):
        row = changes.get(commit)
        if row is None:
            latest = {}  # the commit could not be read
        else:
            latest = _apply(latest, row["items"], commit, commits[commit])
    return latest


def _apply(
    old: LatestChanges, items: list[Value], commit: str, row: Value
) -> LatestChanges:
    """Return the changes after one more commit."""
    departures = {i["id"]: i.get("to", "") for i in items if _is_departure(i)}
    latest = _follow(old, departures)
    came = {i.get("to", i["id"]) for i in items if i["what"] in _RENAMES + _ARRIVALS}
    unread = {i["id"] for i in items if i["what"] == "unread"}
    if came or unread:
        latest = {
            id: change
            for id, change in latest.items()
            if not (change.is_gone and _is_within(id, came))
            and not _is_within(id, unread)
        }
    for item in items:
        id, new_id = item["id"], item.get("to", "")
        change = LatestChange(item, commit, row["subject"], row.get("date", ""))
        if item["what"] in _IN_PLACE:
            latest[id] = change
        elif _is_departure(item):
            if id not in came:
                latest[id] = change._replace(new_id=new_id, is_gone=True)
            if "::" in new_id:
                latest[new_id] = change
    return latest


def _is_departure(item: Value) -> bool:
    return item["what"] in _RENAMES + _REMOVALS


def _follow(old: LatestChanges, departures: Mapping[str, str]) -> LatestChanges:
    """Return the changes under the present ids of their elements.

    `departures` maps ids to their new ids, "" when they were removed. The change of an
    element that is gone keeps its key, which no element has any more; it ends when the
    element at its new id goes, too.
    """
    if not departures:
        return old
    latest: LatestChanges = {}
    for id, change in old.items():
        if not change.is_gone:
            if new_id := _present_id(id, departures):
                latest[new_id] = change
        elif id in departures:
            continue  # it had come back, and departed again
        elif not change.new_id:
            latest.setdefault(id, change)
        elif new_id := _present_id(change.new_id, departures):
            latest.setdefault(id, change._replace(new_id=new_id))
    return latest


def _present_id(id: str, departures: Mapping[str, str]) -> str:
    """Return an id after a commit, "" when it was removed."""
    for outer in enclosing_ids(id):
        if outer in departures:
            to = departures[outer]
            return to + id[len(outer) :] if to else ""
    return id


def _is_within(id: str, outer_ids: Set[str]) -> bool:
    """Return whether an id is one of these or inside one; "" contains every id."""
    if not outer_ids:
        return False
    return "" in outer_ids or any(outer in outer_ids for outer in enclosing_ids(id))


def enclosing_ids(id: str) -> Iterator[str]:
    """Yield an id, those of the elements around it, and its file: innermost first."""
    path, mark, qual = id.partition("::")
    while qual:
        yield f"{path}{mark}{qual}"
        qual = qual.rpartition(".")[0]
    yield path
