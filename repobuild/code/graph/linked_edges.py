"""Find imports, calls and inheritance in languages other than Python.

A name without a symbol in the repository gives no edge; the facts keep it as it is
written. How a name is resolved: name_resolver.py; what a file can refer to in others:
link_rules.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from repobuild.code.graph.nodes import (
    Edges,
    edge_items,
    file_row,
    open_terms,
    target_terms,
)
from repobuild.code.resolve.linked.link_rules import Symbols
from repobuild.code.resolve.linked.linked_files import LinkedFile, LinkedFiles
from repobuild.code.resolve.linked.linked_terms import answered_terms, linked_surface
from repobuild.code.resolve.linked.name_resolver import LinkedResolver
from repobuild.code.resolve.linked.rules_by_language import RULES
from repobuild.code.resolve.symbol import Kind, symbol_id
from repobuild.engine.contract import Change, OwnTable, Table, Value


class Linking:
    """The linked files of one run."""

    def __init__(
        self, facts: Table, changed: Mapping[str, Change], own: OwnTable, full: bool
    ) -> None:
        self._changed = changed
        answers: dict[str, list[str]] = {}
        for path, (_, new) in changed.items():
            for term in answered_terms(path, new):
                answers.setdefault(term, []).append(path)
        self._files = LinkedFiles(facts, changed, answers, None if full else own.index)

    def changed_terms(self) -> Iterator[str]:
        """Yield the terms whose value differs between the old and the new facts."""
        for path, (old, new) in self._changed.items():
            before, after = linked_surface(path, old), linked_surface(path, new)
            for term in before.keys() | after.keys():
                if term not in before or before[term] != after.get(term):
                    yield term

    def row(self, path: str, facts: Value) -> tuple[dict[str, Any], list[str]]:
        """Return a file's row of the graph, and the terms that it depends on."""
        row = file_row(path, facts)
        terms = {"own:" + term for term in answered_terms(path, facts)}
        file = self._files.get(path)
        if file is None:
            return row, sorted(terms)
        self._files.terms = set()
        links = FileLinks(file, LinkedResolver(self._files))
        row |= edge_items(links.edges)
        if links.open_calls:
            row[""]["open_calls"] = sorted(links.open_calls)
        terms |= self._files.terms | open_terms(row)
        terms |= target_terms(path, row)
        return row, sorted(terms)


class FileLinks:
    """The edges that leave one file's elements."""

    def __init__(self, file: LinkedFile, resolver: LinkedResolver) -> None:
        self.edges: Edges = {}
        self.open_calls: set[str] = set()  # names of methods that it calls unresolved
        self._file = file
        self._resolver = resolver
        self._package = _package_of(file)
        self._add_imports()
        self._add_calls("", file.facts.get("calls", []))
        for qual in file.items:
            row = file.row(qual)
            for text in row.bases:
                base = resolver.find_base(file.path, qual, text)
                if base is not None:
                    self._add(qual, "inherits", symbol_id(base), base.confidence)
            self._add_calls(qual, row.calls)

    def _add(self, qual: str, kind: str, dst: str, confidence: float) -> None:
        key = (qual, kind, dst)
        self.edges[key] = max(confidence, self.edges.get(key, 0.0))

    def _add_imports(self) -> None:
        path = self._file.path
        rules = self._resolver.rules(path)
        for _, module, name, _ in self._file.facts.get("imports", ()):
            targets: Symbols = rules.find_module(path, module)
            if name and name != "*":
                targets = [*targets, *rules.find_imported(path, module, name)]
            for target in targets:
                if target.kind is Kind.PACKAGE or target.path == path:
                    continue  # a package has no node; _add_calls adds its used files
                self._add("", "imports", target.path, target.confidence)
                if target.kind is not Kind.MODULE:
                    self._add("", "imports", symbol_id(target), target.confidence)

    def _add_calls(self, qual: str, calls: list[list[Any]]) -> None:
        for call in calls:
            callees = [*self._resolver.callees(self._file.path, qual, call[0])]
            before, _, last = call[0].rpartition(".")
            if not callees and before and last.isidentifier():
                self.open_calls.add(last)
            for callee in callees:
                self._add(qual, "calls", symbol_id(callee), callee.confidence)
                file = self._resolver.files.get(callee.path)
                # The import of a package names its folder, not the file that is used.
                package = _package_of(file) if file else ""
                if package and package != self._package:
                    self._add("", "imports", callee.path, 1.0)


def _package_of(file: LinkedFile) -> str:
    return RULES[file.links].package_of(file)
