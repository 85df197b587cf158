"""Run a view: pass it the changed rows of its inputs, write what it puts and drops."""

from __future__ import annotations

import time
from collections.abc import Mapping

from repobuild.engine.context import BuildContext
from repobuild.engine.contract import Change
from repobuild.engine.digest import key_digest
from repobuild.engine.rule import Rule, import_function, manifest_digest
from repobuild.engine.run.view_output import (
    ViewIndex,
    ViewOutput,
    write_index,
    write_rows,
)
from repobuild.engine.shared_rows import ViewRows
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
    if full and (shared := _shared_rows(build, rule)):
        return _take_rows(build, rule, shared, began)
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


def view_key(build: BuildContext, rule: Rule) -> str:
    """Return the hex digest of everything that a view's rows depend on."""
    manifest = manifest_digest(build.manifest(rule))
    inputs = {}
    for name in rule.inputs:
        line = build.state.line(name)
        inputs[name] = line.digest if line else b""
    return key_digest({"manifest": manifest, "inputs": inputs}).hex()


def _shared_rows(build: BuildContext, rule: Rule) -> ViewRows | None:
    """Return the rows that others have made of the same inputs, if there are any."""
    if build.shared is None:
        return None
    manifest = manifest_digest(build.manifest(rule))
    commit, key = build.snapshot.commit, view_key(build, rule)
    return build.shared.view_rows(rule, manifest, commit, key)


def _take_rows(
    build: BuildContext, rule: Rule, shared: ViewRows, began: float
) -> TableResult:
    """Write rows that others have made, in place of running the view's function."""
    outcome = TableResult(rule.name)
    index = ViewIndex(None)
    index.changed.update(shared.index)
    with build.transaction():
        writer = build.writer(rule)
        gone = set(build.table(rule.name).keys()) - shared.rows.keys()
        write_rows(writer, sorted(shared.rows.items()), gone, outcome, rule.entries)
        # They were not computed here: they count as rows that the memo had.
        outcome.memo, outcome.built = outcome.built, []
        outcome.counts.memo, outcome.counts.built = outcome.counts.built, 0
        write_index(build.state, rule, index, full=True)
        build.keep_pending(rule, ())
        build.close(rule, writer, outcome, began)
    return outcome


def _check_schema(rule: Rule, own: ViewOutput) -> None:
    """Check what a user's view put against the schema of the table that it extends."""
    for key in own.put_keys() if rule.schema and rule.code else ():
        if wrong := import_function(rule.schema)(own.get(key)):
            raise BuildError(f'rule "{rule.name}" put a bad row "{key}": {wrong}')
