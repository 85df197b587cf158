"""What a name means, across files; see entity.py for what it can mean."""

from __future__ import annotations

import re
from collections.abc import Sequence

from repobuild.code.annotation import declared
from repobuild.code.entity import Entity, at_most
from repobuild.code.imports import Candidates, Imports
from repobuild.code.linearisation import Order, merged
from repobuild.code.lookup import Lookups
from repobuild.code.names import Module, Modules
from repobuild.code.row import Row, parent_of

_SEGMENT = re.compile(r"\(\)|\[\]|\.[^.()\[\]]+")
_ROOT = re.compile(r"[A-Za-z_]\w*")
_PROPERTIES = frozenset({"property", "cached_property", "functools.cached_property"})
_CLASS_FIRST = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})


class Resolver:
    """Resolves names for one file at a time and collects what that looked at."""

    def __init__(
        self, modules: Modules, candidates: Candidates, standard: frozenset[str]
    ) -> None:
        self.modules = modules
        self._lookups = Lookups()
        self._look, self._note = self._lookups.look, self._lookups.note
        self._imports = Imports(modules, candidates, standard, self._note)

    def begin(self) -> None:
        """Start collecting the terms of another file."""
        self._lookups.terms = set()

    @property
    def terms(self) -> set[str]:
        """What was looked at since `begin`."""
        return self._lookups.terms

    def find_module(self, origin: str, name: str) -> Entity | None:
        """Return the module that an import of `name` in `origin` means."""
        module = self.modules.get(origin)
        if module is None:
            return None
        # Absolute imports mean the same in all of a folder, relative ones in a package.
        place = module.package if name.startswith(".") else origin.rpartition("/")[0]

        def compute() -> Entity | None:
            path = self._imports.find(module, name)
            return ("m", path, "", 1.0) if path is not None else None

        return self._look(("import", place, "", name), compute)

    def name(self, path: str, name: str) -> Entity | None:
        """Return what a module's global name, or a package's submodule, is."""
        return self._look(("n", path, "", name), lambda: self._name(path, name))

    def _name(self, path: str, name: str) -> Entity | None:
        module = self.modules.get(path)
        if module is None:
            return None
        self._note(f"n:{path}:{name}")
        bindings = module.bindings(name)
        found = self._last(path, "", bindings)
        if found is None and not bindings:
            found = self._starred(module, name)
        if found is None and module.is_package:
            inner = self._imports.submodule(module, name)
            found = ("m", inner, "", 1.0) if inner is not None else None
        return found

    def _last(self, path: str, scope: str, bindings: Sequence[str]) -> Entity | None:
        """Return the last of several bindings that means something here."""
        for binding in reversed(bindings):
            found = self._binding(path, scope, binding)
            if found is not None:
                doubt = len(bindings) > 1 and not _is_refined(bindings)
                return at_most(found, 0.8) if doubt else found
        return None

    def _starred(self, origin: Module, name: str) -> Entity | None:
        """Look through star imports, each module once, in the order of their lines."""
        seen = {origin.path}
        self._note(f"n:{origin.path}:*")
        waiting = self._stars(origin)
        while waiting:
            path = waiting.pop()
            module = self.modules.get(path)
            if path in seen or module is None:
                continue
            seen.add(path)
            self._note(f"n:{path}:*")
            self._note(f"n:{path}:{name}")
            if not module.exports(name):
                continue
            found = self._last(path, "", module.bindings(name))
            if found is not None:
                return at_most(found, 0.95)
            waiting += self._stars(module)
        return None

    def _stars(self, module: Module) -> list[str]:
        """Return the modules of star imports: the last wins, so it is popped first."""
        found = (self.find_module(module.path, star) for star in module.stars())
        return [entity[1] for entity in found if entity is not None]

    # -- bindings and chains

    def _binding(self, path: str, scope: str, binding: str) -> Entity | None:
        kind, rest = binding[:1], binding[1:]
        if kind == "#":
            module = self.modules.get(path)
            if module is None:
                return None
            is_class = module.items[rest][1] == "class"
            return ("c" if is_class else "f", path, rest, 1.0)
        if kind == "@":
            return self.imported(path, *rest.split(":", 1))
        if kind == "!":
            return self.find_module(path, rest)
        if kind == "=":
            return self.chain(path, scope, rest)
        if kind == "(":
            return self._result(self.chain(path, scope, rest))
        return self.annotation(path, scope, rest) if kind == ":" else None

    def imported(self, path: str, source: str, name: str) -> Entity | None:
        """Return what `from source import name` brings."""
        target = self.find_module(path, source)
        if target is None:
            # A folder without __init__.py has no file, but its modules do.
            joint = "." if source.strip(".") else ""
            return self.find_module(path, source + joint + name)
        if target[1] != path:
            return self.name(target[1], name)
        module = self.modules.get(path)
        inner = self._imports.submodule(module, name) if module else None
        return ("m", inner, "", 1.0) if inner is not None else None

    def chain(self, path: str, scope: str, text: str) -> Entity | None:
        """Return what a chain (`a.b().c`, see row.py) means in a scope of a file."""
        root = _ROOT.match(text)
        if root is None:
            return None
        place = root.end()
        if text.startswith("super()"):
            place, found = 7, self._super(path, scope)
        else:
            found = self.root(path, scope, root[0])
        while found is not None and place < len(text):
            segment = _SEGMENT.match(text, place)
            if segment is None or segment[0] == "[]":
                return None
            place = segment.end()
            if segment[0] == "()":
                found = self._result(found)
                continue
            found = self.member(found, segment[0][1:])
            if found is not None and not text.startswith("()", place):
                found = self._property(found) if place < len(text) else found
        return found

    def root(self, path: str, scope: str, name: str) -> Entity | None:
        """Return what a name means in a scope (a qualified name, "" the module)."""
        module = self.modules.get(path)
        outer = scope
        while outer and module is not None:
            row = module.row(outer)
            if row.type == "class":
                if outer == scope:
                    self._note(f"m:{path}::{outer}:{name}")
                    bindings = module.members(outer, name)
                    if bindings:
                        return self._last(path, parent_of(outer), bindings)
            else:
                held, found = self._local(module, row, name)
                if held:
                    return found
            outer = parent_of(outer)
        return self.name(path, name)

    def _local(self, module: Module, row: Row, name: str) -> tuple[bool, Entity | None]:
        """Return whether a function binds a name itself, and what it then means."""
        bindings = row.vars.get(name)
        given = None
        for place, entry in enumerate(row.parameters):
            if (entry if isinstance(entry, str) else entry[0]) == name:
                given = (place, entry)
                break
        if given is not None:
            if bindings is not None:
                return True, None  # a parameter that is assigned to
            return True, self._parameter(module, row, *given)
        if bindings is None:
            inner = f"{row.qual}.{name}"
            if inner in module.items:
                return True, self._binding(module.path, row.qual, "#" + inner)
            return False, None
        if isinstance(bindings, str):
            bindings = [bindings]
        return True, self._agreed(module.path, row.qual, name, bindings)

    def _agreed(
        self, path: str, scope: str, name: str, bindings: Sequence[str]
    ) -> Entity | None:
        """Return what all bindings of a local name mean, if that is one thing."""
        declared = [binding for binding in bindings if binding[:1] == ":"]
        key = ("v", path, scope, name)

        def compute() -> Entity | None:
            found = [
                self._binding(path, scope, binding) for binding in declared or bindings
            ]
            first = found[0]
            same = all(
                first is not None and other is not None and first[:3] == other[:3]
                for other in found
            )
            if same or not all(binding[:1] == "#" for binding in bindings):
                return first if same else None
            last = found[-1]
            return at_most(last, 0.8) if last is not None else None

        return self._look(key, compute)

    def _parameter(
        self, module: Module, row: Row, place: int, entry: str | list[str]
    ) -> Entity | None:
        kind = receiver(row) if place == 0 else ""
        if kind:
            return (kind, module.path, parent_of(row.qual), 0.9)
        if isinstance(entry, str) or entry[1].startswith("*") or not entry[2]:
            return None
        return self.annotation(module.path, parent_of(row.qual), entry[2])

    def _super(self, path: str, scope: str) -> Entity | None:
        module = self.modules.get(path)
        outer = scope
        while outer and module is not None:
            holder = parent_of(outer)
            if module.items[outer][1] == "method":
                return ("s", path, holder, 0.9)
            outer = holder
        return None

    # -- members, classes, types

    def member(self, entity: Entity, name: str) -> Entity | None:
        """Return an attribute of an entity."""
        kind, path, qual, confidence = entity
        if kind == "m":
            found = self.name(path, name)
        elif kind == "f":
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
                found = self._last(holder, inner, _without_own(bindings))
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
        return merged(orders)

    def base(self, path: str, qual: str, text: str) -> Entity | None:
        """Return the class that a base's source text names."""
        found = self.chain(path, parent_of(qual), text.partition("[")[0].strip())
        return found if found is not None and found[0] == "c" else None

    def _result(self, entity: Entity | None) -> Entity | None:
        """Return what calling an entity gives."""
        if entity is None:
            return None
        kind, path, qual, confidence = entity
        if kind == "c":
            return ("i", path, qual, min(confidence, 0.8))
        if kind != "f":
            return None
        module = self.modules.get(path)
        if module is None:
            return None
        row = module.row(qual)
        if not row.returns or "a" in row.flags:
            return None
        found = self.annotation(path, parent_of(qual), row.returns)
        return at_most(found, min(confidence, 0.7)) if found is not None else None

    def _property(self, entity: Entity) -> Entity | None:
        """Return what an attribute is when it is read: a property gives its result."""
        kind, path, qual, _ = entity
        module = self.modules.get(path)
        if kind != "f" or module is None:
            return entity
        if _PROPERTIES.isdisjoint(module.row(qual).decorators):
            return None
        return self._result(entity)

    def annotation(self, path: str, scope: str, text: str) -> Entity | None:
        """Return an instance of the class that an annotation names."""
        name = declared(text)
        if name.rpartition(".")[2] == "Self":
            return self._self_type(path, scope)
        if not _ROOT.match(name):
            return None
        found = self.chain(path, scope, name)
        if found is None or found[0] != "c":
            return None
        return ("i", found[1], found[2], min(found[3], 0.75))

    def _self_type(self, path: str, scope: str) -> Entity | None:
        module = self.modules.get(path)
        if module is None or scope not in module.items:
            return None
        is_class = module.items[scope][1] == "class"
        return ("i", path, scope, 0.75) if is_class else None


def receiver(row: Row) -> str:
    """Return what a first parameter is bound to: "i" an instance, "c" the class, ""."""
    if row.type != "method" or "staticmethod" in row.decorators:
        return ""
    name = row.qual.rpartition(".")[2]
    return "c" if "classmethod" in row.decorators or name in _CLASS_FIRST else "i"


def _is_refined(bindings: Sequence[str]) -> bool:
    """Return whether the last definition replaces the others (overloads, setters)."""
    return all(binding[:1] == "#" for binding in bindings)


def _without_own(bindings: Sequence[str]) -> Sequence[str]:
    """Return an attribute's declared types, if there are any; else all bindings."""
    declared = [binding for binding in bindings if binding[:1] == ":"]
    return declared or bindings
