"""Keep what was measured: a JSON line for each adapter and repository, as found.

A run that was cut off continues: `Results.has` says which lines are there. A line holds
the loss of every task, so that any mean and any test can be made of the lines alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Row:
    """The losses of a repository's tasks under one condition."""

    condition: str
    repository: str
    kinds: tuple[str, ...]  # of each task
    losses: tuple[float, ...]  # nats a counted token
    other: float = math.nan  # nats a token that no task counts
    seed: int = 1


class Results:
    """A file of rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        _drop_cut_line(path)
        self.rows = list(_read(path))
        self._keys = {(r.condition, r.repository, r.seed) for r in self.rows}

    def has(self, condition: str, repository: str, seed: int = 1) -> bool:
        return (condition, repository, seed) in self._keys

    def add(self, row: Row) -> None:
        """Write a row at once."""
        self.rows.append(row)
        self._keys.add((row.condition, row.repository, row.seed))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        facts = {
            "condition": row.condition,
            "repository": row.repository,
            "kinds": row.kinds,
            "losses": [round(loss, 4) for loss in row.losses],
            "other": round(row.other, 4),
            "seed": row.seed,
        }
        with self.path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(facts) + "\n")

    def means(self, condition: str, kind: str = "") -> dict[str, float]:
        """Return the mean loss of each repository, of all kinds or of one.

        Seeds are averaged. Repositories without such a task are absent.
        """
        found: dict[str, list[float]] = {}
        for row in self.rows:
            if row.condition == condition:
                found.setdefault(row.repository, []).extend(_of_kind(row, kind))
        return {name: float(np.mean(of)) for name, of in found.items() if of}

    def others(self, condition: str) -> dict[str, float]:
        """Return the loss of each repository's other tokens."""
        found: dict[str, list[float]] = {}
        for row in self.rows:
            if row.condition == condition and not math.isnan(row.other):
                found.setdefault(row.repository, []).append(row.other)
        return {name: float(np.mean(of)) for name, of in found.items()}

    def micro(self, condition: str, kind: str = "") -> float:
        """Return the mean loss over all tasks of all repositories."""
        losses = [
            loss
            for row in self.rows
            if row.condition == condition
            for loss in _of_kind(row, kind)
        ]
        return float(np.mean(losses)) if losses else float("nan")


def _of_kind(row: Row, kind: str) -> list[float]:
    return [
        loss for of, loss in zip(row.kinds, row.losses, strict=True) if kind in ("", of)
    ]


def _drop_cut_line(path: Path) -> None:
    """Remove the last line of a run that was killed while it wrote it."""
    if path.exists():
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            path.write_bytes(data[:whole])


def _read(path: Path) -> Iterator[Row]:
    if not path.exists():
        return
    for line in path.read_text("utf-8").splitlines():
        facts = json.loads(line)
        yield Row(
            facts["condition"],
            facts["repository"],
            tuple(facts["kinds"]),
            tuple(facts["losses"]),
            facts["other"],
            facts["seed"],
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """How much lower one condition's loss is than another's, over repositories."""

    mean: float  # nats; below zero: the first is better
    low: float  # 95 % interval
    high: float
    better: int  # repositories where the first is better
    count: int

    @property
    def text(self) -> str:
        if not self.count:
            return ""
        return (
            f"{self.mean:+.3f} ({self.low:+.3f} to {self.high:+.3f}), "
            f"{self.better} of {self.count}"
        )


def paired_bootstrap(
    first: Mapping[str, float],
    second: Mapping[str, float],
    draws: int = 10_000,
    seed: int = 1,
) -> Difference:
    """Compare two conditions on the same repositories, resampling repositories.

    Tasks of one repository are not independent, so they are not what is resampled.
    """
    names = sorted(first.keys() & second.keys())
    if not names:
        return Difference(math.nan, math.nan, math.nan, 0, 0)
    deltas = np.array([first[name] - second[name] for name in names])
    rng = np.random.default_rng(seed)
    means = deltas[rng.integers(0, len(deltas), (draws, len(deltas)))].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    better = int((deltas < 0).sum())
    return Difference(float(deltas.mean()), float(low), float(high), better, len(names))


def macro(of: Mapping[str, float]) -> float:
    """Return the mean over repositories."""
    return float(np.mean(list(of.values()))) if of else float("nan")


def as_losses(losses: NDArray[np.float64]) -> tuple[float, ...]:
    """Return an array as a row wants it."""
    return tuple(map(float, losses))


def shares(values: Sequence[bool]) -> float:
    """Return the share that is true."""
    return sum(values) / len(values) if values else float("nan")
