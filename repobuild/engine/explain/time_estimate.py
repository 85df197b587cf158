"""How long work will take, from the recorded times of past work (runs.py).

A run is recorded with the amount of its work: rows looked at, or what a task calls its
work (for training: tokens). The runs nearest in amount count, scaled to the amount that
is expected. Small runs are mostly fixed costs, so they are never scaled down; a full
run is, because nothing else may be known.

A task's rule may name a function that looks ahead, `outlook = "module:function"`. It
gets a `ForecastInput` and returns an `ExpectedWork`, without building anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from statistics import median
from typing import Any

from repobuild.engine.storage.run_history import TableRun

_NEAREST = 5  # runs that an estimate rests on, at most


@dataclass(frozen=True, slots=True)
class ForecastInput:
    """What a task's outlook may see; `changed` and `size` count logical rows."""

    settings: Mapping[str, Any]
    rows: Mapping[str, Mapping[str, Any]]
    ancestors: Iterable[str]  # nearest first, read once
    commit: str
    changed: int
    size: int


@dataclass(frozen=True, slots=True)
class ExpectedWork:
    """What a task would do: how, how much work, and the seconds before it starts."""

    mode: str
    text: str
    work: float
    startup: float = 0.0


@dataclass(frozen=True, slots=True)
class TimeEstimate:
    """Seconds, and on how many past runs they rest."""

    seconds: float
    runs: int


def of_rows(runs: Sequence[TableRun], looked: int, full: bool) -> TimeEstimate:
    """Return how long a table takes that has to look at so many rows."""
    same = [run for run in runs if run.full == full] or list(runs)
    near = _nearest([(run.looked, run) for run in same], looked)
    scaled = [
        run.seconds * _scale(looked, run.looked, run.full and not full) for run in near
    ]
    return _estimate(scaled)


def of_task(runs: Sequence[TableRun], expected: ExpectedWork | None) -> TimeEstimate:
    """Return how long a task takes: like those made in the same way, by their work."""
    if expected is None:
        return _estimate([run.seconds for run in runs[:_NEAREST]])
    if not expected.work:
        return TimeEstimate(0.0, 0)
    same = [run for run in runs if run.mode == expected.mode and run.work]
    worked = same or [run for run in runs if run.work]
    near = _nearest([(run.work, run) for run in worked], expected.work)
    return _estimate([_trained(run, expected) for run in near])


def _trained(run: TableRun, expected: ExpectedWork) -> float:
    startup = min(expected.startup, run.seconds)
    return startup + (run.seconds - startup) * expected.work / run.work


def _nearest(runs: list[tuple[float, TableRun]], amount: float) -> list[TableRun]:
    ordered = sorted(runs, key=lambda pair: abs(log(1 + pair[0]) - log(1 + amount)))
    return [run for _, run in ordered[:_NEAREST]]


def _scale(amount: float, past: float, down: bool) -> float:
    scale = amount / max(1.0, past)
    return scale if down else max(1.0, scale)


def _estimate(seconds: list[float]) -> TimeEstimate:
    return TimeEstimate(median(seconds) if seconds else 0.0, len(seconds))
