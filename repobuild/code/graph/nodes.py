"""Make the nodes and edge keys of one file's row of the graph (format: graph.py)."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, NamedTuple

from repobuild.code.facts.body_digest import digest
from repobuild.code.facts.element_row import name_of, parent_of, row_of
from repobuild.engine.contract import Value

# Before a name in `open_calls`: see graph.py.
SEVERAL = "|"
NO_ELEMENT = "("
EdgeTriple = tuple[str, str, str]  # qual, kind, dst
Edges = dict[EdgeTriple, float]  # -> confidence


class EdgeKey(NamedTuple):
    """The key of an edge in a row, split."""

    source: str  # "::qual", "" the file
    kind: str
    target: str  # an id


def edge_key(sub: str) -> EdgeKey | None:
    """Return the parts of a row's key, None for the key of a node."""
    source, _, edge = sub.partition(" ")
    if not edge:
        return None
    kind, _, target = edge.partition(" ")
    return EdgeKey(source, kind, target)


def split_id(id: str) -> tuple[str, str]:
    """Return (path, qualified name); the name is "" for a file."""
    path, _, qual = id.partition("::")
    return path, qual


def file_row(path: str, facts: Value) -> dict[str, Any]:
    """Return the nodes of a file, and its `contains` edges."""
    row: dict[str, Any] = {"": file_node(path, facts)}
    edges: Edges = {}
    elements = [row_of(item) for item in facts.get("elements", ())]
    quals = {element.qual for element in elements}
    for element in elements:
        row["::" + element.qual] = {
            "kind": element.type,
            "name": name_of(element.qual),
            "start_line": element.start_line,
            "end_line": element.end_line,
            "shape": element.body_digest,
            "face": element.interface_digest,
        }
        # The nearest element of the file that the name is in, "" for the file: a Go
        # method's type may be below it, or in another file; a namespace has no node.
        container = parent_of(element.qual)
        while container and container not in quals:
            container = parent_of(container)
        edges[container, "contains", f"{path}::{element.qual}"] = 1.0
    return row | edge_items(edges)


def file_node(path: str, facts: Value) -> dict[str, Any]:
    """Return a file's own node; its digest covers the top level, without lines."""
    elements = [row_of(item) for item in facts.get("elements", ())]
    interfaces = [
        (element.qual, element.interface_digest)
        for element in elements
        if "." not in element.qual
    ]
    calls = [name for name, *_ in facts.get("calls", ())]
    imports = [entry for _, *entry in facts.get("imports", ())]
    parts = (facts.get("doc", ""), facts.get("all"), interfaces, calls, imports)
    return {
        "kind": "file",
        "name": path.rpartition("/")[2],
        "start_line": 1,
        "end_line": facts.get("lines", 0),
        "language": facts.get("language", ""),
        "shape": digest(repr(parts).encode("utf-8", "replace")),
    }


def edge_items(
    edges: Edges, of_main: Container[EdgeTriple] = frozenset()
) -> dict[str, Any]:
    """Return edges as a row's entries, sorted, so that equal rows have equal bytes.

    Those `of_main` come only from what runs when the file is run as a program.
    """
    return {
        f"{'::' if qual else ''}{qual} {kind} {dst}": {"confidence": round(value, 2)}
        | ({"main": True} if (qual, kind, dst) in of_main else {})
        for (qual, kind, dst), value in sorted(edges.items())
    }


def target_terms(path: str, row: Mapping[str, Any]) -> set[str]:
    """Return the index terms `in:KIND DST` of the edges that lead to other files."""
    keys = [key for sub in row if (key := edge_key(sub))]
    return {
        f"in:{key.kind} {key.target}" for key in keys if split_id(key.target)[0] != path
    }


def open_terms(row: Mapping[str, Any]) -> set[str]:
    """Return the index terms `open:NAME` of the methods that are called unresolved."""
    return {f"open:{name}" for name in row[""].get("open_calls", ())}
