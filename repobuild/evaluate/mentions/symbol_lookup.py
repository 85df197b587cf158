"""Look up symbols and files in the state's tables by index.

No look-up iterates over a table: at 100,000 elements it costs what it costs at 100
(tests/cli/test_mention_list.py). The files that define a name come from the index of
`contexts` (samples/contexts/display_names.py), modules from the index of `graph`;
suffixes, folders and imports of the repository from the counts in the graph's project
row (code/graph/project/).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import PROJECT, elements_of
from repobuild.code.resolve.python.modules import stem_of
from repobuild.code.scan.language import language_of
from repobuild.engine.contract import Table, Value
from repobuild.evaluate.mentions.mention_parser import KnownNames
from repobuild.samples.contexts.display_names import NAMED_TYPES
from repobuild.samples.contexts.element_view import strip_counts
from repobuild.samples.text.import_statements import module_of


@dataclass(frozen=True, slots=True)
class SymbolLocation:
    """The location of an element or file.

    Lines count from 1 and both are included; None in a file that is not analysed.
    """

    id: str
    path: str
    start_line: int | None
    end_line: int | None


class SymbolLookup:
    """Answers questions about symbols from the tables.

    `read` returns the bytes of a blob, or raises `KeyError`.
    """

    def __init__(
        self,
        graph: Table,
        contexts: Table,
        files: Table,
        languages: Sequence[str],
        read: Callable[[str], bytes],
    ) -> None:
        self._graph = graph
        self._contexts = contexts
        self._files = files
        self._languages = languages
        self._read = read
        project = (graph.get(PROJECT) or {}).get("#state", {})
        self._counts: dict[str, int] = project.get("counts", {})
        suffixes = (n.removeprefix("type:.") for n in self._counts if "type:." in n)
        self.known = KnownNames(files, _IndexedNames(self), frozenset(suffixes))

    def files_defining(self, name: str) -> list[str]:
        """Return the files that have an element of a bare or qualified name."""
        return self._contexts.index.find(f"name:{name}")

    def module_files(self, name: str) -> list[str]:
        """Return the files of the modules whose last name this is."""
        return self._graph.index.find(f"mod:{name}")

    def definitions(self, name: str) -> tuple[list[str], str]:
        """Return the files that define a name, and its part after the module."""
        parts = name.split(".")
        for start in range(len(parts)):
            module, qual = ".".join(parts[:start]), ".".join(parts[start:])
            if paths := _files_in_module(module, self.files_defining(qual)):
                return paths, qual
        return [], ""

    def files_of_module(self, name: str) -> list[str]:
        """Return the files of a module, by its dotted name or the end of it."""
        files = self.module_files(name.rpartition(".")[2])
        return [p for p in files if f".{module_of(p)}".endswith(f".{name}")]

    def files_ending_in(self, path: str) -> list[str]:
        """Return the file of a path, or all files whose path ends in it."""
        if path in self.known.paths:
            return [path]
        name = stem_of(path).rpartition("/")[2]
        return [f for f in self.module_files(name) if f.endswith(f"/{path}")]

    def is_source_suffix(self, suffix: str) -> bool:
        """Return whether files with this suffix are analysed."""
        return bool(language_of(f"x.{suffix}", self._languages, ()))

    def is_imported(self, package: str) -> bool:
        return f"import:{package}" in self._counts

    def is_folder(self, path: str) -> bool:
        start = f"folder:{path}"
        return any(n == start or n.startswith(f"{start}/") for n in self._counts)

    def file(self, path: str) -> SymbolLocation:
        node = (self._graph.get(path) or {}).get("", {})
        return SymbolLocation(path, path, node.get("start_line"), node.get("end_line"))

    def elements(self, path: str, name: str) -> list[SymbolLocation]:
        """Return a file's elements of a bare or qualified name, by line.

        Of several definitions of one name, those with samples count: not one that
        another replaces, and not a stub for type checkers.
        """
        definitions: dict[str, list[SymbolLocation]] = {}
        for qual, item in elements_of(self._graph.get(path)):
            if item["kind"] not in NAMED_TYPES:
                continue
            qualified_name, id = strip_counts(qual), f"{path}::{qual}"
            if name in (qualified_name, name_of(qualified_name)):
                location = SymbolLocation(
                    id, path, item["start_line"], item["end_line"]
                )
                definitions.setdefault(qualified_name, []).append(location)
        elements: list[SymbolLocation] = []
        for same_name in definitions.values():
            with_samples = [d for d in same_name if d.id in self._contexts]
            elements += with_samples or same_name
        return sorted(elements, key=lambda location: location.start_line or 0)

    def parameters(self, id: str) -> set[str]:
        row: Value = self._contexts.get(id) or {}
        return {entry[0].lstrip("*") for entry in row.get("params", ())}

    def text(self, path: str) -> str:
        """Return an analysed file's text; "" if its bytes are not available."""
        row = self._files.get(path)
        if not row or not row["language"]:
            return ""
        try:
            return self._read(row["blob"]).decode("utf-8", "replace")
        except KeyError:  # of a work tree
            return ""


def _files_in_module(module: str, paths: list[str]) -> list[str]:
    """Keep the files of a module, else those in a package, of this dotted name.

    The latter because an element of `click.core` is also called `click.Command`.
    """
    if not module:
        return paths
    of_module = [p for p in paths if f".{module_of(p)}".endswith(f".{module}")]
    return of_module or [p for p in paths if f".{module}." in f".{module_of(p)}."]


@dataclass(frozen=True, slots=True)
class _IndexedNames:
    """The names that exist, as a container that looks in the indexes."""

    lookup: SymbolLookup

    def __contains__(self, name: object) -> bool:
        text = str(name)
        return bool(self.lookup.files_defining(text) or self.lookup.module_files(text))
