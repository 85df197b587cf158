"""Compute means with 95 % confidence intervals by the percentile bootstrap.

The resampled units are what was asked (answers, samples, pieces of text), never tokens
or names: those of one answer are not independent. The seed is fixed, so intervals are
the same on every machine.

Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
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
    """A mean of `n` values with its 95 % confidence interval."""

    value: float
    low: float
    high: float
    n: int

    def to_dict(self) -> dict[str, float | int]:
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


def mean(values: Sequence[float]) -> ConfidenceInterval | None:
    """Return the mean with its interval; None if there are no values."""
    return ratio([(value, 1.0) for value in values]) if values else None


def ratio(pairs: Sequence[tuple[float, float]]) -> ConfidenceInterval:
    """Return the sum of the numerators over the sum of the denominators.

    Numerator and denominator are resampled together: the bootstrap of a ratio.
    """
    if len(set(pairs)) == 1:  # every resample would be the same
        value = round(_quotient(*pairs[0]), 4)
        return ConfidenceInterval(value, value, value, len(pairs))
    numerators, denominators = zip(*pairs, strict=True)
    estimates = sorted(
        _quotient(
            sum(map(numerators.__getitem__, resample)),
            sum(map(denominators.__getitem__, resample)),
        )
        for resample in _resamples(len(pairs))
    )
    tail = RESAMPLES // 40  # 2.5 % on either side
    return ConfidenceInterval(
        value=round(_quotient(sum(numerators), sum(denominators)), 4),
        low=round(estimates[tail], 4),
        high=round(estimates[-tail - 1], 4),
        n=len(pairs),
    )


@lru_cache(maxsize=32)
def _resamples(count: int) -> list[list[int]]:
    """Return the indices of each resample of `count` things.

    Cached, because many metrics resample the same answers and drawing takes most of
    the time.
    """
    generator = random.Random(SEED)
    return [generator.choices(range(count), k=count) for _ in range(RESAMPLES)]


def _quotient(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else 0.0
