"""Make the `graph` table: elements, and what contains, imports, calls, inherits, uses.

A row is a file: `{sub: item}`.

    ""                    the file     {"kind": "file", "name", "start_line",
                                        "end_line", "language", "shape",
                                        "unresolved", "open_calls",
                                        "unread_imports"}
    "::qual"              an element   {"kind": "function|method|class|section", "name",
                                        "start_line", "end_line", "shape", "face"}
    " KIND DST"           an edge from the file
    "::qual KIND DST"     an edge from an element   {"confidence": float, "main"}

`main` is there, and true, of what a Python file does only below
`if __name__ == "__main__":`, when it is run as a program.

KIND is contains, imports, calls, inherits or uses; `a uses b` where a reads b without
calling it: a function or a class by its name, a property or method, a class by its
attribute, a module by its variable, a function that a class body imports (Python, where
the owner is certain). A `calls` of
confidence 0.4 may be a call through data (Python): of a function that was passed, kept
in a container or returned, of a decorator's wrapper, or by `for` and `with`. DST is an
element id `path::qual` or a path. A qualified name holds no space (headings are slugs),
so a sub splits at its first two spaces. `shape` is the body digest and `face` the
interface digest, in bytes.
`unresolved` (Python) counts the called names without an edge: builtins, other projects'
functions and unknown ones; facts keep each with its lines. `open_calls` are the names
of methods that are called on objects of which the class is not known; the index holds
`open:NAME` for each. Among them, in double quotes, are the names in strings that a file
may look up, and the methods that its classes pass on without calling them. After `|`
are those that are called on an attribute which holds objects of several classes, of
which the edge leads to one; after `(` those of the module that are called, and are
none of its elements, or one of several.
`unread_imports` (Python) names the relative imports of modules that are not analysed,
such as generated ones, as written.

Row `@project` describes the whole project (format: project.py).

The unit of work is the file. The index holds, under its path, every term that its edges
depend on (resolve/python/modules.py), and `in:KIND DST` for every DST in *another*
file; edges within a file are in its own row, so `incoming` reads both.
"""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.code.graph.linked_edges import Linking
from repobuild.code.graph.nodes import edge_key, split_id
from repobuild.code.graph.project.project import PROJECT, update_project
from repobuild.code.graph.python_files import MANIFEST_TERM, PythonFiles
from repobuild.engine.contract import Change, Table, Value, View


def graph(view: View) -> None:
    """Bring the graph up to date with the changed files."""
    facts, changed = view.table("facts"), view.changes("facts")
    python = PythonFiles(facts, changed, view.own, view.full)
    linking = Linking(facts, changed, view.own, view.full)
    affected = set(changed)
    if not view.full:
        for term in python.changed_terms().union(linking.changed_terms()):
            affected.update(view.own.index.find(term))
    rows: dict[str, Change] = {}  # path -> the row before and after
    for path in sorted(affected):
        before = None if view.full else view.own.get(path)
        file = changed[path][1] if path in changed else facts.get(path)
        if file is None or not file.get("language"):
            if before is not None:
                view.own.drop(path)
                rows[path] = (before, None)
            continue
        row, terms = python.row(path) or linking.row(path, file)
        view.own.put(path, row)
        if "project" in file:
            terms = [*terms, MANIFEST_TERM]
        view.own.index.set(path, terms)
        rows[path] = (before, row)
    update_project(view, rows, python.is_external)


# ------------------------------------------------------------------- reading the graph


def node(table: Table, id: str) -> Value | None:
    """Return the node of an element id or a path."""
    path, qual = split_id(id)
    row = table.get(path)
    return row.get(f"::{qual}" if qual else "") if row else None


def elements_of(row: Value | None) -> Iterator[tuple[str, Value]]:
    """Yield (qualified name, node) of the elements of a file, none for no row."""
    for sub, item in (row or {}).items():
        if sub.startswith("::") and " " not in sub:
            yield sub[2:], item


def edges_of(row: Value, qual: str) -> list[tuple[str, str, float]]:
    """Return (kind, dst, confidence) of the edges that leave `qual` ("" = the file)."""
    start = f"::{qual} " if qual else " "
    edges = []
    for sub, item in row.items():
        if sub.startswith(start) and (key := edge_key(sub)):
            edges.append((key.kind, key.target, item["confidence"]))
    return edges


def outgoing(table: Table, id: str, kind: str) -> list[tuple[str, float]]:
    """Return (dst, confidence), sorted by dst."""
    path, qual = split_id(id)
    row = table.get(path)
    edges = edges_of(row, qual) if row else []
    return sorted((dst, sure) for edge, dst, sure in edges if edge == kind)


def incoming(table: Table, id: str, kind: str) -> list[tuple[str, float]]:
    """Return (src, confidence), sorted by src, from every file."""
    end = f" {kind} {id}"
    sources = []
    for path in {split_id(id)[0], *table.index.find("in:" + end[1:])}:
        for sub, item in (table.get(path) or {}).items():
            if sub.endswith(end):
                sources.append((path + sub[: -len(end)], item["confidence"]))
    return sorted(sources)


def callers(table: Table, id: str) -> list[tuple[str, float]]:
    """Return (src, confidence) of the elements that call `id`."""
    return incoming(table, id, "calls")


__all__ = [
    "PROJECT",
    "callers",
    "edges_of",
    "elements_of",
    "graph",
    "incoming",
    "node",
    "outgoing",
    "split_id",
]
