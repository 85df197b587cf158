"""The dataset as files, in the seed's form.

    train.jsonl, val.jsonl, test.jsonl    {"conversations": [...], "metadata": {...}}
    metadata.json                         counts and the settings that made them

Lines stand in the order of sample keys, so two exports of one commit are equal byte for
byte. Every line says where its text comes from: path, blob and lines of each source.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from repobuild.engine.contract import Table, Value
from repobuild.samples.fact import Sample
from repobuild.samples.pool import Pool
from repobuild.samples.provenance import provenance

SPLITS = ("train", "val", "test")
_HOLE = ("prefix", "suffix")


@dataclass(slots=True)
class Summary:
    """What `metadata.json` counts."""

    splits: Counter[str] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    tracks: Counter[str] = field(default_factory=Counter)
    difficulties: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def add(self, sample: Sample, row: Mapping[str, str]) -> None:
        self.splits[row["split"]] += 1
        self.tasks[sample["task"]] += 1
        self.languages[sample["language"]] += 1
        self.tracks[row["track"] or "train"] += 1
        self.difficulties[sample["difficulty"]] += 1

    def written(self, settings: Mapping[str, Value]) -> dict[str, Value]:
        return {
            "total_samples": self.splits.total(),
            **{f"{split}_samples": self.splits[split] for split in SPLITS},
            "task_distribution": _sorted(self.tasks),
            "language_distribution": _sorted(self.languages),
            "difficulty_distribution": _sorted(self.difficulties),
            "track_distribution": _sorted(self.tracks),
            "dropped": _sorted(self.dropped),
            "generation_config": _config(settings),
        }


class Source(Protocol):
    """What an export reads: a build."""

    @property
    def settings(self) -> Mapping[str, Value]: ...

    def table(self, name: str) -> Table: ...

    def joined(self, name: str) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Tables:
    samples: Pool
    dataset: Table
    graph: Table
    files: Table


def export(source: Source, folder: Path) -> Summary:
    """Write the dataset into a folder; returns what was counted."""
    folder.mkdir(parents=True, exist_ok=True)
    summary = Summary()
    read = map(source.table, ("dataset", "graph", "files"))
    tables = Tables(Pool.of(source), *read)
    files = {s: (folder / f"{s}.jsonl").open("w", encoding="utf-8") for s in SPLITS}
    try:
        for id, sample, row in used(tables, summary):
            line = json.dumps(record(id, sample, row, tables), ensure_ascii=False)
            files[row["split"]].write(line + "\n")
    finally:
        for file in files.values():
            file.close()
    text = json.dumps(summary.written(source.settings), ensure_ascii=False, indent=2)
    (folder / "metadata.json").write_text(text + "\n", encoding="utf-8")
    return summary


def used(
    tables: Tables, summary: Summary
) -> Iterator[tuple[str, Sample, Mapping[str, str]]]:
    """Yield the samples that have a split, in the order of their keys."""
    for key, rows in tables.dataset.items():
        samples: Mapping[str, Sample] = tables.samples.get(key) or {}
        for sub in sorted(rows):
            row = rows[sub]
            if "dropped" in row:
                summary.dropped[row["dropped"]] += 1
            else:
                summary.add(samples[sub], row)
                yield key + sub, samples[sub], row


def record(
    id: str, sample: Sample, row: Mapping[str, str], tables: Tables
) -> dict[str, Value]:
    """One line of the JSONL files."""
    element = sample["element"]
    path, _, qual = element.partition("::")
    metadata = {
        "task_type": sample["task"],
        "element_name": qual or path,
        "filepath": path if path in tables.files else "",
        "id": id,
        "element": element,
        "language": sample["language"],
        "difficulty": sample["difficulty"],
        "form": sample["form"],
        "track": row["track"],
        "provenance": provenance(sample["sources"], tables.graph, tables.files),
    }
    metadata.update({name: sample[name] for name in _HOLE if name in sample})
    return {
        "conversations": [
            {"role": "user", "content": sample["question"]},
            {"role": "assistant", "content": sample["answer"]},
        ],
        "metadata": metadata,
    }


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items()))


def _config(settings: Mapping[str, Value]) -> dict[str, Value]:
    """The settings under the seed's names; the others under their own."""
    return {
        "diversity_threshold": settings.get("samples.near_duplicate"),
        "max_code_lines": settings.get("samples.max_code_lines"),
        "min_code_lines": settings.get("samples.min_code_lines"),
        "generalise": settings.get("split.generalise"),
        "salt": settings.get("split.salt"),
        "languages": settings.get("samples.languages"),
    }
