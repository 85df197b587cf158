"""Link names of JavaScript and TypeScript across files.

A relative import is exact; a package's name leads out of the repository.
"""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.code.facts.element_row import bindings_of
from repobuild.code.resolve.linked.link_rules import LinkRules, Symbols
from repobuild.code.resolve.paths import folder_of, join, resolve_relative
from repobuild.code.resolve.symbol import module_symbol

_ENDINGS = (".js", ".ts", ".jsx", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".d.ts")
# TypeScript imports name the compiled file.
_SOURCE_ENDINGS = {
    "js": ("ts", "tsx"),
    "jsx": ("ts", "tsx"),
    "mjs": ("mts",),
    "cjs": ("cts",),
}


class JavaScriptRules(LinkRules):
    def constructor_name(self, qual: str) -> str:
        return "constructor"

    def find_module(self, path: str, module: str) -> Symbols:
        if not module.startswith("."):
            return []
        target = resolve_relative(folder_of(path), module)
        for candidate in _module_files(target) if target is not None else ():
            if self.files.has(candidate):
                return [module_symbol(candidate)]
        return []

    def find_exported(self, path: str, qual: str, name: str) -> Symbols:
        names = self.files.names(path)
        for binding in bindings_of(names, f"export {name}"):
            return self.names.resolve_binding(path, binding)
        if name == "default":
            return []
        symbols = self.names.definitions(path, name)
        if symbols:
            return symbols
        if "export default" in names:  # after module.exports = Foo, m.f is Foo.f
            default = bindings_of(names, "export default")[0]
            exported = self.names.resolve_binding(path, default)
            if len(exported) == 1 and exported[0].definition != (path, ""):
                symbols = self.names.find_members(exported[0], name)
        for star in () if symbols else bindings_of(names, "export *"):
            for target in self.find_module(path, star):
                symbols = symbols or self.names.find_members(target, name)
        return symbols


def _module_files(target: str) -> Iterator[str]:
    """Yield the files that may be the module at a path, the preferred ones first."""
    yield target
    stem, dot, ending = target.rpartition(".")
    for source in _SOURCE_ENDINGS.get(ending, ()) if dot else ():
        yield f"{stem}.{source}"
    for ending in _ENDINGS:
        yield target + ending
    for ending in _ENDINGS:
        yield join(target, "index") + ending
