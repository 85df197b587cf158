"""Export the dataset to a folder, in one of four formats.

    seed, openai, sharegpt    {train,val,test}.jsonl (jsonl.py)
    datasets                  data/{split}.parquet (parquet.py) and README.md, the
                              dataset card (dataset_card.py)

Every format also writes `metadata.json`: counts and settings under the keys of the
original specification, and the commit. Records are in the order of sample keys, so two
exports of one commit are equal byte for byte. Every record (sample_record.py) names its
task, element, split, track and licence, and the path, blob and lines of each source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from repobuild.code.graph.graph import PROJECT
from repobuild.engine.contract import Value
from repobuild.plain_text import escape_controls, json_text
from repobuild.samples.dataset.all_samples import SampleSource
from repobuild.samples.dataset.summary import SPLITS, DatasetSummary, read_kept
from repobuild.samples.export.jsonl import LINE_FORMATS, JsonlWriter
from repobuild.samples.export.sample_record import Record, make_record

_DATASETS = "datasets"
DATASET_FORMATS = (*LINE_FORMATS, _DATASETS)


class RecordWriter(Protocol):
    """Takes the records of one export."""

    def write(self, record: Record) -> None: ...


def export(
    source: SampleSource, folder: Path, commit: str, format: str = "seed"
) -> DatasetSummary:
    """Write the dataset into a folder and return its counts."""
    folder.mkdir(parents=True, exist_ok=True)
    summary = DatasetSummary()
    graph, files = source.table("graph"), source.table("files")
    with _open_writer(format, folder) as writer:
        for kept in read_kept(source, summary):
            writer.write(make_record(kept, graph, files))
    text = json_text(metadata(summary, source.settings, commit), indent=2)
    (folder / "metadata.json").write_text(text + "\n", encoding="utf-8")
    if format == _DATASETS:
        from repobuild.samples.export.dataset_card import render_card

        project = ((graph.get(PROJECT) or {}).get("") or {}).get("project_name", "")
        card = render_card(summary, source.settings, project, commit)
        (folder / "README.md").write_text(escape_controls(card), encoding="utf-8")
    return summary


def _open_writer(format: str, folder: Path) -> AbstractContextManager[RecordWriter]:
    if format != _DATASETS:
        return JsonlWriter(folder, format)
    from repobuild.samples.export.parquet import ParquetWriter

    return ParquetWriter(folder / "data")


def metadata(
    summary: DatasetSummary, settings: Mapping[str, Value], commit: str
) -> dict[str, Value]:
    """Return `metadata.json`: the keys of the original specification come first."""
    return {
        "total_samples": summary.splits.total(),
        **{f"{split}_samples": summary.splits[split] for split in SPLITS},
        "task_distribution": _sorted(summary.tasks),
        "language_distribution": _sorted(summary.languages),
        "difficulty_distribution": _sorted(summary.difficulties),
        "track_distribution": _sorted(summary.tracks),
        "licence_distribution": _sorted(summary.licences),
        "dropped": _sorted(summary.dropped),
        "commit": commit,
        "generation_config": {
            "diversity_threshold": settings.get("samples.near_duplicate"),
            "max_code_lines": settings.get("samples.max_code_lines"),
            "min_code_lines": settings.get("samples.min_code_lines"),
            "max_tokens": settings.get("samples.max_tokens"),
            "deny_licences": settings.get("samples.deny_licences"),
            "generalise": settings.get("split.generalise"),
            "salt": settings.get("split.salt"),
            "languages": settings.get("samples.languages"),
        },
    }


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items()))
