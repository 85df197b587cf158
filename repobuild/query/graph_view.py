"""Open the tables of one build for reading.

A verb reads rows as it needs them. A server keeps all edges, features and the search
index in memory, because a hub may have callers in five hundred files; when the database
changed, it reads them again.

Every reply is made within one read transaction, so a build that runs meanwhile cannot
mix an old table with a new one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import NamedTuple

from repobuild.code.areas.area_map import AreaMap
from repobuild.code.areas.directory_scopes import Grounding
from repobuild.code.graph.graph import edges_of, elements_of, incoming
from repobuild.code.graph.nodes import edge_key, split_id
from repobuild.engine.build import Build
from repobuild.engine.contract import Table, Value
from repobuild.git.ancestors import nearest_ancestor
from repobuild.query.freshness import Freshness, indexed_commit
from repobuild.query.search import SearchIndex

_READ_BESIDE = ("facts", "files", "cochange", "importance", "areas", "changes")
OpenBuild = Callable[[], Build]


class Edge(NamedTuple):
    """An edge from or to a node; `other` is the id at its far end."""

    kind: str
    other: str
    confidence: float


class GraphView:
    """The graph, the features and the hierarchy of one build."""

    def __init__(self, build: Build, in_memory: bool = False) -> None:
        self.build = build
        self._in_memory = in_memory
        # All that is read: for a table that was never built the state makes an empty
        # temporary one, which the end of a transaction would take back.
        for name in _READ_BESIDE:
            build.table(name)
        self.graph: Table = build.table("graph")
        self.features: Table = build.table("features")

    @cached_property
    def commit(self) -> str:
        return indexed_commit(self.build)

    @cached_property
    def areas(self) -> AreaMap:
        """The hierarchy of the nearest commit that has one; empty without."""
        if self.build.state.line("areas") is None:
            return AreaMap()
        rows = dict(self.build.table("areas").items())
        near = nearest_ancestor(self.build.snapshot.repository, self.commit, rows)
        try:
            row = rows.get(near)
            path = self.build.store.checked_path(str(row["object"])) if row else None
            return AreaMap.read(path) if path else AreaMap()
        except KeyError:
            return AreaMap()

    @cached_property
    def members(self) -> Mapping[str, list[str]]:
        """The files below each node of the hierarchy."""
        return self.areas.members()

    @cached_property
    def grounding(self) -> Grounding:
        return Grounding(self.areas.files)

    @cached_property
    def search(self) -> SearchIndex:
        return SearchIndex.of(self.graph, self.features, self.areas)

    def node(self, id: str) -> Value | None:
        """Return the graph's node of an element or a file."""
        path, qual = split_id(id)
        row = self.graph.get(path)
        return row.get(f"::{qual}" if qual else "") if row else None

    def elements(self, path: str) -> list[str]:
        """Return the ids of a file's elements, in source order."""
        found = elements_of(self.graph.get(path))
        return [f"{path}::{qual}" for qual, _ in found]

    def features_of(self, id: str) -> Value:
        """Return the features of an element or a file; [] for none."""
        path, qual = split_id(id)
        row = self.features.get(path) or {}
        return row.get(f"::{qual}" if qual else "") or []

    def out(self, id: str) -> list[Edge]:
        """Return the edges that leave a node."""
        if self._in_memory:
            return self._edges[0].get(id, [])
        path, qual = split_id(id)
        row = self.graph.get(path) or {}
        return [Edge(*edge) for edge in edges_of(row, qual)]

    def into(self, id: str, kinds: Sequence[str]) -> list[Edge]:
        """Return the edges of these kinds that lead to a node, sorted by source."""
        if self._in_memory:
            return [edge for edge in self._edges[1].get(id, []) if edge.kind in kinds]
        return [
            Edge(kind, source, confidence)
            for kind in kinds
            for source, confidence in incoming(self.graph, id, kind)
        ]

    @cached_property
    def _edges(self) -> tuple[dict[str, list[Edge]], dict[str, list[Edge]]]:
        """All edges by source and by target."""
        out: dict[str, list[Edge]] = defaultdict(list)
        into: dict[str, list[Edge]] = defaultdict(list)
        for path, row in self.graph.items():
            if path.startswith("@"):
                continue
            for sub, item in row.items():
                if key := edge_key(sub):
                    source = path + key.source
                    out[source].append(Edge(key.kind, key.target, item["confidence"]))
                    into[key.target].append(Edge(key.kind, source, item["confidence"]))
        return dict(out), dict(into)

    def area_of(self, path: str) -> str:
        """Return the id of a file's subcategory; "" for none."""
        file = self.areas.files.get(path)
        return file.node if file else ""

    def warm(self) -> None:
        """Read everything that a server keeps in memory."""
        _ = self._edges, self.search, self.members, self.grounding


class GraphSource:
    """Gives each request the view of the newest tables."""

    def __init__(self, open_build: OpenBuild, in_memory: bool = False) -> None:
        self._open_build = open_build
        self._in_memory = in_memory
        self._view: GraphView | None = None
        self._version = (-1, "")
        self.freshness = Freshness(in_background=in_memory)

    @contextmanager
    def reading(self) -> Iterator[GraphView]:
        """Yield the view, unchanged for the length of a request."""
        view = self._current()
        database = view.build.state.database
        database.execute("BEGIN")
        try:
            yield view
        finally:
            database.execute("ROLLBACK")

    def _current(self) -> GraphView:
        if self._view is None or self._is_outdated(self._view):
            if self._view is not None:
                self._view.build.state.close()
            build = self._open_build()
            self._view = GraphView(build, self._in_memory)
            self._version = self._version_of(self._view)
            if self._in_memory:
                self._view.warm()
        return self._view

    def _is_outdated(self, view: GraphView) -> bool:
        return self._in_memory and self._version_of(view) != self._version

    def _version_of(self, view: GraphView) -> tuple[int, str]:
        """Return what differs after any build, and after any checkout."""
        database = view.build.state.database
        version = int(database.execute("PRAGMA data_version").fetchone()[0])
        repository = view.build.snapshot.repository
        head = "" if repository.head_is_unborn else str(repository.head.target)
        return version, head
