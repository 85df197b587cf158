"""Link names of Java: imports, the file's own package, then star imports."""

from __future__ import annotations

from repobuild.code.facts.element_row import bindings_of, name_of
from repobuild.code.resolve.linked.link_rules import LinkRules, Symbols
from repobuild.code.resolve.linked.linked_files import LinkedFile


class JavaRules(LinkRules):
    has_implicit_receiver = True

    @classmethod
    def answered_terms(cls, file: LinkedFile) -> list[str]:
        return [
            f"java {file.package}.{qual}"
            for qual in file.items
            if "#" not in qual and file.type_of(qual) == "class"
        ]

    def constructor_name(self, qual: str) -> str:
        return name_of(qual)

    def find_outside(self, path: str, scope: str, name: str) -> Symbols:
        file = self.files.get(path)
        package = file.package if file else ""
        symbols = self._find_class(f"{package}.{name}")
        for star in () if symbols else bindings_of(self.files.names(path), "*"):
            symbols = symbols or self._find_class(f"{star}.{name}")
            if not symbols:
                symbols = self._find_static(star, name)
        return symbols

    def find_imported(self, path: str, module: str, name: str) -> Symbols:
        return self._find_class(f"{module}.{name}") or self._find_static(module, name)

    def _find_static(self, holder: str, name: str) -> Symbols:
        """Return the member of a class that a static import takes."""
        symbols: Symbols = []
        for symbol in self._find_class(holder):
            symbols = self.names.find_members(symbol, name)
        return symbols

    def _find_class(self, name: str) -> Symbols:
        """Return a class by package and name; none when two files define it."""
        paths = self.files.who(f"java {name}")
        if len(paths) != 1:
            return []
        file = self.files.get(paths[0])
        qual = name.removeprefix(f"{file.package}.") if file else ""
        return self.names.definitions(paths[0], qual)
