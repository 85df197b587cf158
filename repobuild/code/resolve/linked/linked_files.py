"""Look up definitions in the files that are linked by rules other than Python's.

`LinkedFiles` records every lookup of another file as a term; see linked_terms.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from repobuild.code.facts.element_row import Bindings, ElementRow, row_of
from repobuild.code.scan.language import all_languages
from repobuild.engine.contract import Change, Index, Table, Value

_TYPE = ElementRow._fields.index("type")


def links_of(facts: Value | None) -> str:
    """Return the link rules that a file follows (`links` in its language), or ""."""
    language = all_languages().get(facts.get("language", "")) if facts else None
    return language.links if language else ""


class LinkedFile:
    """One file's facts, as names are looked up in it.

    `items` holds the elements as they are stored, by qualified name.
    """

    def __init__(self, path: str, facts: Value) -> None:
        self.path = path
        self.facts = facts
        self.links = links_of(facts)
        self.package = str(facts.get("package", ""))
        self.names: Bindings = facts.get("names", {})
        self.items: dict[str, list[Any]] = {
            item[0]: item for item in facts.get("elements", ())
        }
        self._rows: dict[str, ElementRow] = {}
        self._definitions: dict[str, list[str]] = {}

    def row(self, qual: str) -> ElementRow:
        if qual not in self._rows:
            self._rows[qual] = row_of(self.items[qual])
        return self._rows[qual]

    def type_of(self, qual: str) -> str:
        """Return an element's type (function, method, class), "" when there is none."""
        item = self.items.get(qual)
        return str(item[_TYPE]) if item is not None else ""

    def definitions(self, qual: str) -> list[str]:
        """Return the definitions of a name: `f`, `f#2`, ..."""
        known = self._definitions.get(qual)
        if known is not None:
            return known
        quals: list[str] = []
        name = qual
        while name in self.items:
            quals.append(name)
            name = f"{qual}#{len(quals) + 1}"
        self._definitions[qual] = quals
        return quals


class LinkedFiles:
    """The linked files in their current state; lookups are recorded in `terms`.

    `answers` holds the `who` terms of the changed files, each with its paths; `index`
    those of all others, and is None in a full build.
    """

    def __init__(
        self,
        facts: Table,
        changed: Mapping[str, Change],
        answers: Mapping[str, list[str]],
        index: Index | None,
    ) -> None:
        self.terms: set[str] = set()
        self._facts = facts
        self._changed = changed
        self._answers = answers
        self._index = index
        self._loaded: dict[str, LinkedFile | None] = {}

    def get(self, path: str) -> LinkedFile | None:
        """Return a file without recording a term."""
        if path not in self._loaded:
            change = self._changed.get(path)
            facts = change[1] if change else self._facts.get(path)
            is_linked = links_of(facts) != ""
            self._loaded[path] = LinkedFile(path, facts) if is_linked else None
        return self._loaded[path]

    def has(self, path: str) -> bool:
        self.terms.add(f"has:{path}")
        return self.get(path) is not None

    def names(self, path: str) -> Bindings:
        """Return what a file's imports and exports bind."""
        self.terms.add(f"i:{path}")
        file = self.get(path)
        return file.names if file else {}

    def definitions(self, path: str, qual: str) -> list[str]:
        """Return the definitions of a name in a file."""
        self.terms.add(f"q:{path}:{qual.partition('#')[0]}")
        file = self.get(path)
        return file.definitions(qual) if file else []

    def row(self, path: str, qual: str) -> ElementRow | None:
        self.terms.add(f"q:{path}:{qual.partition('#')[0]}")
        file = self.get(path)
        return file.row(qual) if file and qual in file.items else None

    def who(self, term: str) -> list[str]:
        """Return the paths of the files that answer a term, sorted."""
        self.terms.add(term)
        paths = set(self._answers.get(term, ()))
        if self._index is not None:
            paths |= set(self._index.find("own:" + term)) - self._changed.keys()
        return sorted(paths)
