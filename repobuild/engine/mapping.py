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
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from repobuild.engine.contract import Value
from repobuild.engine.cycles import unsearched
from repobuild.engine.digest import deflate, digest, inflate, pack, unpack
from repobuild.engine.orphan import end_with_parent
from repobuild.engine.rule import Rule, load, manifest_digest
from repobuild.engine.table import RawRow, Render, StoredTable, pending
from repobuild.engine.writer import Outcome, Writer

if TYPE_CHECKING:
    from repobuild.engine.build import Build

_POOL_ABOVE = 300
_CHUNK_ROWS = (8, 400)
_WAVE_ROWS = 20_000
_COMMIT_SECONDS = 2.0

Settings = dict[str, Any]
Payload = tuple[bytes, bytes]  # memo key, packed value


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker needs to compute rows of one rule."""

    run: str
    settings: Settings
    stored: bool
    repository: str
    copies: str
    builder: int  # process that started the workers


@dataclass(frozen=True, slots=True)
class Result:
    """A computed row in its stored form; `digest` is empty when there is no row."""

    key: bytes
    digest: bytes
    stored: bytes
    problem: str
    failed: bool


@dataclass(frozen=True, slots=True)
class MapScope:
    """See `contract.Scope`."""

    settings: Settings
    repository: str
    copies: str

    def blob(self, blob_id: str) -> bytes:
        if self.copies:
            copy = Path(self.copies) / blob_id
            if copy.is_file():
                return copy.read_bytes()
        data: bytes = _objects(self.repository)[blob_id].data
        return data


@lru_cache(maxsize=1)
def _objects(repository: str) -> Any:
    import pygit2

    return pygit2.Repository(repository)


def run_map(build: Build, rule: Rule) -> Outcome:
    """Bring a map's table up to date."""
    began = time.perf_counter()
    outcome = Outcome(rule.name)
    source = build.table(rule.inputs[0])
    full = build.is_full(rule)
    news = {} if full else pending(build.state, rule.name, source.rule.name)
    inputs = dict(_inputs(build, rule, source, None if full else list(news)))
    wanted = {key: memo for key, memo in inputs.items() if memo is not None}
    misses = _misses(build, wanted)
    failures = _compute(build, rule, misses)
    with build.transaction():
        writer = build.writer(rule)
        seen = _Seen(build, rule, news, bool(build.consumers(rule)))
        _write_rows(build, rule, writer, outcome, wanted, misses, failures, seen)
        gone = [k for k, memo in inputs.items() if memo is None]
        if full:
            stale = set(build.table(rule.name).keys()) - inputs.keys()
            gone += sorted(stale)
        _drop_rows(writer, outcome, gone, seen)
        _consume(build, rule, source, outcome.failed)
        build.close(rule, writer, outcome, began)
    return outcome


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


def _inputs(
    build: Build, rule: Rule, source: StoredTable, keys: list[str] | None
) -> Iterator[tuple[str, bytes | None]]:
    """Yield every looked-at key with its memo key, or None when the row is gone."""
    prefix = manifest_digest(build.manifest(rule))
    if not rule.reads:
        rows = source.raw_items() if keys is None else _raw(source, keys)
        for key, row in rows:
            yield key, digest(prefix + row.digest) if row else None
        return
    values = source.items() if keys is None else ((k, source.get(k)) for k in keys)
    for key, value in values:
        if value is None:
            yield key, None
        else:
            yield key, digest(prefix + digest(pack(_read(rule, value))))


def _raw(source: StoredTable, keys: list[str]) -> Iterator[tuple[str, RawRow | None]]:
    for key in keys:
        yield key, source.raw(key)


def _memo(build: Build, key: bytes) -> tuple[int, bytes] | None:
    found = build.state.database.execute(
        "SELECT id, digest FROM memo WHERE key = ?", (key,)
    ).fetchone()
    return (int(found[0]), found[1]) if found else None


def _misses(build: Build, wanted: dict[str, bytes]) -> dict[bytes, str]:
    """Return memo key -> one row key, for what the memo does not hold."""
    misses: dict[bytes, str] = {}
    for key, memo in wanted.items():
        if memo not in misses and _memo(build, memo) is None:
            misses[memo] = key
    return misses


def _compute(build: Build, rule: Rule, misses: dict[bytes, str]) -> dict[bytes, str]:
    """Compute the misses into the memo; return memo key -> error of failed rows."""
    if not misses:
        return {}
    failures: dict[bytes, str] = {}
    batch: list[Result] = []
    written = time.monotonic()
    with build.progress(rule.name, len(misses)) as bar:
        for results in _results(build, rule, misses):
            for result in results:
                _report(build, rule, misses[result.key], result)
                if result.failed:
                    failures[result.key] = result.problem
                else:
                    batch.append(result)
            bar.advance(len(results))
            if time.monotonic() - written > _COMMIT_SECONDS:
                _keep(build, batch)
                batch, written = [], time.monotonic()
    _keep(build, batch)
    return failures


def _results(
    build: Build, rule: Rule, misses: dict[bytes, str]
) -> Iterator[Sequence[Result]]:
    scope = _scope(build, rule)
    work = Work(
        rule.run, scope.settings, rule.stored, scope.repository, scope.copies,
        os.getpid(),
    )  # fmt: skip
    order = list(misses.items())
    if build.shuffle:
        Random(build.shuffle).shuffle(order)
    source = build.table(rule.inputs[0])
    payloads = ((m, pack(_read(rule, source.get(key)))) for m, key in order)
    if len(order) <= _POOL_ABOVE or build.cores == 1:
        for payload in payloads:
            yield compute(work, [payload])
        return
    yield from _in_pool(build, work, payloads, len(order))


def _in_pool(
    build: Build, work: Work, payloads: Iterator[Payload], total: int
) -> Iterator[Sequence[Result]]:
    """Compute in workers, wave by wave.

    joblib draws its input in a thread of its own, where the database may not be
    touched: so a wave is read first, and a wave's size bounds the memory.
    """
    from joblib import Parallel, delayed

    low, high = _CHUNK_ROWS
    size = max(low, min(high, total // (build.cores * 16)))
    with Parallel(n_jobs=build.cores, return_as="generator_unordered") as pool:
        while wave := list(islice(payloads, _WAVE_ROWS)):
            chunks = [wave[i : i + size] for i in range(0, len(wave), size)]
            yield from pool(delayed(compute)(work, chunk) for chunk in chunks)


def compute(work: Work, payloads: Sequence[Payload]) -> list[Result]:
    """Compute rows. Runs in a worker, or in the building process for a few rows."""
    if work.builder != os.getpid():
        end_with_parent(work.builder)
    function = load(work.run)
    scope = MapScope(work.settings, work.repository, work.copies)
    with unsearched():
        return [_one(work, function, scope, key, packed) for key, packed in payloads]


def _one(
    work: Work, function: Any, scope: MapScope, key: bytes, packed: bytes
) -> Result:
    try:
        value = function(unpack(packed), scope)
    except Exception as error:  # one bad row is reported, and the rest goes on
        return Result(key, b"", b"", f"{type(error).__name__}: {error}", True)
    if value is None:
        return Result(key, b"", b"", "", False)
    problem = str(value.get("problem", "")) if isinstance(value, dict) else ""
    if not work.stored:
        value = {sub: digest(pack(item))[:8] for sub, item in value.items()}
    data = pack(value)
    return Result(key, digest(data), deflate(data), problem, False)


def _report(build: Build, rule: Rule, key: str, result: Result) -> None:
    if result.problem:
        name = "failed" if result.failed else "problem"
        build.events.emit(name, table=rule.name, key=key, text=result.problem)
        build.problems.append((rule.name, key, result.problem))


def _keep(build: Build, results: list[Result]) -> None:
    with build.transaction():
        build.state.database.executemany(
            "INSERT OR IGNORE INTO memo(key, digest, value, build) VALUES (?, ?, ?, ?)",
            [(r.key, r.digest, r.stored, build.number) for r in results],
        )


class _Seen:
    """Old values of rows that are not stored, rendered from the old input rows."""

    def __init__(
        self,
        build: Build,
        rule: Rule,
        news: dict[str, bytes | None],
        heard: bool,
    ) -> None:
        self._rule = rule
        self._news = news
        self._scope = _scope(build, rule)
        self._wanted = heard and not rule.stored

    def get(self, key: str) -> bytes | None:
        old = self._news.get(key) if self._wanted else None
        if old is None:
            return None
        value = self._rule.function(
            _read(self._rule, unpack(inflate(old))), self._scope
        )
        return None if value is None else deflate(pack(value))


def _write_rows(
    build: Build,
    rule: Rule,
    writer: Writer,
    outcome: Outcome,
    wanted: dict[str, bytes],
    misses: dict[bytes, str],
    failures: dict[bytes, str],
    seen: _Seen,
) -> None:
    for key, memo_key in sorted(wanted.items()):
        found = _memo(build, memo_key)
        if found is None or memo_key in failures:
            outcome.failed.append(key)
            _drop_rows(writer, outcome, [key], seen)
            continue
        number, row_digest = found
        if not row_digest:
            _drop_rows(writer, outcome, [key], seen)
            continue
        row = RawRow(row_digest, number, None)
        detail = {"input": memo_key}
        new, gone = writer.put(key, row, detail, seen.get(key))
        outcome.counts.removed += gone
        computed = misses.get(memo_key) is not None
        (outcome.built if computed else outcome.memo).append(key)
        if computed:
            outcome.counts.built += len(new)
        else:
            outcome.counts.memo += len(new)
        if rule.entries:
            outcome.entries += [key + sub for sub in new]


def _drop_rows(writer: Writer, outcome: Outcome, keys: list[str], seen: _Seen) -> None:
    for key in keys:
        if gone := writer.drop(key, seen.get(key)):
            outcome.counts.removed += gone
            outcome.removed.append(key)


def _consume(build: Build, rule: Rule, source: StoredTable, failed: list[str]) -> None:
    """Forget the news, but for rows that failed: those are tried again next time."""
    database = build.state.database
    database.execute("DELETE FROM pending WHERE consumer = ?", (rule.name,))
    database.executemany(
        "INSERT OR IGNORE INTO pending VALUES (?, ?, ?, NULL)",
        [(rule.name, source.rule.name, key) for key in failed],
    )
