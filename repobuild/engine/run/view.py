"""Run a view: hand it the news of its inputs, write the rows it puts and drops."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from repobuild.engine.contract import Change
from repobuild.engine.rule import Rule, load
from repobuild.engine.run.view_output import ViewOutput, write_index
from repobuild.engine.storage.table import RowChanges, StoredTable, pending
from repobuild.engine.storage.table_writer import TableResult
from repobuild.errors import BuildError

if TYPE_CHECKING:
    from repobuild.engine.build import Build


class RunningView:
    """See `contract.View`."""

    def __init__(self, build: Build, rule: Rule, full: bool) -> None:
        self._build = build
        self._rule = rule
        self.full = full
        self.settings = rule.seen(build.settings)
        self.own = ViewOutput(build.table(rule.name), full)
        self._changes: dict[str, RowChanges] = {}

    def changes(self, table: str) -> Mapping[str, Change]:
        """Return what a table has news of; asked again, what was decoded is there."""
        if table not in self._changes:
            self._changes[table] = self._news(table)
        return self._changes[table]

    def _news(self, table: str) -> RowChanges:
        source = self.table(table)
        if self.full:
            return RowChanges(source, list(source.keys()), {})
        old = pending(self._build.state, self._rule.name, table)
        return RowChanges(source, list(old), old)

    def table(self, name: str) -> StoredTable:
        if name not in self._rule.inputs:
            raise KeyError(f'rule "{self._rule.name}" does not declare "{name}"')
        return self._build.table(name)

    def joined(self, name: str) -> tuple[str, ...]:
        return tuple(n for n in self._build.joined(name) if n in self._rule.inputs)

    def blob(self, blob_id: str) -> bytes:
        return self._build.snapshot.blob(blob_id)


def _check(rule: Rule, own: ViewOutput) -> None:
    """Hold what a user's view put against the form of the table that it joins."""
    for key in own.fresh() if rule.form and rule.code else ():
        if wrong := load(rule.form)(own.get(key)):
            raise BuildError(f'rule "{rule.name}" put a bad row "{key}": {wrong}')


def run_view(build: Build, rule: Rule) -> TableResult:
    """Bring a view up to date; its rows and their news are one transaction."""
    began = time.perf_counter()
    full = build.is_full(rule)
    view = RunningView(build, rule, full)
    with build.progress(rule.name, 0):
        rule.function(view)
        _check(rule, view.own)
    outcome = TableResult(rule.name)
    with build.transaction():
        writer = build.writer(rule)
        view.own.write(writer, outcome)
        write_index(build.state, rule, view.own.index, full)
        build.state.database.execute(
            "DELETE FROM pending WHERE consumer = ?", (rule.name,)
        )
        build.close(rule, writer, outcome, began)
    return outcome
