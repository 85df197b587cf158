"""Find the hierarchies of the last commits, from the newest back.

    built     the state keeps the hierarchy that was made when the commit was built
    carried   it does not: that of the next newer commit is carried back over the
              changes between them

A file that the commit did not change keeps its place. One that it changed or removed is
where the next older hierarchy that was built has it; where there is none, it is placed
by the rules that carry a hierarchy forward (evolve.py), which need the file as it was
and nothing else: 20 merges that change 250 files take 3 seconds. What this yields is
where a file would have been, not a record of where it was; the page says which of the
two it shows.

History ends at a commit that changes more files than are listed (`MOST_FILES`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

from repobuild.code.areas.area_map import AreaMap
from repobuild.code.areas.areas import dependency_strengths
from repobuild.code.areas.encode import PlacingEvidence
from repobuild.code.areas.evolve import evolve
from repobuild.code.areas.file_words import bag_of, role_of
from repobuild.code.facts.parse import facts_of
from repobuild.code.features.features import features
from repobuild.code.scan.language import FileChoice
from repobuild.engine.digest import digest, pack
from repobuild.errors import MissingObjectError
from repobuild.git.ancestors import nearest_ancestor
from repobuild.git.commit_diffs import commit_row, kept_commits
from repobuild.query.graph_view import GraphView

BUILT, CARRIED = "built", "carried"


class PastCommit(NamedTuple):
    """A commit, what it changed, and the hierarchy before it."""

    commit: str
    row: Mapping[str, Any]  # as of the table `commits`
    before: AreaMap | None  # None where history ends
    mode: str  # of `before`: BUILT or CARRIED


def past_commits_of(view: GraphView, count: int) -> Iterator[PastCommit]:
    """Yield the last commits, newest first, each with the hierarchy before it."""
    repository = view.build.snapshot.repository
    kept = _BuiltAreas(view)
    area_map = view.areas
    for step in islice(kept_commits(repository, view.commit), count):
        try:
            row = commit_row(repository, step)
            if row["files"] > len(row["changes"]):
                yield PastCommit(step.commit, row, None, "")
                return
            nearest, built = kept.nearest(str(row["parent"]))
            if nearest == row["parent"] and built:
                before, mode = built, BUILT
            else:
                before = _carried_back(view, area_map, row["changes"], built)
                mode = CARRIED
        except MissingObjectError:
            return  # a shallow or partial clone ends here
        yield PastCommit(step.commit, row, before, mode)
        area_map = before


class _BuiltAreas:
    """The hierarchies that the state keeps; the last one that was read is held."""

    def __init__(self, view: GraphView) -> None:
        self._repository = view.build.snapshot.repository
        self._store = view.build.store
        self._rows = {
            commit: str(row["object"])
            for commit, row in view.build.table("areas").items()
        }
        self._last: tuple[str, AreaMap | None] = ("", None)

    def nearest(self, commit: str) -> tuple[str, AreaMap | None]:
        """Return the nearest commit with a hierarchy, itself included, or ""."""
        while found := nearest_ancestor(self._repository, commit, self._rows):
            if found == self._last[0]:
                return self._last
            try:
                path = self._store.checked_path(self._rows[found])
                self._last = (found, AreaMap.read(path))
            except KeyError:
                del self._rows[found]  # it was collected
                continue
            return self._last
        return "", None


def _carried_back(
    view: GraphView,
    newer: AreaMap,
    changes: list[list[str]],
    older: AreaMap | None,
) -> AreaMap:
    """Return the hierarchy before these changes; `older` is one that was built."""
    area_map = replace(newer, nodes=dict(newer.nodes), files=dict(newer.files))
    reader = _EvidenceReader(view)
    evidence: dict[str, PlacingEvidence] = {}
    removed = set()
    for _, old, old_blob, new, _ in changes:
        if new and new != old and (file := area_map.files.pop(new, None)):
            removed.add(new)
            if old:
                area_map.files[old] = file  # a rename keeps its place
        if old and older and old in older.files:
            file = area_map.files[old] = older.files[old]
            area_map.nodes |= {
                id: older.nodes[id]
                for id in older.line(file.node)
                if id not in area_map.nodes
            }
        elif old and (found := reader.read(old, old_blob)):
            evidence[old] = found
        elif old:
            removed.add(old)
    used = {
        path: sorted(dependency_strengths(view.graph.get(path), path))
        for path in evidence
    }
    evolve(area_map, evidence, removed - evidence.keys(), used)
    return area_map


class _EvidenceReader:
    """Lifts the features of a file as it was, from its blob."""

    def __init__(self, view: GraphView) -> None:
        self._view = view
        self._scope = view.build.map_scope(view.build.rules["facts"])
        self._choice = FileChoice.of(view.build.settings)
        self._limit = int(view.build.settings["project.max_file_bytes"])

    def read(self, path: str, blob: str) -> PlacingEvidence | None:
        """Return what a file was placed by; None for one that is not analysed.

        Raises `MissingObjectError`.
        """
        language = self._choice.decide(path).language if blob else ""
        if not language:
            return None
        facts = facts_of(self._scope.blob(blob), language, self._limit)
        row = features(facts, self._scope)
        if not row:
            return None
        role = role_of(path, language)
        return PlacingEvidence(digest(pack(row))[:8], bag_of(path, row), role)
