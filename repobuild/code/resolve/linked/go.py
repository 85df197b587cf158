"""Link names of Go across files.

A package is a folder; imports find it through a go.mod of the repository.
"""

from __future__ import annotations

from repobuild.code.resolve.linked.link_rules import LinkRules, Symbols
from repobuild.code.resolve.linked.linked_files import LinkedFile
from repobuild.code.resolve.paths import folder_of, join
from repobuild.code.resolve.symbol import Kind, Symbol


class GoRules(LinkRules):
    receivers = frozenset()
    super_names = frozenset()
    calls_construct = False  # T(x) converts
    manifest = "go.mod"

    @classmethod
    def answered_terms(cls, file: LinkedFile) -> list[str]:
        package = cls.package_of(file)
        quals = [qual for qual in file.items if "#" not in qual]
        return [f"go {folder_of(file.path)}", *(f"{package} {qual}" for qual in quals)]

    @classmethod
    def manifest_term(cls, project: str) -> str:
        return f"go.mod {project}"

    @classmethod
    def package_of(cls, file: LinkedFile) -> str:
        return f"go {folder_of(file.path)} {file.package}"

    def find_outside(self, path: str, scope: str, name: str) -> Symbols:
        file = self.files.get(path)
        return self.find_members(self.package_of(file), "", name) if file else []

    def find_module(self, path: str, module: str) -> Symbols:
        folder = self._find_folder(module)
        packages = set()
        for other in self.files.who(f"go {folder}") if folder is not None else ():
            file = self.files.get(other)
            if file and not other.endswith("_test.go"):
                packages.add(file.package)
        if len(packages) != 1:
            return []
        return [Symbol(Kind.PACKAGE, f"go {folder} {packages.pop()}", "", 1.0)]

    def _find_folder(self, module: str) -> str | None:
        """Return the folder of an import path, by the go.mod of its longest prefix."""
        parts = module.split("/")
        for size in range(len(parts), 0, -1):
            manifests = self.files.who(self.manifest_term("/".join(parts[:size])))
            if len(manifests) > 1:
                return None
            if manifests:
                return join(folder_of(manifests[0]), "/".join(parts[size:]))
        return None

    def find_members(self, path: str, qual: str, name: str) -> Symbols:
        """Return what any file of the package defines: also methods of one type."""
        file = self.files.get(path)
        package = path if file is None else self.package_of(file)
        member = f"{qual}.{name}" if qual else name
        return self.names.definitions_in(self.files.who(f"{package} {member}"), member)
