"""Run a map: look every row up by content, compute what is not known, in parallel.

    memo key = digest(manifest digest + digest of the fields the rule reads)

Nothing of the row's own key is in it: a renamed, reverted or copied file is a hit. Rows
that share a memo key are computed once. Results are written to the memo while the rest
is still computed, so a killed build does not begin again.

Below `_POOL_ABOVE` misses no pool is started: a cold pool costs 0.7 s, as much as 600
parsed files. Workers get packed values and open the object database themselves.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

from repobuild.engine.contract import Value
from repobuild.engine.digest import deflate, digest, inflate, pack, unpack
from repobuild.engine.rule import Rule, manifest_digest
from repobuild.engine.run.child_processes import follow_parent, unheard
from repobuild.engine.run.command import Command
from repobuild.engine.run.worker import MapResult, MapScope, MapWork, Payload, compute
from repobuild.engine.storage.table import RawRow, Render, pending
from repobuild.engine.storage.table_writer import TableResult, TableWriter

if TYPE_CHECKING:
    from repobuild.engine.build import Build

_POOL_ABOVE = 300
_CHUNK_ROWS = (8, 400)
_WAVE_ROWS = 20_000
_COMMIT_SECONDS = 2.0


def run_map(build: Build, rule: Rule) -> TableResult:
    """Bring a map's table up to date."""
    began = time.perf_counter()
    run = _Run(build, rule)
    run.compute()
    with build.transaction():
        writer = build.writer(rule)
        run.write(writer)
        build.close(rule, writer, run.outcome, began)
    return run.outcome


def renderer(build: Build, rule: Rule) -> Render:
    """Return the function that renders an unstored row from its input row."""
    source = build.table(rule.inputs[0])
    scope = _scope(build, rule)

    def render(key: str) -> Value | None:
        value = source.get(key)
        return None if value is None else rule.function(_read(rule, value), scope)

    return render


def _read(rule: Rule, value: Value) -> Value:
    return {name: value[name] for name in rule.reads} if rule.reads else value


def _scope(build: Build, rule: Rule) -> MapScope:
    copies = build.snapshot.copies
    settings = rule.chosen(build.settings)
    return MapScope(settings, build.snapshot.repository.path, str(copies or ""))


class _Run:
    """One run of a map: which rows are wanted, which of them the memo lacks."""

    def __init__(self, build: Build, rule: Rule) -> None:
        self.build = build
        self.rule = rule
        self.outcome = TableResult(rule.name)
        self.source = build.table(rule.inputs[0])
        self.full = build.is_full(rule)
        source = self.source.rule.name
        # Row key -> old value of the input, as the last run saw it.
        self.news = {} if self.full else pending(build.state, rule.name, source)
        # Row key -> memo key, None for a row that is gone.
        self.inputs = dict(self._inputs())
        self.misses = self._misses()  # memo key -> one row key
        self.failures: set[bytes] = set()

    def _inputs(self) -> Iterator[tuple[str, bytes | None]]:
        prefix = manifest_digest(self.build.manifest(self.rule))
        for key, row in self._digests():
            yield key, digest(prefix + row) if row else None

    def _digests(self) -> Iterator[tuple[str, bytes | None]]:
        """Yield every looked-at key with the digest of what the rule reads of it."""
        source, rule = self.source, self.rule
        if not rule.reads:
            raw = ((key, source.raw(key)) for key in self.news)
            for key, row in source.raw_items() if self.full else raw:
                yield key, row.digest if row else None
            return
        values = ((key, source.get(key)) for key in self.news)
        for key, value in source.items() if self.full else values:
            yield key, None if value is None else digest(pack(_read(rule, value)))

    def _misses(self) -> dict[bytes, str]:
        misses: dict[bytes, str] = {}
        for key, memo in self.inputs.items():
            if memo and memo not in misses and self._memo(memo) is None:
                misses[memo] = key
        return misses

    def _memo(self, key: bytes) -> tuple[int, bytes] | None:
        found = self.build.state.database.execute(
            "SELECT id, digest FROM memo WHERE key = ?", (key,)
        ).fetchone()
        return (int(found[0]), found[1]) if found else None

    # -- computing

    def compute(self) -> None:
        """Compute the misses into the memo, writing every few seconds."""
        if not self.misses:
            return
        batch: list[MapResult] = []
        written = time.monotonic()
        with self.build.progress(self.rule.name, len(self.misses)) as bar:
            for results in self._results():
                batch += [result for result in results if self._accept(result)]
                bar.advance(len(results))
                if time.monotonic() - written > _COMMIT_SECONDS:
                    self._keep(batch)
                    batch, written = [], time.monotonic()
        self._keep(batch)

    def _accept(self, result: MapResult) -> bool:
        """Report what is wrong with a result; return whether there is one."""
        if result.problem:
            name, key = self.rule.name, self.misses[result.key]
            event = "failed" if result.failed else "problem"
            self.build.events.emit(event, table=name, key=key, text=result.problem)
            self.build.problems.append((name, key, result.problem))
        if result.failed:
            self.failures.add(result.key)
        return not result.failed

    def _results(self) -> Iterator[Sequence[MapResult]]:
        order = list(self.misses.items())
        if self.build.shuffle:
            Random(self.build.shuffle).shuffle(order)
        read = ((memo, _read(self.rule, self.source.get(key))) for memo, key in order)
        payloads = ((memo, pack(value)) for memo, value in read)
        work = _work(self.build, self.rule)
        if len(order) <= _POOL_ABOVE or self.build.cores == 1:
            size = _CHUNK_ROWS[1] if isinstance(work.code, Command) else 1
            while batch := list(islice(payloads, size)):
                yield compute(work, batch)
            return
        yield from _in_pool(self.build.cores, work, payloads, len(order))

    def _keep(self, results: list[MapResult]) -> None:
        with self.build.transaction():
            self.build.state.database.executemany(
                "INSERT OR IGNORE INTO memo(key, digest, value, build) "
                "VALUES (?, ?, ?, ?)",
                [(r.key, r.digest, r.stored, self.build.number) for r in results],
            )

    # -- writing

    def write(self, writer: TableWriter) -> None:
        """Write the rows and forget the news. Runs inside the table's transaction."""
        heard = bool(self.build.consumers(self.rule))
        seen = _Seen(self.build, self.rule, self.news if heard else {})
        for key, memo in sorted(self.inputs.items()):
            self._write_row(writer, key, memo, seen)
        if self.full:
            for key in (
                set(self.build.table(self.rule.name).keys()) - self.inputs.keys()
            ):
                self._drop(writer, key, seen)
        self._consume()

    def _write_row(
        self, writer: TableWriter, key: str, memo: bytes | None, seen: _Seen
    ) -> None:
        found = self._memo(memo) if memo else None
        if memo and (found is None or memo in self.failures):
            self.outcome.failed.append(key)
        if memo is None or found is None or memo in self.failures or not found[1]:
            self._drop(writer, key, seen)
            return
        row = RawRow(found[1], found[0], None)
        new, gone = writer.put(key, row, {"input": memo}, seen.get(key))
        self._count(key, memo in self.misses, new, gone)

    def _count(self, key: str, computed: bool, new: list[str], gone: int) -> None:
        counts = self.outcome.counts
        counts.removed += gone
        (self.outcome.built if computed else self.outcome.memo).append(key)
        if computed:
            counts.built += len(new)
        else:
            counts.memo += len(new)
        if self.rule.entries:
            self.outcome.entries += [key + sub for sub in new]

    def _drop(self, writer: TableWriter, key: str, seen: _Seen) -> None:
        if gone := writer.drop(key, seen.get(key)):
            self.outcome.counts.removed += gone
            self.outcome.removed.append(key)

    def _consume(self) -> None:
        """Forget the news, but for rows that failed: those are tried again."""
        database, name = self.build.state.database, self.rule.name
        database.execute("DELETE FROM pending WHERE consumer = ?", (name,))
        database.executemany(
            "INSERT OR IGNORE INTO pending VALUES (?, ?, ?, NULL)",
            [(name, self.source.rule.name, key) for key in self.outcome.failed],
        )


def _work(build: Build, rule: Rule) -> MapWork:
    scope = _scope(build, rule)
    return MapWork(
        rule.run, scope.settings, rule.stored, scope.repository, scope.copies,
        str(build.state.folder / "tmp"), rule.code,
        rule.form if rule.code else "",
    )  # fmt: skip


def _in_pool(
    cores: int, work: MapWork, payloads: Iterator[Payload], total: int
) -> Iterator[Sequence[MapResult]]:
    """Compute in workers, wave by wave.

    joblib draws its input in a thread of its own, where the database may not be
    touched: so a wave is read first, and a wave's size bounds the memory.
    """
    from joblib import delayed

    low, high = _CHUNK_ROWS
    size = max(low, min(high, total // (cores * 16)))
    with ExitStack() as stack:
        with unheard():
            pool = stack.enter_context(_pool(cores))
        while wave := list(islice(payloads, _WAVE_ROWS)):
            chunks = [wave[i : i + size] for i in range(0, len(wave), size)]
            with unheard():  # the first call starts the workers
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


class _Seen:
    """Old values of rows that are not stored, rendered from the old input rows."""

    def __init__(self, build: Build, rule: Rule, news: dict[str, bytes | None]) -> None:
        self._rule = rule
        self._news = {} if rule.stored else news
        self._scope = _scope(build, rule)

    def get(self, key: str) -> bytes | None:
        old = self._news.get(key)
        if old is None:
            return None
        value = self._rule.function(
            _read(self._rule, unpack(inflate(old))), self._scope
        )
        return None if value is None else deflate(pack(value))
