"""Run a view: pass it the changed rows of its inputs, write what it puts and drops."""

from __future__ import annotations

import time
from collections.abc import Mapping

from repobuild.engine.context import BuildContext
from repobuild.engine.contract import Change
from repobuild.engine.rule import Rule, import_function
from repobuild.engine.run.view_output import ViewOutput, write_index
from repobuild.engine.storage.table import RowChanges, StoredTable, pending_rows
from repobuild.engine.storage.table_writer import TableResult
from repobuild.errors import BuildError


class RunningView:
    """See `contract.View`."""

    def __init__(self, build: BuildContext, rule: Rule, full: bool) -> None:
        self._build = build
        self._rule = rule
        self.full = full
        self.settings = rule.visible_settings(build.settings)
        self.own = ViewOutput(build.table(rule.name), full)
        self.failures: dict[tuple[str, str], None] = {}  # table and key, in order
        self._changes: dict[str, RowChanges] = {}

    def changes(self, table: str) -> Mapping[str, Change]:
        # Kept, so that a second call does not decode the rows again.
        if table not in self._changes:
            source = self.table(table)
            if self.full:
                changes = RowChanges(source, list(source.keys()), {})
            else:
                old = pending_rows(self._build.state, self._rule.name, table)
                changes = RowChanges(source, list(old), old)
            self._changes[table] = changes
        return self._changes[table]

    def table(self, name: str) -> StoredTable:
        if name not in self._rule.inputs:
            raise KeyError(f'rule "{self._rule.name}" does not declare "{name}"')
        return self._build.table(name)

    def with_extensions(self, name: str) -> tuple[str, ...]:
        return tuple(
            n for n in self._build.with_extensions(name) if n in self._rule.inputs
        )

    def blob(self, blob_id: str) -> bytes:
        return self._build.snapshot.blob(blob_id)

    def fail(self, table: str, key: str, problem: object) -> None:
        if (table, key) not in self.failures:
            self.failures[table, key] = None
            self._build.report_failure(self._rule.name, key, str(problem))


def run_view(build: BuildContext, rule: Rule) -> TableResult:
    """Bring a view up to date.

    Its rows and the end of its pending rows are one transaction.

    Raises:
        BuildError: a user's view put a row that its schema refuses.
    """
    began = time.perf_counter()
    full = build.is_full(rule)
    view = RunningView(build, rule, full)
    rule.function(view)
    _check_schema(rule, view.own)
    outcome = TableResult(rule.name, failed=[key for _, key in view.failures])
    with build.transaction():
        writer = build.writer(rule)
        view.own.write(writer, outcome)
        write_index(build.state, rule, view.own.index, full)
        build.keep_pending(rule, view.failures)
        build.close(rule, writer, outcome, began)
    return outcome


def _check_schema(rule: Rule, own: ViewOutput) -> None:
    """Check what a user's view put against the schema of the table that it extends."""
    for key in own.put_keys() if rule.schema and rule.code else ():
        if wrong := import_function(rule.schema)(own.get(key)):
            raise BuildError(f'rule "{rule.name}" put a bad row "{key}": {wrong}')
