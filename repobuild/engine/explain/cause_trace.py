"""Trace a changed row back to the file and the commit where the change began.

A map's row is made from the input row of the same key. Which rows a view's row is made
from is not recorded. They are guessed among the input rows that changed in the same
builds, by what they have in common with it (similarity.py): the same field values
before and after, the same file, a mention of one in the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from repobuild.engine.context import BuildContext
from repobuild.engine.digest import inflate, unpack
from repobuild.engine.explain.diff import Difference, differing_leaves
from repobuild.engine.explain.reason import Cause, Reason, differences
from repobuild.engine.explain.similarity import STRONG, Similarity
from repobuild.engine.rule import Rule, import_function
from repobuild.engine.storage.row_changes import (
    RowChange,
    changes_between,
    changes_of_row,
)
from repobuild.engine.storage.run_history import TableRun, runs

_COMPARED_ROWS = 2_000  # changed input rows that are compared with a view's row
_REPORTED_ROWS = 2
_REPORTED_FIELDS = 6


class BuiltCommit(NamedTuple):
    """The commit of a build; both empty for a work tree."""

    commit: str
    subject: str


class RowValues(NamedTuple):
    """A row's value before and after a change; None = unknown or no row."""

    old: Any
    new: Any


class CauseTrace:
    """Finds reasons, and caches what it reads while it answers one question."""

    def __init__(self, build: BuildContext) -> None:
        self.build = build
        self._runs: dict[str, list[TableRun]] = {}
        # Keys: (table, after build, until build) and (table, row key, build).
        self._changes: dict[tuple[str, int, int], list[RowChange]] = {}
        self._leaves: dict[tuple[str, str, int], list[Difference]] = {}
        self._features: dict[tuple[str, str, int], Similarity] = {}

    # ------------------------------------------------------------- builds and runs

    def runs(self, table: str) -> list[TableRun]:
        """Return the recorded runs of a table, newest first."""
        if table not in self._runs:
            self._runs[table] = runs(self.build.state, table)
        return self._runs[table]

    def run(self, table: str, number: int) -> TableRun | None:
        """Return a table's run in a build, if it is recorded."""
        return next((r for r in self.runs(table) if r.build == number), None)

    def before(self, run: TableRun) -> TableRun | None:
        """Return the run of the same table before this one, if it is recorded."""
        return next((r for r in self.runs(run.table) if r.build < run.build), None)

    def commit(self, number: int) -> BuiltCommit:
        """Return commit and subject of a build."""
        row = self.build.state.database.execute(
            'SELECT "commit", tree FROM builds WHERE id = ?', (number,)
        ).fetchone()
        if not row or not row[0] or str(row[1]).startswith("worktree:"):
            return BuiltCommit("", "")
        return BuiltCommit(str(row[0]), self.build.snapshot.subject(str(row[0])))

    # ------------------------------------------------------------------ a row

    def values(self, change: RowChange) -> RowValues:
        """Return a row's value before and after a change, as far as it is recorded."""
        history = changes_of_row(self.build.state.database, change.table, change.key)
        later = [c for c in history if c.build > change.build]
        if change.is_gone:
            return RowValues(self._old(change), None)
        if later:
            return RowValues(self._old(change), self._old(later[-1]))
        current = self._current(change.table, change.key)
        return RowValues(self._old(change), current)

    def _old(self, change: RowChange) -> Any:
        stored = change.detail.get("old")
        if stored is None and change.detail.get("memo") is not None:
            row = self.build.state.database.execute(
                "SELECT value FROM memo WHERE id = ?", (change.detail["memo"],)
            ).fetchone()
            stored = row[0] if row else None
        return unpack(inflate(stored)) if stored else None

    def _current(self, name: str, key: str) -> Any:
        """Return a row's value; for a rule that stores none, its entries' digests."""
        table = self.build.table(name)
        row = table.raw(key)
        stored = table.stored(row) if row else None
        return unpack(inflate(stored)) if stored else None

    def fields(self, change: RowChange) -> list[Difference]:
        """Return which fields a change of a row touched."""
        cache_key = (change.table, change.key, change.build)
        if cache_key not in self._leaves:
            rule = self.build.rules[change.table]
            has_both = rule.stored and not (change.is_new or change.is_gone)
            old, new = self.values(change) if has_both else (None, None)
            leaves = differing_leaves(old, new) if old is not None else []
            if rule.labels:
                label = import_function(rule.labels)
                leaves = [replace(leaf, name=label(leaf.name)) for leaf in leaves]
            self._leaves[cache_key] = leaves
        return self._leaves[cache_key]

    def reasons(
        self, change: RowChange, fields: list[Difference] | None = None
    ) -> tuple[Reason, ...]:
        """Return why a row changed; `fields` restricts it to a part of the row."""
        rule = self.build.rules[change.table]
        run = self.run(change.table, change.build)
        full_run = list(self.full_run_reasons(run)) if run and run.full else []
        if rule.kind == "source":
            return (*full_run, *self._git_reasons(rule, change))
        if rule.kind == "map":
            return (*full_run, *self._input_row_reasons(rule, change, run))
        leaves = self.fields(change) if fields is None else fields
        return (*self._similar_row_reasons(rule, change, run, leaves), *full_run)

    def full_run_reasons(self, run: TableRun) -> Iterator[Reason]:
        """Yield why a run built a table from all rows of its inputs."""
        state, last = self.build.state, self.before(run)
        was = run.was or (last.manifest if last else 0)
        if not was:
            commit, subject = self.commit(run.build)
            yield Reason(
                run.table, "", Cause.NEVER_BUILT,
                build=run.build, commit=commit, subject=subject,
            )  # fmt: skip
            return
        reasons = differences(
            run.table, state.manifest(was), state.manifest(run.manifest)
        )
        yield from reasons or self._full_inputs(run)

    def _full_inputs(self, run: TableRun) -> Iterator[Reason]:
        """Yield the inputs whose own full run made this run a full one."""
        for name in self.build.rules[run.table].inputs:
            other = self.run(name, run.build)
            if other and other.full:
                because = tuple(self.full_run_reasons(other))
                yield Reason(name, "", Cause.INPUT_CHANGED, because=because)

    # ------------------------------------------------------- what caused a change

    def _git_reasons(self, rule: Rule, change: RowChange) -> Iterator[Reason]:
        """Yield the commit that changed a file; the built commit for a history."""
        built, built_subject = self.commit(change.build)
        if rule.follows == "commit":
            yield Reason(
                "git", "", Cause.INPUT_CHANGED, commit=built, subject=built_subject
            )
            return
        if not built:
            yield Reason("git", change.key, Cause.INPUT_CHANGED, name="work tree")
            return
        origin = self.build.snapshot.last_change(change.key, built)
        commit, subject = origin or (built, "")
        yield Reason("git", change.key, _cause(change), commit=commit, subject=subject)

    def _input_row_reasons(
        self, rule: Rule, change: RowChange, run: TableRun | None
    ) -> list[Reason]:
        """Return the change of the input row with the same key."""
        for name in rule.inputs:
            for other in changes_of_row(self.build.state.database, name, change.key):
                if self._seen_until(run, change) < other.build <= change.build:
                    return [self.reason(other)]
        return []

    def _similar_row_reasons(
        self,
        rule: Rule,
        change: RowChange,
        run: TableRun | None,
        leaves: list[Difference],
    ) -> list[Reason]:
        """Return the changed input rows that have most in common with this one."""
        after = self._seen_until(run, change)
        features = Similarity.of(change.key, leaves)
        scored = [
            (features.score(self._features_of(other)), other)
            for name in rule.inputs
            for other in self._cached_changes(name, after, change.build)
        ]
        if not scored:
            return []
        best = max(score for score, _ in scored)
        if run and run.full and best < STRONG:
            return []  # the cause of the full run explains the row
        if not best:
            return [self._unknown_row([other for _, other in scored])]
        # When a file changed in several inputs, the one built last leads to the others.
        chosen = [other for score, other in scored if score == best]
        last = max(rule.inputs.index(other.table) for other in chosen)
        chosen = [f for f in chosen if rule.inputs.index(f.table) == last]
        return [self.reason(other) for other in chosen[:_REPORTED_ROWS]]

    def _unknown_row(self, changes: list[RowChange]) -> Reason:
        """Return the reason for a row that has nothing in common with any change."""
        example = self.reason(changes[0])
        name = f"one of {len(changes)} changed rows"
        table = changes[0].table
        return Reason(table, "", Cause.INPUT_CHANGED, name, because=(example,))

    def _seen_until(self, run: TableRun | None, change: RowChange) -> int:
        """Return the build up to which the table had read its inputs before."""
        last = self.before(run) if run else None
        return last.build if last else change.build - 1

    def _cached_changes(self, table: str, after: int, until: int) -> list[RowChange]:
        cache_key = (table, after, until)
        if cache_key not in self._changes:
            self._changes[cache_key] = changes_between(
                self.build.state.database, table, after, until, _COMPARED_ROWS
            )
        return self._changes[cache_key]

    def _features_of(self, change: RowChange) -> Similarity:
        cache_key = (change.table, change.key, change.build)
        if cache_key not in self._features:
            self._features[cache_key] = Similarity.of(change.key, self.fields(change))
        return self._features[cache_key]

    def reason(self, change: RowChange) -> Reason:
        """Return an input row's change as a reason, with what caused it."""
        commit, subject = self.commit(change.build)
        fields = self.fields(change)
        first = fields[0] if fields else Difference("", None, None)
        return Reason(
            table=change.table,
            key=change.key,
            cause=_cause(change),
            name=first.name,
            old=first.old,
            new=first.new,
            fields=tuple(fields[:_REPORTED_FIELDS]),
            build=change.build,
            commit=commit,
            subject=subject,
            because=self.reasons(change),
        )


def _cause(change: RowChange) -> Cause:
    if change.is_gone:
        return Cause.INPUT_REMOVED
    return Cause.INPUT_ADDED if change.is_new else Cause.INPUT_CHANGED
