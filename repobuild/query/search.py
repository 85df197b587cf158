"""Find nodes by words: names, paths and features, in an index of SQLite's FTS5.

Fields and weights: name 8, features 4, qualified name 3, area 2, path 1. Identifiers
are split and abbreviations written out, so "config" finds `cfg_path`; English endings
are stemmed. Where nothing is found, the names nearest by spelling are.

The index is in memory and made when it is first asked: 20,000 nodes take 0.4 s. A
server keeps it: after a build only the files of which a row or an area's label changed
are indexed again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

from rapidfuzz import fuzz, process

from repobuild.code.areas.area_map import AreaMap
from repobuild.code.facts.element_row import name_of
from repobuild.code.features.phrase import words_of
from repobuild.code.graph.graph import elements_of
from repobuild.code.graph.nodes import split_id
from repobuild.code.scan.file_roles import is_test
from repobuild.engine.contract import Table, Value

_WEIGHTS = (8.0, 3.0, 4.0, 2.0, 1.0)
_COLUMNS = ("name", "qualified", "features", "area", "path")
_DEMOTED = 0.5  # tests
_ALIKE = 70.0  # of 100, least likeness of a name that is spelt otherwise
_MOST = 200  # rows that are ranked


class Hit(NamedTuple):
    """A node that was found; a higher score is better."""

    id: str
    score: float


class Features(Protocol):
    """The rows of what code is for."""

    def get(self, path: str) -> Value | None: ...

    def digests(self) -> Iterator[tuple[str, bytes]]: ...


class _Row(NamedTuple):
    """A node's bare name, and its id and fields."""

    name: str
    fields: tuple[str, ...]


class _IndexedFile(NamedTuple):
    """What a file's rows were made from, their numbers, and the names of its nodes."""

    marks: tuple[bytes, str]  # digests of graph and features, labels of its areas
    rows: list[int]
    names: dict[str, str]  # id -> name


class SearchIndex:
    """Full-text search over nodes: every element, every file, and the hierarchy."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute(
            f"CREATE VIRTUAL TABLE node USING fts5(id UNINDEXED, {', '.join(_COLUMNS)},"
            " tokenize = 'porter unicode61')"
        )
        self._names: dict[str, str] = {}  # id -> name, of files and the hierarchy
        self._files: dict[str, _IndexedFile] = {}
        self._nodes: list[int] = []  # rows of the hierarchy

    def update(
        self,
        graph: Table,
        features: Features,
        areas: AreaMap,
        labels: Mapping[str, str],
    ) -> int:
        """Index what changed since the last update; return how many files that are.

        `labels` are those of the nodes of the hierarchy, as they are shown.
        """
        words = {id: " ".join(words_of(label)) for id, label in labels.items()}
        known, changed = dict(features.digests()), 0
        before, self._files = self._files, {}
        for path, digest in graph.digests():
            if path.startswith("@"):
                continue
            file = areas.files.get(path)
            area = " ".join(words[id] for id in areas.line(file.node)) if file else ""
            marks = digest + known.get(path, b""), area
            old = before.pop(path, None)
            if old and old.marks == marks:
                self._files[path] = old
                continue
            if old:
                self._forget(old.rows)
            rows = [*_rows(path, graph.get(path), features.get(path) or {}, area)]
            numbers = self._insert(row.fields for row in rows)
            names = {row.fields[0]: row.name for row in rows}
            self._files[path] = _IndexedFile(marks, numbers, names)
            changed += 1
        for old in before.values():
            self._forget(old.rows)
        self._forget(self._nodes)
        self._nodes = self._insert((id, words[id], "", "", "", "") for id in labels)
        self._names = {
            id: name for file in self._files.values() for id, name in file.names.items()
        }
        self._names.update(labels)
        for cached in ("_by_spelling", "_by_name"):
            self.__dict__.pop(cached, None)
        return changed + len(before)

    def _insert(self, rows: Iterable[tuple[str, ...]]) -> list[int]:
        """Add rows; return their numbers."""
        marked = ", ".join("?" * (1 + len(_COLUMNS)))
        insert = f"INSERT INTO node VALUES ({marked})"
        return [int(self._database.execute(insert, r).lastrowid or 0) for r in rows]

    def _forget(self, numbers: Iterable[int]) -> None:
        self._database.executemany(
            "DELETE FROM node WHERE rowid = ?", [(number,) for number in numbers]
        )

    def find(
        self,
        terms: Sequence[str],
        feature_terms: Sequence[str] = (),
        name_terms: Sequence[str] = (),
    ) -> list[Hit]:
        """Return the nodes with these terms, the best first; any of them counts.

        `feature_terms` are looked for in features and labels only, `name_terms` in
        names and paths only.
        """
        parts = [
            _query(terms),
            _within("features area", feature_terms),
            _within("name qualified path", name_terms),
        ]
        query = " OR ".join(filter(None, parts))
        if not query:
            return []
        weights = ", ".join(map(str, (0.0, *_WEIGHTS)))
        rows = self._database.execute(
            f"SELECT id, -bm25(node, {weights}) FROM node WHERE node MATCH ? "
            f"ORDER BY bm25(node, {weights}) LIMIT {_MOST}",
            (query,),
        )
        exact = {
            term.strip("`() ").rpartition(".")[2] for term in (*terms, *name_terms)
        }
        hits = [Hit(id, self._weighed(id, score, exact)) for id, score in rows]
        return sorted(hits, key=_by_score) or self._fuzzy(
            [*terms, *feature_terms, *name_terms]
        )

    def _weighed(self, id: str, score: float, exact: set[str]) -> float:
        score *= _DEMOTED if is_test(split_id(id)[0]) else 1.0
        return round(score * (2.0 if self._names.get(id) in exact else 1.0), 3)

    def _fuzzy(self, terms: Sequence[str]) -> list[Hit]:
        """Return the nodes whose names are spelt most like the terms."""
        found: dict[str, float] = {}
        for term in terms:
            wanted = "".join(words_of(term))
            for name, score, _ in process.extract(
                wanted, list(self._by_spelling), scorer=fuzz.ratio, limit=10
            ):
                if score >= _ALIKE:
                    for id in self._by_spelling[name]:
                        found[id] = max(found.get(id, 0.0), round(score / 100, 3))
        return sorted((Hit(*item) for item in found.items()), key=_by_score)

    @cached_property
    def _by_spelling(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for id, name in self._names.items():
            found.setdefault("".join(words_of(name)), []).append(id)
        return found

    def named(self, name: str) -> list[str]:
        """Return the ids of the elements and files with exactly this name."""
        return self._by_name.get(name, [])

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for id, name in self._names.items():
            found.setdefault(name, []).append(id)
        return found


def _by_score(hit: Hit) -> tuple[float, str]:
    return -hit.score, hit.id


def _query(terms: Sequence[str]) -> str:
    words = [word for term in terms for word in _terms(term)]
    return " OR ".join(f'"{word}"' for word in dict.fromkeys(words))


def _within(columns: str, terms: Sequence[str]) -> str:
    """Return a query of some columns only; "" without terms."""
    query = _query(terms)
    return f"{{{columns}}} : ({query})" if query else ""


def _rows(path: str, row: Value, known: Value, area: str) -> Iterator[_Row]:
    """Yield the rows of a file and of its elements."""
    folders, name = _split(path), path.rpartition("/")[2]
    file = path, _split(name), "", _phrases(known.get("")), area, folders
    yield _Row(name, file)
    for qual, _ in elements_of(row):
        id, name = f"{path}::{qual}", name_of(qual)
        phrases = _phrases(known.get(f"::{qual}"))
        yield _Row(name, (id, _split(name), _split(qual), phrases, "", folders))


def _phrases(features: object) -> str:
    found: Iterable[Sequence[object]] = features or ()  # type: ignore[assignment]
    return " ".join(str(feature[0]) for feature in found)


def _split(name: str) -> str:
    """Return a name's words, and the name as a whole."""
    return " ".join([*words_of(name), "".join(c for c in name if c.isalnum())])


def _terms(text: str) -> Iterator[str]:
    for part in text.replace("/", " ").replace(".", " ").split():
        yield from words_of(part)
        whole = "".join(c for c in part if c.isalnum())
        if whole:
            yield whole.lower()
