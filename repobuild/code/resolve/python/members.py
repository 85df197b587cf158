"""Members of modules, classes and containers, and the order of a class's bases."""

from __future__ import annotations

from collections.abc import Sequence

from repobuild.code.facts.element_row import parent_of
from repobuild.code.resolve.python.globals import Globals
from repobuild.code.resolve.python.mro import Order, c3_merge
from repobuild.code.resolve.symbol import Entity, at_most

# Methods of containers: "G" gives an element, "V" all of them.
_CONTAINERS = {
    "d": {"get": "G", "pop": "G", "setdefault": "G", "values": "V"},
    "l": {"pop": "G", "popleft": "G", "copy": "V"},
}


class Members(Globals):
    """Looks attributes up."""

    def member(self, entity: Entity, name: str) -> Entity | None:
        """Return an attribute of an entity."""
        kind, path, qual, confidence = entity
        if kind == "m":
            found = self.name(path, name)
        elif kind == "i" and name == "__class__":
            found = ("c", path, qual, confidence)
        elif kind in _CONTAINERS:
            gives = _CONTAINERS[kind].get(name)
            return (gives, path, qual, confidence) if gives else None
        elif kind not in ("c", "i", "s"):
            return None
        else:
            found = self.in_class(path, qual, name, kind == "s")
        return at_most(found, confidence) if found is not None else None

    def in_class(
        self, path: str, qual: str, name: str, above: bool = False
    ) -> Entity | None:
        """Return a member of a class or of its bases; `above` leaves the class out."""
        key = ("above" if above else "m", path, qual, name)
        return self._look(key, lambda: self._in_class(path, qual, name, above))

    def _in_class(self, path: str, qual: str, name: str, above: bool) -> Entity | None:
        foreign = False
        for entry in self.order(path, qual)[1 if above else 0 :]:
            if entry is None:
                foreign = True
                continue
            _, holder, inner, _ = entry
            module = self.modules.get(holder)
            if module is None or inner not in module.items:
                continue
            self._note(f"m:{holder}::{inner}:{name}")
            bindings = module.members(inner, name)
            if bindings:
                found = self.last(holder, inner, _without_own(bindings))
                return at_most(found, 0.8) if found and foreign else found
        return None

    def order(self, path: str, qual: str) -> Order:
        """Return a class's linearisation, itself first; None: a base from elsewhere."""
        rest = self._look(("o", path, qual, ""), lambda: self._bases_order(path, qual))
        return [("c", path, qual, 1.0), *(rest or ())]

    def _bases_order(self, path: str, qual: str) -> list[Entity | None]:
        module = self.modules.get(path)
        if module is None or qual not in module.items:
            return []
        self._note(f"b:{path}::{qual}")
        bases = [self.base(path, qual, text) for text in module.row(qual).bases]
        orders: list[Order] = [
            [None] if base is None else self.order(base[1], base[2]) for base in bases
        ]
        orders.append(bases)
        return c3_merge(orders)

    def base(self, path: str, qual: str, text: str) -> Entity | None:
        """Return the class that a base's source text names."""
        found = self.chain(path, parent_of(qual), text.partition("[")[0].strip())
        return found if found is not None and found[0] == "c" else None


def _without_own(bindings: Sequence[str]) -> Sequence[str]:
    """Return an attribute's declared types, if there are any; else all bindings."""
    declared = [binding for binding in bindings if binding[:1] == ":"]
    return declared or bindings
