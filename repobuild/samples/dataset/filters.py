"""The samples of one context, judged without a look at other contexts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from repobuild.engine.contract import Value
from repobuild.samples.dataset.quality import (
    DUPLICATE,
    NEAR,
    RECALLED,
    UNTRAINED,
    LengthBounds,
    asked_in_training,
    near,
    reason,
    secrets_of,
    untrained,
)
from repobuild.samples.dataset.split import Split
from repobuild.samples.tasks.facts import Sample

Row = dict[str, dict[str, str]]
Samples = Mapping[str, Sample]


@dataclass(frozen=True, slots=True)
class SampleFilter:
    """Decides by the settings alone."""

    bounds: LengthBounds
    split: Split

    @classmethod
    def of(cls, settings: Mapping[str, Value]) -> SampleFilter:
        return cls(LengthBounds.of(settings), Split.of(settings))

    def row(self, key: str, samples: Samples | None) -> Row:
        """Return the context's row as far as it does not depend on other contexts."""
        if not samples:
            return {}
        known = secrets_of(samples)
        reasons = {
            s: reason(samples[s], self.bounds, self.split, known) for s in samples
        }
        _mark(reasons, _same(samples, reasons), DUPLICATE)
        _mark(reasons, near(_good(samples, reasons), self.bounds), NEAR)
        recalled = asked_in_training(_good(samples, reasons), self.bounds)
        _mark(reasons, recalled, RECALLED)
        _mark(reasons, untrained(_good(samples, reasons)), UNTRAINED)
        return {
            sub: {"dropped": why} if why else self._kept(key, sub, samples[sub])
            for sub, why in reasons.items()
        }

    def _kept(self, key: str, sub: str, sample: Sample) -> dict[str, str]:
        return self.split.row(key + sub, sample["element"], sample["held_out"])


def _good(samples: Samples, reasons: Mapping[str, str]) -> Samples:
    return {sub: samples[sub] for sub in samples if not reasons[sub]}


def _mark(reasons: dict[str, str], subs: set[str], why: str) -> None:
    for sub in subs:
        reasons[sub] = why


def _same(samples: Samples, reasons: Mapping[str, str]) -> set[str]:
    """Repeated questions within one context; the smallest sub stays."""
    seen: set[str] = set()
    repeated: set[str] = set()
    for sub in sorted(sub for sub in samples if not reasons[sub]):
        question = samples[sub]["question"]
        if question in seen:
            repeated.add(sub)
        seen.add(question)
    return repeated
