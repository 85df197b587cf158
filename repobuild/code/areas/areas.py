"""The task `areas`: the hierarchy as of a commit, continued from its parent's.

    reuse    a first-parent ancestor had exactly these features: a reverted commit
             answers as before
    encode   there is no parent, or too many files changed places since the last encode
    evolve   the parent's hierarchy, with what changed since (evolve.py)

Which files changed is read from the digests of the rows of `features`; the rows of
other files are read by `encode` only.

Exact are the tables that this reads. What remembers its past is in the artifact alone:
which subcategory a file is in, and the ids and labels. How far that is from a clean
encode is measured in docs/graph.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import islice
from math import sqrt
from typing import Protocol

from repobuild.code.areas.area_map import AreaMap
from repobuild.code.areas.encode import PlacingEvidence, encode, keep_names
from repobuild.code.areas.evolve import Evolution, evolve, needs_encode
from repobuild.code.areas.file_words import bag_of, role_of
from repobuild.code.graph.nodes import edge_key, split_id
from repobuild.engine.contract import Table, Task, Value
from repobuild.engine.digest import digest as row_digest
from repobuild.engine.digest import pack

_DIGEST = 8
_NO_FEATURES = row_digest(pack({}))[:_DIGEST]  # of a file that is not analysed
_SEARCHED = 200  # ancestors in which equal features are looked for
_CONFIDENT = 0.5
_STRENGTH = {"imports": 1.0, "calls": 0.5, "inherits": 1.0, "uses": 0.25}


def areas(task: Task) -> Mapping[str, Value]:
    """Write the hierarchy of the commit, or name an artifact that is one."""
    digests = _digests(task)
    content = _content(digests)
    if known := _with_content(task, content):
        return {"object": known["object"], "mode": "reuse", "content": content}
    area_map = _parent_map(task)
    done = _evolve(task, area_map, digests) if area_map else Evolution()
    if area_map is None or needs_encode(area_map):
        with task.progress("areas", 0):
            found = encode_anew(task)
        mode = "encode"
        area_map = keep_names(found, area_map) if area_map else found
    else:
        mode = "evolve"
    area_map.write(task.folder)
    return {
        "mode": mode,
        "content": content,
        "files": len(area_map.files),
        "nodes": len(area_map.nodes),
        "churn": area_map.churn,
        "inserted": len(done.inserted),
        "removed": len(done.removed),
        "renamed": len(done.renamed),
        "in_place": len(done.in_place),
        "moved": len(done.moved),
        "relabelled": len(done.relabelled),
    }


class ExactTables(Protocol):
    """What holds the tables: a task, or a build."""

    def table(self, name: str) -> Table: ...


def encode_anew(tables: ExactTables) -> AreaMap:
    """Return the hierarchy that a clean build makes: it follows from exact tables."""
    digests = _digests(tables)
    return encode(_evidence(tables, digests, digests), _edges(tables))


def _digests(tables: ExactTables) -> dict[str, bytes]:
    features = tables.table("features")
    return {path: digest[:_DIGEST] for path, digest in features.digests()}


def _content(digests: Mapping[str, bytes]) -> str:
    """Return a digest of all features, which a table gives sorted by path."""
    paths = "\0".join(digests).encode("utf-8", "surrogatepass")
    parts = paths + b"\0" + b"".join(digests.values())
    return blake2b(parts, digest_size=16).hexdigest()


def _with_content(task: Task, content: str) -> Mapping[str, Value] | None:
    """Return the row of the nearest ancestor with these features."""
    rows = task.rows("areas")
    # Most commits have features of their own: a walk over 200 commits takes 3 ms.
    if all(row.get("content") != content for row in rows.values()):
        return None
    for ancestor in islice(task.ancestors(), _SEARCHED):
        row = rows.get(ancestor)
        if row and row.get("content") == content and _is_there(task, row):
            return row
    return None


def _is_there(task: Task, row: Mapping[str, Value]) -> bool:
    try:
        task.object(str(row["object"]))
    except KeyError:
        return False
    return True


def _parent_map(task: Task) -> AreaMap | None:
    """Return the hierarchy that this one continues; a lost one counts as none."""
    follows = task.follows
    try:
        return AreaMap.read(task.object(follows)) if follows else None
    except KeyError:
        return None


def _evolve(task: Task, area_map: AreaMap, digests: Mapping[str, bytes]) -> Evolution:
    files = area_map.files
    changed = [
        path
        for path, digest in digests.items()
        if digest != _NO_FEATURES
        and (path not in files or files[path].digest != digest)
    ]
    evidence = _evidence(task, changed, digests)
    removed = {
        path for path in files if digests.get(path, _NO_FEATURES) == _NO_FEATURES
    }
    graph = task.table("graph")
    depends_on = {
        path: sorted(dependency_strengths(graph.get(path), path)) for path in evidence
    }
    return evolve(area_map, evidence, removed, depends_on)


def _evidence(
    tables: ExactTables, paths: Iterable[str], digests: Mapping[str, bytes]
) -> dict[str, PlacingEvidence]:
    """Return what the files are placed by; without those that are not analysed."""
    features, graph = tables.table("features"), tables.table("graph")
    found = {}
    for path in paths:
        row = features.get(path)
        if row:
            node = (graph.get(path) or {}).get("", {})
            language = str(node.get("language", ""))
            role = role_of(path, language)
            found[path] = PlacingEvidence(digests[path], bag_of(path, row), role)
    return found


def dependency_strengths(row: Value | None, path: str) -> dict[str, float]:
    """Return the other files that a file's row depends on, with the strength.

    Calls through data do not count: by these a decorator binds all that it decorates.
    """
    found: dict[str, float] = defaultdict(float)
    for sub, item in (row or {}).items():
        key = edge_key(sub)
        if key and key.kind in _STRENGTH and item["confidence"] >= _CONFIDENT:
            other = split_id(key.target)[0]
            if other != path:
                found[other] += _STRENGTH[key.kind]
    return found


def _edges(tables: ExactTables) -> dict[str, dict[str, float]]:
    """Return the edges between files: dependencies, and common commits.

    A dependency is divided by the root of what both files have, so that a module that
    everything imports binds nothing together.
    """
    out = dict(_dependencies(tables.table("graph")))
    total: dict[str, float] = defaultdict(float)
    for path, targets in out.items():
        for other, strength in targets.items():
            total[path] += strength
            total[other] += strength
    edges: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for path, targets in out.items():
        for other, strength in targets.items():
            edges[path][other] += strength / sqrt(total[path] * total[other])
    for path, partners in tables.table("cochange").items():
        for other, strength in partners.items():
            edges[path][other] += strength / 2  # is in both rows
    return edges


def _dependencies(graph: Table) -> Iterator[tuple[str, dict[str, float]]]:
    for path, row in graph.items():
        if not path.startswith("@"):
            yield path, dependency_strengths(row, path)
