"""Resolve names within functions and classes: parameters, local variables, bodies."""

from __future__ import annotations

import re
from collections.abc import Sequence

from repobuild.code.facts.element_row import (
    DOTTED_NAME,
    Binding,
    ElementRow,
    bindings_of,
    parent_of,
)
from repobuild.code.resolve.binding_marks import (
    ANNOTATED,
    DEFINITION,
    IMPORTED_MODULE,
    IMPORTED_NAME,
)
from repobuild.code.resolve.python.annotation import options
from repobuild.code.resolve.python.expressions import ResolverContext
from repobuild.code.resolve.python.global_names import GlobalNames
from repobuild.code.resolve.python.modules import ModuleFacts
from repobuild.code.resolve.python.type_inference import TypeInference
from repobuild.code.resolve.symbol import Kind, Symbol

_DOTTED = re.compile(rf"{DOTTED_NAME}\Z")
_TAKES_CLASS = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})
_IMPORTS = IMPORTED_NAME + IMPORTED_MODULE


class Scopes:
    """Resolves a bare name as Python's scoping rules do: local, enclosing, global."""

    def __init__(
        self, context: ResolverContext, global_names: GlobalNames, types: TypeInference
    ) -> None:
        self._modules = context.modules
        self._look, self._note = context.lookups.look, context.lookups.note
        self._resolve_chain = context.expressions.resolve_chain
        self._resolve_binding = context.expressions.resolve_binding
        self._global_names = global_names
        self._types = types

    def resolve_name(self, path: str, scope: str, name: str) -> Symbol | None:
        """Return what a name in a scope (a qualified name, "" the module) refers to."""
        module = self._modules.get(path)
        outer = scope
        while outer and module is not None:
            row = module.row(outer)
            if row.type != "class":
                is_bound, symbol = self._resolve_local(module, row, name)
                if is_bound:
                    return symbol
            elif outer == scope:  # functions do not see the class around them
                self._note(f"m:{path}::{outer}:{name}")
                bindings = module.class_bindings(outer, name)
                if bindings:
                    return self._global_names.last_known(
                        path, parent_of(outer), bindings
                    )
            outer = parent_of(outer)
        return self._global_names.resolve_global(path, name)

    def resolve_super(self, path: str, scope: str) -> Symbol | None:
        """Return what `super()` refers to, by the method around it."""
        module = self._modules.get(path)
        outer = scope
        while outer and module is not None:
            holder = parent_of(outer)
            if module.type_of(outer) == "method":
                return Symbol(Kind.SUPER, path, holder, 0.9)
            outer = holder
        return None

    def _resolve_local(
        self, module: ModuleFacts, row: ElementRow, name: str
    ) -> tuple[bool, Symbol | None]:
        """Return whether a function binds a name itself, and what it refers to."""
        bindings = row.vars.get(name)
        for index, parameter in enumerate(row.parameters):
            if (parameter if isinstance(parameter, str) else parameter[0]) == name:
                if bindings is not None:
                    return True, None  # the function also assigns to the parameter
                return True, self._resolve_parameter(module, row, index)
        if bindings is None:
            inner = f"{row.qual}.{name}"
            if inner not in module.items:
                return False, None
            return True, self._resolve_binding(
                module.path, row.qual, DEFINITION + inner
            )
        if isinstance(bindings, str):
            bindings = [bindings]
        return True, self._resolve_variable(module.path, row.qual, name, bindings)

    def _resolve_variable(
        self, path: str, scope: str, name: str, bindings: Sequence[Binding]
    ) -> Symbol | None:
        """Return the one symbol that all bindings of a local variable refer to."""

        def compute() -> Symbol | None:
            declared = [b for b in bindings if b.startswith(ANNOTATED)]
            symbols = [
                self._resolve_binding(path, scope, binding)
                for binding in declared or bindings
            ]
            first, last = symbols[0], symbols[-1]
            if first is not None and all(
                other is not None and first.is_same(other) for other in symbols
            ):
                return first
            # The last of several definitions replaces the others.
            are_definitions = all(b.startswith(DEFINITION) for b in bindings)
            return last.at_most(0.8) if last is not None and are_definitions else None

        return self._look(("v", path, scope, name), compute)

    def _resolve_parameter(
        self, module: ModuleFacts, row: ElementRow, index: int
    ) -> Symbol | None:
        """Return a parameter's type: by its position, its annotation or its default."""
        path, outer = module.path, parent_of(row.qual)
        kind = receiver_kind(row) if index == 0 else None
        if kind is not None:
            return Symbol(kind, path, outer, 0.9)
        parameter = row.parameters[index]
        if isinstance(parameter, str):
            return None
        _, passed, annotation, default = parameter
        if passed.startswith("*"):
            return None
        if annotation:
            return self._types.resolve_annotation(path, outer, annotation)
        if not _DOTTED.match(default):
            return None
        symbol = self._resolve_chain(path, outer, default)
        is_known = symbol is not None and symbol.kind in (Kind.FUNCTION, Kind.CLASS)
        return symbol.at_most(0.5) if symbol is not None and is_known else None

    # -- names with several bindings

    def alternatives(
        self, path: str, scope: str, name: str, is_known: bool
    ) -> list[Symbol | None]:
        """Return what each binding of a name refers to, where it has several.

        `is_known` states that the name resolves to one symbol already.
        """
        module = self._modules.get(path)
        outer = scope
        while outer and module is not None:
            row = module.row(outer)
            if row.type != "class" and binds_name(module, row, name):
                bindings = bindings_of(row.vars, name)
                if not bindings:
                    return self._union_members(module, row, name)
                if len(bindings) == 1 and not bindings[0].startswith(ANNOTATED):
                    return []
                return self._resolve_each(path, row.qual, bindings)
            outer = parent_of(outer)
        bindings = module.bindings(name) if module is not None else ()
        if len(bindings) < 2:
            return []
        if is_known and not all(b[:1] in _IMPORTS for b in bindings):
            return []
        return self._resolve_each(path, "", bindings)

    def _union_members(
        self, module: ModuleFacts, row: ElementRow, name: str
    ) -> list[Symbol | None]:
        """Return each type in a parameter's annotation."""
        for parameter in row.parameters:
            if isinstance(parameter, str) or parameter[0] != name or not parameter[2]:
                continue
            binding = ANNOTATED + parameter[2]
            return self._resolve_each(module.path, parent_of(row.qual), (binding,))
        return []

    def _resolve_each(
        self, path: str, scope: str, bindings: Sequence[Binding]
    ) -> list[Symbol | None]:
        symbols: list[Symbol | None] = []
        for binding in bindings:
            if binding.startswith(ANNOTATED):
                for part in options(binding[1:]):
                    symbols.append(self._types.resolve_annotation(path, scope, part))
            else:
                symbols.append(self._resolve_binding(path, scope, binding))
        return symbols


def receiver_kind(row: ElementRow) -> Kind | None:
    """Return the kind of a method's first parameter: an instance or the class."""
    if row.type != "method" or "staticmethod" in row.decorators:
        return None
    name = row.qual.rpartition(".")[2]
    takes_class = "classmethod" in row.decorators or name in _TAKES_CLASS
    return Kind.CLASS if takes_class else Kind.INSTANCE


def binds_name(module: ModuleFacts, row: ElementRow, name: str) -> bool:
    """Return whether a function binds a name itself."""
    if name in row.vars or f"{row.qual}.{name}" in module.items:
        return True
    for parameter in row.parameters:  # any() is slower, and this runs for each call
        if (parameter if isinstance(parameter, str) else parameter[0]) == name:
            return True
    return False
