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

import numpy as np
import numpy.typing as npt

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
    units = np.array(pairs)  # (N, 2)
    numerators, denominators = units[_resamples(len(pairs))].sum(axis=1).T
    estimates = sorted(map(_quotient, numerators.tolist(), denominators.tolist()))
    tail = RESAMPLES // 40  # 2.5 % on either side
    return ConfidenceInterval(
        value=round(_quotient(*units.sum(axis=0).tolist()), 4),
        low=round(estimates[tail], 4),
        high=round(estimates[-tail - 1], 4),
        n=len(pairs),
    )


@lru_cache(maxsize=32)
def _resamples(count: int) -> npt.NDArray[np.int64]:
    """Return the indices (RESAMPLES, count) of each resample of `count` things.

    Cached, because many metrics resample the same answers and drawing takes most of
    the time.
    """
    generator = random.Random(SEED)
    drawn = (generator.choices(range(count), k=count) for _ in range(RESAMPLES))
    return np.array(list(drawn))


def _quotient(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else 0.0
