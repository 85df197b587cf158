"""Imports, calls and inheritance of files in languages other than Python.

A name that means nothing in the repository gives no edge, and stays in the facts as it
is written. What the rules are, and how sure an edge is: reach.py, meaning.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from repobuild.code.graph.nodes import Edges, edge_items, file_row
from repobuild.code.resolve.linked.linked_files import LinkedFile, LinkedFiles, offers
from repobuild.code.resolve.linked.name_resolver import LinkedResolver
from repobuild.code.resolve.symbol import Entity, identity
from repobuild.engine.contract import Change, OwnTable, Table, Value


class Linking:
    """One run's linked files."""

    def __init__(
        self, facts: Table, changed: Mapping[str, Change], own: OwnTable, full: bool
    ) -> None:
        self._changed = changed
        self._files = LinkedFiles(facts, changed, own, full)

    def changed_terms(self) -> Iterator[str]:
        """Yield the terms whose value differs between the old and the new facts."""
        for path, (old, new) in self._changed.items():
            before, after = offers(path, old), offers(path, new)
            for term in before.keys() | after.keys():
                if term not in before or before[term] != after.get(term):
                    yield term

    def row(self, path: str, facts: Value) -> tuple[dict[str, Any], list[str]]:
        """Return a file's row of the graph, and what it is found by."""
        row = file_row(path, facts)
        terms = {"own:" + term for term in self._files.own_terms(path, facts)}
        file = self._files.get(path)
        if file is None:
            return row, sorted(terms)
        self._files.terms = set()
        row |= edge_items(FileLinks(file, LinkedResolver(self._files)).edges)
        terms |= self._files.terms
        for sub in row:
            edge = sub.partition(" ")[2]  # "" of a node
            if edge and edge.partition(" ")[2].partition("::")[0] != path:
                terms.add("in:" + edge)
        return row, sorted(terms)


class FileLinks:
    """The edges that leave one file's elements."""

    def __init__(self, file: LinkedFile, meaning: LinkedResolver) -> None:
        self.edges: Edges = {}
        self._file = file
        self._meaning = meaning
        self._reach = meaning.reach(file.path)
        self._imports()
        self._calls("", file.facts.get("calls", []))
        for qual in file.items:
            row = file.row(qual)
            for text in row.bases:
                found = meaning.base(file.path, qual, text)
                if found is not None:
                    self._add(qual, "inherits", identity(found), found[3])
            self._calls(qual, row.calls)

    def _add(self, qual: str, kind: str, dst: str, confidence: float) -> None:
        key = (qual, kind, dst)
        self.edges[key] = max(confidence, self.edges.get(key, 0.0))

    def _imports(self) -> None:
        path, reach = self._file.path, self._reach
        for _, module, name, _ in self._file.facts.get("imports", ()):
            targets = reach.module(path, module)
            if name and name != "*":
                targets = [*targets, *reach.imported(path, module, name)]
            for target in targets:
                self._import(target)

    def _import(self, target: Entity) -> None:
        kind, path, qual, confidence = target
        if kind == "p" or path == self._file.path:
            return  # a Go package has no node: the files whose names are used have
        self._add("", "imports", path, confidence)
        if kind != "m":
            self._add("", "imports", identity(target), confidence)

    def _calls(self, qual: str, calls: list[list[Any]]) -> None:
        for call in calls:
            for dst, confidence in self._meaning.callees(
                self._file.path, qual, call[0]
            ):
                self._add(qual, "calls", dst, confidence)
                self._use(dst.partition("::")[0])

    def _use(self, path: str) -> None:
        """Note a file of another Go package: an import names only the folder."""
        file = self._meaning.files.get(path)
        if file and file.links == "go" and file.place != self._file.place:
            self._add("", "imports", path, 1.0)
