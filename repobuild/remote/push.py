"""Write a built commit to the remote: objects first, then the entries that name them.

Tables are cut again at each push, and chunks that the entry of an ancestor names
already are not sent: a commit costs the chunks that it changed. The table of the files'
facts is last (`pull.find_base` looks for it).

An object that is still named but was uploaded long ago is sent again after half of
`cache.days`, so a rule of the bucket may delete whatever is older than twice that:
nothing that a valid entry names is ever so old.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from repobuild.engine.context import BuildContext
from repobuild.engine.index_digest import read_index_digest, sum_index
from repobuild.engine.rule import Rule, closure, manifest_digest
from repobuild.engine.run.map import memo_keys
from repobuild.engine.run.task import is_current, row_key
from repobuild.engine.run.view import view_key
from repobuild.git.ancestors import first_parents
from repobuild.remote.artifact_files import artifact_names, is_plain, list_files
from repobuild.remote.cache_entry import (
    ANY,
    NOT_SHARED,
    EntryName,
    Refused,
    StoredObject,
    encode_entry,
    object_name,
)
from repobuild.remote.circuit_breaker import RemoteDown
from repobuild.remote.pull import probe_rule, read_chunks, shared_tables
from repobuild.remote.row_chunks import CHUNK_BYTES, Row, cut
from repobuild.remote.shared_cache import Found, SharedCache, Wanted
from repobuild.remote.signing_keys import SigningKey

_DAY = 86_400
_BASES = 20  # first parents whose entries are looked for


@dataclass
class Pushed:
    """What a push wrote."""

    tables: list[str] = field(default_factory=list)
    artifacts: list[str] = field(default_factory=list)
    objects: int = 0
    bytes: int = 0
    skipped: dict[str, str] = field(default_factory=dict)  # table -> why


class Push:
    """One push of the tables and artifacts of a build's commit."""

    def __init__(
        self, build: BuildContext, cache: SharedCache, key: SigningKey
    ) -> None:
        self._build = build
        self._cache = cache
        self._key = key
        self._today = cache.now // _DAY
        self._there: dict[str, StoredObject] = {}  # named by entries that hold
        self.pushed = Pushed()

    def run(self, goals: Sequence[str]) -> Pushed:
        """Push what is current; raises `RemoteDown` where the remote fails."""
        rules = [r for r in shared_tables(self._build, goals) if self._is_ready(r)]
        probe = probe_rule(rules)
        rules.sort(key=lambda rule: rule is probe)
        bases = self._find_bases(rules)
        for rule in rules:
            self._push_table(rule, bases.get(rule.name))
        for name in closure(self._build.rules, list(goals)):
            rule = self._build.rules[name]
            if rule.kind == "task" and name not in NOT_SHARED:
                self._push_task(rule)
        return self.pushed

    def _is_ready(self, rule: Rule) -> bool:
        """Return whether a table is as the commit makes it, with all that it needs."""
        needed = closure(self._build.rules, [rule.name])
        stale = any(self._build.is_stale(self._build.rules[n]) for n in needed)
        if stale:
            self.pushed.skipped[rule.name] = "not built for this commit"
        return not stale

    def _find_bases(self, rules: Sequence[Rule]) -> dict[str, Found]:
        """Return the entries of this commit or the nearest ancestor, to build upon."""
        if not rules:
            return {}
        head = self._build.snapshot.commit
        parents = first_parents(self._build.snapshot.repository, head)
        last = rules[-1]
        found = self._cache.find_first(
            [
                Wanted(last.name, self._manifest(last), commit)
                for commit in [head, *islice(parents, _BASES)]
            ]
        )
        if found is None:
            return {}
        commit = found.wanted.name
        wanted = [Wanted(r.name, self._manifest(r), commit) for r in rules]
        entries = self._cache.find_all(wanted)
        for entry in entries.values():
            for name in ("chunks", "index"):
                try:
                    listed = read_chunks(entry.body.get(name, []), self._cache.readable)
                except Refused:
                    continue
                self._remember(one for _, one in listed)
        return {entry.wanted.table: entry for entry in entries.values()}

    def _remember(self, objects: Iterable[StoredObject]) -> None:
        oldest = self._today - self._cache.days // 2
        for one in objects:
            if one.day >= oldest and one.sha256 not in self._cache.damaged:
                self._there[one.sha256] = one

    def _manifest(self, rule: Rule) -> str:
        return manifest_digest(self._build.manifest(rule)).hex()

    # ----------------------------------------------------------------------- tables

    def _push_table(self, rule: Rule, base: Found | None) -> None:
        line = self._build.state.line(rule.name)
        if line is None:
            return
        body: dict[str, Any] = {"digest": line.digest}
        if rule.kind == "view":
            total = read_index_digest(self._build.state.database, rule.name)
            total = total or sum_index(self._build.state.database, rule.name)
            body |= {
                "key": view_key(self._build, rule),
                "index_digest": total.state(),
                "index": self._send(_index_rows(self._build, rule)),
                "chunks": self._send(_view_rows(self._build, rule)),
            }
        else:
            body["chunks"] = self._send(_memo_rows(self._build, rule))
        if None in (body["chunks"], body.get("index", [])):
            self.pushed.skipped[rule.name] = "a row is too large"
            return
        commit = self._build.snapshot.commit
        known = {name: base.body.get(name) for name in body} if base else {}
        if base and base.wanted.name == commit and known == body and self._holds(base):
            return  # exactly this is there
        self._write_entry(rule.name, self._manifest(rule), commit, body)
        self.pushed.tables.append(rule.name)

    def _holds(self, base: Found) -> bool:
        """Return whether an entry of this namespace holds for long enough."""
        left = int(base.body["expires"]) - self._cache.now
        own = base.namespace == self._cache.namespaces[0]
        return own and left > self._cache.days * _DAY // 2

    def _send(self, rows: Iterable[Row]) -> list[list[Any]] | None:
        """Upload the chunks that are not there; None when one is too large."""
        listed: list[list[Any]] = []
        new: dict[str, bytes] = {}
        for chunk in cut(rows):
            if len(chunk.data) > CHUNK_BYTES:
                return None
            digest = sha256(chunk.data).hexdigest()
            if digest not in self._there:
                new[digest] = chunk.data
            listed.append([chunk.first, self._object(digest, len(chunk.data))])
        self._upload(new)
        return [[first, list(one)] for first, one in listed]

    def _object(self, digest: str, size: int) -> StoredObject:
        own = self._cache.namespaces[0]
        return self._there.get(digest) or StoredObject(digest, size, self._today, own)

    def _upload(self, new: Mapping[str, bytes]) -> None:
        own = self._cache.namespaces[0]

        def write(digest: str) -> None:
            self._cache.files.write(object_name(own, digest), new[digest])

        for answer in self._cache.breaker.each(write, new, lambda d: len(new[d])):
            if answer.error:
                raise answer.error
            self._sent(answer.item, len(new[answer.item]))

    def _sent(self, digest: str, size: int) -> None:
        self.pushed.objects += 1
        self.pushed.bytes += size
        self._there[digest] = self._object(digest, size)
        if digest in self._cache.damaged:
            self._cache.damaged.discard(digest)
            self._cache.write_damaged()

    def _write_entry(
        self, table: str, manifest: str, name: str, body: Mapping[str, Any]
    ) -> None:
        place = EntryName(self._cache.namespaces[0], table, manifest, name)
        seconds = self._cache.days * _DAY
        data = encode_entry(place, body, self._key, self._cache.now, seconds)
        write = partial(self._cache.files.write, place.path, data)
        self._cache.breaker.call(write, len(data))
        self.pushed.bytes += len(data)

    # -------------------------------------------------------------------- artifacts

    def _push_task(self, rule: Rule) -> None:
        if not is_current(self._build, rule):
            self.pushed.skipped[rule.name] = "not built for this commit"
            return
        name = row_key(self._build, rule)
        row = dict(self._build.table(rule.name).get(name) or {})
        manifest = self._manifest(rule)
        known = self._cache.find(Wanted(rule.name, manifest, name))
        is_there = known and known.body.get("row") == row and self._holds(known)
        if is_there and not self._cache.damaged:
            return
        if rule.chain:
            self._remember_files(rule)
        artifacts: dict[str, list[list[Any]]] = {}
        for digest in artifact_names(row):
            try:
                folder = self._build.store.checked_path(digest)
            except KeyError:
                continue  # collected: this machine does not have it either
            listed = self._send_files(folder)
            if listed is None:
                self.pushed.skipped[rule.name] = "a file that does not travel"
                return
            artifacts[digest] = listed
        if str(row["object"]) not in artifacts:
            return
        body = {"row": row, "artifacts": artifacts}
        self._write_entry(rule.name, manifest, name, body)
        if rule.chain:
            self._write_entry(rule.name, ANY, name, body)
        self.pushed.artifacts.append(str(row["object"]))

    def _remember_files(self, rule: Rule) -> None:
        """Note the files of the nearest ancestor's artifacts: most are the same."""
        parents = first_parents(
            self._build.snapshot.repository, self._build.snapshot.commit, _BASES
        )
        found = self._cache.find_first([Wanted(rule.name, ANY, c) for c in parents])
        listed = found.body.get("artifacts") if found else None
        for files in listed.values() if isinstance(listed, dict) else ():
            with suppress(Refused, TypeError, ValueError):
                readable = self._cache.readable
                self._remember(StoredObject.read(one, readable) for _, one in files)

    def _send_files(self, folder: Path) -> list[list[Any]] | None:
        listed = []
        own = self._cache.namespaces[0]
        for path, digest, size in list_files(folder):
            if not is_plain(path):
                return None
            one = self._object(digest, size)
            if digest not in self._there:
                upload = partial(
                    self._cache.files.upload, object_name(own, digest), folder / path
                )
                self._cache.breaker.call(upload, size)
                self._sent(digest, size)
            listed.append([path, list(one)])
        return listed


# --------------------------------------------------------------------- rows of a table


def _memo_rows(build: BuildContext, rule: Rule) -> Iterator[Row]:
    """Yield [row key, memo key, digest, stored] of a map, sorted by key."""
    source = build.table(rule.inputs[0])
    query = "SELECT digest, value FROM memo WHERE key = ?"
    for key, memo in memo_keys(source, rule, build.manifest(rule)):
        found = build.state.database.execute(query, (memo,)).fetchone()
        if found:  # else the row failed, and is tried again
            yield [key, memo, found[0], found[1] or b""]


def _view_rows(build: BuildContext, rule: Rule) -> Iterator[Row]:
    """Yield [key, digest, stored] of a view, sorted by key."""
    for key, row in build.table(rule.name).raw_items():
        yield [key, row.digest, row.value]


def _index_rows(build: BuildContext, rule: Rule) -> Iterator[Row]:
    """Yield [key, term numbers] of a view's index, sorted by key."""
    query = (
        f'SELECT k.key, t.term FROM "keys_{rule.name}" k '
        f'JOIN "terms_{rule.name}" t ON t.id = k.id ORDER BY k.key, t.term'
    )
    rows = build.state.database.execute(query)
    for key, found in groupby(rows, key=lambda row: str(row[0])):
        yield [key, [term for _, term in found]]


__all__ = ["Push", "Pushed", "RemoteDown"]
