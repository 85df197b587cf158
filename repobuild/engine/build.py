"""Bring tables up to date with a snapshot.

    build.run(goals)  for each table the goals need, inputs first: is it stale, and
                      if so, run its rule by kind and write its rows in one
                      transaction

A table is stale when it was never built, when its manifest changed (settings, tools,
rule version), when news of an input are pending, or, for `files` and for tasks, when
the tree or the key is another. Nothing else is looked at, so a build costs what
changed.
"""

from __future__ import annotations

import os
import sqlite3
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from repobuild.engine.contract import Progress, Value
from repobuild.engine.rule import Rule, closure, joined, manifest_digest
from repobuild.engine.run.cyclic_gc import unsearched
from repobuild.engine.run.script import RuleError
from repobuild.engine.storage.artifact_store import ArtifactStore
from repobuild.engine.storage.event_log import EventLog
from repobuild.engine.storage.row_changes import trim
from repobuild.engine.storage.run_history import TableRun, record
from repobuild.engine.storage.state import State, TableLine
from repobuild.engine.storage.table import StoredTable, pending
from repobuild.engine.storage.table_writer import TableResult, TableWriter
from repobuild.errors import BuildError
from repobuild.git.snapshot import Snapshot, worktree_id

ShowProgress = Callable[[str, int], AbstractContextManager[Progress]]
REMADE = 0  # a manifest number that no manifest has: the table starts anew


@dataclass
class Build:
    """One build of one snapshot. Holds the lock from `begin` to the end."""

    state: State
    store: ArtifactStore
    rules: Mapping[str, Rule]
    settings: Mapping[str, Value]
    snapshot: Snapshot
    events: EventLog
    progress: ShowProgress
    jobs: int = 0
    number: int = 0
    shuffle: int = 0
    outcomes: dict[str, TableResult] = field(default_factory=dict)
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    _tables: dict[str, StoredTable] = field(default_factory=dict)
    _manifests: dict[str, dict[str, Any]] = field(default_factory=dict)
    _looked: int = 0

    @property
    def tree(self) -> str:
        """Name of what is built: a tree id, or the digest of a work tree."""
        if self.snapshot.copies is None:
            return self.snapshot.tree
        return worktree_id(self.snapshot)

    def place(self, rule: Rule) -> str:
        """Name of what a table is made of here: a source may go by the commit."""
        return self.snapshot.lineage if rule.follows == "commit" else self.tree

    @property
    def cores(self) -> int:
        return self.jobs or len(os.sched_getaffinity(0))

    def run(self, goals: list[str]) -> dict[str, TableResult]:
        """Build what the goals need; return the outcome of every table looked at."""
        self._begin()
        for name in closure(self.rules, goals):
            with self._explained(self.rules[name]):
                self.outcomes[name] = self._bring(self.rules[name])
        failed = [key for o in self.outcomes.values() for key in o.failed]
        self._end("failed" if failed else "done")
        return self.outcomes

    @contextmanager
    def step(self) -> Iterator[None]:
        """Number what is done to the tables without running a rule."""
        self._begin()
        yield
        self._end("done")

    def table(self, name: str) -> StoredTable:
        """Return a table of this build, its unstored values rendered from its input."""
        if name not in self._tables:
            from repobuild.engine.run.map import renderer

            rule = self.rules[name]
            render = None if rule.stored else renderer(self, rule)
            self._tables[name] = StoredTable(self.state, rule, render)
        return self._tables[name]

    def joined(self, name: str) -> tuple[str, ...]:
        """Return the names of a table and of those that join it."""
        return joined(self.rules, name)

    def manifest(self, rule: Rule) -> dict[str, Any]:
        if rule.name not in self._manifests:
            self._manifests[rule.name] = rule.manifest(self.settings)
        return self._manifests[rule.name]

    def is_full(self, rule: Rule) -> bool:
        """Whether a table must be made from all its input instead of the news."""
        line = self.state.line(rule.name)
        if line is None or line.manifest == REMADE:
            return True
        known = self.state.manifest(line.manifest)
        return known != self.manifest(rule)

    def is_stale(self, rule: Rule) -> bool:
        if self.is_full(rule):
            return True
        if rule.kind == "source":
            line = self.state.line(rule.name)
            return line is None or line.tree != self.place(rule)
        return any(pending(self.state, rule.name, name) for name in rule.inputs)

    def consumers(self, rule: Rule) -> list[str]:
        """Return the tables that must hear of changed rows of this one.

        Tasks compare whole tables, and a table that starts anew reads all rows.
        """
        return [
            other.name
            for other in self.rules.values()
            if rule.name in other.inputs
            and other.kind in ("map", "view")
            and (line := self.state.line(other.name)) is not None
            and line.manifest != REMADE
        ]

    def writer(self, rule: Rule) -> TableWriter:
        number = 0 if self.state.line(rule.name) is None else self.number
        consumers = self.consumers(rule)
        return TableWriter(self.state, rule, self.table(rule.name), consumers, number)

    def close(
        self,
        rule: Rule,
        writer: TableWriter,
        outcome: TableResult,
        began: float,
        meta: Mapping[str, Value] = {},
    ) -> None:
        """Write a table's line at the end of its transaction; `meta` is a task's."""
        full = self.is_full(rule)
        body = self.manifest(rule)
        number = self.state.manifest_id(manifest_digest(body), body)
        if full and not rule.stored:
            self._remake(self.consumers(rule))
        seconds = time.perf_counter() - began
        old = self.state.line(rule.name)
        full_seconds = seconds if full or old is None else old.full_seconds
        line = TableLine(
            rule.name, number, b"", 0, 0, self.place(rule), self.snapshot.commit,
            seconds, full_seconds,
        )  # fmt: skip
        written = writer.finish(line)
        was = old.manifest if old else 0
        record(
            self.state,
            TableRun(
                rule.name, self.number, full, was, number, self._inputs(rule),
                self._looked or len(outcome.built) + len(outcome.removed),
                writer.changed, writer.noted, str(meta.get("mode", "")),
                float(meta.get("work", 0)), seconds,
            ),
        )  # fmt: skip
        counts = outcome.counts
        counts.seconds = round(seconds, 6)
        counts.unchanged = max(0, written.entries - counts.built - counts.memo)

    def _inputs(self, rule: Rule) -> dict[str, str]:
        lines = {name: self.state.line(name) for name in rule.inputs}
        return {name: line.digest.hex() for name, line in lines.items() if line}

    def awaited(self, rule: Rule) -> int:
        """Return how many rows of its inputs a table has to look at."""
        if rule.kind == "source":
            return 0
        if self.is_full(rule):
            lines = [self.state.line(name) for name in rule.inputs]
            return sum(line.rows for line in lines if line)
        query = "SELECT count(*) FROM pending WHERE consumer = ?"
        return int(self.state.database.execute(query, (rule.name,)).fetchone()[0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is written, or nothing is."""
        self.state.database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self.state.database.in_transaction:  # a full disk has ended it already
                self.state.database.execute("ROLLBACK")
            raise
        self.state.database.execute("COMMIT")

    @contextmanager
    def _explained(self, rule: Rule) -> Iterator[None]:
        """Turn a rule's own fault into an error that says where to look."""
        try:
            yield
        except (BuildError, OSError, sqlite3.Error):
            raise
        except Exception as error:
            if ended := _interrupt(error):
                raise ended from None
            trace = self.state.folder / "failure.txt"
            trace.write_text(traceback.format_exc(), "utf-8")
            self.events.emit("fault", table=rule.name, text=repr(error))
            name = "" if isinstance(error, RuleError) else f"{type(error).__name__}: "
            raise BuildError(
                f'rule "{rule.name}" failed: {name}{error}\n'
                f'what was built before it is kept; the traceback is in "{trace}"'
            ) from error

    def _bring(self, rule: Rule) -> TableResult:
        self._looked = self.awaited(rule)
        if rule.kind == "task":
            from repobuild.engine.run.task import run_task

            outcome = run_task(self, rule)
        elif not self.is_stale(rule):
            return self._unchanged(rule)
        else:
            with unsearched():
                outcome = self._run_rows(rule)
        self._log(outcome)
        return outcome

    def _run_rows(self, rule: Rule) -> TableResult:
        if rule.kind == "source":
            from repobuild.engine.run.source import run_source

            return run_source(self, rule)
        if rule.kind == "map":
            from repobuild.engine.run.map import run_map

            return run_map(self, rule)
        from repobuild.engine.run.view import run_view

        return run_view(self, rule)

    def _unchanged(self, rule: Rule) -> TableResult:
        outcome = TableResult(rule.name)
        line = self.state.line(rule.name)
        outcome.counts.unchanged = line.entries if line else 0
        return outcome

    def _log(self, outcome: TableResult) -> None:
        counts = outcome.counts
        if not (outcome.built or outcome.memo or outcome.removed or outcome.failed):
            return
        self.events.emit(
            "table",
            table=outcome.table,
            built=outcome.built,
            memo=outcome.memo,
            removed=outcome.removed,
            entries=outcome.entries,
            failed=outcome.failed,
            counts=vars(counts),
        )

    def _forget(self, name: str) -> None:
        """Drop a table whose rule is gone: it would miss news from now on.

        Its memo entries stay for as long as others that no row names.
        """
        with self.transaction():
            self.state.drop_table(name, self.number)
        self.events.emit("forgotten", table=name)

    def _remake(self, consumers: list[str]) -> None:
        """Make tables start anew whose input's old values cannot be told any more."""
        for name in consumers:
            self.state.database.execute(
                "UPDATE tables SET manifest = ? WHERE name = ?", (REMADE, name)
            )
            self.state.database.execute(
                "DELETE FROM pending WHERE consumer = ?", (name,)
            )

    def _begin(self) -> None:
        database = self.state.database
        cursor = database.execute(
            'INSERT INTO builds("commit", tree, outcome) VALUES (?, ?, ?)',
            (self.snapshot.commit, self.tree, "running"),
        )
        self.number = int(cursor.lastrowid or 0)
        self.events.build = self.number
        self._began = time.perf_counter()
        for line in self.state.lines():
            if line.name not in self.rules:
                self._forget(line.name)
        trim(database, self.number)
        self.events.trim()
        self.events.emit("begin", commit=self.snapshot.commit, tree=self.tree)

    def _end(self, outcome: str) -> None:
        seconds = round(time.perf_counter() - self._began, 3)
        self.state.database.execute(
            "UPDATE builds SET seconds = ?, outcome = ? WHERE id = ?",
            (seconds, outcome, self.number),
        )
        self.events.emit("end", outcome=outcome, seconds=seconds)


def _interrupt(error: BaseException) -> KeyboardInterrupt | None:
    """Return the interrupt on whose way out an error came up, as a pool's may."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, KeyboardInterrupt):
            return found
        found = found.__context__
    return None
