"""What a name means, across files; see entity.py for what it can mean."""

from __future__ import annotations

import re
from collections.abc import Sequence

from repobuild.code.facts.element_row import ElementRow, bound, parent_of
from repobuild.code.resolve.python.annotation import options
from repobuild.code.resolve.python.modules import ModuleFacts, outermost_function
from repobuild.code.resolve.python.type_inference import TypeInference
from repobuild.code.resolve.symbol import Entity, at_most

_SEGMENT = re.compile(r"\(\)|\[\]|[*!~]|\.[^.()\[\]*!~]+")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z")
_ROOT = re.compile(r"[A-Za-z_]\w*")
_CLASS_FIRST = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})


class Resolver(TypeInference):
    """Resolves names for one file at a time and collects what that looked at."""

    def binding(self, path: str, scope: str, binding: str) -> Entity | None:
        kind, rest = binding[:1], binding[1:]
        if kind == "#":
            module = self.modules.get(path)
            if module is None:
                return None
            if outermost := outermost_function(module, rest):
                self._note(f"d:{path}::{outermost}")
            is_class = module.items[rest][1] == "class"
            return ("c" if is_class else "f", path, rest, 1.0)
        if kind == "@":
            return self.imported(path, *rest.split(":", 1))
        if kind == "!":
            return self.find_module(path, rest)
        if kind == "=":
            return self.chain(path, scope, rest)
        if kind == "(":
            return self.result(self.chain(path, scope, rest))
        return self.annotation(path, scope, rest) if kind == ":" else None

    def chain(self, path: str, scope: str, text: str) -> Entity | None:
        """Return what a chain (`a.b().c`, see row.py) means in a scope of a file."""
        root = _ROOT.match(text)
        if root is None:
            return None
        if text.startswith("super()"):
            return self._follow(self._super(path, scope), text, 7)
        return self._follow(self.root(path, scope, root[0]), text, root.end())

    def meanings(self, path: str, scope: str, text: str) -> list[Entity]:
        """Return all that a chain may mean, where its first name is bound to several.

        Of several, each must be known: one that is not could be anything.
        """
        found = self.chain(path, scope, text)
        root = _ROOT.match(text)
        if root is None or text.startswith("super()"):
            return [found] if found is not None else []
        several = self._several(path, scope, root[0], found is not None)
        followed = [self._follow(one, text, root.end()) for one in several]
        known = [at_most(one, 0.5) for one in followed if one is not None]
        if found is not None:
            known = [one for one in known if one[:3] != found[:3]]
            return [found, *known]
        return known if len(known) == len(several) else []

    def _several(
        self, path: str, scope: str, name: str, is_known: bool
    ) -> list[Entity | None]:
        """Return each thing that a name is bound to where it is bound to several."""
        module = self.modules.get(path)
        outer = scope
        while outer and module is not None:
            row = module.row(outer)
            if row.type != "class" and self._holds(module, row, name):
                bindings = bound(row.vars, name)
                if not bindings:
                    return self._union(module, row, name)
                if len(bindings) < 2:
                    bindings = bindings if bindings[0][:1] == ":" else ()
                return self._each(path, row.qual, bindings)
            outer = parent_of(outer)
        bindings = module.bindings(name) if module is not None else ()
        are_imports = all(binding[:1] in "@!" for binding in bindings)
        if len(bindings) < 2 or (is_known and not are_imports):
            return []
        return self._each(path, "", bindings)

    def _each(
        self, path: str, scope: str, bindings: Sequence[str]
    ) -> list[Entity | None]:
        found: list[Entity | None] = []
        for binding in bindings:
            if binding[:1] != ":":
                found.append(self.binding(path, scope, binding))
                continue
            parts = options(binding[1:])
            found += [self.annotation(path, scope, part) for part in parts]
        return found

    def _union(
        self, module: ModuleFacts, row: ElementRow, name: str
    ) -> list[Entity | None]:
        """Return what a parameter's type is a union of."""
        for entry in row.parameters:
            if not isinstance(entry, str) and entry[0] == name and entry[2]:
                return self._each(module.path, parent_of(row.qual), (":" + entry[2],))
        return []

    def _holds(self, module: ModuleFacts, row: ElementRow, name: str) -> bool:
        """Return whether a function binds a name itself."""
        return (
            name in row.vars
            or f"{row.qual}.{name}" in module.items
            or any((p if isinstance(p, str) else p[0]) == name for p in row.parameters)
        )

    def _follow(self, found: Entity | None, text: str, place: int) -> Entity | None:
        """Return what the segments of a chain from a place on make of an entity."""
        while found is not None and place < len(text):
            segment = _SEGMENT.match(text, place)
            if segment is None:
                return None
            place = segment.end()
            if segment[0][0] == ".":
                found = self.member(found, segment[0][1:])
                if found is not None and not text.startswith("()", place):
                    found = self.read(found)
            else:
                found = self.step(found, segment[0])
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
                        return self.last(path, parent_of(outer), bindings)
            else:
                held, found = self._local(module, row, name)
                if held:
                    return found
            outer = parent_of(outer)
        return self.name(path, name)

    def _local(
        self, module: ModuleFacts, row: ElementRow, name: str
    ) -> tuple[bool, Entity | None]:
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
                return True, self.binding(module.path, row.qual, "#" + inner)
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
                self.binding(path, scope, binding) for binding in declared or bindings
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
        self, module: ModuleFacts, row: ElementRow, place: int, entry: str | list[str]
    ) -> Entity | None:
        kind = receiver(row) if place == 0 else ""
        if kind:
            return (kind, module.path, parent_of(row.qual), 0.9)
        if isinstance(entry, str) or entry[1].startswith("*"):
            return None
        if not entry[2]:
            return self._default(module, row, entry[3])
        return self.annotation(module.path, parent_of(row.qual), entry[2])

    def _default(
        self, module: ModuleFacts, row: ElementRow, text: str
    ) -> Entity | None:
        """Return a parameter's default, where that is a function or a class."""
        if not _DOTTED.match(text):
            return None
        found = self.chain(module.path, parent_of(row.qual), text)
        known = found is not None and found[0] in ("f", "c")
        return at_most(found, 0.5) if found is not None and known else None

    def _super(self, path: str, scope: str) -> Entity | None:
        module = self.modules.get(path)
        outer = scope
        while outer and module is not None:
            holder = parent_of(outer)
            if module.items[outer][1] == "method":
                return ("s", path, holder, 0.9)
            outer = holder
        return None


def receiver(row: ElementRow) -> str:
    """Return what a first parameter is bound to: "i" an instance, "c" the class, ""."""
    if row.type != "method" or "staticmethod" in row.decorators:
        return ""
    name = row.qual.rpartition(".")[2]
    return "c" if "classmethod" in row.decorators or name in _CLASS_FIRST else "i"
