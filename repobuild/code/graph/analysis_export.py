"""Export the analysis as JSON: `repository_analysis.json` and `graph.json`.

Both are the tables in another form; nothing is analysed again. Code is read from the
blobs that the files table names. `CodeElement`, `CodePattern` and `ProjectContext`
begin with the fields of the original specification (section 3.1), in its spelling.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, Protocol

from repobuild.code.facts.element import CodeElement, elements, text_of
from repobuild.code.graph.constructor import Constructors
from repobuild.code.graph.nodes import edge_key
from repobuild.code.graph.pattern import CodePattern, patterns
from repobuild.code.graph.project.project import PROJECT
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
# What the project declares besides, each with the manifest or README that says so.
_DECLARED = (
    "described_by",
    "dependencies_by",
    "dependencies_if",
    "extras",
    "dev",
    "scripts",
    "licence",
    "python",
    "install",
    "distributions",
    "tests",
    "documentation",
)
_EXPORTED_NAMES = {"body_digest": "shape", "interface_digest": "face"}


class Tables(Protocol):
    """A source of tables: a build, or a task."""

    def table(self, name: str) -> Table: ...


class SourceTexts:
    """The text of the files; the last one is kept, because elements come by path."""

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
    """Return the analysis as plain JSON, every element with its code."""
    return {
        key: list(value) if isinstance(value, Iterator) else value
        for key, value in analysis_parts(tables, blob)
    }


def analysis_parts(tables: Tables, blob: Blob) -> Iterator[tuple[str, Any]]:
    """Yield the keys of the analysis with their values.

    Elements and patterns are iterators and must be read in turn, so that their code,
    twice the size of the sources, is never in memory as a whole.
    """
    graph = tables.table("graph")
    sources = SourceTexts(tables.table("files"), blob)
    code_elements = {
        element.id: element
        for path, row in tables.table("facts").items()
        for element in elements(row, path)
        if element.type != "section"
    }
    project = (graph.get(PROJECT) or {}).get("", {})
    statistics = {**project.get("statistics", {}), "code_patterns": 0}
    declared = {key: project[key] for key in _DECLARED if project.get(key)}
    yield "project_context", {key: project.get(key) for key in _CONTEXT} | declared
    yield "project_structure", project_structure(graph)
    bases: dict[str, list[str]] = defaultdict(list)
    for src, dst, _ in _edges(graph, "inherits"):
        if dst in code_elements:
            bases[src].append(dst)
    constructors = Constructors(code_elements, bases, sources.code)
    whole = (constructors.complete(one) for one in code_elements.values())
    yield "code_elements", (element_json(one, sources.code(one)) for one in whole)
    code_patterns = _patterns(graph, code_elements, sources)
    yield "code_patterns", _counted(code_patterns, statistics)
    yield "statistics", statistics
    yield "call_graph", _call_graph(graph)


def _counted(
    patterns: Iterator[CodePattern], statistics: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield patterns as JSON and count them in the statistics, which come later."""
    for pattern in patterns:
        statistics["code_patterns"] += 1
        yield asdict(pattern)


def element_json(element: CodeElement, code: str) -> dict[str, Any]:
    """Return one element as plain JSON, with its code and hexadecimal digests."""
    items = asdict(element).items()
    fields = {_EXPORTED_NAMES.get(name, name): value for name, value in items}
    fields["code"] = code
    fields["shape"] = element.body_digest.hex()
    fields["face"] = element.interface_digest.hex()
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
            if key := edge_key(sub):
                ends = {"src": path + key.source, "dst": key.target}
                edges.append({**ends, "kind": key.kind, **item})
            else:
                nodes.append(_node_json(path, sub, item))
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


def _edges(graph: Table, kind: str) -> Iterator[tuple[str, str, float]]:
    """Yield (src, dst, confidence) of every edge of a kind."""
    for path, row in graph.items():
        if path == PROJECT:
            continue
        for sub, item in row.items():
            key = edge_key(sub)
            if key and key.kind == kind:
                yield path + key.source, key.target, item["confidence"]


def _call_graph(graph: Table) -> dict[str, list[str]]:
    """Return the ids that each element calls."""
    calls: dict[str, list[str]] = defaultdict(list)
    for src, dst, _ in _edges(graph, "calls"):
        calls[src].append(dst)
    return dict(calls)


def _patterns(
    graph: Table, elements: dict[str, CodeElement], sources: SourceTexts
) -> Iterator[CodePattern]:
    callers: dict[str, list[tuple[str, float]]] = defaultdict(list)
    importers: dict[str, list[str]] = defaultdict(list)
    for src, dst, confidence in _edges(graph, "calls"):
        callers[dst].append((src, confidence))
    for src, dst, _ in _edges(graph, "imports"):
        if "::" not in dst:
            importers[dst].append(src)
    for calls in callers.values():
        calls.sort()
    return patterns(elements, callers, importers, sources.code)
