"""What the global names of modules mean, through imports, packages and stars."""

from __future__ import annotations

from collections.abc import Sequence

from repobuild.code.resolve.lookup import LookupCache
from repobuild.code.resolve.python.imports import Candidates, ImportResolver
from repobuild.code.resolve.python.modules import ModuleFacts, Modules
from repobuild.code.resolve.symbol import Entity, at_most


class Globals:
    """Looks names up for one file at a time and collects what that looked at."""

    def __init__(
        self, modules: Modules, candidates: Candidates, standard: frozenset[str]
    ) -> None:
        self.modules = modules
        self._lookups = LookupCache()
        self._look, self._note = self._lookups.look, self._lookups.note
        self._imports = ImportResolver(modules, candidates, standard, self._note)

    def binding(self, path: str, scope: str, binding: str) -> Entity | None:
        """Return what a binding (row.py) made in a scope of a file means."""
        raise NotImplementedError

    def chain(self, path: str, scope: str, text: str) -> Entity | None:
        """Return what a chain (`a.b().c`, see row.py) means in a scope of a file."""
        raise NotImplementedError

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
        found = self.last(path, "", bindings)
        if found is None and not bindings:
            found = self._starred(module, name)
        if found is None and module.is_package:
            inner = self._imports.submodule(module, name)
            found = ("m", inner, "", 1.0) if inner is not None else None
        return found

    def last(self, path: str, scope: str, bindings: Sequence[str]) -> Entity | None:
        """Return the last of several bindings that means something here."""
        for binding in reversed(bindings):
            found = self.binding(path, scope, binding)
            if found is not None:
                doubt = len(bindings) > 1 and not _is_refined(bindings)
                return at_most(found, 0.8) if doubt else found
        return None

    def _starred(self, origin: ModuleFacts, name: str) -> Entity | None:
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
            found = self.last(path, "", module.bindings(name))
            if found is not None:
                return at_most(found, 0.95)
            waiting += self._stars(module)
        return None

    def _stars(self, module: ModuleFacts) -> list[str]:
        """Return the modules of star imports: the last wins, so it is popped first."""
        found = (self.find_module(module.path, star) for star in module.stars())
        return [entity[1] for entity in found if entity is not None]

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


def _is_refined(bindings: Sequence[str]) -> bool:
    """Return whether the last definition replaces the others (overloads, setters)."""
    return all(binding[:1] == "#" for binding in bindings)
