"""Link names of C and C++: included files, then the linker's only definition."""

from __future__ import annotations

from repobuild.code.facts.element_row import name_of
from repobuild.code.resolve.linked.link_rules import LinkRules, NameLookup, Symbols
from repobuild.code.resolve.linked.linked_files import LinkedFile
from repobuild.code.resolve.paths import folder_of, resolve_relative
from repobuild.code.resolve.symbol import Kind, Symbol, enclosing_scopes, module_symbol

_HEADERS = (".h", ".hh", ".hpp", ".hxx", ".h++", ".ipp")
_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".c++")


class CRules(LinkRules):
    has_implicit_receiver = True
    super_names = frozenset()

    def __init__(self, names: NameLookup) -> None:
        super().__init__(names)
        self._headers: dict[str, list[str]] = {}  # what each file includes

    @classmethod
    def answered_terms(cls, file: LinkedFile) -> list[str]:
        rows = (file.row(qual) for qual in file.items if "#" not in qual)
        return [
            f"c/ {file.path.rpartition('/')[2]}",
            *(f"c {row.qual}" for row in rows if not _is_static(row.head)),
        ]

    def constructor_name(self, qual: str) -> str:
        return name_of(qual)

    def find_outside(self, path: str, scope: str, name: str) -> Symbols:
        for outer in enclosing_scopes(scope):
            symbols = self._find_defined(path, f"{outer}.{name}" if outer else name)
            if symbols:
                return symbols
        return []

    def find_members(self, path: str, qual: str, name: str) -> Symbols:
        symbols = self.names.definitions(path, f"{qual}.{name}")
        return symbols or self._find_defined(path, f"{qual}.{name}")

    def _find_defined(self, path: str, qual: str) -> Symbols:
        """Return a definition in an included file, or else the linker's only one."""
        for included in self._included(path):
            symbols = self.names.definitions(included, qual)
            if symbols and (included.endswith(_HEADERS) or self._is_linked(symbols)):
                return [symbol.at_most(0.95) for symbol in symbols]
        paths = self.files.who(f"c {qual}")
        if len(paths) != 1:
            return []
        return [one.at_most(0.7) for one in self.names.definitions(paths[0], qual)]

    def _is_linked(self, symbols: Symbols) -> bool:
        """Return whether all definitions have external linkage."""
        rows = [self.files.row(symbol.path, symbol.qual) for symbol in symbols]
        return all(row is not None and not _is_static(row.head) for row in rows)

    def _included(self, path: str) -> list[str]:
        """Return the headers that a file includes, and the sources beside them.

        Each name of a file asks for them: looked up anew, they were nine tenths of the
        800 ms that one file of astropy took.
        """
        if path not in self._headers:
            self._headers[path] = self._find_included(path)
        return self._headers[path]

    def _find_included(self, path: str) -> list[str]:
        paths = []
        file = self.files.get(path)
        for _, module, _, _ in file.facts.get("imports", ()) if file else ():
            for header in self.find_module(path, module):
                paths.append(header.path)
                stem = header.path.rpartition(".")[0]
                paths += [stem + e for e in _SOURCES if self.files.has(stem + e)]
        return paths

    def find_module(self, path: str, module: str) -> Symbols:
        """Return the header: relative to the file, or the only one with this path."""
        name = module.strip("<>")
        beside = resolve_relative(folder_of(path), name)
        if beside and not module.startswith("<") and self.files.has(beside):
            return [module_symbol(beside)]
        paths = self.files.who(f"c/ {name.rpartition('/')[2]}")
        ending = "/" + name.lstrip("./")
        matching = [found for found in paths if f"/{found}".endswith(ending)]
        if len(matching) != 1:
            return []
        return [Symbol(Kind.MODULE, matching[0], "", 0.9)]


def _is_static(head: str) -> bool:
    return head.startswith("static ")
