"""Run a map: look every row up by content, compute what is unknown, in parallel.

    memo key = digest(manifest digest + digest of the fields the rule reads)

Where the rule has `ingredients_by`, the manifest is cut to what the row depends on: a
new grammar has the files of its own language read again, and no others.

The row's own key does not enter it, so a renamed, reverted or copied file is a hit.
Rows that share a memo key are computed once. Results are written to the memo while the
rest is still being computed, so a killed build resumes where it stopped.

Up to `_POOL_ABOVE` misses are computed without a pool: a cold pool costs 0.7 s, as much
as 600 parsed files. Workers get packed values and open the object database themselves.
With `build.backend` they are on other machines (cluster.py).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from random import Random
from typing import Any, NamedTuple

from repobuild.engine.context import BuildContext, Problem
from repobuild.engine.digest import deflate, digest, inflate, pack, unpack
from repobuild.engine.rule import Rule, manifest_digest, manifest_of_rows
from repobuild.engine.run.child_processes import block_signals, follow_parent
from repobuild.engine.run.cluster import compute_on_cluster
from repobuild.engine.run.cluster_worker import ClusterWork
from repobuild.engine.run.command import Command
from repobuild.engine.run.worker import MapResult, MapWork, Payload, compute
from repobuild.engine.shared_rows import ASK_ABOVE
from repobuild.engine.storage.table import (
    RawRow,
    StoredTable,
    checked,
    pending_rows,
)
from repobuild.engine.storage.table_writer import TableResult, TableWriter

_POOL_ABOVE = 300
_MIN_CHUNK_ROWS, _MAX_CHUNK_ROWS = 8, 400
_WAVE_ROWS = 20_000
_COMMIT_SECONDS = 2.0


def run_map(build: BuildContext, rule: Rule) -> TableResult:
    """Bring a map's table up to date."""
    began = time.perf_counter()
    run = _MapRun(build, rule)
    run.take_shared()
    run.compute()
    with build.transaction():
        writer = build.writer(rule)
        run.write(writer)
        build.close(rule, writer, run.outcome, began)
    return run.outcome


def memo_keys(
    source: StoredTable,
    rule: Rule,
    manifest: Mapping[str, Any],
    keys: Iterable[str] | None = None,
) -> Iterator[tuple[str, bytes | None]]:
    """Yield rows of a map's input with their memo keys, None for a row that is gone.

    All rows, or those of `keys`.
    """
    prefixes: dict[str, bytes] = {}  # by what `ingredients_by` chooses

    def prefix(choice: str) -> bytes:
        """Return the digest of what the rows with this choice depend on."""
        if choice not in prefixes:
            chosen = manifest_of_rows(manifest, choice) if rule.ingredients_by else None
            prefixes[choice] = manifest_digest(chosen or manifest)
        return prefixes[choice]

    if not rule.reads:
        raw = source.raw_items() if keys is None else ((k, source.raw(k)) for k in keys)
        for key, row in raw:
            yield key, digest(prefix("") + row.digest) if row else None
        return
    values = (
        source.items() if keys is None else ((key, source.get(key)) for key in keys)
    )
    for key, value in values:
        if value is None:
            yield key, None
            continue
        choice = str(value[rule.ingredients_by]) if rule.ingredients_by else ""
        yield key, digest(prefix(choice) + digest(pack(rule.read_fields(value))))


class _MemoEntry(NamedTuple):
    id: int
    digest: bytes  # empty when the map made no row


class _MapRun:
    """One run of a map: which rows are wanted, and which of them the memo lacks."""

    def __init__(self, build: BuildContext, rule: Rule) -> None:
        self.build = build
        self.rule = rule
        self.outcome = TableResult(rule.name)
        self.source = build.table(rule.inputs[0])
        self.full = build.is_full(rule)
        source = self.source.rule.name
        # Row key -> stored old value of the input, as the last run saw it.
        self.pending = {} if self.full else pending_rows(build.state, rule.name, source)
        manifest = build.manifest(rule)
        self.manifest = manifest_digest(manifest)
        keys = None if self.full else self.pending
        # Row key -> memo key, None for a row that is gone.
        self.inputs = dict(memo_keys(self.source, rule, manifest, keys))
        self.misses: dict[bytes, str] = {}  # memo key -> one row key
        for key, memo in self.inputs.items():
            if memo and memo not in self.misses and self._memo(memo) is None:
                self.misses[memo] = key
        self.failures: set[bytes] = set()
        self.partial: dict[bytes, RawRow] = {}  # what of a failed row could be made

    def _memo(self, key: bytes) -> _MemoEntry | None:
        row = self.build.state.database.execute(
            "SELECT id, digest FROM memo WHERE key = ?", (key,)
        ).fetchone()
        return _MemoEntry(int(row[0]), row[1]) if row else None

    def take_shared(self) -> None:
        """Write what others have computed into the memo, and count it as known."""
        shared = self.build.shared
        if shared is None or not self.misses:
            return
        if not self.full and len(self.misses) < ASK_ABOVE:
            return
        wanted = {key: memo for memo, key in self.misses.items()}
        commit = self.build.snapshot.commit
        for rows in shared.memo_rows(self.rule, self.manifest, commit, wanted):
            found = {row.key: row for row in rows if row.key in self.misses}
            self._write_memo([MapResult(*row, "", False) for row in found.values()])
            for key in found:
                del self.misses[key]

    # ---------------------------------------------------------------------- computing

    def compute(self) -> None:
        """Compute the misses into the memo, committing every `_COMMIT_SECONDS`."""
        if not self.misses:
            return
        batch: list[MapResult] = []
        written = time.monotonic()
        with self.build.progress(self.rule.name, len(self.misses)) as bar:
            for results in self._results():
                batch += [result for result in results if self._accept(result)]
                bar.advance(len(results))
                if time.monotonic() - written > _COMMIT_SECONDS:
                    self._write_memo(batch)
                    batch, written = [], time.monotonic()
        self._write_memo(batch)

    def _results(self) -> Iterator[Sequence[MapResult]]:
        order = list(self.misses.items())
        if self.build.shuffle:
            Random(self.build.shuffle).shuffle(order)
        payloads = (Payload(memo, self._packed_input(key)) for memo, key in order)
        work = _map_work(self.build, self.rule)
        alone = self.build.cores == 1 and self.build.cluster.is_local
        if len(order) <= _POOL_ABOVE or alone:
            # A program is started once for each batch.
            size = _MAX_CHUNK_ROWS if isinstance(work.code, Command) else 1
            while batch := list(islice(payloads, size)):
                yield compute(work, batch)
            return
        cluster = self.build.cluster
        if cluster.is_local or work.code or work.copies:
            # Neither a user's code nor the work tree leaves this machine.
            yield from _compute_in_pool(self.build.cores, work, payloads, len(order))
            return
        task = ClusterWork(
            work, self.rule, self.rule.visible_settings(self.build.settings),
            self.build.manifest(self.rule), cluster.url,
        )  # fmt: skip
        yield from compute_on_cluster(
            cluster, task, payloads, len(order), self._report_computed_here
        )

    def _report_computed_here(self, reason: str) -> None:
        problem = Problem(self.rule.name, self.build.cluster.url, reason)
        if problem not in self.build.problems:
            self.build.events.emit("here", table=self.rule.name, text=reason)
            self.build.problems.append(problem)

    def _packed_input(self, key: str) -> bytes:
        """Return the packed fields of an input row that the rule reads."""
        source = self.source
        row = None if self.rule.reads or not source.rule.stored else source.raw(key)
        stored = source.stored(row) if row else None
        if row and stored:  # all fields: as they are
            return checked(stored, row.digest)
        return pack(self.rule.read_fields(source.get(key)))

    def _accept(self, result: MapResult) -> bool:
        """Report a result's problem; return whether the result counts."""
        if result.problem:
            name, key = self.rule.name, self.misses[result.key]
            event = "failed" if result.failed else "problem"
            self.build.events.emit(event, table=name, key=key, text=result.problem)
            self.build.problems.append(Problem(name, key, result.problem))
        if result.failed:
            self.failures.add(result.key)
            if result.digest:
                self.partial[result.key] = RawRow(result.digest, None, result.stored)
        return not result.failed

    def _write_memo(self, results: list[MapResult]) -> None:
        with self.build.transaction():
            self.build.state.database.executemany(
                "INSERT OR IGNORE INTO memo(key, digest, value, build) "
                "VALUES (?, ?, ?, ?)",
                [(r.key, r.digest, r.stored, self.build.number) for r in results],
            )

    # ------------------------------------------------------------------------ writing

    def write(self, writer: TableWriter) -> None:
        """Write rows, clear the pending ones. Runs inside the table's transaction."""
        heard = bool(self.build.consumers(self.rule))
        old = _OldValues(self.build, self.rule, self.pending if heard else {})
        for key, memo in sorted(self.inputs.items()):
            self._write_row(writer, key, memo, old)
        if self.full:
            stored = set(self.build.table(self.rule.name).keys())
            for key in stored - self.inputs.keys():
                self._drop(writer, key, old)
        self._clear_pending()

    def _write_row(
        self, writer: TableWriter, key: str, memo: bytes | None, old: _OldValues
    ) -> None:
        entry = self._memo(memo) if memo else None
        if memo and (entry is None or memo in self.failures):
            self.outcome.failed.append(key)
        row = self.partial.get(memo) if memo else None
        if row is None:
            failed = memo is None or memo in self.failures
            if failed or entry is None or not entry.digest:
                self._drop(writer, key, old)
                return
            row = RawRow(entry.digest, entry.id, None)
        new, removed = writer.put(key, row, {"input": memo}, old.get(key))
        counts = self.outcome.counts
        counts.removed += removed
        if memo in self.misses:
            self.outcome.built.append(key)
            counts.built += len(new)
        else:
            self.outcome.memo.append(key)
            counts.memo += len(new)
        if self.rule.entries:
            self.outcome.add_entries(key, new)

    def _drop(self, writer: TableWriter, key: str, old: _OldValues) -> None:
        if removed := writer.drop(key, old.get(key)):
            self.outcome.counts.removed += removed
            self.outcome.removed.append(key)

    def _clear_pending(self) -> None:
        source = self.source.rule.name
        failed = [(source, key) for key in self.outcome.failed]
        self.build.keep_pending(self.rule, failed)


class _OldValues:
    """Old values of rows that are not stored, rendered from the old input rows."""

    def __init__(
        self, build: BuildContext, rule: Rule, pending: dict[str, bytes | None]
    ) -> None:
        self._rule = rule
        self._inputs = {} if rule.stored else pending
        self._scope = build.map_scope(rule)

    def get(self, key: str) -> bytes | None:
        """Return the stored form of a row's old value, or None without one."""
        old = self._inputs.get(key)
        if old is None:
            return None
        fields = self._rule.read_fields(unpack(inflate(old)))
        value = self._rule.function(fields, self._scope)
        return None if value is None else deflate(pack(value))


def _map_work(build: BuildContext, rule: Rule) -> MapWork:
    scope = build.map_scope(rule)
    return MapWork(
        run=rule.run,
        settings=scope.settings,
        stored=rule.stored,
        repository=scope.repository,
        copies=scope.copies,
        folder=str(build.state.folder / "tmp"),
        code=rule.code,
        schema=rule.schema if rule.code else "",
    )


def _compute_in_pool(
    cores: int, work: MapWork, payloads: Iterator[Payload], total: int
) -> Iterator[Sequence[MapResult]]:
    """Compute in worker processes, wave by wave.

    joblib draws its input in a thread of its own, which must not touch the database. So
    a wave is read before it starts, and its size bounds the memory.
    """
    from multiprocessing import resource_tracker

    from joblib import delayed

    size = max(_MIN_CHUNK_ROWS, min(_MAX_CHUNK_ROWS, total // (cores * 16)))
    # Up to Python 3.12 its start lets Ctrl-C through again, to the workers after it.
    resource_tracker.ensure_running()
    with ExitStack() as stack:
        with block_signals():
            pool = stack.enter_context(_pool(cores))
        while wave := list(islice(payloads, _WAVE_ROWS)):
            chunks = [wave[i : i + size] for i in range(0, len(wave), size)]
            with block_signals():  # the first call starts the workers
                results = pool(delayed(compute)(work, chunk) for chunk in chunks)
            yield from results


def _pool(cores: int) -> Any:
    from joblib import Parallel

    return Parallel(
        n_jobs=cores,
        return_as="generator_unordered",
        initializer=follow_parent,
        initargs=(os.getpid(),),
    )
