"""Find the hierarchies of the last commits, from the newest back.

    built     the state keeps the hierarchy that was made when the commit was built
    carried   it does not: that of the next newer commit is carried back over the
              changes between them, by the rules that carry one forward (evolve.py)

Carrying back needs the changed files alone, as they were: 20 commits take a second or
two, where building them again in a scratch state would take minutes. What did not
change keeps its place, so a carried hierarchy shows no move that it has no evidence
for. It is an answer to "where would this file have been", not a record of where it was;
the page says which of the two it shows.

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
    built = dict(view.build.table("areas").items())
    area_map = view.areas
    for step in islice(kept_commits(repository, view.commit), count):
        try:
            row = commit_row(repository, step)
            if row["files"] > len(row["changes"]):
                yield PastCommit(step.commit, row, None, "")
                return
            known = _stored(view, built.get(str(row["parent"])))
            before = known or _carried_back(view, area_map, row["changes"])
        except MissingObjectError:
            return  # a shallow or partial clone ends here
        yield PastCommit(step.commit, row, before, BUILT if known else CARRIED)
        area_map = before


def _stored(view: GraphView, row: Mapping[str, Any] | None) -> AreaMap | None:
    """Return the hierarchy that was built of a commit, if it is still kept."""
    try:
        path = view.build.store.checked_path(str(row["object"])) if row else None
        return AreaMap.read(path) if path else None
    except KeyError:
        return None


def _carried_back(view: GraphView, newer: AreaMap, changes: list[list[str]]) -> AreaMap:
    """Return the hierarchy before these changes."""
    area_map = replace(newer, nodes=dict(newer.nodes), files=dict(newer.files))
    reader = _EvidenceReader(view)
    evidence: dict[str, PlacingEvidence] = {}
    removed = set()
    for _, old, old_blob, new, _ in changes:
        if new and new != old and (file := area_map.files.pop(new, None)):
            removed.add(new)
            if old:
                area_map.files[old] = file  # a rename keeps its place
        if old and (found := reader.read(old, old_blob)):
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
