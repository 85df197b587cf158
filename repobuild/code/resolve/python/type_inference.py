"""Infer types: what calling, reading, iterating or awaiting a symbol evaluates to."""

from __future__ import annotations

import re

from repobuild.code.facts.element_row import IDENTIFIER, ElementRow, parent_of
from repobuild.code.resolve.binding_marks import AWAIT, CALL, ENTER, ITERATE, SUBSCRIPT
from repobuild.code.resolve.python.annotation import contained, declared
from repobuild.code.resolve.python.expressions import ResolverContext
from repobuild.code.resolve.python.members import Members
from repobuild.code.resolve.symbol import Kind, Symbol

_IDENTIFIER = re.compile(IDENTIFIER)
_PROPERTIES = frozenset({"property", "cached_property", "functools.cached_property"})
_SPECIAL_METHODS = {
    ENTER: ("__enter__", "__aenter__"),
    ITERATE: ("__iter__", "__aiter__"),
    SUBSCRIPT: ("__getitem__",),
}


class TypeInference:
    """Infers the values of expressions from annotations, constructors and returns."""

    def __init__(self, context: ResolverContext, members: Members) -> None:
        self._modules = context.modules
        self._look = context.lookups.look
        self._resolve_chain = context.expressions.resolve_chain
        self._resolve_binding = context.expressions.resolve_binding
        self._members = members

    def apply(self, symbol: Symbol, segment: str) -> Symbol | None:
        """Return the value of a chain's segment other than an attribute.

        That is a call, a subscript, an iteration, `await` or `with`.
        """
        kind = symbol.kind
        if segment == CALL:
            return self.call(symbol)
        if segment == AWAIT:
            return symbol.as_kind(Kind.INSTANCE) if kind is Kind.AWAITABLE else None
        if kind is Kind.ITERABLE or kind is Kind.MAPPING:
            is_key = kind is Kind.MAPPING and segment == ITERATE
            return None if is_key else symbol.as_kind(Kind.INSTANCE)
        if kind is Kind.CLASS and segment == SUBSCRIPT:
            return symbol
        if kind is not Kind.INSTANCE:
            return None
        for name in _SPECIAL_METHODS[segment]:
            method = self._members.find_in_class(symbol.path, symbol.qual, name)
            if method is not None and method.kind is Kind.FUNCTION:
                return self._call_special_method(symbol, method, segment)
        # `__enter__` comes from another project's class: most return the instance.
        return symbol.at_most(0.7) if segment == ENTER else None

    def _call_special_method(
        self, instance: Symbol, method: Symbol, segment: str
    ) -> Symbol | None:
        """Return the value of an instance's `__enter__`, `__iter__`, `__getitem__`."""
        module = self._modules.get(method.path)
        if module is None:
            return None
        row = module.row(method.qual)
        if segment == ENTER and not row.returns and "return" not in row.vars:
            return instance.at_most(0.7)
        if declared(row.returns).rpartition(".")[2] == "Self":
            return instance.at_most(0.7)
        value = self._return_value(method, row)
        if value is not None and value.kind is Kind.AWAITABLE:
            return value.as_kind(Kind.INSTANCE)  # `async with` awaits it
        if value is None or segment != ITERATE:
            return value
        return value.as_kind(Kind.INSTANCE) if value.kind is Kind.ITERABLE else None

    def call(self, symbol: Symbol) -> Symbol | None:
        """Return the value of calling a symbol."""
        kind = symbol.kind
        if kind is Kind.CLASS:
            return symbol.as_kind(Kind.INSTANCE, at_most=0.8)
        if kind is Kind.ELEMENT_GETTER:
            return symbol.as_kind(Kind.INSTANCE)
        if kind is Kind.ELEMENTS_GETTER:
            return symbol.as_kind(Kind.ITERABLE)
        module = self._modules.get(symbol.path) if kind is Kind.FUNCTION else None
        if module is None:
            return None
        value = self._return_value(symbol, module.row(symbol.qual))
        return value.at_most(symbol.confidence) if value is not None else None

    def _return_value(self, function: Symbol, row: ElementRow) -> Symbol | None:
        """Return the declared type of a function's result, or else the observed one."""
        path, outer = function.path, parent_of(row.qual)
        if row.returns:
            value = self.resolve_annotation(path, outer, row.returns)
            limit = 0.7
        else:
            binding = row.vars.get("return")
            if not isinstance(binding, str):
                return None
            value = self._look(
                ("r", path, row.qual, ""),
                lambda: self._resolve_binding(path, outer, binding),
            )
            limit = 0.6
        if value is None:
            return None
        is_async = "a" in row.flags
        if is_async and value.kind is Kind.INSTANCE:
            return value.as_kind(Kind.AWAITABLE, at_most=limit)
        # An async generator is iterated over, not awaited.
        is_known = not is_async or value.kind is Kind.ITERABLE
        return value.at_most(limit) if is_known else None

    def read(self, attribute: Symbol) -> Symbol | None:
        """Return the value of reading an attribute: a property is called."""
        if attribute.kind is not Kind.FUNCTION:
            return attribute
        module = self._modules.get(attribute.path)
        if module is None:
            return attribute
        if not is_property(module.row(attribute.qual)):
            return attribute
        return self.call(attribute)

    def resolve_annotation(self, path: str, scope: str, text: str) -> Symbol | None:
        """Return an instance, or a container of instances, of an annotation's class."""
        name = declared(text)
        if name.rpartition(".")[2] == "Self":
            return self._self_type(path, scope)
        if not _IDENTIFIER.match(name):
            return None
        symbol = self._resolve_chain(path, scope, name)
        if symbol is not None and symbol.kind is Kind.CLASS:
            return symbol.as_kind(Kind.INSTANCE, at_most=0.75)
        container, inner = contained(text)
        if container is None:
            return None
        element = self.resolve_annotation(path, scope, inner)
        if element is None or element.kind is not Kind.INSTANCE:
            return None
        # `type[A]` is A or, more often, a class below it: what is made is not stated.
        most = 0.45 if container is Kind.CLASS else 1.0
        return element.as_kind(container, at_most=most)

    def _self_type(self, path: str, scope: str) -> Symbol | None:
        module = self._modules.get(path)
        if module is None or scope not in module.items:
            return None
        is_class = module.type_of(scope) == "class"
        return Symbol(Kind.INSTANCE, path, scope, 0.75) if is_class else None


def is_property(row: ElementRow) -> bool:
    """Return whether reading a method calls it."""
    return not _PROPERTIES.isdisjoint(row.decorators)
