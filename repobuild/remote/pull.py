"""Give a build what others have made of the same commit, manifest and inputs.

A build asks table by table (engine/shared_rows.py). One request brings the entry of a
table, and then its chunks come, many at once: of a map only those that may hold the
rows that are missing, of a view all. The digest over all rows of a view, and over its
index, must be the entry's before a row is written.

A fresh clone whose HEAD was not pushed begins at the nearest ancestor that was
(`find_base`): the caller builds that commit first, which computes nothing, and then
HEAD, which costs what the difference costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from repobuild.engine.context import BuildContext
from repobuild.engine.digest import TableDigest
from repobuild.engine.index_digest import index_entry
from repobuild.engine.rule import Rule, closure, manifest_digest
from repobuild.engine.run.task import SHARED_ANCESTORS
from repobuild.engine.shared_rows import MemoRow, ViewRows
from repobuild.engine.storage.artifact_notes import write_note
from repobuild.engine.storage.artifact_store import ArtifactStore
from repobuild.engine.storage.event_log import EventLog
from repobuild.engine.storage.garbage_collection import parse_size
from repobuild.engine.storage.table import RawRow
from repobuild.git.ancestors import first_parents
from repobuild.remote.artifact_files import artifact_names, fetch_artifact
from repobuild.remote.cache_entry import (
    ANY,
    NOT_SHARED,
    Refused,
    StoredObject,
    is_sha256,
)
from repobuild.remote.row_chunks import (
    CHUNK_BYTES,
    covering,
    read_index_chunk,
    read_memo_chunk,
    read_view_chunk,
)
from repobuild.remote.shared_cache import Found, SharedCache, Wanted

_ROW_FIELDS = {"object", "key", "build", "manifest", "inputs", "follows"}


class PulledRows:
    """Implements `engine.shared_rows.SharedRows` over a remote."""

    def __init__(
        self, cache: SharedCache, events: EventLog, max_artifact: str = "2G"
    ) -> None:
        self._cache = cache
        self._events = events
        self._max_bytes = parse_size(max_artifact)
        self._known: dict[Wanted, Found | None] = {}
        self._asked: set[tuple[str, str]] = set()  # rule and name of artifacts
        self.rows = 0
        self.artifacts: list[str] = []

    # ------------------------------------------------------------------------- rows

    def look_up(self, wanted: Sequence[Wanted]) -> dict[Wanted, Found]:
        """Return the entries that are there, and remember which are not."""
        missing = [one for one in wanted if one not in self._known]
        found = self._cache.find_all(missing)
        self._known |= {one: found.get(one) for one in missing}
        known = {one: self._known[one] for one in wanted}
        return {one: entry for one, entry in known.items() if entry}

    def tables(self) -> list[str]:
        """Return the tables whose entries were found."""
        return sorted({one.table for one, found in self._known.items() if found})

    def memo_rows(
        self, rule: Rule, manifest: bytes, commit: str, wanted: Mapping[str, bytes]
    ) -> Iterator[Sequence[MemoRow]]:
        body = self._body(rule, manifest, commit)
        try:
            chunks = self._chunks(body, "chunks")
        except Refused as error:
            self._cache.refuse("entry", error)
            return
        numbers = covering([first for first, _ in chunks], wanted)
        memo_keys = set(wanted.values())
        for one, data in self._cache.objects(
            [chunks[number][1] for number in numbers], CHUNK_BYTES
        ):
            try:
                rows = read_memo_chunk(data)
            except Refused as error:
                self._cache.lose(one, error)
                continue
            found = [row for row in rows if row.key in memo_keys]
            self.rows += len(found)
            yield found

    def view_rows(
        self, rule: Rule, manifest: bytes, commit: str, key: str
    ) -> ViewRows | None:
        body = self._body(rule, manifest, commit)
        if body.get("key") != key:
            return None
        try:
            rows = self._read_view(body)
        except Refused as error:
            self._cache.refuse("table", error)
            return None
        self.rows += len(rows.rows)
        return rows

    def _read_view(self, body: Mapping[str, Any]) -> ViewRows:
        """Return rows and index of a view when all of both is there and adds up."""
        of_rows = {one for _, one in self._chunks(body, "chunks")}
        of_index = {one for _, one in self._chunks(body, "index")}
        rows: dict[str, RawRow] = {}
        index: dict[str, frozenset[int]] = {}
        for one, data in self._cache.objects(of_rows | of_index, CHUNK_BYTES):
            if one in of_rows:
                rows |= read_view_chunk(data)
            else:
                index |= read_index_chunk(data)
        total = TableDigest()
        for key, row in rows.items():
            total.add(key, row.digest)
        terms = TableDigest()
        for key, numbers in index.items():
            terms.add(key, index_entry(numbers))
        if total.state() != body.get("digest"):
            raise Refused("is not whole")
        if terms.state() != body.get("index_digest"):
            raise Refused("has an index that is not whole")
        return ViewRows(rows, index)

    def _body(self, rule: Rule, manifest: bytes, commit: str) -> Mapping[str, Any]:
        wanted = Wanted(rule.name, manifest.hex(), commit)
        found = self.look_up([wanted]).get(wanted)
        return found.body if found else {}

    def _chunks(
        self, body: Mapping[str, Any], name: str
    ) -> list[tuple[str, StoredObject]]:
        """Return an entry's chunks with the first key of each; raises `Refused`."""
        return read_chunks(body.get(name, []), self._cache.readable)

    # -------------------------------------------------------------------- artifacts

    def fetch_artifacts(
        self,
        rule: Rule,
        manifest: bytes,
        names: Sequence[str],
        store: ArtifactStore,
    ) -> None:
        if rule.name in NOT_SHARED:
            return
        new = [name for name in names if (rule.name, name) not in self._asked]
        wanted = [Wanted(rule.name, manifest.hex(), name) for name in new[:1]]
        if rule.chain:
            wanted += [Wanted(rule.name, ANY, name) for name in new]
        found = self._cache.find_first(wanted)
        # Those before it are not there; those after it may be wanted later.
        end = new.index(found.wanted.name) + 1 if found else len(new)
        self._asked.update((rule.name, name) for name in new[:end])
        if found:
            self._store(rule, found, store)

    def _store(self, rule: Rule, found: Found, store: ArtifactStore) -> None:
        row, listed = found.body.get("row"), found.body.get("artifacts")
        if not (
            isinstance(row, dict)
            and isinstance(listed, dict)
            and row.keys() >= _ROW_FIELDS
            and isinstance(row["build"], int)
            and all(map(is_sha256, artifact_names(row)))
            and row["object"]
        ):
            self._cache.refuse("entry", Refused("is malformed"))
            return
        for digest in artifact_names(row):
            if not fetch_artifact(
                self._cache, store, digest, listed.get(digest), self._max_bytes
            ):
                return
        write_note(store, rule.name, found.wanted.name, row)
        self.artifacts.append(str(row["object"]))
        self._events.emit(
            "fetched", table=rule.name, key=found.wanted.name, object=row["object"]
        )


def read_chunks(
    listed: Any, namespaces: frozenset[str]
) -> list[tuple[str, StoredObject]]:
    """Return an entry's chunks with the first key of each; raises `Refused`."""
    if not isinstance(listed, list):
        raise Refused("is malformed")
    chunks = []
    for pair in listed:
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
            raise Refused("is malformed")
        chunks.append((pair[0], StoredObject.read(pair[1], namespaces)))
    if sorted(first for first, _ in chunks) != [first for first, _ in chunks]:
        raise Refused("is malformed")
    return chunks


def shared_tables(build: BuildContext, goals: Sequence[str]) -> list[Rule]:
    """Return the rules whose rows travel: what a build computes, but no sources."""
    needed = closure(build.rules, list(goals))
    rules = [build.rules[name] for name in needed]
    return [rule for rule in rules if rule.kind in ("map", "view")]


def find_base(
    build: BuildContext, cache: SharedCache, pulled: PulledRows, goals: Sequence[str]
) -> str:
    """Return HEAD or its nearest first parent whose tables the remote holds, or "".

    Then the entries of all tables at that commit are known already.
    """
    rules = shared_tables(build, goals)
    probe = probe_rule(rules)
    if probe is None:
        return ""
    head = build.snapshot.commit
    parents = first_parents(build.snapshot.repository, head)
    commits = [head, *islice(parents, SHARED_ANCESTORS)]
    manifest = manifest_digest(build.manifest(probe)).hex()
    found = cache.find_first([Wanted(probe.name, manifest, c) for c in commits])
    if found is None:
        return ""
    commit = found.wanted.name
    pulled.look_up(
        [
            Wanted(rule.name, manifest_digest(build.manifest(rule)).hex(), commit)
            for rule in rules
        ]
    )
    return commit


def probe_rule(rules: Sequence[Rule]) -> Rule | None:
    """Return the map that most other tables need: that of the files' facts.

    It is pushed last, so that where it is found, the others are too.
    """
    maps = [rule for rule in rules if rule.kind == "map"]
    if not maps:
        return None
    by_name = {rule.name: rule for rule in rules}

    def users(rule: Rule) -> int:
        known = {rule.name}
        for other in by_name.values():  # inputs come before what uses them
            if known.intersection(other.inputs):
                known.add(other.name)
        return len(known)

    return max(maps, key=lambda rule: (users(rule), rule.name))
