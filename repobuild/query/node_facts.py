"""Describe one node: what it is, where it is, what it is for.

A node is an element (`path::qualified.name`), a file (its path), or a node of the
hierarchy (`Area/category/subcategory`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rapidfuzz import process

from repobuild.code.areas.area_map import LEVELS
from repobuild.code.facts.element import element
from repobuild.code.graph.nodes import split_id
from repobuild.code.scan.file_roles import is_test
from repobuild.code.scan.source_text import source_of
from repobuild.errors import MissingObjectError, UsageError
from repobuild.query.graph_view import GraphView
from repobuild.query.reply import Item
from repobuild.resources import program

CONFIDENT = 0.5  # edges below this are guesses and are left out
_MOST_LINES = 60  # of code
_MOST_NEIGHBOURS = 8
_MOST_NAMESAKES = 8
_SUGGESTIONS = 5


def brief(view: GraphView, id: str) -> Item:
    """Return what a list shows of a node."""
    if id in view.areas.nodes:
        node = view.areas.nodes[id]
        files = len(view.members[id])
        return {
            "id": id,
            "kind": LEVELS[node.level],
            "label": view.label(id),
            "files": files,
        }
    row = view.node(id) or {}
    found: Item = {"id": id, "kind": row.get("kind", "")}
    if features := view.features_of(id):
        found["feature"] = features[0][0]
    if row.get("kind") != "file":
        found["lines"] = [row.get("start_line", 0), row.get("end_line", 0)]
    return found


def resolve(view: GraphView, name: str) -> list[str]:
    """Return the ids that a name stands for: an id, a path's end, or a bare name.

    Raises `UsageError` with what is nearest.
    """
    name = name.strip().strip("`").removesuffix("()")
    if name in view.areas.nodes or view.node(name) is not None:
        return [name]
    path, _, qual = name.partition("::")
    if not qual:
        path, _, qual = name.partition(":")  # the form of the published tools
    if view.graph.get(path) and qual and view.node(f"{path}::{qual}"):
        return [f"{path}::{qual}"]
    if found := _by_ending(view, path, qual):
        return found[:_MOST_NAMESAKES]
    last = name.rpartition("::")[2].rpartition("/")[2]
    dotted = last.rpartition(".")[2]
    named = view.search.named(last) or [
        id
        for id in view.search.named(dotted)
        if split_id(id)[1].endswith(last) or id.endswith(last)
    ]
    if named:
        return sorted(named, key=_tests_last)[:_MOST_NAMESAKES]
    if found := _by_module(view, name):
        return found[:_MOST_NAMESAKES]
    raise UsageError(_unknown(view, name))


def _by_ending(view: GraphView, path: str, qual: str) -> list[str]:
    """Return the files whose path ends so, or their elements of that name."""
    if "." not in path.rpartition("/")[2]:
        return []
    ids = view.search.named(path.rpartition("/")[2])
    paths = [one for one in ids if f"/{one}".endswith(f"/{path}")]
    if not qual:
        return sorted(paths)
    return sorted(f"{p}::{qual}" for p in paths if view.node(f"{p}::{qual}"))


def _by_module(view: GraphView, name: str) -> list[str]:
    """Return what a name means as Python imports it: `pkg.module.Class.method`."""
    names = name.split(".")
    for length in range(len(names), 0, -1):
        module, qual = "/".join(names[:length]), ".".join(names[length:])
        for path in (f"{module}.py", f"{module}/__init__.py"):
            if found := _by_ending(view, path, qual):
                return found
    return []


def _unknown(view: GraphView, name: str) -> str:
    near = [hit.id for hit in view.search.find([name])[:_SUGGESTIONS]]
    if not near:
        paths = [path for path in view.graph.keys() if not path.startswith("@")]
        near = [one[0] for one in process.extract(name, paths, limit=3)]
    listed = ", ".join(near)
    return f'no node is named "{name}"\nnearest: {listed}\n{search_hint()}'


def search_hint() -> str:
    """Return the line that says where names are looked for."""
    return f"search: {program()} graph search"


def whole(view: GraphView, id: str, with_code: bool = True) -> Item:
    """Return everything that is known of a node."""
    if id in view.areas.nodes:
        return _of_area(view, id)
    path, qual = split_id(id)
    row = view.node(id) or {}
    found: Item = {
        "id": id,
        "kind": row.get("kind", ""),
        "path": path,
        "lines": [row.get("start_line", 0), row.get("end_line", 0)],
        "area": view.area_of(path),
        "features": [list(feature) for feature in view.features_of(id)],
    }
    if qual and (known := element(view.build.table("facts").get(path) or {}, qual)):
        found["signature"] = known.signature
    found |= neighbours(view, id)
    if not qual:
        found["contains"] = _short(view.elements(path))
        partners = view.build.table("cochange").get(path)
        if partners:
            found["changes_with"] = dict(list(partners.items())[:_MOST_NEIGHBOURS])
    elif with_code:
        found["code"] = code_of(view, path, row)
    return found


def neighbours(view: GraphView, id: str) -> Item:
    """Return the callers and callees of a node, and what else it is bound to."""
    out = [edge for edge in view.out(id) if edge.confidence >= CONFIDENT]
    into = view.into(id, ("calls", "inherits", "uses", "imports"))
    into = [edge for edge in into if edge.confidence >= CONFIDENT]
    lists = {
        "callees": [edge.other for edge in out if edge.kind == "calls"],
        "callers": [edge.other for edge in into if edge.kind == "calls"],
        "bases": [edge.other for edge in out if edge.kind == "inherits"],
        "subclasses": [edge.other for edge in into if edge.kind == "inherits"],
        "imports": [edge.other for edge in out if edge.kind == "imports"],
        "imported_by": [edge.other for edge in into if edge.kind == "imports"],
        "reads": [edge.other for edge in out if edge.kind == "uses"],
        "read_by": [edge.other for edge in into if edge.kind == "uses"],
    }
    return {name: _short(ids) for name, ids in lists.items() if ids}


def _short(ids: Iterable[str]) -> list[str]:
    """Return the first of some ids, tests last, and how many more there are."""
    ranked = sorted(set(ids), key=_tests_last)
    more = len(ranked) - _MOST_NEIGHBOURS
    shown = ranked[:_MOST_NEIGHBOURS]
    return [*shown, f"and {more} more"] if more > 0 else shown


def _tests_last(id: str) -> tuple[bool, str]:
    """Return the key that sorts ids, those of tests after all others."""
    return is_test(split_id(id)[0]), id


def code_of(view: GraphView, path: str, row: Any) -> str:
    """Return the lines of an element, as of the indexed commit; "" without the blob."""
    file = view.build.table("files").get(path) or {}
    try:
        source, _ = source_of(view.build.snapshot.blob(str(file.get("blob", ""))))
    except (MissingObjectError, ValueError):
        return ""
    lines = source.decode("utf-8", "replace").split("\n")
    first, last = int(row["start_line"]) - 1, int(row["end_line"])
    shown = lines[first : min(last, first + _MOST_LINES)]
    return "\n".join(line.rstrip("\r") for line in shown)


def _of_area(view: GraphView, id: str) -> Item:
    """Return a node of the hierarchy with its scopes and what is in it."""
    areas, members = view.areas, view.members[id]
    node = areas.nodes[id]
    below = areas.children().get(id, [])
    found: Item = {
        "id": id,
        "kind": LEVELS[node.level],
        "label": view.label(id),
        "files": len(members),
        "scopes": view.grounding.scopes(members),
    }
    if below:
        found["contains"] = [
            f"{one}: {view.label(one)}, {len(view.members[one])} files" for one in below
        ]
    else:
        found["contains"] = _short(members)
    return found
