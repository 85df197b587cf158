"""Open the tables of one build for reading.

A verb reads rows as it needs them. A server keeps all edges, features and the search
index in memory, because a hub may have callers in five hundred files; when the database
changed, it reads the rows again that changed.

Every reply is made within one read transaction, so a build that runs meanwhile cannot
mix an old table with a new one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from repobuild.code.areas.area_map import AreaMap
from repobuild.code.areas.directory_scopes import Grounding
from repobuild.code.graph.graph import edges_of, elements_of, incoming
from repobuild.code.graph.nodes import edge_key, split_id
from repobuild.engine.build import Build
from repobuild.engine.contract import Table, Value
from repobuild.git.ancestors import nearest_ancestor
from repobuild.query.freshness import LOCATE, Freshness, indexed_commit
from repobuild.query.lifted_features import LiftedFeatures
from repobuild.query.search import SearchIndex

if TYPE_CHECKING:
    from repobuild.locate.ranked_files import RankedProject

_READ_BESIDE = (
    "facts",
    "files",
    "cochange",
    "importance",
    "areas",
    "changes",
    "lifted",
)

OpenBuild = Callable[[], Build]


class Edge(NamedTuple):
    """An edge from or to a node; `other` is the id at its far end."""

    kind: str
    other: str
    confidence: float


class EdgeIndex:
    """All edges by source and by target."""

    def __init__(self) -> None:
        self._digests: dict[str, bytes] = {}
        self._out: dict[str, list[Edge]] = {}
        self._into: dict[str, list[Edge]] = defaultdict(list)
        self._of_file: dict[str, list[str]] = {}  # path -> sources in it

    def out(self, id: str) -> list[Edge]:
        """Return the edges that leave a node."""
        return self._out.get(id, [])

    def into(self, id: str) -> list[Edge]:
        """Return the edges that lead to a node, sorted by source."""
        return self._into.get(id, [])

    def update(self, graph: Table) -> None:
        """Read the rows that changed since the last update."""
        digests = {path: one for path, one in graph.digests() if path[0] != "@"}
        gone = self._digests.keys() - digests.keys()
        changed = [p for p, one in digests.items() if self._digests.get(p) != one]
        touched = {id for path in (*gone, *changed) for id in self._forget(path)}
        for path in changed:
            touched |= self._read(path, graph.get(path))
        for id in touched:
            self._into[id].sort(key=lambda edge: (edge.other, edge.kind))
        self._digests = digests

    def _read(self, path: str, row: Value) -> set[str]:
        """Add the edges of a file; return their targets."""
        targets: set[str] = set()
        out: dict[str, list[Edge]] = defaultdict(list)
        for sub, item in row.items():
            if key := edge_key(sub):
                source, sure = path + key.source, item["confidence"]
                out[source].append(Edge(key.kind, key.target, sure))
                self._into[key.target].append(Edge(key.kind, source, sure))
                targets.add(key.target)
        self._of_file[path] = list(out)
        self._out |= out
        return targets

    def _forget(self, path: str) -> set[str]:
        """Remove the edges of a file; return their targets."""
        sources = set(self._of_file.pop(path, ()))
        edges = [edge for id in sources for edge in self._out.pop(id)]
        targets = {edge.other for edge in edges}
        for id in targets:
            kept = [edge for edge in self._into[id] if edge.other not in sources]
            self._into[id] = kept
        return targets


@dataclass(frozen=True, slots=True)
class KeptIndexes:
    """What a server keeps from one build to the next, and brings up to date."""

    edges: EdgeIndex = field(default_factory=EdgeIndex)
    search: SearchIndex = field(default_factory=SearchIndex)


class GraphView:
    """The graph, the features and the hierarchy of one build."""

    def __init__(self, build: Build, kept: KeptIndexes | None = None) -> None:
        self.build = build
        self._in_memory = kept is not None
        self.kept = kept or KeptIndexes()
        # All that is read: for a table that was never built the state makes an empty
        # temporary one, which the end of a transaction would take back.
        for name in (*_READ_BESIDE, *LOCATE):
            build.table(name)
        self.graph: Table = build.table("graph")
        build.table("features")

    @cached_property
    def commit(self) -> str:
        return indexed_commit(self.build)

    @cached_property
    def areas(self) -> AreaMap:
        """The hierarchy of the nearest commit that has one; empty without."""
        if not self._areas_object:
            return AreaMap()
        try:
            return AreaMap.read(self.build.store.checked_path(self._areas_object))
        except KeyError:
            return AreaMap()

    @cached_property
    def _areas_object(self) -> str:
        """The artifact of the nearest commit that has one; "" without."""
        if self.build.state.line("areas") is None:
            return ""
        rows = dict(self.build.table("areas").items())
        near = nearest_ancestor(self.build.snapshot.repository, self.commit, rows)
        return str(rows[near]["object"]) if near else ""

    @cached_property
    def features(self) -> LiftedFeatures:
        return LiftedFeatures(self.build, self._areas_object)

    def label(self, id: str) -> str:
        """Return the label of a node of the hierarchy: a model's, where it has one."""
        own = self.areas.nodes[id].label
        return self.features.phrases.label(id, own) or own

    @cached_property
    def members(self) -> Mapping[str, list[str]]:
        """The files below each node of the hierarchy."""
        return self.areas.members()

    @cached_property
    def grounding(self) -> Grounding:
        return Grounding(self.areas.files)

    @cached_property
    def search(self) -> SearchIndex:
        labels = {id: self.label(id) for id in self.areas.nodes}
        self.kept.search.update(self.graph, self.features, self.areas, labels)
        return self.kept.search

    @cached_property
    def ranked_project(self) -> RankedProject:
        """What texts are located by."""
        # Late: they need NumPy, and one tool alone needs them.
        from repobuild.locate.lexicon import Lexicon
        from repobuild.locate.ranked_files import RankedProject
        from repobuild.locate.touches import PastCommits

        past = PastCommits.of(self.build.table("touches"))
        return RankedProject(Lexicon(self.build.table("lexicon")), past)

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
            return self.kept.edges.out(id)
        path, qual = split_id(id)
        row = self.graph.get(path) or {}
        return [Edge(*edge) for edge in edges_of(row, qual)]

    def into(self, id: str, kinds: Sequence[str]) -> list[Edge]:
        """Return the edges of these kinds that lead to a node, sorted by source."""
        if self._in_memory:
            return [e for e in self.kept.edges.into(id) if e.kind in kinds]
        return [
            Edge(kind, source, confidence)
            for kind in kinds
            for source, confidence in incoming(self.graph, id, kind)
        ]

    def area_of(self, path: str) -> str:
        """Return the id of a file's subcategory; "" for none."""
        file = self.areas.files.get(path)
        return file.node if file else ""

    def warm(self) -> None:
        """Read everything that a server keeps in memory."""
        self.kept.edges.update(self.graph)
        _ = self.search, self.members, self.grounding


class GraphSource:
    """Gives each request the view of the newest tables."""

    def __init__(self, open_build: OpenBuild, in_memory: bool = False) -> None:
        self._open_build = open_build
        self._in_memory = in_memory
        self._view: GraphView | None = None
        self._version = (-1, "")
        self._kept = KeptIndexes() if in_memory else None
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
            view = GraphView(build, self._kept)
            self._version = self._version_of(view)
            if self._kept:
                self._warm(view)
            self._view = view
        return self._view

    def _warm(self, view: GraphView) -> None:
        try:
            view.warm()
        except BaseException:
            self._view, self._kept = None, KeptIndexes()  # half up to date
            raise

    def _is_outdated(self, view: GraphView) -> bool:
        return self._in_memory and self._version_of(view) != self._version

    def _version_of(self, view: GraphView) -> tuple[int, str]:
        """Return what differs after any build, and after any checkout."""
        database = view.build.state.database
        version = int(database.execute("PRAGMA data_version").fetchone()[0])
        repository = view.build.snapshot.repository
        head = "" if repository.head_is_unborn else str(repository.head.target)
        return version, head
