"""Make the columns that the page of the map is drawn from.

A node is a number: 0 is the repository, then the hierarchy (parents first), the files
by path, their elements by line, and what existed in earlier commits only
(map_history.py). Columns are compact, because a repository of 1,600 files has 35,000
elements and 110,000 edges:

    kinds       a letter for each node: KINDS
    names       label, path, or the qualified name below the parent
    parents     the node's number minus its parent's
    starts      first line, minus the first line of the node before
    lines       number of lines
    features    numbers of phrases, see `phrases`; [] for none
    signatures  "" for none
    ids         of the hierarchy's nodes, in order; others are made of names
    scopes      directories of the hierarchy's nodes

Of more elements than `MOST_ELEMENTS` none are nodes: the map then ends at files, and
their edges are those of what they contain.

`edges` has for each kind (source number minus the last source, number of targets,
targets: the first, then differences) in one list. Edges of less confidence than the
tools show are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from repobuild.code.areas.area_map import LEVELS, AreaNode
from repobuild.code.facts.element import signature
from repobuild.code.facts.element_row import parent_of, row_of
from repobuild.code.graph.graph import elements_of
from repobuild.code.graph.nodes import edge_key, split_id
from repobuild.engine.contract import Value
from repobuild.query.graph_view import GraphView
from repobuild.query.node_facts import CONFIDENT

KINDS = {
    "repository": "r", "area": "0", "category": "1", "subcategory": "2", "file": "f",
    "class": "c", "function": "n", "method": "m", "section": "s",
}  # fmt: skip
EDGE_KINDS = ("calls", "inherits", "uses", "imports")
UNSORTED = "Not sorted yet"  # files that are newer than the hierarchy
MOST_ELEMENTS = 150_000  # 7 MB of the page
_LONGEST = 240  # characters of a signature


@dataclass
class MapNodes:
    """The nodes by number, and the number of each id."""

    kinds: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)  # of paths and elements
    areas: dict[str, int] = field(default_factory=dict)  # a path may have such an id
    has_elements: bool = True

    def number(self, id: str) -> int | None:
        """Return the number of an element or a file, of its file without elements."""
        if not self.has_elements:
            id = split_id(id)[0]
        return self.numbers.get(id)

    def add(self, kind: str, name: str, parent: int, span: tuple[int, int]) -> int:
        """Add a node with its first and last line; return its number."""
        self.kinds.append(KINDS.get(kind, "n"))
        self.names.append(name)
        self.parents.append(parent)
        self.starts.append(span[0])
        self.lines.append(max(0, span[1] - span[0] + 1) if span[1] else 0)
        return len(self.names) - 1

    def add_area(self, node: AreaNode) -> int:
        """Add a node of a hierarchy below its parent, which is there already."""
        parent = self.areas[node.parent] if node.parent else 0
        number = self.add(LEVELS[node.level], node.label, parent, (0, 0))
        self.areas[node.id] = number
        return number

    def columns(self) -> dict[str, Any]:
        """Return them as the page reads them."""
        before = [0, *self.starts]
        return {
            "kinds": "".join(self.kinds),
            "ids": list(self.areas),
            "names": self.names,
            "parents": [n - parent for n, parent in enumerate(self.parents)],
            "starts": [a - b for a, b in zip(self.starts, before, strict=False)],
            "lines": self.lines,
        }


def nodes_of(view: GraphView, most: int = MOST_ELEMENTS) -> MapNodes:
    """Return the hierarchy, the files and at most so many elements, or none."""
    nodes = MapNodes()
    nodes.add("repository", "", 0, (0, 0))
    by_level = sorted(view.areas.nodes.values(), key=lambda node: (node.level, node.id))
    for area in by_level:
        nodes.add_area(replace(area, label=view.label(area.id)))
    rows = [(path, row) for path, row in view.graph.items() if path[:1] != "@"]
    unsorted = [path for path, _ in rows if path not in view.areas.files]
    if unsorted:
        nodes.add_area(AreaNode(UNSORTED, 0, UNSORTED, "", 1.0))
    for path, row in rows:
        place = view.area_of(path) or UNSORTED
        span = (1, int(row[""]["end_line"]))
        nodes.numbers[path] = nodes.add("file", path, nodes.areas[place], span)
    nodes.has_elements = sum(1 for _, row in rows for _ in elements_of(row)) <= most
    if nodes.has_elements:
        for path, row in rows:
            _add_elements(nodes, path, row)
    return nodes


def _add_elements(nodes: MapNodes, path: str, row: Value) -> None:
    found = dict(elements_of(row))
    # What contains others is added before them, wherever it is in the file.
    for qual in sorted(found, key=lambda q: (found[q]["start_line"], q.count("."), q)):
        _add_element(nodes, path, found, qual)


def _add_element(
    nodes: MapNodes, path: str, found: Mapping[str, Value], qual: str
) -> int:
    id = f"{path}::{qual}"
    if id in nodes.numbers:
        return nodes.numbers[id]
    container = parent_of(qual)
    while container and container not in found:
        container = parent_of(container)
    if container:
        parent = _add_element(nodes, path, found, container)
    else:
        parent = nodes.numbers[path]
    row = found[qual]
    name = qual[len(container) + 1 :] if container else qual
    span = (int(row["start_line"]), int(row["end_line"]))
    nodes.numbers[id] = nodes.add(str(row["kind"]), name, parent, span)
    return nodes.numbers[id]


def described(view: GraphView, nodes: MapNodes) -> dict[str, Any]:
    """Return what the nodes are for, and how they are called."""
    phrases: dict[str, int] = {}
    sources: dict[tuple[str, float], int] = {}
    features: list[list[int]] = [[] for _ in nodes.names]
    for path, row in view.features.items():
        for sub, found in row.items():
            if (number := nodes.numbers.get(path + sub)) is not None:
                features[number] = [
                    part
                    for phrase, source, sure in found
                    for part in (
                        phrases.setdefault(str(phrase), len(phrases)),
                        sources.setdefault((str(source), sure), len(sources)),
                    )
                ]
    return {
        "features": features,
        "phrases": list(phrases),
        "sources": [list(source) for source in sources],
        "signatures": _signatures(view, nodes),
    }


def _signatures(view: GraphView, nodes: MapNodes) -> list[str]:
    found = [""] * len(nodes.names)
    for path, row in view.build.table("facts").items():
        for item in row.get("elements", ()):
            element = row_of(item)
            number = nodes.numbers.get(f"{path}::{element.qual}")
            if number is not None and element.type != "section":
                text = signature(element)
                is_long = len(text) > _LONGEST
                found[number] = text[: _LONGEST - 1] + "…" if is_long else text
    return found


def edges_of_map(view: GraphView, nodes: MapNodes) -> dict[str, list[int]]:
    """Return the dependency edges between nodes, by kind."""
    links: dict[str, dict[int, list[int]]] = {
        kind: defaultdict(list) for kind in EDGE_KINDS
    }
    for path, row in view.graph.items():
        if path.startswith("@"):
            continue
        for sub, item in row.items():
            key = edge_key(sub)
            if key and key.kind in links and item["confidence"] >= CONFIDENT:
                source = nodes.number(path + key.source)
                target = nodes.number(key.target)
                if source is not None and target is not None and source != target:
                    links[key.kind][source].append(target)
    return {kind: list(_packed(found)) for kind, found in links.items()}


def _packed(links: Mapping[int, list[int]]) -> Iterator[int]:
    last = 0
    for source in sorted(links):
        targets = sorted(set(links[source]))
        yield from (source - last, len(targets), targets[0])
        yield from (b - a for a, b in zip(targets, targets[1:], strict=False))
        last = source


def cochange_of_map(view: GraphView, nodes: MapNodes) -> list[int]:
    """Return which files change together: source, target, strength in 1/1000."""
    found: list[int] = []
    for path, partners in view.build.table("cochange").items():
        for other, strength in partners.items():
            one, two = nodes.numbers.get(path), nodes.numbers.get(other)
            # A pair is in both rows, unless one of them had more partners than it keeps
            is_kept = one is not None and two is not None
            if is_kept and (path < other or path not in _partners(view, other)):
                found += [one, two, round(strength * 1000)]  # type: ignore[list-item]
    return found


def _partners(view: GraphView, path: str) -> Value:
    return view.build.table("cochange").get(path) or {}


def scopes_of_map(view: GraphView, nodes: MapNodes) -> list[list[str]]:
    """Return the directories of the hierarchy's nodes, in the order of `areas`."""
    return [
        view.grounding.scopes(view.members[id]) if id in view.members else []
        for id in nodes.areas
    ]
