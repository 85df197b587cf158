"""Exports of the analysis: `repository_analysis.json` and `graph.json`.

Both are the tables in another form; nothing is analysed again. Code is read out of the
blobs that the files table names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, Protocol

from repobuild.code.facts.element import CodeElement, elements, text_of
from repobuild.code.graph.graph import PROJECT
from repobuild.code.graph.pattern import CodePattern, patterns
from repobuild.code.scan.source_text import source_of
from repobuild.engine.contract import Table

Blob = Callable[[str], bytes]
_CONTEXT = (
    "project_name",
    "description",
    "main_technologies",
    "architecture_style",
    "key_modules",
    "dependencies",
)


class Tables(Protocol):
    """Where tables are read from: a build, or a task."""

    def table(self, name: str) -> Table: ...


class SourceTexts:
    """The text of the files, by path; keeps the last one, as elements come in order."""

    def __init__(self, files: Table, blob: Blob) -> None:
        self._files = files
        self._blob = blob
        self._last: tuple[str, bytes] = ("", b"")

    def code(self, element: CodeElement) -> str:
        if self._last[0] != element.filepath:
            row = self._files.get(element.filepath)
            source = source_of(self._blob(row["blob"]))[0] if row else b""
            self._last = (element.filepath, source)
        return text_of(self._last[1], element)


def repository_analysis(tables: Tables, blob: Blob) -> dict[str, Any]:
    """Return the analysis in the seed's JSON form, every element with its code."""
    parts = analysis_parts(tables, blob)
    return {k: list(v) if isinstance(v, Iterator) else v for k, v in parts}


def analysis_parts(tables: Tables, blob: Blob) -> Iterator[tuple[str, Any]]:
    """Yield the same by key; elements and patterns are iterators, to be read in turn.

    So their code, twice the size of the sources, is never in memory as a whole.
    """
    graph = tables.table("graph")
    sources = SourceTexts(tables.table("files"), blob)
    found = {element.id: element for element in _elements(tables.table("facts"))}
    project = (graph.get(PROJECT) or {}).get("", {})
    statistics = {**project.get("statistics", {}), "code_patterns": 0}
    yield "project_context", {key: project.get(key) for key in _CONTEXT}
    yield "project_structure", project_structure(graph)
    yield "code_elements", (element_json(e, sources.code(e)) for e in found.values())
    yield "code_patterns", _counted(_patterns(graph, found, sources), statistics)
    yield "statistics", statistics
    yield "call_graph", _call_graph(graph)


def _counted(
    found: Iterator[CodePattern], statistics: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    for pattern in found:
        statistics["code_patterns"] += 1
        yield asdict(pattern)


def element_json(element: CodeElement, code: str) -> dict[str, Any]:
    """Return one element as plain JSON: the seed's fields, its id and its digests."""
    fields = asdict(element)
    fields["code"] = code
    fields["shape"], fields["face"] = element.shape.hex(), element.face.hex()
    fields["calls"] = [[name, *lines] for name, lines in element.calls]
    return fields


def graph_json(tables: Tables, commit: str) -> dict[str, Any]:
    """Return the repository graph: nodes and edges, in the order of their ids."""
    graph = tables.table("graph")
    nodes: list[dict[str, Any]] = []
    edges: list[dict[str, Any]] = []
    for path, row in graph.items():
        if path == PROJECT:
            continue
        for sub, item in row.items():
            qual, _, edge = sub.partition(" ")
            if edge:
                kind, _, dst = edge.partition(" ")
                edges.append({"src": path + qual, "dst": dst, "kind": kind, **item})
            else:
                nodes.append(_node_json(path, qual, item))
    return {"version": 1, "commit": commit, "nodes": nodes, "edges": edges}


def _node_json(path: str, sub: str, item: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": path + sub,
        "kind": item["kind"],
        "name": item["name"],
        "path": path,
        "start_line": item["start_line"],
        "end_line": item["end_line"],
    }


def project_structure(graph: Table) -> dict[str, Any]:
    """Return the analysed files as a tree of folders."""
    top: dict[str, Any] = {}
    for path in graph.keys():
        if path == PROJECT:
            continue
        *folders, name = path.split("/")
        children = top
        for folder in folders:
            entry = children.setdefault(folder, {"type": "directory", "children": {}})
            children = entry["children"]
        children[name] = {"type": "file"}
    return top


def _elements(facts: Table) -> Iterator[CodeElement]:
    for path, row in facts.items():
        for element in elements(row, path):
            if element.type != "section":
                yield element


def _edges(graph: Table, kind: str) -> Iterator[tuple[str, str, float]]:
    for path, row in graph.items():
        if path == PROJECT:
            continue
        for sub, item in row.items():
            qual, _, edge = sub.partition(" ")
            found, _, dst = edge.partition(" ")
            if found == kind:
                yield path + qual, dst, item["confidence"]


def _call_graph(graph: Table) -> dict[str, list[str]]:
    """Return whom each element calls, by id."""
    calls: dict[str, list[str]] = defaultdict(list)
    for src, dst, _ in _edges(graph, "calls"):
        calls[src].append(dst)
    return dict(calls)


def _patterns(
    graph: Table, found: dict[str, CodeElement], sources: SourceTexts
) -> Iterator[CodePattern]:
    callers: dict[str, list[tuple[str, float]]] = defaultdict(list)
    importers: dict[str, list[str]] = defaultdict(list)
    for src, dst, confidence in _edges(graph, "calls"):
        callers[dst].append((src, confidence))
    for src, dst, _ in _edges(graph, "imports"):
        if "::" not in dst:
            importers[dst].append(src)
    for calling in callers.values():
        calling.sort()
    return patterns(found, callers, importers, sources.code)
