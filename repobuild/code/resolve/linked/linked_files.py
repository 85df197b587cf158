"""Files whose names are linked by rules other than Python's, as they are looked up.

While a file is linked, every look at another file is noted as a term; the terms lie in
the graph's index under the file's path (graph.py, names.py). When a file changes, the
terms whose value differs are worked out from its old and new offers alone:

    has:PATH           the file is there, and which rules it follows
    i:PATH             what its imports and exports bind
    q:PATH:qual        a definition: what it is, its type, bases and fields
    go FOLDER          (who) files of a Go folder
    go FOLDER PKG f    (who) files that define f in a package of it
    java A.B           (who) files that define A.B
    c A.f              (who) files that define `A::f` for others to see
    c/ a.h             (who) files of this name
    go.mod M, cargo M  (who) manifests of this module or crate

A `who` term is asked without knowing who answers; those that do hold `own:` and the
term in the index.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from repobuild.code.facts.element_row import Bindings, ElementRow, row_of
from repobuild.code.resolve.python.modules import folder_of
from repobuild.code.scan.language import known
from repobuild.engine.contract import OwnTable, Table, Value

Offers = dict[str, Any]


def links_of(facts: Value | None) -> str:
    """Return by which rules a file is linked, "" when by none of these."""
    found = known().get(facts.get("language", "")) if facts else None
    return found.links if found else ""


class LinkedFile:
    """One file's facts, as names are looked up in it."""

    def __init__(self, path: str, facts: Value) -> None:
        self.path = path
        self.facts = facts
        self.links = links_of(facts)
        self.package = str(facts.get("package", ""))
        self.names: Bindings = facts.get("names", {})
        self.items: dict[str, list[Any]] = {i[0]: i for i in facts.get("elements", ())}
        self._rows: dict[str, ElementRow] = {}

    @property
    def place(self) -> str:
        """Return what the file shares its names with."""
        if self.links == "go":
            return f"go {folder_of(self.path)} {self.package}"
        return f"java {self.package}" if self.links == "java" else ""

    def row(self, qual: str) -> ElementRow:
        if qual not in self._rows:
            self._rows[qual] = row_of(self.items[qual])
        return self._rows[qual]

    def same(self, qual: str) -> list[str]:
        """Return a definition and the others of its name: `f`, `f#2`, ..."""
        found, number = [], 1
        while qual in self.items if number == 1 else f"{qual}#{number}" in self.items:
            found.append(qual if number == 1 else f"{qual}#{number}")
            number += 1
        return found


def offers(path: str, facts: Value | None) -> Offers:
    """Return every term that a file can change, with its value."""
    if not facts:
        return {}
    if facts.get("language") == "manifest":
        return {term: "" for term in _manifest(path, facts)}
    if not links_of(facts):
        return {}
    file = LinkedFile(path, facts)
    found: Offers = {f"has:{path}": file.links, f"i:{path}": file.names}
    for qual in file.items:
        first = qual.partition("#")[0]
        found.setdefault(f"q:{path}:{first}", []).append(_said(file.row(qual)))
    for term in whos(file):
        found[term] = ""
    return found


def _said(row: ElementRow) -> list[Any]:
    return [row.type, row.bases, row.returns, row.attrs, row.head.startswith("static ")]


def _manifest(path: str, facts: Value) -> list[str]:
    name, project = path.rpartition("/")[2], facts.get("project", {})
    if name == "go.mod" and project.get("name"):
        return [f"go.mod {project['name']}"]
    if name == "Cargo.toml" and project.get("name"):
        return [f"cargo {project['name'].replace('-', '_')}"]
    return []


def whos(file: LinkedFile) -> list[str]:
    """Return the terms that a file answers without being asked by its path."""
    quals = [qual for qual in file.items if "#" not in qual]
    if file.links == "go":
        place = file.place
        return [f"go {folder_of(file.path)}", *(f"{place} {qual}" for qual in quals)]
    if file.links == "java":
        types = [qual for qual in quals if file.items[qual][1] == "class"]
        return [f"java {file.package}.{qual}" for qual in types]
    if file.links == "c":
        return [f"c/ {file.path.rpartition('/')[2]}", *_seen_by_all(file, quals)]
    return []


def _seen_by_all(file: LinkedFile, quals: list[str]) -> list[str]:
    """Return what C's linker sees: what is not static."""
    rows = (file.row(qual) for qual in quals)
    return [f"c {row.qual}" for row in rows if not row.head.startswith("static ")]


class LinkedFiles:
    """The linked files of the repository, as of now; looks are noted in `terms`."""

    def __init__(
        self, facts: Table, changed: Mapping[str, Any], own: OwnTable, full: bool
    ) -> None:
        self.terms: set[str] = set()
        self._facts = facts
        self._changed = changed
        self._index = own.index
        self._full = full
        self._loaded: dict[str, LinkedFile | None] = {}
        self._who: dict[str, list[str]] = {}
        for path, (_, new) in changed.items():
            for term in self.own_terms(path, new):
                self._who.setdefault(term, []).append(path)

    def own_terms(self, path: str, facts: Value | None) -> list[str]:
        """Return the `who` terms that a file answers."""
        if not facts:
            return []
        if facts.get("language") == "manifest":
            return _manifest(path, facts)
        return whos(LinkedFile(path, facts)) if links_of(facts) else []

    def get(self, path: str) -> LinkedFile | None:
        """Return a file, unnoted."""
        if path not in self._loaded:
            change = self._changed.get(path)
            facts = change[1] if change else self._facts.get(path)
            self._loaded[path] = LinkedFile(path, facts) if links_of(facts) else None
        return self._loaded[path]

    def has(self, path: str) -> bool:
        self.terms.add(f"has:{path}")
        return self.get(path) is not None

    def names(self, path: str) -> Bindings:
        self.terms.add(f"i:{path}")
        file = self.get(path)
        return file.names if file else {}

    def same(self, path: str, qual: str) -> list[str]:
        """Return the definitions of a name in a file."""
        self.terms.add(f"q:{path}:{qual.partition('#')[0]}")
        file = self.get(path)
        return file.same(qual) if file else []

    def row(self, path: str, qual: str) -> ElementRow | None:
        self.terms.add(f"q:{path}:{qual.partition('#')[0]}")
        file = self.get(path)
        return file.row(qual) if file and qual in file.items else None

    def who(self, term: str) -> list[str]:
        """Return the files that answer a term, sorted."""
        self.terms.add(term)
        found = set(self._who.get(term, ()))
        if not self._full:
            found |= set(self._index.find("own:" + term)) - self._changed.keys()
        return sorted(found)
