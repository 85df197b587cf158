"""Find nodes by words: names, paths and features, in an index of SQLite's FTS5.

Fields and weights: name 8, features 4, qualified name 3, area 2, path 1. Identifiers
are split and abbreviations written out, so "config" finds `cfg_path`; English endings
are stemmed. Where nothing is found, the names nearest by spelling are.

The index is in memory and made when it is first asked: 20,000 nodes take 0.4 s.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from rapidfuzz import fuzz, process

from repobuild.code.areas.area_map import AreaMap
from repobuild.code.facts.element_row import name_of
from repobuild.code.features.phrase import words_of
from repobuild.code.graph.graph import elements_of
from repobuild.code.graph.nodes import split_id
from repobuild.code.scan.file_roles import is_test
from repobuild.engine.contract import Table

_WEIGHTS = (8.0, 3.0, 4.0, 2.0, 1.0)
_COLUMNS = ("name", "qualified", "features", "area", "path")
_DEMOTED = 0.5  # tests
_ALIKE = 70.0  # of 100, least likeness of a name that is spelt otherwise
_MOST = 200  # rows that are ranked


class Hit(NamedTuple):
    """A node that was found; a higher score is better."""

    id: str
    score: float


class SearchIndex:
    """Full-text search over nodes."""

    def __init__(self, database: sqlite3.Connection, names: dict[str, str]) -> None:
        self._database = database
        self._names = names  # id -> name

    @classmethod
    def of(cls, graph: Table, features: Table, areas: AreaMap) -> SearchIndex:
        """Index every element, every file and every node of the hierarchy."""
        database = sqlite3.connect(":memory:", check_same_thread=False)
        columns = ", ".join(_COLUMNS)
        database.execute(
            f"CREATE VIRTUAL TABLE node USING fts5(id UNINDEXED, {columns}, "
            "tokenize = 'porter unicode61')"
        )
        names: dict[str, str] = {}
        database.executemany(
            "INSERT INTO node VALUES (?, ?, ?, ?, ?, ?)",
            _rows(graph, features, areas, names),
        )
        return cls(database, names)

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


def _rows(
    graph: Table, features: Table, areas: AreaMap, names: dict[str, str]
) -> Iterator[tuple[str, ...]]:
    labels = {id: " ".join(words_of(node.label)) for id, node in areas.nodes.items()}
    for path, row in graph.items():
        if path.startswith("@"):
            continue
        known = features.get(path) or {}
        file = areas.files.get(path)
        line = areas.line(file.node) if file else ()
        area = " ".join(labels[id] for id in line)
        folders = _split(path)
        names[path] = path.rpartition("/")[2]
        yield path, _split(names[path]), "", _phrases(known.get("")), area, folders
        for qual, _ in elements_of(row):
            id = f"{path}::{qual}"
            names[id] = name_of(qual)
            phrases = _phrases(known.get(f"::{qual}"))
            yield id, _split(names[id]), _split(qual), phrases, "", folders
    for id, node in areas.nodes.items():
        names[id] = node.label
        yield id, labels[id], "", "", "", ""


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
