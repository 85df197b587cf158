"""The dataset as files, in one of four forms.

    seed      {train,val,test}.jsonl    {"conversations": [...], "metadata": {...}}
    openai    the same files            {"messages": [...], "metadata": {...}}
    sharegpt  the same files            {"conversations": [{"from", "value"}], ...}
    datasets  data/{split}.parquet and README.md, see columns.py and card.py

`metadata.json` beside them has the seed's counts and settings, and the commit. Lines
stand in the order of sample keys, so two exports of one commit are equal byte for byte.
Every line says what it is and where its text comes from: task, element, split, track,
licence, and path, blob and lines of each source.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Protocol

from repobuild.code.graph.graph import PROJECT
from repobuild.engine.contract import Table, Value
from repobuild.samples.dataset.summary import (
    SPLITS,
    DatasetSummary,
    SummarySource,
    Used,
    used,
)
from repobuild.samples.export.provenance import provenance

Record = dict[str, Value]
_HOLE = ("prefix", "suffix")


class SplitWriter(Protocol):
    """Takes the records of one export, as a context."""

    def write(self, record: Record) -> None: ...


def export(
    source: SummarySource, folder: Path, commit: str, form: str = "seed"
) -> DatasetSummary:
    """Write the dataset into a folder; returns what was counted."""
    folder.mkdir(parents=True, exist_ok=True)
    summary = DatasetSummary()
    graph, files = source.table("graph"), source.table("files")
    with _writer(form, folder) as writer:
        for found in used(source, summary):
            writer.write(record(found, graph, files))
    _write_json(folder / "metadata.json", metadata(summary, source.settings, commit))
    if form == "datasets":
        from repobuild.samples.export.dataset_card import card

        project = ((graph.get(PROJECT) or {}).get("") or {}).get("project_name", "")
        text = card(summary, source.settings, project, commit)
        (folder / "README.md").write_text(text, encoding="utf-8")
    return summary


def record(found: Used, graph: Table, files: Table) -> Record:
    """Return one sample with all that is known of it, in plain words."""
    id, sample, row, licence = found
    element = sample["element"]
    path, _, qual = element.partition("::")
    said = {
        "question": sample["question"],
        "answer": sample["answer"],
        "task_type": sample["task"],
        "element_name": qual or path,
        "filepath": path if path in files else "",
        "id": id,
        "element": element,
        "language": sample["language"],
        "difficulty": sample["difficulty"],
        "form": sample["form"],
        "split": row["split"],
        "track": row["track"],
        "licence": licence,
        "provenance": provenance(sample["sources"], graph, files),
    }
    return said | {name: sample[name] for name in _HOLE if name in sample}


def metadata(
    summary: DatasetSummary, settings: Mapping[str, Value], commit: str
) -> dict[str, Value]:
    """Return what `metadata.json` says: the seed's keys first."""
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
        "generation_config": _config(settings),
    }


def _seed(record: Record) -> Record:
    turns = _turns(record, "role", "content", ("user", "assistant"))
    return {"conversations": turns, "metadata": _about(record)}


def _openai(record: Record) -> Record:
    turns = _turns(record, "role", "content", ("user", "assistant"))
    return {"messages": turns, "metadata": _about(record)}


def _sharegpt(record: Record) -> Record:
    turns = _turns(record, "from", "value", ("human", "gpt"))
    return {"id": record["id"], "conversations": turns, "metadata": _about(record)}


_LINES: Mapping[str, Callable[[Record], Record]] = {
    "seed": _seed,
    "openai": _openai,
    "sharegpt": _sharegpt,
}
FORMS = (*_LINES, "datasets")


def _turns(
    record: Record, who: str, what: str, names: tuple[str, str]
) -> list[dict[str, str]]:
    texts = (record["question"], record["answer"])
    return [{who: name, what: text} for name, text in zip(names, texts, strict=True)]


def _about(record: Record) -> Record:
    return {k: v for k, v in record.items() if k not in ("question", "answer")}


class _Lines:
    """JSONL files, one a split."""

    def __init__(self, folder: Path, line: Callable[[Record], Record]) -> None:
        self._line = line
        self._open = ExitStack()
        self._files = {
            split: self._open.enter_context(
                (folder / f"{split}.jsonl").open("w", encoding="utf-8", newline="\n")
            )
            for split in SPLITS
        }

    def write(self, record: Record) -> None:
        line = json.dumps(self._line(record), ensure_ascii=False)
        self._files[record["split"]].write(line + "\n")

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()


def _writer(form: str, folder: Path) -> AbstractContextManager[SplitWriter]:
    if form != "datasets":
        return _Lines(folder, _LINES[form])
    from repobuild.samples.export.parquet import ParquetWriter

    return ParquetWriter(folder / "data")


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items()))


def _write_json(path: Path, facts: Value) -> None:
    text = json.dumps(facts, ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")


def _config(settings: Mapping[str, Value]) -> dict[str, Value]:
    """The settings under the seed's names; the others under their own."""
    return {
        "diversity_threshold": settings.get("samples.near_duplicate"),
        "max_code_lines": settings.get("samples.max_code_lines"),
        "min_code_lines": settings.get("samples.min_code_lines"),
        "max_tokens": settings.get("samples.max_tokens"),
        "deny_licences": settings.get("samples.deny_licences"),
        "generalise": settings.get("split.generalise"),
        "salt": settings.get("split.salt"),
        "languages": settings.get("samples.languages"),
    }
