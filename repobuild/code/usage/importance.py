"""Make the `importance` table: how important each element is, from its use.

A row is a file: `{sub: score}`, as in the graph: "" is the file, "::qual" an element.
A score is in [0, 1], one of 16 levels, so that it rarely changes. From few to many:

    use         log2(1 + files outside of tests that call, import, inherit or use it)
                + 0.5 log2(1 + test files that do)
                + 0.7 log2(1 + documents that name it)
    exported    + 1 when its module's `__all__` or the package's `__init__` names it
    within      + half of the use of the class around it; of a top-level element, an
                eighth of that of its file
    documents   4 for a README, 1 for any other and for each of its sections
    private     halved when a name on the way to it begins with `_`; a fifth for tests,
                a third for functions within functions

and the score is `use / (use + 4)`. Everything is local: a row depends on the edges that
lead to the file, on the file itself and on documents that name its elements. A rank
over the whole graph (PageRank) was rejected: one new call changes every row.

An update computes the elements of changed files, the targets of changed edges with what
they contain, and the elements whose names changed documents hold. The index holds,
under a file's path, `name:NAME` for each element in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from math import log2

from repobuild.code.facts.element_row import name_of, parent_of
from repobuild.code.graph.graph import PROJECT, elements_of
from repobuild.code.graph.nodes import edge_key, split_id
from repobuild.code.scan.file_roles import is_test
from repobuild.code.scan.language import DOCUMENTS
from repobuild.engine.contract import Table, Value, View

LEVELS = 15  # steps between 0 and 1
_HALF = 4.0  # the use at which the score is 0.5
_TEST, _DOCUMENT, _EXPORTED = 0.5, 0.7, 1.0
_IN_CLASS, _IN_FILE = 0.5, 0.125
_PRIVATE, _OF_TESTS, _NESTED = 0.5, 0.2, 1 / 3
_READ = ("all", "language")  # fields of facts
_REFERENCES = ("calls", "imports", "inherits", "uses")
_README = re.compile(r"readme[^/]*$", re.IGNORECASE)
_USE_OF_README, _USE_OF_DOCUMENT = 4.0, 1.0


def importance(view: View) -> None:
    """Bring the scores of everything whose use changed up to date."""
    counter = UseCounter(view)
    for path, quals in sorted(_affected(view).items()):
        _write(view, counter, path, quals)


def score_of(table: Table, id: str) -> float:
    """Return the importance of an element, a file or the project; 0 of what is gone."""
    if id == PROJECT:
        return 1.0
    path, qual = split_id(id)
    row = table.get(path) or {}
    return float(row.get(f"::{qual}" if qual else "", 0.0))


def changed_ids(view: View) -> Iterator[str]:
    """Yield the ids whose score changed, for a view that reads the table."""
    for path, (old, new) in view.changes("importance").items():
        before, after = old or {}, new or {}
        for sub in sorted({*before, *after}):
            if before.get(sub) != after.get(sub):
                yield path + sub


def _affected(view: View) -> dict[str, set[str] | None]:
    """Return the qualified names to compute by path; None for all of a file's."""
    changes = view.changes("graph")
    if view.full:
        return dict.fromkeys(changes.keys() - {PROJECT})
    affected: dict[str, set[str] | None] = {}
    for path, (old, new) in changes.items():
        if path != PROJECT and _kinds_of(old) != _kinds_of(new):
            affected[path] = None
    for path, (old, new) in view.changes("facts").items():
        if any((old or {}).get(name) != (new or {}).get(name) for name in _READ):
            affected[path] = None
    targets = {key for change in changes.values() for key in _changed_targets(*change)}
    for id in (*targets, *_newly_named(view)):
        path, qual = split_id(id)
        if (quals := affected.setdefault(path, set())) is None:
            continue
        if qual:
            quals.add(qual)
        else:
            affected[path] = None  # its elements depend on the use of the file
    return affected


def _kinds_of(row: Value) -> dict[str, Value]:
    """Return what a score reads of a graph row: its edges, and each element's kind."""
    return {sub: item.get("kind") for sub, item in (row or {}).items()}


def _changed_targets(old: Value, new: Value) -> Iterator[str]:
    """Yield the ids to which a file's edges were added or removed."""
    for sub in (old or {}).keys() ^ (new or {}).keys():
        key = edge_key(sub)
        if key and key.kind in _REFERENCES:
            yield key.target


def _newly_named(view: View) -> Iterator[str]:
    """Yield the elements whose names a changed document holds now, or held before."""
    names = {
        dotted.rpartition(".")[2]
        for old, new in view.changes("documents").values()
        for dotted in {*_names_of(old or {})} ^ {*_names_of(new or {})}
    }
    for name in sorted(names):
        for path in view.own.index.find(f"name:{name}"):
            for qual, _ in elements_of(view.table("graph").get(path)):
                if name_of(qual) == name:
                    yield f"{path}::{qual}"


def _write(
    view: View, counter: UseCounter, path: str, quals: Iterable[str] | None
) -> None:
    """Put a file's row with these elements, or all of them, computed again."""
    nodes = view.table("graph").get(path)
    if not nodes:
        if not view.full:
            view.own.drop(path)
        return
    known = {} if quals is None else dict(view.own.get(path) or {})
    scorer = FileScorer(path, nodes, view.table("facts").get(path) or {}, counter)
    names = set()
    for qual, _ in elements_of(nodes):
        names.add(name_of(qual))
        if quals is None or not {qual, parent_of(qual)}.isdisjoint(quals):
            known[f"::{qual}"] = scorer.score(qual)
    if quals is None:
        known[""] = scorer.score("")
        view.own.index.set(path, [f"name:{name}" for name in sorted(names)])
    view.own.put(path, dict(sorted(known.items())))


class FileScorer:
    """Scores the elements of one file; the use of each is counted once."""

    def __init__(
        self, path: str, nodes: Value, facts: Value, counter: UseCounter
    ) -> None:
        self._path = path
        self._kinds = {qual: str(item["kind"]) for qual, item in elements_of(nodes)}
        self._exported = frozenset(facts.get("all") or ())
        self._counter = counter
        self._own_use: dict[str, float] = {}
        self._is_document = facts.get("language") in DOCUMENTS
        # Who refers to what within the file: the graph's index names other files only.
        own = (key for sub in nodes if (key := edge_key(sub)))
        self._within = {
            key.target
            for key in own
            if key.kind in _REFERENCES and key.target != path + key.source
        }

    def score(self, qual: str) -> float:
        use = self._use(qual)
        if qual and not self._is_document:
            container = parent_of(qual)
            share = _IN_CLASS if container else _IN_FILE
            use += share * self._use(container if container in self._kinds else "")
            if container and self._kinds.get(container) not in ("class", None):
                use *= _NESTED
        if is_test(self._path):
            use *= _OF_TESTS
        elif _is_private(self._path, qual):
            use *= _PRIVATE
        return round(round(use / (use + _HALF) * LEVELS) / LEVELS, 2)

    def _use(self, qual: str) -> float:
        if qual not in self._own_use:
            self._own_use[qual] = self._count_use(qual)
        return self._own_use[qual]

    def _count_use(self, qual: str) -> float:
        if self._is_document:
            is_readme = _README.match(self._path) is not None
            return _USE_OF_README if is_readme else _USE_OF_DOCUMENT
        id = f"{self._path}::{qual}" if qual else self._path
        paths = self._counter.referring(id)
        tests = sum(map(is_test, paths))
        others = len(paths) - tests + (bool(qual) and id in self._within)
        use = log2(1 + others) + _TEST * log2(1 + tests)
        if qual:
            use += _DOCUMENT * log2(1 + self._counter.naming(name_of(qual), qual))
            by_package = any(path.endswith("__init__.py") for path in paths)
            use += _EXPORTED * (qual in self._exported or by_package)
        return use


def _is_private(path: str, qual: str) -> bool:
    """Return whether a name on the way to an element begins with an underscore."""
    parts = [*path.split("/"), *qual.split(".")]
    return any(part[:1] == "_" and part[:2] != "__" for part in parts)


class UseCounter:
    """Counts the files and documents that refer to an element.

    A full build counts all edges in one pass, an update asks the indexes.
    """

    def __init__(self, view: View) -> None:
        self._graph, self._documents = view.table("graph"), view.table("documents")
        self._paths: dict[str, set[str]] | None = None
        self._naming: dict[str, set[str]] = {}
        if view.full:
            self._paths = _referring_paths(self._graph)

    def referring(self, id: str) -> set[str]:
        """Return the other files with an edge to an element or a file."""
        if self._paths is not None:
            return self._paths.get(id, set())
        find = self._graph.index.find
        return {path for kind in _REFERENCES for path in find(f"in:{kind} {id}")}

    def naming(self, name: str, qual: str) -> int:
        """Count the documents that name an element; a method by its class as well."""
        paths = self._documents_with(name)
        if "." not in qual or not paths:
            return len(paths)
        owner = name_of(parent_of(qual))
        rows = (self._documents.get(path) or {} for path in paths)
        return sum(
            any(_is_named(one, owner, name) for one in _names_of(row)) for row in rows
        )

    def _documents_with(self, name: str) -> set[str]:
        if name not in self._naming:
            find = self._documents.index.find
            self._naming[name] = {*find(f"m:{name}"), *find(f"c:{name}")}
        return self._naming[name]


def _names_of(row: Value) -> Iterator[str]:
    yield from row.get("mentions", ())
    yield from row.get("calls", ())


def _is_named(dotted: str, owner: str, name: str) -> bool:
    return f".{dotted}".endswith(f".{owner}.{name}")


def _referring_paths(graph: Table) -> dict[str, set[str]]:
    """Return the other files with an edge to each id, as the graph's index has them."""
    paths: dict[str, set[str]] = {}
    for path, row in graph.items():
        if path == PROJECT:
            continue
        for sub in row:
            key = edge_key(sub)
            if key and key.kind in _REFERENCES and split_id(key.target)[0] != path:
                paths.setdefault(key.target, set()).add(path)
    return paths
