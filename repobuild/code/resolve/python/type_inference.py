"""What comes of an entity: called, read, iterated, awaited, entered, subscripted."""

from __future__ import annotations

import re

from repobuild.code.facts.element_row import ElementRow, parent_of
from repobuild.code.resolve.python.annotation import contained, declared
from repobuild.code.resolve.python.members import Members
from repobuild.code.resolve.symbol import Entity, at_most

_ROOT = re.compile(r"[A-Za-z_]\w*")
_PROPERTIES = frozenset({"property", "cached_property", "functools.cached_property"})
_METHODS = {
    "~": ("__enter__", "__aenter__"),
    "*": ("__iter__", "__aiter__"),
    "[]": ("__getitem__",),
}


class TypeInference(Members):
    """Works out what functions, classes, instances and annotations give."""

    def step(self, entity: Entity, segment: str) -> Entity | None:
        """Return what a call, a subscript, an iteration, await or with gives."""
        kind, path, qual, confidence = entity
        if segment == "()":
            return self.result(entity)
        if segment == "!":
            return ("i", *entity[1:]) if kind == "w" else None
        if kind in ("l", "d"):
            is_key = kind == "d" and segment == "*"
            return None if is_key else ("i", path, qual, confidence)
        if kind == "c" and segment == "[]":
            return entity
        if kind != "i":
            return None
        for name in _METHODS[segment]:
            method = self.in_class(path, qual, name)
            if method is not None and method[0] == "f":
                return self._given(entity, method, segment)
        # A class whose bases are elsewhere: most give themselves.
        return at_most(entity, 0.7) if segment == "~" else None

    def _given(self, entity: Entity, method: Entity, segment: str) -> Entity | None:
        """Return what an instance's `__enter__`, `__iter__`, `__getitem__` gives."""
        module = self.modules.get(method[1])
        if module is None:
            return None
        row = module.row(method[2])
        if segment == "~" and not row.returns and "return" not in row.vars:
            return at_most(entity, 0.7)
        if declared(row.returns).rpartition(".")[2] == "Self":
            return at_most(entity, 0.7)
        found = self._said(method, row)
        if found is not None and found[0] == "w":
            return ("i", *found[1:])  # of `async with`
        if found is None or segment != "*":
            return found
        return ("i", *found[1:]) if found[0] == "l" else None

    def result(self, entity: Entity | None) -> Entity | None:
        """Return what calling an entity gives."""
        if entity is None:
            return None
        kind, path, qual, confidence = entity
        if kind == "c":
            return ("i", path, qual, min(confidence, 0.8))
        if kind in ("G", "V"):
            return ("i" if kind == "G" else "l", path, qual, confidence)
        if kind != "f":
            return None
        module = self.modules.get(path)
        if module is None:
            return None
        found = self._said(entity, module.row(qual))
        return at_most(found, confidence) if found is not None else None

    def _said(self, function: Entity, row: ElementRow) -> Entity | None:
        """Return what a function is declared to return, or else seen to return."""
        path, outer = function[1], parent_of(row.qual)
        if row.returns:
            found = self.annotation(path, outer, row.returns)
            limit = 0.7
        else:
            found = self._returned(path, row)
            limit = 0.6
        if found is None:
            return None
        if "a" in row.flags and found[0] != "l":
            found = ("w", *found[1:]) if found[0] == "i" else None
        return at_most(found, limit) if found is not None else None

    def _returned(self, path: str, row: ElementRow) -> Entity | None:
        binding = row.vars.get("return")
        if not isinstance(binding, str):
            return None
        key = ("r", path, row.qual, "")
        outer = parent_of(row.qual)
        return self._look(key, lambda: self.binding(path, outer, binding))

    def read(self, entity: Entity) -> Entity | None:
        """Return what an attribute is when it is read: a property gives its result."""
        kind, path, qual, _ = entity
        module = self.modules.get(path)
        if kind != "f" or module is None:
            return entity
        if _PROPERTIES.isdisjoint(module.row(qual).decorators):
            return entity
        return self.result(entity)

    def annotation(self, path: str, scope: str, text: str) -> Entity | None:
        """Return an instance, or a container of them, of what an annotation names."""
        name = declared(text)
        if name.rpartition(".")[2] == "Self":
            return self._self_type(path, scope)
        if not _ROOT.match(name):
            return None
        found = self.chain(path, scope, name)
        if found is not None and found[0] == "c":
            return ("i", found[1], found[2], min(found[3], 0.75))
        kind, inner = contained(text)
        held = self.annotation(path, scope, inner) if kind else None
        return (kind, *held[1:]) if held is not None and held[0] == "i" else None

    def _self_type(self, path: str, scope: str) -> Entity | None:
        module = self.modules.get(path)
        if module is None or scope not in module.items:
            return None
        is_class = module.items[scope][1] == "class"
        return ("i", path, scope, 0.75) if is_class else None
