"""Write the dataset as JSONL files, one for each split, in one of three chat formats.

    seed      {"conversations": [{"role", "content"}, ...], "metadata": {...}}
    openai    {"messages": [{"role", "content"}, ...], "metadata": {...}}
    sharegpt  {"id", "conversations": [{"from", "value"}, ...], "metadata": {...}}

`seed` is the format of the original specification. `metadata` holds all of the record
but its text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from repobuild.plain_text import json_text
from repobuild.samples.dataset.summary import SPLITS
from repobuild.samples.export.sample_record import Record


class JsonlWriter:
    """Writes records into {train,val,test}.jsonl; a context manager."""

    def __init__(self, folder: Path, format: str) -> None:
        self._line_of = LINE_FORMATS[format]
        self._open = ExitStack()
        self._files = {
            split: self._open.enter_context(
                (folder / f"{split}.jsonl").open("w", encoding="utf-8", newline="\n")
            )
            for split in SPLITS
        }

    def __enter__(self) -> JsonlWriter:
        return self

    def write(self, record: Record) -> None:
        line = json_text(self._line_of(record))
        self._files[record["split"]].write(line + "\n")

    def __exit__(self, *error: object) -> None:
        self._open.close()


def _seed(record: Record) -> Record:
    return {"conversations": _messages(record), "metadata": _metadata(record)}


def _openai(record: Record) -> Record:
    return {"messages": _messages(record), "metadata": _metadata(record)}


def _sharegpt(record: Record) -> Record:
    turns = [
        {"from": "human", "value": record["question"]},
        {"from": "gpt", "value": record["answer"]},
    ]
    metadata = _metadata(record)
    return {"id": record["id"], "conversations": turns, "metadata": metadata}


def _messages(record: Record) -> list[dict[str, str]]:
    return [
        {"role": "user", "content": record["question"]},
        {"role": "assistant", "content": record["answer"]},
    ]


def _metadata(record: Record) -> Record:
    return {k: v for k, v in record.items() if k not in ("question", "answer")}


LINE_FORMATS: Mapping[str, Callable[[Record], Record]] = {
    "seed": _seed,
    "openai": _openai,
    "sharegpt": _sharegpt,
}
