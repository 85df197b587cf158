"""Tell what changed between two commits: elements added, removed, moved and changed.

The same comparison as the table `changes` makes of one commit, between any two. Each
item has the area of its file, so that a reader sees which part of the product it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from repobuild.code.changes.change import changes
from repobuild.code.graph.nodes import split_id
from repobuild.engine.contract import Value
from repobuild.errors import PartialRowError
from repobuild.git.commit_diffs import diff_commits
from repobuild.git.snapshot import resolve
from repobuild.query.graph_view import GraphView
from repobuild.query.reply import Item

_ORDER = (
    "file added", "file removed", "file renamed", "added", "removed", "moved",
    "renamed", "changed", "unread",
)  # fmt: skip


class Summary(NamedTuple):
    """What two commits differ by."""

    old: str
    new: str
    files: int
    counts: dict[str, int]  # by kind of change
    areas: dict[str, int]  # changes in each area
    items: list[Item]


def summarize_changes(view: GraphView, old: str, new: str) -> Summary:
    """Compare two revisions; raises `UsageError` for an unknown one."""
    repository = view.build.snapshot.repository
    first, last = resolve(repository, old), resolve(repository, new)
    files, listed = diff_commits(repository, first, last)
    found = sorted(_items(view, files, listed), key=_rank)
    counts = Counter(str(item["what"]) for item in found)
    areas = Counter(
        str(item["area"]).partition("/")[0] for item in found if "area" in item
    )
    return Summary(
        str(first.id),
        str(last.id),
        files,
        dict(counts),
        dict(areas.most_common()),
        found,
    )


def _items(view: GraphView, files: int, listed: list[list[str]]) -> Iterator[Item]:
    for found in compare(view, {"files": files, "changes": listed})["items"]:
        yield _item(view, found)


def compare(view: GraphView, diff: Mapping[str, Any]) -> Value:
    """Return what the changed files of a diff did: a row of the table `changes`."""
    scope = view.build.map_scope(view.build.rules["changes"])
    try:
        return changes(diff, scope)
    except PartialRowError as error:
        return error.value


def _item(view: GraphView, found: dict[str, Any]) -> Item:
    item: Item = {"what": found["what"], "id": found["id"]}
    if area := view.area_of(split_id(str(found.get("to", found["id"])))[0]):
        item["area"] = area
    for name in ("to", "kind", "signature"):
        if name in found:
            item[name] = found[name]
    parts = [name for name in ("signature", "doc", "body") if name in found]
    if found["what"] == "changed":
        item["parts"] = parts
    return item


def _rank(item: Item) -> tuple[int, str]:
    return _ORDER.index(str(item["what"])), str(item["id"])
