"""Find the edges that leave a Python file's elements.

Other languages: `linked_edges.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from repobuild.code.facts.element_row import (
    IDENTIFIER,
    Binding,
    ElementRow,
    bindings_of,
    name_of,
    parameter_name,
    parent_of,
)
from repobuild.code.graph.nodes import (
    NO_ELEMENT,
    SEVERAL,
    Edges,
    EdgeTriple,
    edge_items,
    file_row,
    split_id,
)
from repobuild.code.resolve.binding_marks import (
    ANNOTATED,
    ASSIGNED_CALL,
    ASSIGNED_NAME,
    IMPORTED_NAME,
)
from repobuild.code.resolve.python.data_flow.data_flow import THROUGH_DATA
from repobuild.code.resolve.python.data_flow.passing_sites import decorator_chain
from repobuild.code.resolve.python.modules import ModuleFacts
from repobuild.code.resolve.python.resolver import Resolver
from repobuild.code.resolve.python.scopes import binds_name, receiver_kind
from repobuild.code.resolve.symbol import Kind, Symbol, symbol_id
from repobuild.code.scan.python_table import builtin_names

_SURE = 0.75  # confidence of an owner whose attribute is read
_ONE_OF_SEVERAL = 0.5  # confidence of what may be something else as well
_ROOT = re.compile(IDENTIFIER)
_KEY = re.compile(r"\[\w*\]")
_THROUGH_ATTRIBUTE = re.compile(rf"{IDENTIFIER}(?:\.{IDENTIFIER})+\Z")
_OWN_METHOD = re.compile(r"(?:self|cls)\.\w+$")
_IMPORTED = (Kind.MODULE, Kind.CLASS, Kind.FUNCTION)


def python_file_row(module: ModuleFacts, resolver: Resolver) -> dict[str, Any]:
    """Return a Python file's whole row; the resolver records what it looked up."""
    row, edges = file_row(module.path, module.facts), PythonFileEdges(module, resolver)
    row[""]["unresolved"] = edges.unresolved
    if edges.open_calls:
        row[""]["open_calls"] = sorted(edges.open_calls)
    if edges.unread_imports:
        row[""]["unread_imports"] = sorted(edges.unread_imports)
    return row | edge_items(edges.edges, edges.of_main)


class PythonFileEdges:
    """Imports, calls, reads and inheritance of one file."""

    def __init__(self, module: ModuleFacts, resolver: Resolver) -> None:
        self.module = module
        self.resolver = resolver
        self.edges: Edges = {}
        self.of_main: set[EdgeTriple] = set()  # edges of what runs as a program alone
        self._is_main = False  # whether what is added runs as a program alone
        self._main_lines, self._main_reads = _main_block(module.facts)
        self.unresolved = 0  # names that an element calls and that have no edge
        self.unread_imports: set[str] = set()  # relative ones of modules not analysed
        self._used: dict[tuple[str, str], Symbol | None] = {}
        self._several: dict[tuple[str, str], bool] = {}
        self._called: dict[tuple[str, str], list[tuple[str, float]]] = {}
        self.open_calls: set[str] = set()  # names of methods that it calls unresolved
        self._flowed: dict[tuple[str, str], list[str]] = {}
        self._external = self._imports()
        self.open_calls.update(f'"{one}"' for one in module.facts.get("strings", ()))
        self._calls("", module.facts.get("calls", ()), module.facts.get("flow", ()))
        read = set(module.facts.get("reads", ()))
        self._reads("", sorted(read - self._main_reads))
        self._is_main = True
        self._reads("", sorted(read & self._main_reads))
        self._is_main = False
        for qual in module.items:
            self._element(module.row(qual))

    def _add(self, qual: str, kind: str, dst: str, confidence: float) -> None:
        key = (qual, kind, dst)
        if not self._is_main:
            self.of_main.discard(key)
        elif key not in self.edges:
            self.of_main.add(key)
        self.edges[key] = max(confidence, self.edges.get(key, 0.0))

    def _imports(self) -> set[str]:
        """Add the imports; return the names that are bound to what is from elsewhere.

        `from . import names` imports a module, and nothing of its package.
        """
        path = self.module.path
        external = set()
        for line, source, name, alias in self.module.facts.get("imports", ()):
            self._is_main = line in self._main_lines
            module = self.resolver.find_module(path, source)
            symbol = None
            if name and name != "*":
                symbol = self.resolver.resolve_import(path, source, name)
            is_module = symbol is not None and symbol.kind is Kind.MODULE
            if module is not None and module.path != path and not is_module:
                self._add("", "imports", module.path, 1.0)
            if module is None and symbol is None:
                external.add(alias or name or source.partition(".")[0])
                if source.startswith("."):
                    self.unread_imports.add(
                        source if source.strip(".") else source + name
                    )
            if symbol and symbol.path != path and symbol.kind in _IMPORTED:
                for one in self.resolver.alternatives_of(symbol):
                    self._add("", "imports", symbol_id(one), one.confidence)
        self._is_main = False
        return external

    def _element(self, row: ElementRow) -> None:
        for text in row.bases:
            base = self.resolver.find_base(self.module.path, row.qual, text)
            if base is not None:
                self._add(row.qual, "inherits", symbol_id(base), base.confidence)
        for text in row.decorators:
            name = text.partition("(")[0]
            outer = parent_of(row.qual)
            if outer and name == name_of(row.qual):
                outer = parent_of(outer)  # its own class does not have it yet
            self._call(row.qual, outer, name)
            self._decorator(row.qual, outer, name)
            if (chain := decorator_chain(text)) != name:
                self._decorator(row.qual, outer, chain)
        if row.type == "class":
            self._bound_imports(row)
        # A decorator that is called is also among the calls, under its own name.
        self._calls(row.qual, row.calls, row.flow)
        self._reads(row.qual, row.reads)

    def _bound_imports(self, row: ElementRow) -> None:
        """Add the functions that a class body imports: they are its methods."""
        path = self.module.path
        for name in row.attrs:
            for binding in bindings_of(row.attrs, name):
                if not binding.startswith(IMPORTED_NAME):
                    continue
                source, _, imported = binding[1:].partition(":")
                symbol = self.resolver.resolve_import(path, source, imported)
                if symbol is None or symbol.kind is not Kind.FUNCTION:
                    continue
                if symbol.path != path and symbol.confidence >= _SURE:
                    self._add(row.qual, "uses", symbol_id(symbol), symbol.confidence)

    def _reads(self, qual: str, reads: list[str]) -> None:
        """Add an edge to what code reads and does not call, where that is sure.

        What a function defines within itself is its own code.
        """
        for text in reads:
            used = self._what_is_read(qual, text)
            if used and used.kind is Kind.FUNCTION and _OWN_METHOD.match(text):
                # Who gets it calls what subclasses have in its place, too.
                self.open_calls.add(f'"{name_of(used.qual)}"')
            if used is None or used.confidence < _SURE:
                continue
            dst = symbol_id(used)
            own = f"{self.module.path}::{qual}"
            if qual and dst.startswith(f"{own}."):
                continue
            if used.path != self.module.path or (used.qual and dst != own):
                known = ((qual, kind, dst) for kind in ("calls", "inherits"))
                if self.edges.keys().isdisjoint(known):
                    self._add(qual, "uses", dst, used.confidence)

    def _what_is_read(self, scope: str, text: str) -> Symbol | None:
        """Return what a chain reads, looked up once a file."""
        key = self._memo_key(scope, text)
        if key not in self._used:
            path = self.module.path
            self._used[key] = self.resolver.resolve_read(path, scope, text)
        return self._used[key]

    def _calls(self, qual: str, calls: list[list[Any]], flow: list[list[str]]) -> None:
        keyed: dict[str, list[str]] = {}  # chains with keys, by the chain without
        for chain, *rest in flow:
            if len(rest) == 1:
                self._implied(qual, chain, rest[0])
            elif "[" in chain:
                keyed.setdefault(_KEY.sub("[]", chain), []).append(chain)
        for name, *lines in calls:
            self._is_main = not qual and all(one in self._main_lines for one in lines)
            self._call(qual, qual, name, keyed.get(name, [name]))
        self._is_main = False

    def _call(
        self, qual: str, scope: str, name: str, chains: list[str] | None = None
    ) -> None:
        targets = self._targets(scope, name)
        if not targets:
            self.unresolved += 1
            self._reads_called(qual, scope, name)
        if all(confidence < _ONE_OF_SEVERAL for _, confidence in targets):
            self._note_open(name)
            if self._is_of_module(scope, name):
                self.open_calls.add(NO_ELEMENT + name)
        elif self._may_be_another(scope, name):
            last = name.rpartition(".")[2]
            self.open_calls |= {last, SEVERAL + last}
        if all(confidence <= _ONE_OF_SEVERAL for _, confidence in targets):
            for chain in chains or ():
                for dst in self._through_data(scope, chain):
                    self._add(qual, "calls", dst, THROUGH_DATA)
        for dst, confidence in targets:
            self._add(qual, "calls", dst, confidence)
            for wrapper in self._wrappers(scope, name, dst):
                self._add(qual, "calls", wrapper, THROUGH_DATA)

    # -- calls through data

    def _through_data(self, scope: str, chain: str) -> list[str]:
        """Return what a call of a chain runs that no name states."""
        root = _ROOT.match(chain)
        if root is None or root[0] in self._external:
            return []
        key = self._memo_key(scope, chain)
        if key not in self._flowed and not self._may_flow(key[0], root[0], chain):
            return []
        if key not in self._flowed:
            found = self.resolver.flow.callees(self.module.path, scope, chain)
            self._flowed[key] = [symbol_id(one) for one in found]
        return self._flowed[key]

    def _wrappers(self, scope: str, chain: str, id: str) -> list[str]:
        """Return what runs in place of a decorated function, or of a property."""
        path, qual = split_id(id)
        key = path, f"@{qual}"
        if key not in self._flowed:
            function = Symbol(Kind.FUNCTION, path, qual, 1.0)
            flow = self.resolver.flow
            if flow.is_property(function):
                return self._through_data(scope, chain)
            self._flowed[key] = [symbol_id(one) for one in flow.wrappers(function)]
        return self._flowed[key]

    def _decorator(self, qual: str, outer: str, chain: str) -> None:
        """Add what runs where a decorator is applied: by the code around it, too."""
        key = outer, "@" + chain
        if key not in self._flowed:
            found = self.resolver.flow.decorators(self.module.path, outer, chain)
            self._flowed[key] = [symbol_id(one) for one in found]
        for id in self._flowed[key]:
            self._add(qual, "calls", id, THROUGH_DATA)
            self._add(outer, "calls", id, THROUGH_DATA)

    def _implied(self, qual: str, chain: str, mark: str) -> None:
        """Add the methods that a `for` or `with` calls."""
        root = _ROOT.match(chain)
        if root is None or root[0] in self._external:
            return
        outer, rest = self._memo_key(qual, chain)
        if not self._may_flow(outer, root[0], chain + "."):
            return
        key = outer, rest + mark
        if key not in self._flowed:
            flow, path = self.resolver.flow, self.module.path
            found = flow.implied(path, qual, chain, mark)
            self._flowed[key] = [symbol_id(one) for one in found]
        for id in self._flowed[key]:
            self._add(qual, "calls", id, THROUGH_DATA)

    def _may_mean(self, binding: Binding) -> bool:
        """Return whether a binding begins with something of the repository."""
        if not binding or binding[0] == ANNOTATED:
            return False
        if binding[0] not in (ASSIGNED_NAME, ASSIGNED_CALL):
            return True
        root = _ROOT.match(binding, 1)
        if root is None or root[0] in self._external:
            return False
        name = root[0]
        return name not in builtin_names() or name in self.module.names

    def _may_flow(self, scope: str, root: str, chain: str) -> bool:
        """Return whether a scope may know what a chain begins with.

        Most calls without an edge are of builtins, and of methods of parameters:
        values are not followed into these.
        """
        module = self.module
        if not scope:
            if root in module.items or root in module.containers(""):
                return True
            bindings = module.bindings(root)
            return any(map(self._may_mean, bindings)) or "*" in module.names
        if scope not in module.items:
            return True  # the key of a receiver's class
        row = module.row(scope)
        if row.type == "class" or f"{scope}.{root}" in module.items:
            return True
        if bindings := bindings_of(row.vars, root):
            if root in module.containers(scope):
                return True
            return all(bindings) and any(map(self._may_mean, bindings))
        return "." not in chain or root in module.containers(scope)

    def _note_open(self, name: str) -> None:
        """Record the method of an unknown object that a chain calls.

        What begins with an import from elsewhere, or a string, is no object of ours.
        """
        root = _ROOT.match(name)
        before, _, last = name.rpartition(".")
        if before and last.isidentifier() and not last.startswith("__"):
            if before != "''" and not (root and root[0] in self._external):
                self.open_calls.add(last)

    def _reads_called(self, qual: str, scope: str, name: str) -> None:
        """Add an edge to the property whose value a call of its name calls."""
        if not _OWN_METHOD.match(name):
            return
        used = self._what_is_read(scope, name)
        if used is None or used.kind is not Kind.FUNCTION or used.confidence < _SURE:
            return
        if self.resolver.flow.is_property(used):
            self._add(qual, "uses", symbol_id(used), used.confidence)

    def _is_of_module(self, scope: str, name: str) -> bool:
        """Return whether a name alone is what the module makes, without a definition.

        `Level = namedtuple(...)` and `Writer = Plain if small else Bulk` are parts of
        the project. What another project has is none by another name.
        """
        if not name.isidentifier() or self._memo_key(scope, name)[0]:
            return False
        return name not in self._external and any(
            binding[:1] != ASSIGNED_NAME or self._may_mean(binding)
            for binding in self.module.bindings(name)
        )

    def _may_be_another(self, scope: str, name: str) -> bool:
        """Return whether a call is resolved with one of several things that an
        attribute holds: the others may have the method, too.
        """
        owner = name.rpartition(".")[0]
        if not _THROUGH_ATTRIBUTE.match(owner):
            return False
        key = self._memo_key(scope, owner)
        if key not in self._several:
            path = self.module.path
            self._several[key] = self.resolver.is_one_of_several(path, scope, owner)
        return self._several[key]

    def _targets(self, scope: str, name: str) -> list[tuple[str, float]]:
        key = self._memo_key(scope, name)
        targets = self._called.get(key)
        if targets is None:
            path = self.module.path
            targets = self._called[key] = [
                callee
                for symbol in self.resolver.resolve_all(path, scope, name)
                for one in self.resolver.alternatives_of(symbol)
                for callee in self._callees(one)
            ]
        return targets

    def _memo_key(self, scope: str, name: str) -> tuple[str, str]:
        """Return a key that is equal for names that mean the same in this file.

        Most names are the module's, or begin with the receiver of one of a class's
        methods, so their targets are looked up once a file.
        """
        root = name.partition(".")[0].partition("(")[0].partition("[")[0]
        if root == "super":
            return scope, name
        outer = scope
        while outer:
            row = self.module.row(outer)
            if row.type == "class":
                if outer == scope:
                    return scope, name
            elif receiver_class := self._receiver_class(row, root):
                return receiver_class, name[len(root) :]
            elif binds_name(self.module, row, root):
                return outer, name
            outer = parent_of(outer)
        return "", name

    def _receiver_class(self, row: ElementRow, name: str) -> str:
        """Return a key for the class whose receiver a method calls `name`, or ""."""
        if row.type != "method" or not row.parameters:
            return ""
        if name != parameter_name(row.parameters[0]):
            return ""
        if name in row.vars:
            return ""  # it is assigned to
        kind = receiver_kind(row)
        return f"{kind} {parent_of(row.qual)}" if kind else ""

    def _callees(self, symbol: Symbol) -> Iterator[tuple[str, float]]:
        """Yield the id and confidence of what a call of a symbol runs.

        A call of a class also runs its constructor; a call of an instance, `__call__`.
        """
        if symbol.kind is Kind.FUNCTION:
            yield symbol_id(symbol), symbol.confidence
        elif symbol.kind is Kind.CLASS:
            yield symbol_id(symbol), symbol.confidence
            yield from self._method(symbol, "__new__")
            yield from self._method(symbol, "__init__")
        elif symbol.kind is Kind.INSTANCE:
            yield from self._method(symbol.at_most(0.7), "__call__")

    def _method(self, owner: Symbol, name: str) -> Iterator[tuple[str, float]]:
        """Yield a class's method that runs without being named."""
        method = self.resolver.find_in_class(owner.path, owner.qual, name)
        if method is not None and method.kind is Kind.FUNCTION:
            inherited = method.definition != (owner.path, f"{owner.qual}.{name}")
            limit = 0.9 if inherited else 1.0
            yield symbol_id(method), min(owner.confidence, method.confidence, limit)


def _main_block(facts: Any) -> tuple[range, frozenset[str]]:
    """Return the lines that run as a program alone, and what is read only there."""
    first, last, *reads = facts.get("main") or (0, -1)
    return range(first, last + 1), frozenset(reads)
