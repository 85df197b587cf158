"""One file's row of the graph: its nodes, and the edges that leave them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from repobuild.code.facts.body_digest import digest
from repobuild.code.facts.element_row import ElementRow, name_of, parent_of
from repobuild.code.resolve.python.modules import ModuleFacts
from repobuild.code.resolve.python.resolver import Resolver
from repobuild.code.resolve.python.scopes import receiver
from repobuild.code.resolve.symbol import Symbol, identity
from repobuild.engine.contract import Value

Edges = dict[tuple[str, str, str], float]  # (qual, kind, dst) -> confidence


def file_row(path: str, facts: Value) -> dict[str, Any]:
    """Return the nodes of a file, and what contains what."""
    row: dict[str, Any] = {"": file_node(path, facts)}
    edges: Edges = {}
    for item in facts.get("elements", ()):
        qual, kind, start, end = item[:4]
        holder = parent_of(qual)
        row["::" + qual] = {
            "kind": kind,
            "name": name_of(qual),
            "start_line": start,
            "end_line": end,
            "shape": item[7],
            "face": item[8],
        }
        if holder and "::" + holder not in row:
            holder = _element_around(holder, facts)
        edges[holder, "contains", f"{path}::{qual}"] = 1.0
    return row | edge_items(edges)


def _element_around(qual: str, facts: Value) -> str:
    """Return the nearest element that a name is in, "" for the file.

    A Go method's type may stand below it, or in another file; a namespace is none.
    """
    quals = {item[0] for item in facts["elements"]}
    while qual and qual not in quals:
        qual = parent_of(qual)
    return qual


def file_node(path: str, facts: Value) -> dict[str, Any]:
    """Return a file's own node; its shape is what its top level says, without lines."""
    tops = [(i[0], i[8]) for i in facts.get("elements", ()) if "." not in i[0]]
    calls = [call[0] for call in facts.get("calls", ())]
    imports = [entry[1:] for entry in facts.get("imports", ())]
    said = (facts.get("doc", ""), facts.get("all"), tops, calls, imports)
    return {
        "kind": "file",
        "name": path.rpartition("/")[2],
        "start_line": 1,
        "end_line": facts.get("lines", 0),
        "language": facts.get("language", ""),
        "shape": digest(repr(said).encode("utf-8", "replace")),
    }


def resolved_row(module: ModuleFacts, resolver: Resolver) -> dict[str, Any]:
    """Return a Python file's whole row; the resolver keeps what it looked at."""
    row, found = file_row(module.path, module.facts), FileEdges(module, resolver)
    row[""]["unresolved"] = found.unresolved
    return row | edge_items(found.edges)


def edge_items(edges: Edges) -> dict[str, Any]:
    """Return edges as entries, sorted: a row is the same however it was made."""
    return {
        f"{'::' if qual else ''}{qual} {kind} {dst}": {"confidence": round(value, 2)}
        for (qual, kind, dst), value in sorted(edges.items())
    }


class FileEdges:
    """Imports, calls and inheritance of one file."""

    def __init__(self, module: ModuleFacts, resolver: Resolver) -> None:
        self.module = module
        self.resolver = resolver
        self.edges: Edges = {}
        self.unresolved = 0  # names that an element calls and that are nothing of ours
        self._called: dict[tuple[str, str], list[tuple[str, float]]] = {}
        self._imports()
        self._calls("", module.facts.get("calls", ()))
        for qual, item in module.items.items():
            if len(item) > 13:  # anything shorter has no decorators, bases, calls
                self._element(module.row(qual))

    def _add(self, qual: str, kind: str, dst: str, confidence: float) -> None:
        key = (qual, kind, dst)
        self.edges[key] = max(confidence, self.edges.get(key, 0.0))

    def _imports(self) -> None:
        path = self.module.path
        for _, source, name, _ in self.module.facts.get("imports", ()):
            target = self.resolver.find_module(path, source)
            if target is not None and target[1] != path:
                self._add("", "imports", target[1], 1.0)
            if name and name != "*":
                found = self.resolver.imported(path, source, name)
                if found is not None and found[1] != path and found[0] in "mcf":
                    self._add("", "imports", identity(found), found[3])

    def _element(self, row: ElementRow) -> None:
        for text in row.bases:
            found = self.resolver.base(self.module.path, row.qual, text)
            if found is not None:
                self._add(row.qual, "inherits", identity(found), found[3])
        for text in row.decorators:
            self._call(row.qual, parent_of(row.qual), text.partition("(")[0])
        # A decorator that is called is also among the calls, under its own name.
        self._calls(row.qual, row.calls)

    def _calls(self, qual: str, calls: list[list[Any]]) -> None:
        for call in calls:
            self._call(qual, qual, call[0])

    def _call(self, qual: str, scope: str, name: str) -> None:
        targets = self._targets(scope, name)
        self.unresolved += not targets
        for dst, confidence in targets:
            self._add(qual, "calls", dst, confidence)

    def _targets(self, scope: str, name: str) -> list[tuple[str, float]]:
        key = self._meaning(scope, name)
        found = self._called.get(key)
        if found is None:
            path = self.module.path
            found = self._called[key] = [
                callee
                for entity in self.resolver.meanings(path, scope, name)
                for callee in self._callees(entity)
            ]
        return found

    def _meaning(self, scope: str, name: str) -> tuple[str, str]:
        """Return a key that is equal for names that mean the same in this file.

        Most names are the module's, or begin with the receiver of one of a class's
        methods: what they mean is worked out once.
        """
        root = name.partition(".")[0].partition("(")[0].partition("[")[0]
        if root == "super":
            return scope, name
        outer = scope
        while outer:
            item = self.module.items[outer]
            if item[1] == "class":
                if outer == scope:
                    return scope, name
            elif holder := self._receiver(item, root):
                return holder, name[len(root) :]
            elif self._binds(item, root):
                return outer, name
            outer = parent_of(outer)
        return "", name

    def _receiver(self, item: list[Any], name: str) -> str:
        """Return a name for what a method's first parameter stands for, or ""."""
        if item[1] != "method" or len(item) < 12 or not item[11]:
            return ""
        first = item[11][0]
        if name != (first if isinstance(first, str) else first[0]):
            return ""
        if len(item) > 16 and name in item[16]:
            return ""  # it is assigned to
        kind = receiver(self.module.row(item[0]))
        return f"{kind} {parent_of(item[0])}" if kind else ""

    def _binds(self, item: list[Any], name: str) -> bool:
        """Return whether a function itself gives a name its meaning."""
        return (
            (len(item) > 16 and name in item[16])
            or f"{item[0]}.{name}" in self.module.items
            or (len(item) > 11 and _has_parameter(item[11], name))
        )

    def _callees(self, entity: Symbol) -> Iterator[tuple[str, float]]:
        """Yield what a call of an entity runs: beside a class its constructor."""
        kind, _, _, confidence = entity
        if kind == "f":
            yield identity(entity), confidence
        elif kind == "c":
            yield identity(entity), confidence
            yield from self._method(entity, "__new__")
            yield from self._method(entity, "__init__")
        elif kind == "i":
            yield from self._method(entity.at_most(0.7), "__call__")

    def _method(self, entity: Symbol, name: str) -> Iterator[tuple[str, float]]:
        """Yield a class's method that is run without being named."""
        _, path, qual, confidence = entity
        found = self.resolver.in_class(path, qual, name)
        if found is not None and found[0] == "f":
            inherited = found[1:3] != (path, f"{qual}.{name}")
            limit = 0.9 if inherited else 1.0
            yield identity(found), min(confidence, found[3], limit)


def _has_parameter(parameters: list[Any], name: str) -> bool:
    return any((p if isinstance(p, str) else p[0]) == name for p in parameters)
