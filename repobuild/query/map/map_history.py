"""Say which nodes the last commits added, removed, moved, renamed and changed.

Commits are counted from the newest: 1 is the indexed one, 2 the one before. The page
shows the tree as of commit k. So each node has the commits between which it exists, and
what it was called and where it was before:

    commits   [{"id", "subject", "date", "files", "mode", "marks": [[what, node, text]],
                "unread": n}]
    born      node, k         commit k added it
    ghosts    [name, kind, parent, k]: commit k removed it; they are numbered after
              the nodes of the indexed commit
    was       [node, k, name, parent]: what commit k changed these from
    labels    [node, k, label]: the same of a node of the hierarchy

`what` is a letter, see `MARKS`. Files are compared as git compares them, elements as
the table `changes` does, hierarchies by ids and places. What a removed class or file
contained is not listed: it went with it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from repobuild.code.areas.area_map import AreaMap
from repobuild.code.graph.nodes import split_id
from repobuild.query.change_summary import compare
from repobuild.query.graph_view import GraphView
from repobuild.query.map.map_nodes import KINDS, MapNodes
from repobuild.query.map.past_areas import PastCommit, past_commits_of
from repobuild.query.reply import Item

MARKS = {
    "added": "a", "removed": "d", "moved": "m", "renamed": "r", "changed": "c",
    "sorted": "s",  # a file is in another part of the hierarchy
}  # fmt: skip
_Mark = list[int | str]


class _Place(NamedTuple):
    """An element's name and what contains it, as of an earlier commit."""

    path: str
    qual: str


@dataclass
class MapHistory:
    """What is told of the commits; filled from the newest to the oldest."""

    commits: list[dict[str, Any]] = field(default_factory=list)
    born: list[int] = field(default_factory=list)
    ghosts: list[list[Any]] = field(default_factory=list)
    was: list[list[Any]] = field(default_factory=list)
    labels: list[list[Any]] = field(default_factory=list)

    def columns(self) -> dict[str, Any]:
        """Return them as the page reads them."""
        return {
            "commits": self.commits, "born": self.born, "ghosts": self.ghosts,
            "was": self.was, "labels": self.labels,
        }  # fmt: skip


def history_of(view: GraphView, nodes: MapNodes, count: int) -> MapHistory:
    """Return what the last commits did; adds areas of earlier hierarchies to `nodes`.

    Call it before the nodes' columns are read.
    """
    steps = list(past_commits_of(view, count))
    back = _WayBack(nodes, view.areas, MapHistory())
    for step in steps:
        if step.before:
            back.know_areas(step.before)
    back.start()
    for k, step in enumerate(steps, 1):
        back.undo(view, k, step)
    return back.history


class _WayBack:
    """Walks from the newest commit back; `undo` takes one commit's changes away.

    `files` and `elements` are what exists at the commit that was reached.
    """

    def __init__(self, nodes: MapNodes, areas: AreaMap, history: MapHistory) -> None:
        self.nodes, self.history = nodes, history
        self._areas = areas
        self._files: dict[str, int] = {}
        self._place: dict[int, str] = {}  # number of a file -> its subcategory
        # number of a file -> qualified name -> number
        self._elements: dict[int, dict[str, int]] = defaultdict(dict)
        self._by_new_path: dict[str, int] = {}  # files after the commit
        self._next = 0
        self._marks: list[_Mark] = []

    def know_areas(self, areas: AreaMap) -> None:
        """Give the nodes of an earlier hierarchy numbers, after all others."""
        for node in sorted(areas.nodes.values(), key=lambda one: (one.level, one.id)):
            if node.id not in self.nodes.areas:
                self.nodes.add_area(node)

    def start(self) -> None:
        """Begin at the indexed commit; no node is added to the columns after this."""
        for id, number in self.nodes.numbers.items():
            path, qual = split_id(id)
            if self.nodes.kinds[number] == KINDS["file"]:
                self._files[id] = number
                if id in self._areas.files:
                    self._place[number] = self._areas.files[id].node
            elif qual:
                self._elements[self.nodes.numbers[path]][qual] = number
        self._next = len(self.nodes.names)

    def undo(self, view: GraphView, k: int, step: PastCommit) -> None:
        """Take the changes of commit k away."""
        self._marks = []
        row = step.row
        items = view.build.table("changes").get(step.commit) or compare(view, row)
        found = [item for item in items["items"] if item["what"] != "unread"]
        self._undo_new_sides(k, found)
        places = self._undo_files(k, row["changes"], step.before)
        self._undo_old_sides(k, found)
        if step.before:
            self._compare_areas(k, step.before, places)
        self.history.commits.append(
            {
                "id": step.commit,
                "subject": row["subject"],
                "date": row["date"],
                "files": row["files"],
                "mode": step.mode,
                "marks": self._marks,
                "unread": len(items["items"]) - len(found),
            }
        )

    # ------------------------------------------------------------------- elements

    def _undo_new_sides(self, k: int, items: list[Item]) -> None:
        """Mark what is there after the commit, and take what it added away."""
        for item in items:
            what = str(item["what"])
            if what.startswith("file") or what == "removed":
                continue
            number = self._element(str(item.get("to", item["id"])))
            if number is None and "to" in item:
                number = self._went_with_container(item)
            if number is None:
                continue
            before = str(item["id"]) if "to" in item else ""
            before = _parts(item) if what == "changed" else before
            self._mark(what, number, before)
            if what == "added":
                self._born(number, k)
                path, qual = split_id(str(item["id"]))
                self._elements[self._files[path]].pop(qual, None)

    def _went_with_container(self, item: Item) -> int | None:
        """Add what came into a file or a class that a later commit removed."""
        place = _Place(*split_id(str(item["to"])))
        if (file := self._files.get(place.path)) is None:
            return None
        name, parent = self._named(file, place.qual)
        if parent < len(self.nodes.names):
            return None
        removed = int(self.history.ghosts[parent - len(self.nodes.names)][3])
        kind = KINDS.get(str(item["kind"]), "n")
        number = self._ghost(name, kind, parent, removed)
        self._elements[file][place.qual] = number
        return number

    def _undo_old_sides(self, k: int, items: list[Item]) -> None:
        """Give back what the commit removed, moved and renamed.

        Paths are those before the commit from here on. Containers come first.
        """
        for item in sorted(items, key=_depth):
            what = str(item["what"])
            if what == "removed":
                place = _Place(*split_id(str(item["id"])))
                if place.path in self._files:
                    number = self._ghost_element(k, place, str(item["kind"]))
                    self._mark("removed", number, "")
            elif what in ("moved", "renamed"):
                self._move_back(k, item)

    def _move_back(self, k: int, item: Item) -> None:
        old = _Place(*split_id(str(item["id"])))
        new = _Place(*split_id(str(item["to"])))
        after = self._by_new_path.get(new.path)
        file = self._files.get(old.path)
        if after is None or file is None:
            return
        known = self._elements[after]
        if (number := known.get(new.qual)) is None:
            return
        inner = [q for q in known if q == new.qual or q.startswith(f"{new.qual}.")]
        for qual in inner:  # what it contains goes with it
            self._elements[file][old.qual + qual[len(new.qual) :]] = known.pop(qual)
        name, parent = self._named(file, old.qual)
        self.history.was.append([number, k, name, parent])

    def _named(self, file: int, qual: str) -> tuple[str, int]:
        """Return an element's name below its parent, and the parent."""
        container = qual.rpartition(".")[0]
        while container:
            if (parent := self._elements[file].get(container)) is not None:
                return qual[len(container) + 1 :], parent
            container = container.rpartition(".")[0]
        return qual, file

    def _ghost_element(self, k: int, place: _Place, kind: str) -> int:
        file = self._files[place.path]
        name, parent = self._named(file, place.qual)
        number = self._ghost(name, KINDS.get(kind, "n"), parent, k)
        self._elements[file][place.qual] = number
        return number

    def _element(self, id: str) -> int | None:
        path, qual = split_id(id)
        file = self._files.get(path)
        return None if file is None else self._elements[file].get(qual)

    # ---------------------------------------------------------------------- files

    def _undo_files(
        self, k: int, changes: list[list[str]], before: AreaMap | None
    ) -> dict[int, str]:
        """Undo additions, renames and removals; return where files were before k."""
        self._by_new_path = dict(self._files)
        added = [new for _, old, _, new, _ in changes if not old]
        for path in added:
            if (number := self._files.pop(path, None)) is not None:
                self._born(number, k)
                self._mark("added", number, "")
        renamed = {
            old: new for _, old, _, new, _ in changes if old and new and new != old
        }
        moved = {old: self._files.pop(new, None) for old, new in renamed.items()}
        for old, number in moved.items():
            if number is not None:
                self._files[old] = number
                is_same = _name(old) == _name(renamed[old])
                self._mark("moved" if is_same else "renamed", number, old)
                self.history.was.append([number, k, old, -1])
        for _, old, _, new, _ in changes:
            if not new and before and old in before.files:
                parent = self.nodes.areas[before.files[old].node]
                number = self._ghost(old, KINDS["file"], parent, k)
                self._files[old] = number
                self._place[number] = before.files[old].node
                self._mark("removed", number, "")
        return dict(self._place)

    def _compare_areas(self, k: int, before: AreaMap, places: dict[int, str]) -> None:
        for path, number in self._files.items():
            file = before.files.get(path)
            if file is None or number not in places or file.node == places[number]:
                continue
            parent = self.nodes.areas[file.node]
            self.history.was.append([number, k, "", parent])
            self._mark("sorted", number, file.node)
            self._place[number] = file.node
        for id, node in self._areas.nodes.items():
            old = before.nodes.get(id)
            number = self.nodes.areas[id]
            if old is None:
                self._mark("added", number, "")
            elif old.label != node.label:
                self._mark("renamed", number, old.label)
                self.history.labels.append([number, k, old.label])
        for id in sorted(before.nodes.keys() - self._areas.nodes.keys()):
            self._mark("removed", self.nodes.areas[id], "")
        self._areas = before

    # ---------------------------------------------------------------------- records

    def _born(self, number: int, k: int) -> None:
        self.history.born += [number, k]

    def _mark(self, what: str, number: int, text: str) -> None:
        self._marks.append([MARKS[what], number, text])

    def _ghost(self, name: str, kind: str, parent: int, k: int) -> int:
        self.history.ghosts.append([name, kind, parent, k])
        self._next += 1
        return self._next - 1


def _depth(item: Item) -> int:
    return split_id(str(item["id"]))[1].count(".")


def _parts(item: Item) -> str:
    """Return which parts of an element changed."""
    return ", ".join(name for name in ("signature", "doc", "body") if name in item)


def _name(path: str) -> str:
    return path.rpartition("/")[2]
