"""What the last commits amount to: of each element and file the newest that happened.

The commits are told one after another, oldest first, and every one of them takes back
what is not true any more: what moved on takes its story along, what came again is not
gone, and of a path where something could not be read nothing is known. What is left
still holds as of the newest commit, as far as commits can tell; whether an element is
in the graph, the reader looks up (history.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from repobuild.engine.contract import Value

_RENAMES = ("moved", "renamed", "file renamed")
_REMOVALS = ("removed", "file removed")
_ARRIVALS = ("added", "file added")
_TOLD = ("added", "changed")


class LatestChange(NamedTuple):
    """The newest that happened to one id; `to` is where what is gone is now."""

    item: Value  # repobuild/code/changes/change.py
    commit: str
    subject: str
    to: str = ""
    gone: bool = False


Stories = dict[str, LatestChange]
Places = Mapping[str, str]  # where an id went, "" for nowhere


def in_order(commits: Mapping[str, Value]) -> list[str]:
    """Return the commits of the table, oldest first."""
    followed = {row["before"] for row in commits.values()}
    newest = next((name for name in commits if name not in followed), "")
    found = []
    while newest in commits:
        found.append(newest)
        newest = commits[newest]["before"]
    return found[::-1]


def latest_changes(
    commits: Mapping[str, Value], changes: Mapping[str, Value]
) -> Stories:
    """Return what there is to tell, by id."""
    found: Stories = {}
    for commit in in_order(commits):
        row = changes.get(commit)
        if row is None:
            found = {}  # it could not be read
        else:
            found = _after(found, row["items"], commit, commits[commit]["subject"])
    return found


def _after(old: Stories, items: list[Value], commit: str, subject: str) -> Stories:
    """Return the stories after one more commit."""
    found = _carried(old, {i["id"]: i.get("to", "") for i in items if _went(i)})
    came = {i.get("to", i["id"]) for i in items if i["what"] in _RENAMES + _ARRIVALS}
    found = _without(found, came, lambda story: story.gone)
    unread = [i["id"] for i in items if i["what"] == "unread"]
    found = _without(found, unread, lambda story: True)
    for item in items:
        story = LatestChange(item, commit, subject)
        if item["what"] in _TOLD:
            found[item["id"]] = story
        elif _went(item):
            if item["id"] not in came:
                found[item["id"]] = story._replace(to=item.get("to", ""), gone=True)
            if "::" in item.get("to", ""):
                found[item["to"]] = story
    return found


def _went(item: Value) -> bool:
    return item["what"] in _RENAMES + _REMOVALS


def _carried(old: Stories, places: Places) -> Stories:
    """Return the stories where their elements are now.

    A story of what is gone keeps its key, which is no element's any more; it ends when
    what it leads to goes, too.
    """
    if not places:
        return old
    found: Stories = {}
    for id, story in old.items():
        if story.gone and id in places:
            continue  # it had come again, and went again
        if story.gone:
            to = _place(story.to, places) if story.to else ""
            if to or not story.to:
                found.setdefault(id, story._replace(to=to))
        elif place := _place(id, places):
            found[place] = story
    return found


def _place(id: str, places: Places) -> str:
    """Return where an id is after a commit, "" when it is gone."""
    for holder in holders(id):
        if holder in places:
            to = places[holder]
            return to + id[len(holder) :] if to else ""
    return id


def _without(
    found: Stories, holding: Iterable[str], concerned: Callable[[LatestChange], bool]
) -> Stories:
    """Return the stories less those within something that came, or was not read."""
    within = set(holding)
    if not within:
        return found
    return {
        id: story
        for id, story in found.items()
        if not (concerned(story) and _is_within(id, within))
    }


def _is_within(id: str, within: set[str]) -> bool:
    return "" in within or any(holder in within for holder in holders(id))


def holders(id: str) -> Iterator[str]:
    """Yield an id, the elements that hold it, and its file: innermost first."""
    path, mark, qual = id.partition("::")
    while qual:
        yield f"{path}{mark}{qual}"
        qual = qual.rpartition(".")[0]
    yield path
