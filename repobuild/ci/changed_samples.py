"""Compare the samples that the dataset keeps before and after a pull request.

A sample differs when its text does, and also when only one side keeps it: because of a
licence that is denied now, or a question that two elements ask now. So rows of the
tables of samples are compared, and rows of `dataset`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from repobuild.ci.compare_rows import row_pairs, what_happened
from repobuild.engine.build import Build
from repobuild.engine.contract import Table
from repobuild.samples.dataset.all_samples import SAMPLES, AllSamples, dataset_key

Sample = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SampleChange:
    """A sample that differs; None on the side that does not keep it."""

    key: str  # in the dataset, in full
    old: Sample | None
    new: Sample | None
    importance: float  # of the new one, else of the old one

    @property
    def what(self) -> str:
        return what_happened(self.old, self.new)

    @property
    def task(self) -> str:
        return str((self.new or self.old or {})["task"])


def changed_samples(before: Build, after: Build) -> Iterator[SampleChange]:
    """Yield every sample that differs, in the order of the keys."""
    keys = {pair.key for pair in row_pairs(before, after, "dataset")}
    for build in (before, after):
        for table in build.with_extensions(SAMPLES):
            pairs = row_pairs(before, after, table)
            keys.update(dataset_key(table, pair.key) for pair in pairs)
    sides = KeptSamples.of(before), KeptSamples.of(after)
    for key in sorted(keys):
        old, new = (side.get(key) for side in sides)
        for sub in sorted(old.keys() | new.keys()):
            one, other = old.get(sub), new.get(sub)
            if one == other:
                continue
            row = sides[other is not None].row(key, sub)
            importance = float(row.get("importance", 0.0))
            yield SampleChange(key + sub, one, other, importance)


@dataclass(frozen=True, slots=True)
class KeptSamples:
    """The samples that a build's dataset keeps."""

    samples: AllSamples
    dataset: Table

    @classmethod
    def of(cls, build: Build) -> KeptSamples:
        return cls(AllSamples.of(build), build.table("dataset"))

    def row(self, key: str, sub: str) -> Mapping[str, Any]:
        """Return a sample's row in the dataset, {} for none."""
        found: Mapping[str, Any] = (self.dataset.get(key) or {}).get(sub, {})
        return found

    def get(self, key: str) -> dict[str, Sample]:
        """Return the kept samples of a context by the end of their keys."""
        rows = self.dataset.get(key) or {}
        kept = [sub for sub, row in rows.items() if "split" in row]
        samples = (self.samples.get(key) or {}) if kept else {}
        return {sub: samples[sub] for sub in kept if sub in samples}
