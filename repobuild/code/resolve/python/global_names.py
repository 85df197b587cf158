"""Resolve global names of modules, through imports, packages and star imports."""

from __future__ import annotations

from collections.abc import Sequence

from repobuild.code.facts.element_row import Binding
from repobuild.code.resolve.binding_marks import (
    ALTERNATIVE,
    ASSIGNED_NAME,
    DEFINITION,
    IMPORTED_NAME,
    IN_FUNCTION,
)
from repobuild.code.resolve.python.expressions import ResolverContext
from repobuild.code.resolve.python.imports import ImportResolver
from repobuild.code.resolve.python.modules import ModuleFacts
from repobuild.code.resolve.symbol import Kind, Symbol

# Bindings by which a name may be given one of several things.
_VALUES = (ASSIGNED_NAME, IN_FUNCTION, IMPORTED_NAME, DEFINITION, ALTERNATIVE)
REPLACEABLE = 0.4  # confidence of what may be another thing; no sample states it


class GlobalNames:
    """Resolves a module's names as other modules see them."""

    def __init__(self, context: ResolverContext, imports: ImportResolver) -> None:
        self._modules = context.modules
        self._look, self._note = context.lookups.look, context.lookups.note
        self._resolve_chain = context.expressions.resolve_chain
        self._resolve_binding = context.expressions.resolve_binding
        self._imports = imports

    def resolve_global(self, path: str, name: str) -> Symbol | None:
        """Return what a module's global name, or a package's submodule, refers to."""
        return self._look(("n", path, "", name), lambda: self._resolve(path, name))

    def _resolve(self, path: str, name: str) -> Symbol | None:
        module = self._modules.get(path)
        if module is None:
            return None
        self._note(f"n:{path}:{name}")
        bindings = module.bindings(name)
        symbol = self.last_known(path, "", bindings)
        if symbol is None and not bindings:
            symbol = self._through_stars(module, name)
        if symbol is None and module.is_package:
            symbol = self._imports.submodule(module, name)
        return symbol

    def resolve_import(self, path: str, source: str, name: str) -> Symbol | None:
        """Return what `from source import name` in a file refers to."""
        target = self._imports.find_module(path, source)
        if target is None:
            # A folder without __init__.py is no module, but its files are.
            dot = "." if source.strip(".") else ""
            return self._imports.find_module(path, source + dot + name)
        if target.path != path:
            return self.resolve_global(target.path, name)
        module = self._modules.get(path)
        return self._imports.submodule(module, name) if module else None

    def namespace_member(self, path: str, name: str) -> Symbol | None:
        """Return a module of a package without a file, or such a package in it."""
        found = self._imports.find_module(path, name)
        return found or self._imports.namespace(path, name)

    def last_known(
        self, path: str, scope: str, bindings: Sequence[Binding]
    ) -> Symbol | None:
        """Return the symbol of the last binding that has one."""
        for binding in reversed(bindings):
            symbol = self._resolve_binding(path, scope, binding)
            if symbol is None:
                continue
            # The last of several definitions (overloads, setters) replaces the others.
            if len(bindings) == 1 or all(b.startswith(DEFINITION) for b in bindings):
                return symbol
            if binding.startswith(ASSIGNED_NAME) and self._has_other_values(
                path, scope, bindings, symbol
            ):
                return symbol.at_most(REPLACEABLE)
            is_one_of = any(b.startswith(ALTERNATIVE) for b in bindings)
            return symbol.at_most(0.5 if is_one_of else 0.8)
        return None

    def _has_other_values(
        self, path: str, scope: str, bindings: Sequence[Binding], symbol: Symbol
    ) -> bool:
        """Return whether a name is also given something else, or what is not known.

        `SORT_KEY = fold`, and a function that says `global SORT_KEY`. Or it is one
        of several by platform: `Writer = Plain if os.name == "posix" else Bulk`.
        """
        values = (
            self._resolve_binding(path, scope, b) for b in bindings if b[:1] in _VALUES
        )
        return any(one is None or not one.is_same(symbol) for one in values)

    def _through_stars(self, origin: ModuleFacts, name: str) -> Symbol | None:
        """Search the star imports; each module once, the last import first."""
        seen = {origin.path}
        self._note(f"n:{origin.path}:*")
        waiting = self._star_modules(origin)
        while waiting:
            path = waiting.pop()
            module = self._modules.get(path)
            if path in seen or module is None:
                continue
            seen.add(path)
            self._note(f"n:{path}:*")
            self._note(f"n:{path}:{name}")
            if not self._exports(module, name):
                continue
            symbol = self.last_known(path, "", module.bindings(name))
            if symbol is not None:
                return symbol.at_most(0.95)
            waiting += self._star_modules(module)
        return None

    def _exports(self, module: ModuleFacts, name: str) -> bool:
        """Return whether a star import of a module takes the name."""
        if module.all is None:
            return not name.startswith("_")
        key = ("all", module.path, "", name)
        return bool(self._look(key, lambda: self._is_in_all(module, name)))

    def _is_in_all(self, module: ModuleFacts, name: str) -> bool:
        found = False
        for entry in module.all or ():
            if entry == name:
                found = True
            elif entry == "-" + name:
                found = False
            elif entry.startswith("*") and not found:
                other = self._exporting_module(module, entry[1:])
                if other is not None:
                    self._note(f"n:{other.path}:*")
                    found = other.all is not None and self._exports(other, name)
        return found

    def _exporting_module(self, module: ModuleFacts, text: str) -> ModuleFacts | None:
        """Return the module whose `__all__` an expression is."""
        owner, dot, _ = text.rpartition(".__all__")
        if dot:
            symbol = self._resolve_chain(module.path, "", owner)
        else:
            sources = [b[1:] for b in module.bindings(text) if b.endswith(":__all__")]
            source = sources[-1].rpartition(":")[0] if sources else ""
            symbol = self._imports.find_module(module.path, source) if source else None
        if symbol is None or symbol.kind is not Kind.MODULE:
            return None
        return self._modules.get(symbol.path)

    def _star_modules(self, module: ModuleFacts) -> list[str]:
        """Return the paths that a module's star imports refer to, in source order."""
        targets = (
            self._imports.find_module(module.path, star) for star in module.stars()
        )
        return [target.path for target in targets if target is not None]
