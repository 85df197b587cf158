"""What stands where, as the state's tables know it: by index, for a few look-ups.

No look-up goes over a table: at 100,000 elements it costs what it costs at a hundred.
The files that hold a name are found by the index of `contexts`
(samples/contexts/display_names.py), a module by that of `graph`, suffixes, folders and
imports of the repository in the counts of the graph's project row
(code/graph/project.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import PROJECT, elements_of
from repobuild.code.scan.language import language_of
from repobuild.engine.contract import Table, Value
from repobuild.evaluate.scoring.mention_parser import KnownNames
from repobuild.samples.contexts.display_names import NAMED
from repobuild.samples.contexts.element_view import shown


@dataclass(frozen=True, slots=True)
class SymbolLocation:
    """Lines count from 1, both are of it; None in a file that is not analysed."""

    id: str
    path: str
    start_line: int | None
    end_line: int | None


class SymbolLookup:
    """The tables, and the project's languages; `read` gives the bytes of a blob, or
    raises `KeyError`."""

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
        endings = (n.removeprefix("type:.") for n in self._counts if "type:." in n)
        self.known = KnownNames(files, _Names(self), frozenset(endings))

    def holders(self, name: str) -> list[str]:
        """The files that hold an element of a bare or qualified name."""
        return self._contexts.index.find(f"name:{name}")

    def modules(self, name: str) -> list[str]:
        """The files of the modules of a last name."""
        return self._graph.index.find(f"mod:{name}")

    def is_source(self, suffix: str) -> bool:
        """Whether the files that are analysed end so."""
        return bool(language_of(f"x.{suffix}", self._languages, ()))

    def is_imported(self, top: str) -> bool:
        return f"import:{top}" in self._counts

    def is_folder(self, path: str) -> bool:
        start = f"folder:{path}"
        return any(n == start or n.startswith(f"{start}/") for n in self._counts)

    def file(self, path: str) -> SymbolLocation:
        node = (self._graph.get(path) or {}).get("", {})
        return SymbolLocation(path, path, node.get("start_line"), node.get("end_line"))

    def elements(self, path: str, name: str) -> list[SymbolLocation]:
        """The elements of a file that have a bare or qualified name.

        Of several definitions of one name it is the one that samples tell of: none
        that another replaces, and no stub for type checkers.
        """
        found: dict[str, list[SymbolLocation]] = {}
        for qual, item in elements_of(self._graph.get(path)):
            if item["kind"] not in NAMED:
                continue
            name_here, id = shown(qual), f"{path}::{qual}"
            if name in (name_here, name_of(name_here)):
                place = SymbolLocation(id, path, item["start_line"], item["end_line"])
                found.setdefault(name_here, []).append(place)
        told = [place for same in found.values() for place in self._told(same)]
        return sorted(told, key=lambda place: place.start_line or 0)

    def _told(self, same: list[SymbolLocation]) -> list[SymbolLocation]:
        return [place for place in same if place.id in self._contexts] or same

    def parameters(self, id: str) -> set[str]:
        row: Value = self._contexts.get(id) or {}
        return {entry[0].lstrip("*") for entry in row.get("params", ())}

    def text(self, path: str) -> str:
        """What an analysed file says, "" where its bytes are not at hand."""
        row = self._files.get(path)
        if not row or not row["language"]:
            return ""
        try:
            return self._read(row["blob"]).decode("utf-8", "replace")
        except KeyError:  # of a work tree
            return ""


@dataclass(frozen=True, slots=True)
class _Names:
    """The names there are, looked up one by one."""

    ground: SymbolLookup

    def __contains__(self, name: object) -> bool:
        text = str(name)
        return bool(self.ground.holders(text) or self.ground.modules(text))
