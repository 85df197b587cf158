"""Hold what the steps of one build share: state, rules, snapshot and tables.

`BuildContext` answers which rows a rule has to look at and writes what a rule made.
`Build` (build.py) adds the order of the steps. Everything that runs one rule, explains
it or collects garbage takes a context, so that no module but the command line's needs
build.py.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from repobuild.engine.contract import ShowProgress, Value
from repobuild.engine.rule import Rule, manifest_digest, with_extensions
from repobuild.engine.run.cluster import Cluster
from repobuild.engine.run.worker import MapScope
from repobuild.engine.shared_rows import SharedRows
from repobuild.engine.storage.artifact_store import ArtifactStore
from repobuild.engine.storage.event_log import EventLog
from repobuild.engine.storage.run_history import TableRun, record
from repobuild.engine.storage.state import State, TableRecord
from repobuild.engine.storage.table import Render, StoredTable, pending_rows
from repobuild.engine.storage.table_writer import TableResult, TableWriter
from repobuild.git.snapshot import Snapshot, worktree_id

# The manifest number of a table that must start afresh. No stored manifest has it.
NO_MANIFEST = 0


class Problem(NamedTuple):
    """A problem with a row that the user should know; the build continues."""

    table: str
    key: str
    text: str


def usable_cores() -> int:
    """Return how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass
class BuildContext:
    """The state, rules and snapshot of one build, and its tables.

    A verb that only reads makes one over a state that is opened read-only.
    """

    state: State
    store: ArtifactStore
    rules: Mapping[str, Rule]
    settings: Mapping[str, Value]
    snapshot: Snapshot
    events: EventLog
    progress: ShowProgress
    jobs: int = 0  # 0 = as many as there are cores
    cluster: Cluster = Cluster()  # that computes large maps; this machine by default
    number: int = 0  # of the build; 0 while none runs
    shuffle: int = 0  # seed that shuffles the order of map rows, for tests
    shared: SharedRows | None = None  # what others have built
    outcomes: dict[str, TableResult] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _tables: dict[str, StoredTable] = field(default_factory=dict)
    _manifests: dict[str, dict[str, Any]] = field(default_factory=dict)
    _rows_to_read: int = 0  # input rows of the table that is being built

    # ---------------------------------------------------------------- what is built

    @property
    def tree(self) -> str:
        """The id of what is built: a tree id, or the digest of a work tree."""
        if self.snapshot.copies is None:
            return self.snapshot.tree
        return worktree_id(self.snapshot)

    def source_id(self, rule: Rule) -> str:
        """Return the id of what a table is built from: a tree, or a commit's lineage.

        A source is stale when this id is not the recorded one.
        """
        return self.snapshot.history_id if rule.follows == "commit" else self.tree

    @property
    def cores(self) -> int:
        """How many processes a map may use."""
        return self.jobs or usable_cores()

    def manifest(self, rule: Rule) -> dict[str, Any]:
        """Return a rule's manifest under the current settings and tools."""
        if rule.name not in self._manifests:
            self._manifests[rule.name] = rule.manifest(self.settings)
        return self._manifests[rule.name]

    # -------------------------------------------------------------------- its tables

    def table(self, name: str) -> StoredTable:
        """Return a table; values that are not stored are rendered from its input."""
        if name not in self._tables:
            rule = self.rules[name]
            render = None if rule.stored else self._renderer(rule)
            self._tables[name] = StoredTable(self.state, rule, render)
        return self._tables[name]

    def _renderer(self, rule: Rule) -> Render:
        """Return the function that renders an unstored row from its input row."""
        source, scope = self.table(rule.inputs[0]), self.map_scope(rule)

        def render(key: str) -> Value | None:
            value = source.get(key)
            if value is None:
                return None
            return rule.function(rule.read_fields(value), scope)

        return render

    def map_scope(self, rule: Rule) -> MapScope:
        """Return what a map's function may read besides its row."""
        return MapScope(
            rule.tracked_settings(self.settings),
            self.snapshot.repository.path,
            str(self.snapshot.copies or ""),
        )

    def with_extensions(self, name: str) -> tuple[str, ...]:
        """Return a table's name and the names of the tables that extend it."""
        return with_extensions(self.rules, name)

    # ------------------------------------------------------------------ is it stale?

    def is_full(self, rule: Rule) -> bool:
        """Return whether a table must be built from all rows of its inputs.

        True when it was never built or its manifest changed.
        """
        line = self.state.line(rule.name)
        if line is None or line.manifest == NO_MANIFEST:
            return True
        return self.state.manifest(line.manifest) != self.manifest(rule)

    def is_stale(self, rule: Rule) -> bool:
        """Return whether a table must be built at all; for tasks see task.py.

        See build.py for when a table is stale.
        """
        if self.is_full(rule):
            return True
        if rule.kind == "source":
            line = self.state.line(rule.name)
            if line is None or line.tree != self.source_id(rule):
                return True
            return bool(pending_rows(self.state, rule.name, rule.name))
        return any(pending_rows(self.state, rule.name, name) for name in rule.inputs)

    def count_rows_to_read(self, rule: Rule) -> int:
        """Return how many rows of its inputs a table has to look at."""
        if rule.kind == "source":
            return 0
        if self.is_full(rule):
            lines = [self.state.line(name) for name in rule.inputs]
            return sum(line.rows for line in lines if line)
        query = "SELECT count(*) FROM pending WHERE consumer = ?"
        return int(self.state.database.execute(query, (rule.name,)).fetchone()[0])

    # ------------------------------------------------------------------------ writing

    def report_failure(self, table: str, key: str, problem: str) -> None:
        """Report a row that could not be made."""
        self.events.emit("failed", table=table, key=key, text=problem)
        self.problems.append(Problem(table, key, problem))

    def keep_pending(self, rule: Rule, failed: Iterable[tuple[str, str]]) -> None:
        """Clear a table's pending rows but for those that failed: (table, key).

        The next build tries these again. Runs inside the table's transaction.
        """
        database = self.state.database
        database.execute("DELETE FROM pending WHERE consumer = ?", (rule.name,))
        database.executemany(
            "INSERT OR IGNORE INTO pending VALUES (?, ?, ?, NULL)",
            [(rule.name, table, key) for table, key in failed],
        )

    def consumers(self, rule: Rule) -> list[str]:
        """Return the tables for which this table's changed rows become pending.

        Tasks compare whole tables and a table that starts afresh reads all rows, so
        neither needs pending rows.
        """
        return [
            other.name
            for other in self.rules.values()
            if rule.name in other.inputs
            and other.kind in ("map", "view")
            and (line := self.state.line(other.name)) is not None
            and line.manifest != NO_MANIFEST
        ]

    def writer(self, rule: Rule) -> TableWriter:
        """Return a writer of a table's rows; a first build records no row changes."""
        number = 0 if self.state.line(rule.name) is None else self.number
        consumers = self.consumers(rule)
        return TableWriter(self.state, rule, self.table(rule.name), consumers, number)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write everything inside, or nothing."""
        self.state.database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            # A full disk has ended the transaction already.
            if self.state.database.in_transaction:
                self.state.database.execute("ROLLBACK")
            raise
        self.state.database.execute("COMMIT")

    def close(
        self,
        rule: Rule,
        writer: TableWriter,
        outcome: TableResult,
        began: float,
        meta: Mapping[str, Value] = {},
    ) -> None:
        """Write a table's line and record its run, at the end of its transaction.

        `began` is a `perf_counter` value; `meta` is what a task returned.
        """
        full, old = self.is_full(rule), self.state.line(rule.name)
        body = self.manifest(rule)
        number = self.state.manifest_id(manifest_digest(body), body)
        if full and not rule.stored:
            self._start_afresh(self.consumers(rule))
        seconds = time.perf_counter() - began
        line = writer.finish(
            TableRecord(
                rule.name, number, b"", 0, 0, self.source_id(rule),
                self.snapshot.commit, seconds,
                full_seconds=seconds if full or old is None else old.full_seconds,
            )
        )  # fmt: skip
        record(
            self.state,
            TableRun(
                rule.name, self.number, full, old.manifest if old else NO_MANIFEST,
                number, self._input_digests(rule),
                self._rows_to_read or len(outcome.built) + len(outcome.removed),
                writer.changed, writer.noted, str(meta.get("mode", "")),
                float(meta.get("work", 0)), seconds,
            ),
        )  # fmt: skip
        counts = outcome.counts
        counts.seconds = round(seconds, 6)
        counts.unchanged = max(0, line.entries - counts.built - counts.memo)

    def _input_digests(self, rule: Rule) -> dict[str, str]:
        lines = {name: self.state.line(name) for name in rule.inputs}
        return {name: line.digest.hex() for name, line in lines.items() if line}

    def _start_afresh(self, consumers: list[str]) -> None:
        """Make tables start afresh: their input's old values cannot be rendered."""
        for name in consumers:
            self.state.database.execute(
                "UPDATE tables SET manifest = ? WHERE name = ?", (NO_MANIFEST, name)
            )
            self.state.database.execute(
                "DELETE FROM pending WHERE consumer = ?", (name,)
            )
