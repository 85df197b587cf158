"""Read the samples that have a split, and count all: for `show`, `export` and cards.

    samples      kept, and by split, track, task, language, difficulty and licence
    dropped      by reason

Samples of the training split have no track; they are counted as "train".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from repobuild.code.licence.detect import UNKNOWN
from repobuild.engine.contract import Table, Value
from repobuild.errors import StaleError
from repobuild.resources import program
from repobuild.samples.dataset.all_samples import AllSamples, SampleSource
from repobuild.samples.dataset.licence_filter import licences_of
from repobuild.samples.tasks.facts import Sample

SPLITS = ("train", "val", "test")


class KeptSample(NamedTuple):
    """A sample that has a split."""

    id: str  # its full dataset key
    sample: Sample
    row: Mapping[str, Any]  # its split, track and importance
    licence: str  # SPDX expression


@dataclass(slots=True)
class DatasetSummary:
    """Counts of samples by value; grows while `used` reads them."""

    splits: Counter[str] = field(default_factory=Counter)
    tracks: Counter[str] = field(default_factory=Counter)
    split_tracks: Counter[tuple[str, str]] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    difficulties: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def add(self, sample: Sample, row: Mapping[str, Any], licence: str) -> None:
        track = row["track"] or "train"
        self.splits[row["split"]] += 1
        self.tracks[track] += 1
        self.split_tracks[row["split"], track] += 1
        self.tasks[sample["task"]] += 1
        self.languages[sample["language"]] += 1
        self.difficulties[sample["difficulty"]] += 1
        self.licences[licence] += 1

    def to_dict(self) -> dict[str, Value]:
        """Return the counts as plain data, the largest first."""
        return {
            "samples": self.splits.total(),
            "splits": {split: self._tracks_of(split) for split in SPLITS},
            "tasks": largest(self.tasks),
            "languages": largest(self.languages),
            "difficulties": largest(self.difficulties),
            "licences": largest(self.licences),
            "dropped": largest(self.dropped),
        }

    def _tracks_of(self, split: str) -> dict[str, int]:
        counts = self.split_tracks.items()
        return dict(sorted((track, n) for (of, track), n in counts if of == split))


def read_kept(source: SampleSource, summary: DatasetSummary) -> Iterator[KeptSample]:
    """Yield the samples that have a split, in the order of their keys; count all.

    One context is in memory at a time, whatever the size of the dataset. Raises
    `StaleError` if the samples are newer than the dataset.
    """
    all_samples, licences = AllSamples.of(source), source.table("licences")
    for key, rows in source.table("dataset").items():
        samples: Mapping[str, Sample] = all_samples.get(key) or {}
        for sub in sorted(rows):
            row = rows[sub]
            if "dropped" in row:
                summary.dropped[row["dropped"]] += 1
                continue
            if sub not in samples:
                raise StaleError(
                    f'the dataset is older than the samples: "{key + sub}" is gone\n'
                    f"run `{program()} --until dataset` first"
                )
            licence = whole_licence(samples[sub], licences)
            summary.add(samples[sub], row, licence)
            yield KeptSample(key + sub, samples[sub], row, licence)


def whole_licence(sample: Sample, licences: Table) -> str:
    """Return one SPDX expression for all files that a sample relies on.

    A sample about the project as a whole is under the licence of its top folder.
    """
    licence_ids = licences_of(sample, licences)
    if not licence_ids:
        top = licences.get("/")
        return str(top["licence"]) if top else UNKNOWN
    if len(licence_ids) == 1:
        return licence_ids[0]
    return " AND ".join(f"({id})" if " OR " in id else id for id in licence_ids)


def largest(counter: Counter[str]) -> dict[str, int]:
    """Return the counts, the largest first, then by name."""
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))
