"""Resolve names within functions and classes: parameters, local variables, bodies."""

from __future__ import annotations

import re
from collections.abc import Sequence

from repobuild.code.facts.element_row import (
    DOTTED_NAME,
    FIXTURE,
    Binding,
    ElementRow,
    bindings_of,
    name_of,
    parent_of,
)
from repobuild.code.resolve.binding_marks import (
    ANNOTATED,
    DEFINITION,
    IMPORTED_MODULE,
    IMPORTED_NAME,
)
from repobuild.code.resolve.paths import folder_of
from repobuild.code.resolve.python.annotation import options
from repobuild.code.resolve.python.expressions import ResolverContext
from repobuild.code.resolve.python.global_names import GlobalNames
from repobuild.code.resolve.python.modules import ModuleFacts
from repobuild.code.resolve.python.type_inference import TypeInference
from repobuild.code.resolve.symbol import Kind, Symbol
from repobuild.code.scan.file_roles import is_test

_DOTTED = re.compile(rf"{DOTTED_NAME}\Z")
_TAKES_CLASS = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})
_ITERATED = re.compile(r"(?:\w+\.)*(?:Async)?(?:Iterator|Iterable|Generator)\b")
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
            is_passed = is_test(path)
            return self._resolve_fixture(module, row, parameter) if is_passed else None
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

    # -- fixtures

    def _resolve_fixture(
        self, module: ModuleFacts, row: ElementRow, name: str
    ) -> Symbol | None:
        """Return what pytest passes to a test, or to another fixture, by its name."""
        is_called = name_of(row.qual).startswith("test") or _is_fixture(row)
        if not is_called or _is_parametrized(module, row, name):
            return None
        maker = self._find_fixture(module, row, name)
        value = self._types.call(maker) if maker is not None else None
        if maker is None or value is None:
            return None
        made_by = self._modules.get(maker.path)
        returns = made_by.row(maker.qual).returns if made_by is not None else ""
        is_iterated = value.kind is Kind.ITERABLE and _ITERATED.match(returns)
        if value.kind is Kind.AWAITABLE or is_iterated:
            return value.as_kind(Kind.INSTANCE)
        return value

    def _find_fixture(
        self, module: ModuleFacts, row: ElementRow, name: str
    ) -> Symbol | None:
        """Return the function that makes a fixture: the nearest one of that name."""
        if outer := parent_of(row.qual):
            self._note(f"x:{module.path}:{outer}.{name}")
            own = module.fixtures.get(f"{outer}.{name}")
            if own is not None and own != row.qual:
                return Symbol(Kind.FUNCTION, module.path, own, 1.0)
        if found := self._fixture_of_file(module.path, name, row.qual):
            return found
        folder = folder_of(module.path)
        while True:
            stem = f"{folder}/conftest".lstrip("/")
            self._note(f"f:{stem}")
            path = self._modules.at(stem)
            if path is not None and path != module.path:
                if found := self._fixture_of_file(path, name, ""):
                    return found
            if not folder:
                return None
            folder = folder_of(folder)

    def _fixture_of_file(self, path: str, name: str, asking: str) -> Symbol | None:
        """Return the fixture that a file defines or imports; none asks for itself."""
        self._note(f"x:{path}:{name}")
        module = self._modules.get(path)
        own = module.fixtures.get(name) if module is not None else None
        if own is not None:
            is_other = own != asking
            return Symbol(Kind.FUNCTION, path, own, 1.0) if is_other else None
        symbol = self._global_names.resolve_global(path, name)
        if symbol is None or symbol.kind is not Kind.FUNCTION:
            return None
        origin = self._modules.get(symbol.path)
        is_made = origin is not None and _is_fixture(origin.row(symbol.qual))
        return symbol if is_made else None

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


def _is_fixture(row: ElementRow) -> bool:
    return any(FIXTURE.match(text) for text in row.decorators)


def _is_parametrized(module: ModuleFacts, row: ElementRow, name: str) -> bool:
    """Return whether a decorator of the test or its class may pass the argument."""
    outer = parent_of(row.qual)
    decorators = [*row.decorators, *(module.row(outer).decorators if outer else ())]
    return any(
        re.search(rf"\b{re.escape(name)}\b", text)
        for text in decorators
        if "parametrize" in text
    )


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
