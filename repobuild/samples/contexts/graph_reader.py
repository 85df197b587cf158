"""What contexts read of facts and graph, each row read and decoded once.

An update looks incoming edges up in the graph's index and reads no more files than it
needs for a bounded list. A full build would ask that of every element, so it turns all
edges round in one pass; both give the same lists, sorted by path and name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice

from repobuild.engine.contract import Value, View
from repobuild.samples.contexts.element_view import ElementView, elements
from repobuild.samples.text.docstring_parts import SENTENCE, sentence, summary

CONFIDENT = 0.5  # edges below are guesses, no sample tells them
LEVELS = 8  # of a class hierarchy that are followed
_KEPT = 64  # files whose elements are kept decoded
HEIRS = 32  # subclasses of a class that are looked at for what they override
_TEST = re.compile(
    r"(^|/)(tests?|testing|__tests__)/"
    r"|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$"
    r"|_test\.go$|\.(test|spec)\.[jt]sx?$|Tests?\.java$|_(unit)?test\.(cc|cpp|cxx|c)$"
)
_CASE = re.compile(r"(?:.*?\.)??test[^.]*|.*Test.*")


@cache
def is_test(path: str) -> bool:
    return bool(_TEST.search(path))


def case_of(id: str) -> str:
    """The test that an element of a test file is or stands in, "" when in none.

    What tests are made with is no test; what stands at the top of a file may be one,
    for some languages write them so. A class of tests has methods of any name.
    """
    path, qual = parted(id)
    found = _CASE.match(qual)
    return made_id(path, found[0]) if found else "" if qual else path


def parted(id: str) -> tuple[str, str]:
    """(path, qualified name); the name is "" for a file."""
    path, _, qual = id.partition("::")
    return path, qual


def made_id(path: str, qual: str) -> str:
    return f"{path}::{qual}" if qual else path


@dataclass(slots=True)
class FileEdgeLists:
    """The edges that leave one file's elements, both ways round."""

    out: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    into: dict[tuple[str, str], list[str]] = field(default_factory=dict)


def edges_of(path: str, row: Value) -> FileEdgeLists:
    """Read the confident edges out of a file's graph row."""
    edges = FileEdgeLists()
    for sub in sorted(row or ()):
        if " " in sub and _is_sure(sub, row[sub]):
            source, kind, target = sub.split(" ", 2)
            edges.out.setdefault((source[2:], kind), []).append(target)
            edges.into.setdefault((target, kind), []).append(path + source)
    return edges


def sources(path: str, row: Value, kind: str, id: str) -> Iterator[str]:
    """Read out of a file's graph row who has an edge of this kind to `id`.

    As `edges_of(...).into` for one edge, without reading all others: who asks which
    tests call `unittest.TestCase` looks through 687 files that inherit from it.
    """
    end = f" {kind} {id}"
    for sub in sorted(sub for sub in row or () if sub.endswith(end)):
        source, found, target = sub.split(" ", 2)
        if (found, target) == (kind, id) and _is_sure(sub, row[sub]):
            yield path + source


def _is_sure(sub: str, item: Value) -> bool:
    return " contains " not in sub and item.get("confidence", 1.0) >= CONFIDENT


class GraphReader:
    """Facts and graph as of now."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._graph = view.table("graph")
        self._facts = view.table("facts")
        self._elements: dict[str, dict[str, ElementView]] = {}
        self._rows: dict[str, Value] = {}
        self._edges: dict[str, FileEdgeLists] = {}
        self._sentences: dict[str, dict[str, str]] = {}
        self._turned = self._turned_round() if view.full else None

    def facts(self, path: str) -> Value:
        if path not in self._rows:
            _make_room(self._rows)
            self._rows[path] = self._facts.get(path) or {}
        return self._rows[path]

    def elements(self, path: str) -> dict[str, ElementView]:
        """The elements of a file by qualified name, in source order."""
        if path not in self._elements:
            _make_room(self._elements)
            self._elements[path] = elements(self.facts(path), path)
        return self._elements[path]

    def sentence(self, id: str) -> str:
        """The first sentence that an element says of itself."""
        path, qual = parted(id)
        if path not in self._sentences:
            self._sentences[path] = sentences(self.elements(path))
        return self._sentences[path].get(qual, "")

    def edges(self, path: str) -> FileEdgeLists:
        if path not in self._edges:
            _make_room(self._edges)
            self._edges[path] = edges_of(path, self._graph.get(path))
        return self._edges[path]

    def outgoing(self, id: str, kind: str) -> list[str]:
        path, qual = parted(id)
        return self.edges(path).out.get((qual, kind), [])

    def incoming(self, id: str, kind: str, tests: bool | None = None) -> Iterator[str]:
        """Who has an edge to `id`, by path and name; read lazily.

        With `tests`, only from files of tests, or only from others.
        """
        if self._turned is not None:
            for source in self._turned.get((id, kind), ()):
                if tests is None or is_test(parted(source)[0]) == tests:
                    yield source
            return
        paths = set(self._graph.index.find(f"in:{kind} {id}"))
        for path in sorted(paths | {parted(id)[0]}):
            if tests is None or is_test(path) == tests:
                yield from sources(path, self._graph.get(path), kind, id)

    def exists(self, id: str) -> bool:
        path, qual = parted(id)
        return qual in self.elements(path)

    def ancestors(self, id: str) -> Iterator[str]:
        """Base classes, nearest first."""
        yield from self._closure(id, self._bases)

    def descendants(self, id: str) -> Iterator[str]:
        """Subclasses, nearest first."""
        yield from self._closure(id, self._subclasses)

    def heirs(self, id: str) -> list[str]:
        """The nearest subclasses outside of tests, by level, path and name; `HEIRS`
        at most: `object`-like classes have hundreds, and each is a file to read."""
        found: list[str] = []
        level = [id]
        for _ in range(LEVELS):
            below = (new for one in level for new in self._heirs_of(one))
            level = [new for new in dict.fromkeys(below) if new not in (id, *found)]
            found += level
            if not level or len(found) >= HEIRS:
                break
        return found[:HEIRS]

    def _heirs_of(self, id: str) -> Iterator[str]:
        return islice(self.incoming(id, "inherits", tests=False), HEIRS)

    def _bases(self, id: str) -> list[str]:
        return self.outgoing(id, "inherits")

    def _subclasses(self, id: str) -> list[str]:
        return list(self.incoming(id, "inherits"))

    def _closure(self, id: str, step: Callable[[str], list[str]]) -> Iterator[str]:
        seen, level = {id}, [id]
        for _ in range(LEVELS):
            level = [new for one in level for new in step(one) if new not in seen]
            level = list(dict.fromkeys(level))
            seen.update(level)
            yield from level

    def _turned_round(self) -> dict[tuple[str, str], list[str]]:
        turned: dict[tuple[str, str], list[str]] = defaultdict(list)
        for path, row in self._graph.items():
            for key, sources in edges_of(path, row).into.items():
                turned[key] += sources
        return turned


def sentences(found: dict[str, ElementView]) -> dict[str, str]:
    return {
        qual: sentence(summary(element.doc, SENTENCE * 2))
        for qual, element in found.items()
        if element.doc
    }


def _make_room(kept: dict[str, Value]) -> None:
    """Forget the file that was read first."""
    if len(kept) >= _KEPT:
        del kept[next(iter(kept))]
