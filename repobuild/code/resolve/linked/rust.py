"""Link names of Rust across files.

Modules are files below the folder of the crate's `lib.rs` or `main.rs`, or are written
inline in one.
"""

from __future__ import annotations

from typing import NamedTuple

from repobuild.code.facts.element_row import bindings_of
from repobuild.code.resolve.linked.link_rules import LinkRules, Symbols
from repobuild.code.resolve.paths import folder_of, join
from repobuild.code.resolve.symbol import Kind, Symbol, module_symbol


class Crate(NamedTuple):
    """A crate of the repository: its source folder and its root file."""

    folder: str
    root: str


class RustRules(LinkRules):
    receivers = frozenset({"self", "Self"})
    super_names = frozenset()
    manifest = "Cargo.toml"

    @classmethod
    def manifest_term(cls, project: str) -> str:
        return f"cargo {project.replace('-', '_')}"

    def find_outside(self, path: str, scope: str, name: str) -> Symbols:
        if name.endswith("!"):
            symbols = self.names.resolve_in_file(path, name.removesuffix("!"))
            return [symbol for symbol in symbols if self._is_macro(symbol)]
        head, dot, rest = name.partition(".")
        inline = self._inline_module(path, scope)
        if dot and inline and head in ("self", "super"):
            parts = inline[:-1] if head == "super" else inline
            return self.names.definitions(path, ".".join([*parts, rest]))
        if dot and head in ("crate", "self", "super"):
            module, _, last = name.rpartition(".")
            return self.find_imported(path, module, last)
        for star in bindings_of(self.files.names(path), "*"):
            symbols = self.find_imported(path, star, name) if star != "super" else []
            if symbols:
                return [symbol.at_most(0.95) for symbol in symbols]
        return []

    def _is_macro(self, symbol: Symbol) -> bool:
        row = self.files.row(symbol.path, symbol.qual)
        return row is not None and row.head.startswith("macro_rules!")

    def _inline_module(self, path: str, scope: str) -> list[str]:
        """Return the names of the `mod name { }` around a scope, outermost first."""
        file = self.files.get(path)
        parts = scope.split(".")[:-1]
        while file and parts and ".".join(parts) in file.items:
            parts.pop()
        return parts

    def find_imported(self, path: str, module: str, name: str) -> Symbols:
        if module in ("crate", "self", "super") or not name:
            symbols = self.find_module(path, f"{module}.{name}" if name else module)
            if symbols:
                return symbols
        for symbol in self.find_module(path, module):
            if symbol.kind is not Kind.MODULE:
                return self.names.find_members(symbol, name)
            exported = self.find_exported(symbol.path, symbol.qual, name)
            return exported or self.find_module(path, f"{module}.{name}")
        return []

    def find_exported(self, path: str, qual: str, name: str) -> Symbols:
        symbols = super().find_exported(path, qual, name)
        if symbols or qual:
            return symbols
        return self.names.resolve_in_file(path, name)

    def find_module(self, path: str, module: str) -> Symbols:
        first, *rest = module.split(".")
        crate = self._crate_of(path)
        if first == "crate":
            return self._find_below(crate.folder, crate.root, rest)
        parts = _module_parts(path, crate)
        if first == "super":
            return self._find_below(crate.folder, crate.root, [*parts[:-1], *rest])
        if first != "self":
            other = self._find_crate(first)
            if other is not None:
                return self._find_below(other.folder, other.root, rest)
            rest = [first, *rest]
        return self._find_below(crate.folder, path, [*parts, *rest], len(parts))

    def _find_crate(self, name: str) -> Crate | None:
        """Return a library crate of this repository by its name."""
        manifests = self.files.who(f"cargo {name}")
        if len(manifests) != 1:
            return None
        folder = join(folder_of(manifests[0]), "src")
        root = join(folder, "lib.rs")
        return Crate(folder, root) if self.files.has(root) else None

    def _crate_of(self, path: str) -> Crate:
        """Return the crate that a file belongs to."""
        folder = folder_of(path)
        while True:
            for name in ("lib.rs", "main.rs"):
                if self.files.has(join(folder, name)):
                    return Crate(folder, join(folder, name))
            if not folder:
                return Crate(folder_of(path), path)
            folder = folder_of(folder)

    def _find_below(
        self, folder: str, origin: str, parts: list[str], origin_size: int = 0
    ) -> Symbols:
        """Return the module at a path in a crate: the longest file, inline in it.

        The file `origin` is the module of the first `origin_size` parts.
        """
        for size in range(len(parts), origin_size, -1):
            stem = join(folder, "/".join(parts[:size]))
            for candidate in (f"{stem}.rs", f"{stem}/mod.rs"):
                if self.files.has(candidate):
                    return self._find_in_file(candidate, parts[size:])
        return self._find_in_file(origin, parts[origin_size:])

    def _find_in_file(self, path: str, parts: list[str]) -> Symbols:
        if not parts:
            return [module_symbol(path)]
        qual = ".".join(parts)
        symbols = self.names.definitions(path, qual)
        if symbols or self.files.get(path) is None:
            return symbols
        symbols = self.names.resolve_in_file(path, parts[0])
        for part in parts[1:]:
            if len(symbols) != 1:
                symbols = []
                break
            symbols = self.names.find_members(symbols[0], part)
        return symbols or [Symbol(Kind.MODULE, path, qual, 1.0)]


def _module_parts(path: str, crate: Crate) -> list[str]:
    """Return the module path of a file within its crate."""
    if path == crate.root:
        return []
    stem = path.removesuffix(".rs").removesuffix("/mod")
    return stem.removeprefix(crate.folder).strip("/").split("/")
