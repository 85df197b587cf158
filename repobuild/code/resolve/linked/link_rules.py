"""Define the base of the link rules: which names in other files a file can refer to.

`LinkedResolver` follows scopes, receivers and members, alike in all languages; each
language's `LinkRules` (one file a language) answer what differs. An import that leaves
the repository, and a name that no rule finds, have no symbol: the call stays in the
facts, as it is written, and gives no edge.
"""

from __future__ import annotations

from typing import Protocol

from repobuild.code.facts.element_row import Binding
from repobuild.code.resolve.linked.linked_files import LinkedFile, LinkedFiles
from repobuild.code.resolve.symbol import Symbol

Symbols = list[Symbol]  # several where a name has several definitions


class NameLookup(Protocol):
    """The part of the `LinkedResolver` that link rules call back.

    The recursion is inherent: an exported name that the rules find is bound to an
    expression, which the resolver evaluates in the exporting file.
    """

    files: LinkedFiles

    def definitions(self, path: str, qual: str) -> Symbols:
        """Return the definitions of a name in a file."""

    def definitions_in(self, paths: list[str], qual: str) -> Symbols:
        """Return the definitions of a name in several files."""

    def resolve_in_file(self, path: str, name: str) -> Symbols:
        """Return what a name at a file's top level refers to."""

    def resolve_binding(self, path: str, binding: Binding) -> Symbols:
        """Return what a binding at a file's top level refers to."""

    def find_members(self, symbol: Symbol, name: str) -> Symbols:
        """Return an attribute of a symbol."""


class LinkRules:
    """What most languages have in common; a language overrides what differs."""

    receivers: frozenset[str] = frozenset({"this"})
    super_names: frozenset[str] = frozenset({"super"})
    has_implicit_receiver = False  # whether `f()` may call a method of the class around
    calls_construct = True  # whether calling a type makes an instance
    manifest = ""  # the file that names a module or crate of this language

    def __init__(self, names: NameLookup) -> None:
        self.names = names
        self.files = names.files

    # -- what a file offers to others

    @classmethod
    def answered_terms(cls, file: LinkedFile) -> list[str]:
        """Return the `who` terms that a file answers (linked_terms.py)."""
        return []

    @classmethod
    def manifest_term(cls, project: str) -> str:
        """Return the `who` term that a manifest of this project answers."""
        return ""

    @classmethod
    def package_of(cls, file: LinkedFile) -> str:
        """Return the package that imports name in place of its files, or ""."""
        return ""

    # -- what a file finds in others

    def constructor_name(self, qual: str) -> str:
        """Return the name of a class's constructor, "" when it has no name."""
        return ""

    def find_outside(self, path: str, scope: str, name: str) -> Symbols:
        """Return what a name refers to that the file neither defines nor imports."""
        return []

    def find_module(self, path: str, module: str) -> Symbols:
        """Return the module that an import in a file refers to."""
        return []

    def find_imported(self, path: str, module: str, name: str) -> Symbols:
        """Return what `name` is in a module that a file imports."""
        return [
            symbol
            for target in self.find_module(path, module)
            for symbol in self.find_exported(target.path, target.qual, name)
        ]

    def find_exported(self, path: str, qual: str, name: str) -> Symbols:
        """Return a member of a module."""
        return self.names.definitions(path, f"{qual}.{name}" if qual else name)

    def find_members(self, path: str, qual: str, name: str) -> Symbols:
        """Return what a class itself defines, without its bases."""
        return self.names.definitions(path, f"{qual}.{name}")
