"""The standard build on a small repository, up to `dataset`, as tests drive it."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any, NamedTuple

import pygit2

from repobuild.checkout import silent
from repobuild.engine.build import Build
from repobuild.engine.rule import Rule, read_rules
from repobuild.engine.storage.artifact_store import ArtifactStore
from repobuild.engine.storage.event_log import EventLog
from repobuild.engine.storage.state import open_state
from repobuild.engine.storage.table import StoredTable
from repobuild.engine.storage.table_writer import TableResult
from repobuild.git.snapshot import Snapshot, at_commit
from repobuild.resources import data_folder
from repobuild.settings import read_layers


class Row(NamedTuple):
    """A physical row: its digest, its memo entry's number, and its stored bytes."""

    digest: bytes
    memo: int | None
    stored: bytes


class Standard:
    """One state of the standard build in a folder of its own."""

    def __init__(self, git: pygit2.Repository, place: Path, **settings: Any) -> None:
        self.git = git
        self.place = place
        self.rules = read_rules(data_folder("rules"))
        self.defaults = read_layers(place).merged()
        self.settings = {**self.defaults, **settings}
        self.state = open_state(place)
        self.last: Build | None = None

    def build(
        self, goal: str = "dataset", snapshot: Snapshot | None = None, **options: Any
    ) -> dict[str, TableResult]:
        self.last = self.open(snapshot, **options)
        return self.last.run([goal])

    def open(self, snapshot: Snapshot | None = None, **options: Any) -> Build:
        """Return the next build, not run yet."""
        store = ArtifactStore(
            self.place / "objects", [data_folder("cache") / "objects"]
        )
        return Build(
            self.state, store, self.rules, self.settings,
            snapshot or at_commit(self.git), EventLog(self.place / "events.jsonl"),
            silent, **options,
        )  # fmt: skip

    def table(self, name: str) -> StoredTable:
        """Return a table as it was last built."""
        return self.open().table(name)

    def is_full(self, rule: Rule) -> bool:
        """Whether the next build would make a table from all its input."""
        return self.open().is_full(rule)

    def digests(self) -> dict[str, str]:
        """Return the digest of every table that is not a task's."""
        return {
            line.name: line.digest.hex()
            for line in self.state.lines()
            if self.rules[line.name].kind != "task"
        }

    def rows(self, table: str) -> dict[str, Row]:
        """Return all physical rows of a table."""
        self.state.rows_of(table, index=self.rules[table].kind == "view")
        query = (
            "SELECT r.key, r.digest, r.memo, coalesce(r.value, m.value) "
            f'FROM "rows_{table}" r LEFT JOIN memo m ON m.id = r.memo'
        )
        found = self.state.database.execute(query)
        return {key: Row(*rest) for key, *rest in found}

    def row_digests(self, table: str) -> dict[str, bytes]:
        self.state.rows_of(table, index=self.rules[table].kind == "view")
        query = f'SELECT key, digest FROM "rows_{table}"'
        return dict(self.state.database.execute(query).fetchall())

    def terms(self, view: str) -> set[tuple[int, str]]:
        """Return a view's index as (term, key)."""
        query = (
            f'SELECT t.term, k.key FROM "terms_{view}" t '
            f'LEFT JOIN "keys_{view}" k ON k.id = t.id'
        )
        return set(self.state.database.execute(query))

    def indexed(self, view: str) -> set[str]:
        """Return the keys that a view's index knows."""
        query = f'SELECT key FROM "keys_{view}"'
        return {key for (key,) in self.state.database.execute(query)}

    def events(self) -> dict[str, dict[str, Any]]:
        """Return what the last build logged of each table that it changed.

        The log cuts long lists of keys; they are completed from the build itself.
        """
        assert self.last is not None
        found = {}
        for event in EventLog(self.place / "events.jsonl").read():
            if event["build"] == self.last.number and event["event"] == "table":
                found[event["table"]] = event
        for name, event in found.items():
            for said in ("built", "memo", "removed", "entries", "failed"):
                whole = getattr(self.last.outcomes[name], said)
                assert event[said] == whole[: len(event[said])]
                event[said] = whole
        return found

    def close(self) -> None:
        self.state.close()
        # A build freezes what it leaves (cycles.py): it is the last thing that its
        # process does. Here hundreds of builds share one.
        gc.unfreeze()
