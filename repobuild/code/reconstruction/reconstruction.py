"""Make the reconstruction of a repository as plain JSON.

    {"version": 1, "commit", "project",
     "areas": [{"id", "level", "label", "directories"}, ...],     parents first
     "steps": [{"number", "name", "after": [number, ...],
                "files": [FILE, ...]}, ...],
     "round_trip": {...}}                                          round_trip.py

    FILE     {"path", "language", "area", "features", "needs": [path, ...], "skeleton",
              "elements": [ELEMENT, ...], "cycles": [[qualified name, ...], ...]}
    ELEMENT  {"name": qualified name, "kind", "signature", "doc", "features",
              "needs": [id, ...]}

Each step needs the files of earlier steps only; of steps that may come next the product
is first, tests are last. A step of several files is a cycle: its
files depend on each other, and its name says so. Elements come after those of their
file that they call, inherit from or use, a member after its class; `cycles` are those
of which no order is right. Only edges that are not guesses count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from posixpath import commonpath
from typing import Any

from repobuild.code.areas.area_map import LEVELS, AreaMap
from repobuild.code.areas.directory_scopes import Grounding
from repobuild.code.areas.file_words import PRODUCT, TESTS, role_of
from repobuild.code.facts.element import signature
from repobuild.code.facts.element_row import ElementRow, parent_of, row_of
from repobuild.code.graph.graph import edges_of
from repobuild.code.graph.nodes import split_id
from repobuild.code.graph.project.project import PROJECT
from repobuild.code.reconstruction.dependency_order import ordered_groups
from repobuild.code.reconstruction.skeleton import first_line, skeleton
from repobuild.engine.contract import Table, Value

_CERTAIN = 0.5  # edges of a lower confidence are guesses
_NAMED_FILES = 3  # of a cycle

Json = dict[str, Any]


def reconstruction(
    facts: Table, graph: Table, features: Table, areas: AreaMap
) -> Iterator[tuple[str, Any]]:
    """Yield the keys `project`, `areas` and `steps` with their values."""
    project = (graph.get(PROJECT) or {}).get("", {})
    yield "project", {key: project.get(key) for key in ("project_name", "description")}
    yield "areas", list(_areas(areas))
    needs = {path: _needs(path, row) for path, row in _files(graph)}
    others = {path: found.keys() for path, found in needs.items()}
    groups = ordered_groups(others, lambda path: _rank(path, facts.get(path)))
    number = {path: n for n, group in enumerate(groups, 1) for path in group}
    steps = []
    for group in groups:
        step = number[group[0]]
        needed = {number[o] for path in group for o in needs[path] if o in number}
        files = [
            _file(path, facts.get(path) or {}, features.get(path) or {}, needs[path])
            for path in group
        ]
        for file in files:
            placed = areas.files.get(file["path"])
            file["area"] = placed.node if placed else ""
        earlier = sorted(needed - {step})
        steps.append(
            {"number": step, "name": _name(group), "after": earlier, "files": files}
        )
    yield "steps", steps


def _rank(path: str, facts: Value) -> int:
    """Return 0 for the product, then documents and tooling, then tests."""
    role = role_of(path, str((facts or {}).get("language", "")))
    return 0 if role == PRODUCT else 2 if role == TESTS else 1


def _files(graph: Table) -> Iterator[tuple[str, Value]]:
    return ((path, row) for path, row in graph.items() if path != PROJECT)


def _areas(areas: AreaMap) -> Iterator[Json]:
    members, grounding = areas.members(), Grounding(areas.files)
    for node in sorted(areas.nodes.values(), key=lambda node: (node.level, node.id)):
        yield {
            "id": node.id,
            "level": LEVELS[node.level],
            "label": node.label,
            "directories": grounding.scopes(members[node.id]),
        }


def _needs(path: str, row: Value) -> dict[str, dict[str, set[str]]]:
    """Return file -> element of this one -> ids that it needs there; its own too."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    quals = ("", *(sub[2:] for sub in row if sub[:2] == "::" and " " not in sub))
    for qual in quals:
        for kind, target, confidence in edges_of(row, qual):
            if kind != "contains" and confidence >= _CERTAIN:
                found[split_id(target)[0]][qual].add(target)
    return found


def _name(group: list[str]) -> str:
    if len(group) == 1:
        return group[0]
    folder = commonpath(group)
    start = len(folder) + 1 if folder else 0
    shown = [path[start:] for path in sorted(group)[:_NAMED_FILES]]
    more = len(group) - len(shown)
    names = ", ".join(shown) + (f" and {more} more" if more else "")
    return f"cycle in {folder or 'the repository'}: {names}"


def _file(
    path: str,
    facts: Value,
    features: Value,
    needs: Mapping[str, Mapping[str, set[str]]],
) -> Json:
    rows = {row.qual: row for row in map(row_of, facts.get("elements", ()))}
    by_element: dict[str, set[str]] = defaultdict(set)
    for found in needs.values():
        for qual, ids in found.items():
            by_element[qual] |= ids
    own = {
        qual: {other for id in by_element[qual] if (other := _own(id, path)) in rows}
        - {qual}
        | ({parent_of(qual)} & rows.keys())
        for qual in rows
    }
    groups = ordered_groups(own)
    return {
        "path": path,
        "language": facts.get("language", ""),
        "area": "",
        "features": _phrases(features.get("")),
        "needs": sorted(needs.keys() - {path}),
        "skeleton": skeleton(facts),
        "elements": [
            _element(rows[qual], features, sorted(by_element[qual]))
            for group in groups
            for qual in group
        ],
        "cycles": [group for group in groups if len(group) > 1],
    }


def _own(id: str, path: str) -> str:
    """Return the qualified name of an element of this file, "" for another."""
    other, qual = split_id(id)
    return qual if other == path else ""


def _element(row: ElementRow, features: Value, needs: list[str]) -> Json:
    return {
        "name": row.qual,
        "kind": row.type,
        "signature": signature(row),
        "doc": first_line(row.doc),
        "features": _phrases(features.get(f"::{row.qual}")),
        "needs": needs,
    }


def _phrases(features: Value) -> list[str]:
    return [str(feature[0]) for feature in features or ()]
