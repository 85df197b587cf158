"""What a dataset holds in all: counted once, printed by `show`, written by `export`.

    samples      used, and by split, track, task, language, difficulty and licence
    dropped      by reason
    tokens       by split, where the base model's tokenizer is at hand

Samples of the training split have no track; they are counted as "train".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from repobuild.code.licence.detect import UNKNOWN
from repobuild.engine.contract import Table, Value
from repobuild.errors import StaleError
from repobuild.samples.dataset.all_samples import AllSamples
from repobuild.samples.dataset.licence_filter import licences_of
from repobuild.samples.tasks.facts import Sample

SPLITS = ("train", "val", "test")
Used = tuple[str, Sample, Mapping[str, str], str]  # id, sample, dataset row, licence


class SummarySource(Protocol):
    """What is summed up and exported: a build."""

    @property
    def settings(self) -> Mapping[str, Value]: ...

    def table(self, name: str) -> Table: ...

    def joined(self, name: str) -> tuple[str, ...]: ...


@dataclass(slots=True)
class DatasetSummary:
    """Counters by name; fills as samples are read."""

    splits: Counter[str] = field(default_factory=Counter)
    tracks: Counter[str] = field(default_factory=Counter)
    cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    difficulties: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def add(self, sample: Sample, row: Mapping[str, str], licence: str) -> None:
        track = row["track"] or "train"
        self.splits[row["split"]] += 1
        self.tracks[track] += 1
        self.cells[row["split"], track] += 1
        self.tasks[sample["task"]] += 1
        self.languages[sample["language"]] += 1
        self.difficulties[sample["difficulty"]] += 1
        self.licences[licence] += 1

    def said(self) -> dict[str, Value]:
        """Return it as plain data, the largest first."""
        return {
            "samples": self.splits.total(),
            "splits": {split: self._of(split) for split in SPLITS},
            "tasks": _largest(self.tasks),
            "languages": _largest(self.languages),
            "difficulties": _largest(self.difficulties),
            "licences": _largest(self.licences),
            "dropped": _largest(self.dropped),
        }

    def _of(self, split: str) -> dict[str, int]:
        """Return a split's samples by track."""
        found = {track: n for (of, track), n in self.cells.items() if of == split}
        return dict(sorted(found.items()))


def used(source: SummarySource, summary: DatasetSummary) -> Iterator[Used]:
    """Yield the samples that have a split, in the order of their keys; count all.

    One context is in memory at a time, whatever the size of the dataset. Raises
    `StaleError` when the samples were built on, and the dataset was not.
    """
    pool, licences = AllSamples.of(source), source.table("licences")
    for key, rows in source.table("dataset").items():
        samples: Mapping[str, Sample] = pool.get(key) or {}
        for sub in sorted(rows):
            row = rows[sub]
            if "dropped" in row:
                summary.dropped[row["dropped"]] += 1
                continue
            if sub not in samples:
                raise StaleError(
                    f'the dataset is older than the samples: "{key + sub}" is gone\n'
                    "run `repobuild --until dataset` first"
                )
            licence = whole_licence(samples[sub], licences)
            summary.add(samples[sub], row, licence)
            yield key + sub, samples[sub], row, licence


def whole_licence(sample: Sample, licences: Table) -> str:
    """Return one SPDX expression for all that a sample relies on.

    What tells of the project as a whole is under the licence of its top folder.
    """
    found = licences_of(sample, licences)
    if not found:
        top = licences.get("/")
        return str(top["licence"]) if top else UNKNOWN
    if len(found) == 1:
        return found[0]
    return " AND ".join(f"({id})" if " OR " in id else id for id in found)


def _largest(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))
