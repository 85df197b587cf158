"""Find members of modules, classes, instances and containers, along the MRO."""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.code.facts.element_row import (
    name_of,
    parent_of,
    without_type_arguments,
)
from repobuild.code.resolve.binding_marks import ALTERNATIVE, ANNOTATED, DEFINITION
from repobuild.code.resolve.python.expressions import ResolverContext
from repobuild.code.resolve.python.global_names import REPLACEABLE, GlobalNames
from repobuild.code.resolve.python.mro import MRO, c3_merge
from repobuild.code.resolve.symbol import Kind, Symbol
from repobuild.code.scan.file_roles import is_test

_MAX_BASES = 100  # of one class; merging them costs their number for each member
_DECLARED = (ANNOTATED, DEFINITION, ALTERNATIVE)
_WITH_MRO = frozenset({Kind.CLASS, Kind.INSTANCE, Kind.SUPER})
_CONTAINER_METHODS = {
    Kind.MAPPING: {
        "get": Kind.ELEMENT_GETTER,
        "pop": Kind.ELEMENT_GETTER,
        "setdefault": Kind.ELEMENT_GETTER,
        "values": Kind.ELEMENTS_GETTER,
    },
    Kind.ITERABLE: {
        "pop": Kind.ELEMENT_GETTER,
        "popleft": Kind.ELEMENT_GETTER,
        "copy": Kind.ELEMENTS_GETTER,
    },
}


class Members:
    """Resolves `symbol.name`."""

    def __init__(self, context: ResolverContext, global_names: GlobalNames) -> None:
        self._modules = context.modules
        self._look, self._note = context.lookups.look, context.lookups.note
        self._resolve_chain = context.expressions.resolve_chain
        self._resolve_binding = context.expressions.resolve_binding
        self._global_names = global_names

    def find_member(self, symbol: Symbol, name: str) -> Symbol | None:
        """Return an attribute of a symbol."""
        kind, path, qual, confidence = symbol
        if kind is Kind.MODULE:
            member = self._global_names.resolve_global(path, name)
        elif kind is Kind.NAMESPACE:
            return self._global_names.namespace_member(path, f"{qual}.{name}")
        elif name == "__class__" and kind is Kind.INSTANCE:
            return symbol.as_kind(Kind.CLASS)
        elif kind in _WITH_MRO:
            member = self.find_in_class(path, qual, name, kind is Kind.SUPER)
            if kind is Kind.INSTANCE:
                member = self._of_instance(symbol, name, member)
        else:
            method = _CONTAINER_METHODS.get(kind, {}).get(name)
            return symbol.as_kind(method) if method is not None else None
        return member.at_most(confidence) if member is not None else None

    def _of_instance(
        self, instance: Symbol, name: str, member: Symbol | None
    ) -> Symbol | None:
        """Return an instance's attribute, which subclasses of its class may set.

        A class under another name (`self.parser_class()`) is there to be replaced. Only
        in tests it is what they run with; there a subclass may be the first to set it.
        """
        path, qual = instance.definition
        if member is None:
            if not is_test(path):
                return None
            key = ("s", path, qual, name)
            return self._look(key, lambda: self._set_by_subclass(path, qual, name))
        if member.kind is not Kind.CLASS or name_of(member.qual) == name:
            return member
        return member.at_most(0.5 if is_test(path) else REPLACEABLE)

    def _set_by_subclass(self, path: str, qual: str, name: str) -> Symbol | None:
        """Return the class that a subclass in the same test file sets an attribute to.

        Of several, one of the project comes before one that the tests define.
        """
        module = self._modules.get(path)
        if module is None:
            return None
        found: list[Symbol] = []
        waiting, seen = [qual], {qual}
        while waiting:
            base = name_of(waiting.pop(0))
            self._note(f"s:{path}:{base}")
            for subclass in module.subclasses.get(base, ()):
                if subclass in seen:
                    continue
                seen.add(subclass)
                waiting.append(subclass)
                self._note(f"m:{path}::{subclass}:{name}")
                bindings = module.class_bindings(subclass, name)
                if not bindings:
                    continue
                symbol = self._global_names.last_known(path, subclass, bindings)
                if symbol is not None and symbol.kind is Kind.CLASS:
                    found.append(symbol.at_most(0.5))
        found.sort(key=lambda one: is_test(one.path))
        return found[0] if found else None

    def find_in_class(
        self, path: str, qual: str, name: str, skip_itself: bool = False
    ) -> Symbol | None:
        """Return a member of a class or of its bases, or (`super()`) of its bases."""
        key = ("above" if skip_itself else "m", path, qual, name)
        return self._look(key, lambda: self._find_in_mro(path, qual, name, skip_itself))

    def _find_in_mro(
        self, path: str, qual: str, name: str, skip_itself: bool
    ) -> Symbol | None:
        after_foreign = False  # a base class from another project may define the name
        for entry in self._mro_entries(path, qual, skip_itself):
            if entry is None:
                after_foreign = True
                continue
            _, holder, inner, _ = entry
            module = self._modules.get(holder)
            if module is None or inner not in module.items:
                continue
            self._note(f"m:{holder}::{inner}:{name}")
            bindings = module.class_bindings(inner, name)
            if bindings:
                declared = [b for b in bindings if b.startswith(ANNOTATED)]
                member = self._global_names.last_known(
                    holder, inner, declared or bindings
                )
                return member.at_most(0.8) if member and after_foreign else member
        return None

    def _mro_entries(
        self, path: str, qual: str, skip_itself: bool
    ) -> Iterator[Symbol | None]:
        """Yield the MRO; the bases are only resolved when the class is not enough."""
        if not skip_itself:
            yield Symbol(Kind.CLASS, path, qual, 1.0)
        yield from self.mro(path, qual)[1:]

    def is_one_of_several(self, owner: Symbol, name: str) -> bool:
        """Return whether an attribute of an instance is given unlike things.

        `find_member` follows the last one that is known.
        """
        if owner.kind is not Kind.INSTANCE:
            return False
        path, qual = owner.definition
        key = ("several", path, qual, name)
        return bool(self._look(key, lambda: self._is_given_several(path, qual, name)))

    def _is_given_several(self, path: str, qual: str, name: str) -> bool:
        for entry in self._mro_entries(path, qual, skip_itself=False):
            module = self._modules.get(entry.path) if entry is not None else None
            if entry is None or module is None or entry.qual not in module.items:
                continue
            self._note(f"m:{entry.path}::{entry.qual}:{name}")
            bindings = module.class_bindings(entry.qual, name)
            if not bindings:
                continue
            if any(b[:1] in _DECLARED for b in bindings):
                return False
            given = {
                one[:3] if (one := self._resolve_binding(*entry.definition, b)) else ()
                for b in bindings
            }
            return len(given) > 1
        return False

    def mro(self, path: str, qual: str) -> MRO:
        """Return a class's method resolution order, the class itself first."""
        rest = self._look(("o", path, qual, ""), lambda: self._bases_mro(path, qual))
        return [Symbol(Kind.CLASS, path, qual, 1.0), *(rest or ())]

    def _bases_mro(self, path: str, qual: str) -> list[Symbol | None]:
        module = self._modules.get(path)
        if module is None or qual not in module.items:
            return []
        self._note(f"b:{path}::{qual}")
        texts = module.row(qual).bases[:_MAX_BASES]
        bases = [self.find_base(path, qual, text) for text in texts]
        orders: list[MRO] = [
            [None] if base is None else self.mro(base.path, base.qual) for base in bases
        ]
        orders.append(bases)
        return c3_merge(orders)

    def find_base(self, path: str, qual: str, text: str) -> Symbol | None:
        """Return the class that a base's source text refers to."""
        plain = without_type_arguments(text)
        base = self._resolve_chain(path, parent_of(qual), plain)
        return base if base is not None and base.kind is Kind.CLASS else None
