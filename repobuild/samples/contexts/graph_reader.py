"""Read facts and graph for the contexts; every row is read and decoded once.

An update looks incoming edges up in the graph's index, and reads no more files than a
bounded list needs. A full build would do that for every element, so it inverts all
edges in one pass. Both give the same lists, sorted by path and name.

A stub (`a.pyi`) beside its module (`a.py`) is not read: it declares for type checkers
what the module defines, so each of its elements would be another answer to a question
about the module's.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import split_id
from repobuild.code.graph.nodes import NO_ELEMENT, SEVERAL
from repobuild.code.scan.file_roles import is_test
from repobuild.engine.contract import Value, View
from repobuild.samples.contexts.docstring_uses import (
    BARE,
    NO_PURPOSE,
    adds_little,
    docstring_uses,
)
from repobuild.samples.contexts.element_view import (
    ElementView,
    read_elements,
    strip_counts,
)
from repobuild.samples.text.summary.next_paragraph import with_next_sentence
from repobuild.samples.text.summary.purpose import first_sentence_of

CONFIDENT = 0.5  # edges below this confidence are guesses; no sample uses them
LEVELS = 8  # levels of a class hierarchy that are followed
MOST_SUBCLASSES = 32  # of one class that are searched for overriding methods
# Lists of which a part is told from as many files as possible.
SPREAD_LISTS = ("callers", "readers", "subclasses")
_CACHED_FILES = 64  # files whose decoded rows are kept
_TEST_NAME = re.compile(r"(?:.*?\.)??test[^.]*|.*Test.*")
_PYTHON_TEST = re.compile(r"(?:.*?\.)??test[^.]*|.*Test[^.]*$")


def enclosing_test(id: str) -> str:
    """Return the test that contains an element of a test file, "" for a helper.

    Top-level code counts as a test: some languages write tests there. Python's runners
    collect functions: its top level marks and imports. A class whose name contains
    `Test` may have test methods of any name, but not in Python, whose runners collect
    `test...` only.
    """
    path, qual = split_id(id)
    is_python = path.endswith(".py")
    name = (_PYTHON_TEST if is_python else _TEST_NAME).match(qual)
    if name:
        return element_id(path, name[0])
    return "" if qual or is_python else path


def element_id(path: str, qual: str) -> str:
    """Return the id of an element, or with "" that of its file."""
    return f"{path}::{qual}" if qual else path


def spread(ids: Sequence[str], most: int) -> list[str]:
    """Return at most `most` ids in their order, from as many files as there are.

    The first ones would be those of the first files of the alphabet.
    """
    if len(ids) <= most:
        return list(ids)
    by_file: dict[str, list[str]] = {}
    for id in ids:
        by_file.setdefault(split_id(id)[0], []).append(id)
    files = list(by_file.values())
    if len(files) > most:
        files = [files[number * len(files) // most] for number in range(most)]
    rounds = zip_longest(*files)
    first = [id for one in rounds for id in one if id is not None][:most]
    return sorted(first, key=ids.index)


@dataclass(slots=True)
class FileEdgeLists:
    """The confident edges that leave one file's elements, in both directions."""

    # (qualified name of the source, kind) -> ids of the targets
    outgoing: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    # (id of the target, kind) -> ids of the sources
    incoming: dict[tuple[str, str], list[str]] = field(default_factory=dict)


def read_edges(path: str, row: Value) -> FileEdgeLists:
    """Read the confident edges of a file's graph row; `row` may be None."""
    edges = FileEdgeLists()
    for sub in sorted(row or ()):
        if " " in sub and _is_confident(sub, row[sub]):
            source, kind, target = sub.split(" ", 2)
            targets = edges.outgoing.setdefault((source[2:], kind), [])
            if kind == "contains" or not _is_repeated(target, targets):
                targets.append(target)
            edges.incoming.setdefault((target, kind), []).append(path + source)
    return edges


def _is_repeated(target: str, targets: list[str]) -> bool:
    """Return whether the target before is another definition of the same name.

    Of definitions in branches, of which one exists, samples tell of the first.
    """
    if "#" not in target or not targets:
        return False
    return strip_counts(targets[-1]) == strip_counts(target)


def edge_sources(path: str, row: Value, kind: str, id: str) -> Iterator[str]:
    """Yield the ids in a file's graph row that have an edge of this kind to `id`.

    Equals `read_edges(...).incoming` for one edge, without reading the others: to find
    the tests that call `unittest.TestCase`, 687 files that inherit from it are read.
    """
    end = f" {kind} {id}"
    for sub in sorted(sub for sub in row or () if sub.endswith(end)):
        source, edge_kind, target = sub.split(" ", 2)
        if (edge_kind, target) == (kind, id) and _is_confident(sub, row[sub]):
            yield path + source


def _is_confident(sub: str, item: Value) -> bool:
    """Return whether samples may tell of an edge.

    What a file does only when it is run as a program, to try itself out or as a script,
    makes nobody depend on anything.
    """
    if " contains " in sub or "main" in item:
        return False
    return bool(item.get("confidence", 1.0) >= CONFIDENT)


class GraphReader:
    """Facts and graph as of this update."""

    def __init__(self, view: View) -> None:
        self._graph = view.table("graph")
        self._facts = view.table("facts")
        self._elements: dict[str, dict[str, ElementView]] = {}
        self._rows: dict[str, Value] = {}
        self._edges: dict[str, FileEdgeLists] = {}
        self._sentences: dict[str, dict[str, str]] = {}
        self._open_callers: dict[str, list[str]] = {}
        self._open_calls: dict[str, set[str]] = {}
        self._stub_docs: dict[str, set[str]] = {}
        self._incoming = self._invert_edges() if view.full else None

    def facts(self, path: str) -> Value:
        """Return the facts row of a file, empty when it has none."""
        if path not in self._rows:
            _evict_oldest(self._rows)
            facts = None if self.is_shadowed(path) else self._facts.get(path)
            self._rows[path] = facts or {}
        return self._rows[path]

    def is_shadowed(self, path: str) -> bool:
        """Return whether a file is the stub of a module."""
        return path.endswith(".pyi") and path[:-1] in self._facts

    def is_documented_in_stub(self, id: str) -> bool:
        """Return whether the stub beside a module has a docstring for an element."""
        path, qual = split_id(id)
        stub = f"{path}i"
        if not path.endswith(".py") or stub not in self._facts:
            return False
        if stub not in self._stub_docs:
            _evict_oldest(self._stub_docs)
            elements = read_elements(self._facts.get(stub), stub)
            self._stub_docs[stub] = documented(elements)
        return qual in self._stub_docs[stub]

    def elements(self, path: str) -> dict[str, ElementView]:
        """Return the elements of a file by qualified name, in source order."""
        if path not in self._elements:
            _evict_oldest(self._elements)
            self._elements[path] = read_elements(self.facts(path), path)
        return self._elements[path]

    def exists(self, id: str) -> bool:
        path, qual = split_id(id)
        return qual in self.elements(path)

    def runs(self, id: str) -> bool:
        """Return whether code exists under this id, and at run time, too."""
        path, qual = split_id(id)
        element = self.elements(path).get(qual)
        return element is not None and not element.is_for_types

    def sentence(self, id: str) -> str:
        """Return the first sentence of an element's docstring."""
        path, qual = split_id(id)
        if path not in self._sentences:
            elements = self.elements(path)
            self._sentences[path] = first_sentences(elements, docstring_uses(elements))
        return self._sentences[path].get(qual, "")

    def edges(self, path: str) -> FileEdgeLists:
        if path not in self._edges:
            _evict_oldest(self._edges)
            row = None if self.is_shadowed(path) else self._graph.get(path)
            self._edges[path] = read_edges(path, row)
        return self._edges[path]

    def outgoing(self, id: str, kind: str) -> list[str]:
        """Return the targets of an element's edges of one kind."""
        path, qual = split_id(id)
        return self.edges(path).outgoing.get((qual, kind), [])

    def incoming(self, id: str, kind: str, tests: bool | None = None) -> Iterator[str]:
        """Yield the sources of edges to `id` by path and name; rows are read lazily.

        `tests=True` keeps only sources in test files, `tests=False` only the others.
        """
        if self._incoming is not None:
            for source in self._incoming.get((id, kind), ()):
                if tests is None or is_test(split_id(source)[0]) == tests:
                    yield source
            return
        paths = set(self._graph.index.find(f"in:{kind} {id}"))
        for path in sorted(paths | {split_id(id)[0]}):
            if self.is_shadowed(path):
                continue
            if tests is None or is_test(path) == tests:
                yield from edge_sources(path, self._graph.get(path), kind, id)

    def binding_classes(self, element: ElementView) -> list[str]:
        """Return the classes whose bodies make a function of a module their method."""
        if not element.takes_self:
            return []
        found: list[str] = []
        for source in self.incoming(element.id, "uses", tests=False):
            path, qual = split_id(source)
            owner = self.elements(path).get(qual)
            if owner is not None and owner.type == "class":
                found += [source] if owner.binds(element.name) else []
        return found

    def returned_coroutines(self, element: ElementView, levels: int = 2) -> set[str]:
        """Return the names of what an element calls for others to await.

        That is a coroutine, or a function that returns what one gives in turn.
        """
        names = element.returned_calls()
        found: set[str] = set()
        for id in self.outgoing(element.id, "calls") if names else ():
            path, qual = split_id(id)
            # Its file is read for what has one of the names alone.
            named = name_of(qual) in names
            callee = self.elements(path).get(qual) if named else None
            if callee is None:
                continue
            if callee.is_coroutine or (
                levels > 1 and self.returned_coroutines(callee, levels - 1)
            ):
                found.add(callee.name)
        return found

    def open_callers(self, name: str) -> list[str]:
        """Return the files that call a method of this name on an unknown object."""
        if name not in self._open_callers:
            self._open_callers[name] = self._graph.index.find(f"open:{name}")
        return self._open_callers[name]

    def is_looked_up(self, name: str) -> bool:
        """Return whether code outside of tests may reach a name by a table."""
        paths = self._graph.index.find(f'open:"{name}"')
        return not all(map(is_test, paths))

    def open_calls(self, path: str) -> set[str]:
        """Return the methods that a file calls on objects of unknown class."""
        if path not in self._open_calls:
            _evict_oldest(self._open_calls)
            self._open_calls[path] = set(self._file_node(path).get("open_calls", ()))
        return self._open_calls[path]

    def calls_several(self, path: str, name: str) -> bool:
        """Return whether a file calls a method on what is of one of several classes."""
        return f"{SEVERAL}{name}" in self.open_calls(path)

    def calls_no_element(self, path: str, name: str) -> bool:
        """Return whether a file calls a name of the project that has no element."""
        return f"{NO_ELEMENT}{name}" in self.open_calls(path)

    def unread_imports(self, path: str) -> list[str]:
        """Return the relative imports of a file whose modules are not analysed."""
        return list(self._file_node(path).get("unread_imports", ()))

    def _file_node(self, path: str) -> Value:
        return (self._graph.get(path) or {}).get("", {})

    def ancestors(self, id: str) -> Iterator[str]:
        """Yield the base classes, nearest first."""
        yield from self._follow(id, lambda one: self.outgoing(one, "inherits"))

    def descendants(self, id: str) -> Iterator[str]:
        """Yield the subclasses, nearest first."""
        yield from self._follow(id, lambda one: list(self.incoming(one, "inherits")))

    def nearest_subclasses(self, id: str) -> list[str]:
        """Return the nearest subclasses outside of tests, by level, path and name.

        There are `MOST_SUBCLASSES` at most: a class like `object` has hundreds, and
        each of them is a file to read.
        """
        subclasses: list[str] = []
        level = [id]
        for _ in range(LEVELS):
            below = (
                subclass
                for one in level
                for subclass in islice(
                    self.incoming(one, "inherits", tests=False), MOST_SUBCLASSES
                )
            )
            level = [
                new for new in dict.fromkeys(below) if new not in (id, *subclasses)
            ]
            subclasses += level
            if not level or len(subclasses) >= MOST_SUBCLASSES:
                break
        return subclasses[:MOST_SUBCLASSES]

    def _follow(self, id: str, step: Callable[[str], list[str]]) -> Iterator[str]:
        """Yield what `step` reaches from an id, breadth first, `LEVELS` levels deep."""
        seen, level = {id}, [id]
        for _ in range(LEVELS):
            level = [new for one in level for new in step(one) if new not in seen]
            level = list(dict.fromkeys(level))
            seen.update(level)
            yield from level

    def _invert_edges(self) -> dict[tuple[str, str], list[str]]:
        """Return the sources of all edges by (id of the target, kind)."""
        inverted: dict[tuple[str, str], list[str]] = defaultdict(list)
        for path, row in self._graph.items():
            if self.is_shadowed(path):
                continue
            for key, sources in read_edges(path, row).incoming.items():
                inverted[key] += sources
        return inverted


def first_sentences(
    elements: Mapping[str, ElementView], uses: Mapping[str, str]
) -> dict[str, str]:
    """Return the first sentence of each docstring that is its own, by name.

    One that says little more than the name is followed by the next sentence, if any.
    One that says no more is none without it.
    """
    told = {}
    for qual, element in elements.items():
        use = uses.get(qual)
        if not element.doc or (use in NO_PURPOSE and use != BARE):
            continue
        sentence = text = first_sentence_of(element.doc)
        if use == BARE or adds_little(element, sentence):
            text = with_next_sentence(element.doc, sentence)
        if use != BARE or text != sentence:
            told[qual] = text
    return told


def documented(elements: dict[str, ElementView]) -> set[str]:
    """Return the qualified names of those with a docstring."""
    return {qual for qual, element in elements.items() if element.doc}


def _evict_oldest(cached: dict[str, Value]) -> None:
    """Drop the file that was read first when the cache is full."""
    if len(cached) >= _CACHED_FILES:
        del cached[next(iter(cached))]
