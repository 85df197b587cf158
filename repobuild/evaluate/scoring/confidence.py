"""Means with 95 % intervals: the percentile bootstrap, the same on every machine.

What is resampled is what was asked (answers, samples, pieces of text), never tokens or
names: those of one answer are no independent draws.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

RESAMPLES = 1_000
SEED = 1


@dataclass(frozen=True, slots=True)
class ConfidenceInterval:
    """A mean with its 95 % confidence interval."""

    value: float
    low: float
    high: float
    n: int

    def plain(self) -> dict[str, float | int]:
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


def mean(values: Sequence[float]) -> ConfidenceInterval | None:
    """The mean of what there is; None when there is nothing."""
    return ratio([(value, 1.0) for value in values]) if values else None


def ratio(pairs: Sequence[tuple[float, float]]) -> ConfidenceInterval:
    """Sum of firsts over sum of seconds, with its bootstrap interval."""
    if len(set(pairs)) == 1:  # every draw would be the same
        alike = round(_quotient(*pairs[0]), 4)
        return ConfidenceInterval(alike, alike, alike, len(pairs))
    above, below = zip(*pairs, strict=True)
    draws = sorted(
        _quotient(
            sum(map(above.__getitem__, chosen)), sum(map(below.__getitem__, chosen))
        )
        for chosen in _draws(len(pairs))
    )
    tail = RESAMPLES // 40  # 2.5 % on either side
    return ConfidenceInterval(
        value=round(_quotient(sum(above), sum(below)), 4),
        low=round(draws[tail], 4),
        high=round(draws[-tail - 1], 4),
        n=len(pairs),
    )


@lru_cache(maxsize=32)
def _draws(count: int) -> list[list[int]]:
    """Which of `count` things each resample takes.

    Drawn once for many metrics over the same answers: drawing is most of the time.
    """
    chance = random.Random(SEED)
    return [chance.choices(range(count), k=count) for _ in range(RESAMPLES)]


def _quotient(above: float, below: float) -> float:
    return above / below if below else 0.0
