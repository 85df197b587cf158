"""Bring tables up to date with a snapshot.

    build.run(goals)  for each table the goals need, inputs first: is it stale, and
                      if so, run its rule by kind and write its rows in one
                      transaction

A table is stale when it was never built, when its manifest changed (settings, tools,
rule version), when changed rows of an input are pending, or, for `files` and for
tasks, when the tree or the key is another. Nothing else is examined, so the cost of a
build is proportional to what changed.

Read next: context.py (when is a table stale, how are its rows written), then
run/map.py, run/view.py, run/source.py and run/task.py (one file per kind of rule).
"""

from __future__ import annotations

import sqlite3
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from repobuild.engine.context import BuildContext
from repobuild.engine.rule import Rule, closure
from repobuild.engine.run.cyclic_gc import CyclicGc
from repobuild.engine.run.map import run_map
from repobuild.engine.run.script import RuleError
from repobuild.engine.run.source import run_source
from repobuild.engine.run.task import run_task
from repobuild.engine.run.view import run_view
from repobuild.engine.state_files import replace_file
from repobuild.engine.storage.row_changes import trim
from repobuild.engine.storage.table_writer import TableResult
from repobuild.errors import BuildError

_ROW_RUNNERS = {"source": run_source, "map": run_map, "view": run_view}


@dataclass
class Build(BuildContext):
    """One build of one snapshot. Its caller holds the lock (checkout.py)."""

    _gc: CyclicGc = field(default_factory=CyclicGc)

    def run(
        self, goals: list[str], before_tasks: Callable[[], None] = lambda: None
    ) -> dict[str, TableResult]:
        """Build what the goals need; return the outcome of every table considered.

        `before_tasks` is called once: when the tables that the first task reads are
        built, or at the end where there is no task. What it raises ends the build.

        Raises:
            BuildError: a rule failed; what was built before it is kept.
        """
        needed = closure(self.rules, goals)
        # No table is made from a task's, so all tables can be made before the tasks.
        needed.sort(key=lambda name: self.rules[name].kind == "task")
        # Tasks are last and dearest, so what they depend on is checked first: a broken
        # base model ends the build before any sample is made.
        with self.progress("checking", 0):
            for rule in map(self.rules.__getitem__, needed):
                if rule.kind == "task":
                    with self._rule_errors(rule):
                        self.manifest(rule)
        self._begin()
        tasks = [name for name in needed if self.rules[name].kind == "task"]
        for name in needed:
            if name in tasks[:1]:
                before_tasks()
            with self._rule_errors(self.rules[name]), self.progress(name, 0):
                self.outcomes[name] = self._update(self.rules[name])
        if not tasks:
            before_tasks()
        failed = any(outcome.failed for outcome in self.outcomes.values())
        self._end("failed" if failed else "done")
        return self.outcomes

    @contextmanager
    def step(self) -> Iterator[None]:
        """Number what is done to the tables without running a rule."""
        self._begin()
        yield
        self._end("done")

    # ------------------------------------------------------------------- one table

    def _update(self, rule: Rule) -> TableResult:
        """Run a table's rule when it is stale; a task checks that by itself."""
        self._rows_to_read = self.count_rows_to_read(rule)
        if rule.kind == "task":
            outcome = run_task(self, rule)
        elif self.is_stale(rule):
            with self._gc.paused():
                outcome = _ROW_RUNNERS[rule.kind](self, rule)
        else:
            outcome = TableResult(rule.name)
            line = self.state.line(rule.name)
            outcome.counts.unchanged = line.entries if line else 0
            return outcome
        if outcome.built or outcome.memo or outcome.removed or outcome.failed:
            self.events.emit(
                "table",
                table=outcome.table,
                built=outcome.built,
                memo=outcome.memo,
                removed=outcome.removed,
                entries=outcome.entries,
                failed=outcome.failed,
                counts=vars(outcome.counts),
            )
        return outcome

    @contextmanager
    def _rule_errors(self, rule: Rule) -> Iterator[None]:
        """Turn a rule's own fault into an error that says where to look."""
        try:
            yield
        except (BuildError, OSError, sqlite3.Error):
            raise
        except Exception as error:
            if interrupt := _find_interrupt(error):
                raise interrupt from None
            trace = self.state.folder / "failure.txt"
            replace_file(trace, traceback.format_exc().encode("utf-8", "replace"))
            self.events.emit("fault", table=rule.name, text=repr(error))
            name = "" if isinstance(error, RuleError) else f"{type(error).__name__}: "
            raise BuildError(
                f'rule "{rule.name}" failed: {name}{error}\n'
                f'what was built before it is kept; the traceback is in "{trace}"'
            ) from error

    # --------------------------------------------------------------- begin and end

    def _begin(self) -> None:
        """Number the build, drop tables without a rule and trim old history."""
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
                self._drop_table(line.name)
        trim(database, self.number)
        self.events.trim()
        self.events.emit("begin", commit=self.snapshot.commit, tree=self.tree)

    def _drop_table(self, name: str) -> None:
        """Drop a table whose rule is gone: it would miss changed rows from now on.

        Its memo entries are kept as long as others that no row names.
        """
        with self.transaction():
            self.state.drop_table(name, self.number)
        self.events.emit("forgotten", table=name)

    def _end(self, outcome: str) -> None:
        seconds = round(time.perf_counter() - self._began, 3)
        self.state.database.execute(
            "UPDATE builds SET seconds = ?, outcome = ? WHERE id = ?",
            (seconds, outcome, self.number),
        )
        self.events.emit("end", outcome=outcome, seconds=seconds)


def _find_interrupt(error: BaseException) -> KeyboardInterrupt | None:
    """Return the interrupt during which an error was raised, as a pool's may be."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KeyboardInterrupt):
            return cause
        cause = cause.__context__
    return None
