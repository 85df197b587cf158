"""Forecast what a build would do and how long it takes, without building anything.

Which tables are stale is known. How many of their rows change is known only after the
build: a comment may change no row further on. So a table that depends on a stale one is
reported as such, and its changed rows are estimated from its past runs, else from its
share of rows.

Time is estimated from the recorded times of past runs (storage/run_history.py). A run
is recorded with its amount of work: input rows that were read, or what a task calls its
work (for training: tokens). The estimate is the median of the `_NEAREST` runs nearest
in amount, scaled to the expected amount. Small runs are mostly fixed costs, so they are
never scaled down; a full run is, because there may be no other.

A task's rule may name a function that predicts its work:
`forecast = "module:function"`. It gets a `ForecastInput`, returns an `ExpectedWork`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import log
from statistics import median
from typing import Any, NamedTuple

from repobuild.engine.context import BuildContext
from repobuild.engine.explain.reason import Reason, differences
from repobuild.engine.rule import Rule, closure, import_function
from repobuild.engine.run.task import is_current
from repobuild.engine.storage.memo_gc import newest_build
from repobuild.engine.storage.run_history import TableRun, runs
from repobuild.engine.storage.state import TableRecord
from repobuild.git.ancestors import first_parents, nearest_ancestor

NO_WORK = "nothing"  # the work of a task whose artifact stays as it is
_SHOWN_PATHS = 4
_RECENT_RUNS = 5
_NEAREST = 5  # runs that an estimate is based on, at most


# ----------------------------------------------------------------------------- records


class Staleness(Enum):
    """Why a table is stale."""

    NEVER_BUILT = "never built"
    MANIFEST_CHANGED = "manifest changed"  # see `StaleReason.reasons`
    PATHS_CHANGED = "paths changed"  # see `StaleReason.names` and `count`
    OTHER_TREE = "other tree"
    OTHER_COMMIT = "other commit"
    INPUTS_STALE = "inputs stale"  # see `StaleReason.names`
    ROWS_PENDING = "rows pending"
    TASK_NOT_BUILT = "task not built for this commit"


@dataclass(frozen=True, slots=True)
class StaleReason:
    """Why a table is stale, with the arguments of its kind."""

    kind: Staleness
    reasons: tuple[Reason, ...] = ()
    names: tuple[str, ...] = ()
    count: int = 0


@dataclass
class Forecast:
    """What a build would do; `seconds` are based on `runs` past builds."""

    reasons: dict[str, StaleReason] = field(default_factory=dict)  # by stale table
    tasks: dict[str, str] = field(default_factory=dict)  # what a task would do
    work: dict[str, ExpectedWork] = field(default_factory=dict)  # the same, in full
    files: int = 0
    names: list[str] = field(default_factory=list)  # the first changed paths
    churn: float = 1.0  # share of the changed files' lines that changed
    seconds: float = 0.0
    runs: int = 0
    unknown: list[str] = field(default_factory=list)  # tables without a past run
    changed: dict[str, int] = field(default_factory=dict)  # rows expected to change


@dataclass(frozen=True, slots=True)
class ForecastInput:
    """What a task's forecast function gets; `changed` and `size` count logical rows."""

    settings: Mapping[str, Any]
    rows: Mapping[str, Mapping[str, Any]]
    ancestors: Iterable[str]  # nearest first, read once
    commit: str
    changed: int
    size: int


@dataclass(frozen=True, slots=True)
class ExpectedWork:
    """What a task would do: its mode, in words, how much, and seconds to start up."""

    mode: str
    text: str
    work: float
    startup: float = 0.0


@dataclass(frozen=True, slots=True)
class TimeEstimate:
    """Seconds, and the number of past runs they are based on."""

    seconds: float
    runs: int


# --------------------------------------------------------------------- what is stale


def forecast_build(build: BuildContext, goals: list[str]) -> Forecast:
    """Return what building the goals would do. Takes no lock and writes nothing."""
    forecast = Forecast()
    for name in closure(build.rules, goals):
        rule = build.rules[name]
        reason = _stale_reason(build, rule, forecast)
        if not reason:
            continue
        forecast.reasons[name] = reason
        estimate = _estimate_table(build, rule, forecast)
        forecast.seconds += estimate.seconds
        forecast.runs = max(forecast.runs, estimate.runs)
        if not estimate.runs and forecast.tasks.get(name) != NO_WORK:
            forecast.unknown.append(name)
    return forecast


def _stale_reason(
    build: BuildContext, rule: Rule, forecast: Forecast
) -> StaleReason | None:
    """Return why a table is stale, or None; record the changed files of a source."""
    line = build.state.line(rule.name)
    if line is None:
        if _reads_tree(rule) and not any(
            _reads_tree(other) and build.state.line(other.name)
            for other in build.rules.values()
        ):
            forecast.files = sum(1 for _ in build.snapshot.files())
        return StaleReason(Staleness.NEVER_BUILT)
    if build.is_full(rule):
        known = build.state.manifest(line.manifest)
        reasons = differences(rule.name, known, build.manifest(rule)) if known else []
        return StaleReason(Staleness.MANIFEST_CHANGED, reasons=tuple(reasons))
    if rule.kind == "source":
        return _source_reason(build, rule, line, forecast)
    stale = tuple(name for name in rule.inputs if name in forecast.reasons)
    if stale:
        return StaleReason(Staleness.INPUTS_STALE, names=stale)
    if rule.kind == "task":
        if is_current(build, rule):
            return None
        return StaleReason(Staleness.TASK_NOT_BUILT)
    return StaleReason(Staleness.ROWS_PENDING) if build.is_stale(rule) else None


def _reads_tree(rule: Rule) -> bool:
    return rule.kind == "source" and rule.follows == "tree"


def _source_reason(
    build: BuildContext, rule: Rule, line: TableRecord, forecast: Forecast
) -> StaleReason | None:
    if line.tree == build.source_id(rule):
        return StaleReason(Staleness.ROWS_PENDING) if build.is_stale(rule) else None
    if rule.follows == "commit":
        return StaleReason(Staleness.OTHER_COMMIT)
    changes = build.snapshot.changes(line.tree)
    if changes is None:
        return StaleReason(Staleness.OTHER_TREE)
    forecast.files, forecast.names = len(changes), sorted(changes)[:_SHOWN_PATHS]
    forecast.churn = build.snapshot.churn(line.tree)
    names = tuple(forecast.names)
    return StaleReason(Staleness.PATHS_CHANGED, names=names, count=len(changes))


# --------------------------------------------------------- how much work, how long


def _estimate_table(
    build: BuildContext, rule: Rule, forecast: Forecast
) -> TimeEstimate:
    """Estimate the time of a stale table, and record how many of its rows change."""
    known = runs(build.state, rule.name)
    if rule.kind == "task":
        return _estimate_task(build, rule, forecast, known)
    full = rule.name not in forecast.changed and build.is_full(rule)
    if rule.kind == "source":
        looked = forecast.files if rule.follows == "tree" else 1
        changed = looked
    elif full:
        looked = sum(_count_rows(build, name) for name in rule.inputs)
        changed = _count_rows(build, rule.name)
    else:
        looked = build.count_rows_to_read(rule)
        looked += sum(forecast.changed.get(name, 0) for name in rule.inputs)
        changed = _rows_changed(build, rule, known, looked, forecast.churn)
    forecast.changed[rule.name] = changed
    return estimate_rows(known, looked, full)


def _rows_changed(
    build: BuildContext, rule: Rule, known: list[TableRun], looked: int, churn: float
) -> int:
    """Estimate how many rows change when `looked` input rows are read."""
    recent = [run for run in known if not run.full and run.looked][:_RECENT_RUNS]
    rows = _count_rows(build, rule.name)
    if recent:
        share = sum(run.changed for run in recent) / sum(run.looked for run in recent)
    else:
        inputs = sum(_count_rows(build, name) for name in rule.inputs)
        share = rows / max(1, inputs)
        # With several rows a file, the share of changed rows is that of its lines.
        share = share if share <= 1 else max(1.0, share * churn)
    return min(rows, round(looked * share))


def _count_rows(build: BuildContext, table: str) -> int:
    line = build.state.line(table)
    return line.rows if line else 0


def estimate_rows(runs: Sequence[TableRun], looked: int, full: bool) -> TimeEstimate:
    """Estimate the time of a table that has to read `looked` input rows."""
    same = [run for run in runs if run.full == full] or list(runs)
    scaled = []
    for run in _nearest_runs([_Amount(run.looked, run) for run in same], looked):
        scale = looked / max(1.0, run.looked)
        if not (run.full and not full):
            scale = max(1.0, scale)
        scaled.append(run.seconds * scale)
    return _median(scaled)


def _estimate_task(
    build: BuildContext, rule: Rule, forecast: Forecast, known: list[TableRun]
) -> TimeEstimate:
    stale = [name for name in rule.inputs if name in forecast.reasons]
    if stale and all(forecast.tasks.get(name) == NO_WORK for name in stale):
        forecast.tasks[rule.name] = NO_WORK
        return TimeEstimate(0.0, 0)
    expected = _expected_work(build, rule, forecast)
    if expected:
        forecast.tasks[rule.name] = expected.text
        forecast.work[rule.name] = expected
    return estimate_work(known, expected)


def estimate_work(
    runs: Sequence[TableRun], expected: ExpectedWork | None
) -> TimeEstimate:
    """Estimate the time of a task from past runs in the same mode, by their work."""
    if expected is None:
        return _median([run.seconds for run in runs[:_NEAREST]])
    if not expected.work:
        return TimeEstimate(0.0, 0)
    same = [run for run in runs if run.mode == expected.mode and run.work]
    worked = same or [run for run in runs if run.work]
    scaled = []
    for run in _nearest_runs([_Amount(run.work, run) for run in worked], expected.work):
        startup = min(expected.startup, run.seconds)
        scaled.append(startup + (run.seconds - startup) * expected.work / run.work)
    return _median(scaled)


class _Amount(NamedTuple):
    amount: float
    run: TableRun


def _nearest_runs(runs: list[_Amount], amount: float) -> list[TableRun]:
    """Return the runs that are nearest in amount, on a logarithmic scale."""
    ordered = sorted(runs, key=lambda r: abs(log(1 + r.amount) - log(1 + amount)))
    return [run for _, run in ordered[:_NEAREST]]


def _median(seconds: list[float]) -> TimeEstimate:
    return TimeEstimate(median(seconds) if seconds else 0.0, len(seconds))


# --------------------------------------------------------------- a task's own forecast


class _LogicalRows(NamedTuple):
    changed: int
    size: int


def _expected_work(
    build: BuildContext, rule: Rule, forecast: Forecast
) -> ExpectedWork | None:
    """Return what a task's own forecast function predicts, if it has one.

    An input that was never built counts no rows: CI builds no vectors of files, which
    need the base model.
    """
    if not rule.forecast or not any(map(build.state.line, rule.inputs)):
        return None
    rows = dict(build.table(rule.name).items())
    since = _start_build(build, rows)
    counts = [
        _logical_rows(
            build,
            name,
            forecast.changed.get(name, 0)
            # What is recorded since then is yet to be trained, too.
            + sum(r.changed for r in runs(build.state, name) if r.build > since),
        )
        for name in rule.inputs
    ]
    given = ForecastInput(
        settings=rule.visible_settings(build.settings),
        rows=rows,
        ancestors=first_parents(build.snapshot.repository, build.snapshot.commit),
        commit=build.snapshot.commit,
        changed=max((count.changed for count in counts), default=0),
        size=max((count.size for count in counts), default=0),
    )
    expected: ExpectedWork = import_function(rule.forecast)(given)
    return expected


def _start_build(build: BuildContext, rows: Mapping[str, Any]) -> int:
    """Return the build that made the artifact which a chain continues.

    Changes after that build are yet to be trained, also where a build ended before its
    task.
    """
    repository, commit = build.snapshot.repository, build.snapshot.commit
    start = rows.get(nearest_ancestor(repository, commit, rows))
    if start is None:
        return newest_build(build)
    same = [r["build"] for r in rows.values() if r["object"] == start["object"]]
    return int(min(same))


def _logical_rows(build: BuildContext, table: str, rows: int) -> _LogicalRows:
    """Convert changed physical rows to logical ones; return also how many there are."""
    line = build.state.line(table)
    if line is None:
        return _LogicalRows(0, 0)
    share = min(1.0, rows / max(1, line.rows))
    return _LogicalRows(round(share * line.entries), line.entries)
