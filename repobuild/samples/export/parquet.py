"""Write the dataset as Parquet files that `datasets.load_dataset(folder)` reads.

    data/train.parquet, data/val.parquet, data/test.parquet

A split without samples has no file. The columns are `_FEATURES`: chat trainers read
`messages`, the rest is the `metadata` of a JSONL line. Rows are written a thousand at a
time, with the Arrow schema that `datasets` derives from the features.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow
import pyarrow.parquet
from datasets import Features, Value

from repobuild.samples.export.sample_record import Record

_TEXT = Value("string")
_FEATURES = Features(
    {
        "messages": [{"role": _TEXT, "content": _TEXT}],
        "id": _TEXT,
        "task": _TEXT,
        "element": _TEXT,
        "path": _TEXT,
        "language": _TEXT,
        "difficulty": _TEXT,
        "form": _TEXT,
        "track": _TEXT,
        "importance": Value("float32"),
        "licence": _TEXT,
        "prefix": _TEXT,
        "suffix": _TEXT,
        "provenance": [
            {
                "id": _TEXT,
                "path": _TEXT,
                "blob": _TEXT,
                "start_line": Value("int32"),
                "end_line": Value("int32"),
            }
        ],
    }
)
_BUFFERED_ROWS = 1000  # for each split: about a megabyte of memory


class ParquetWriter:
    """Writes records into a folder, one file for each split; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[str, list[Record]] = {}
        self._files: dict[str, pyarrow.parquet.ParquetWriter] = {}

    def __enter__(self) -> ParquetWriter:
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in self._folder.glob("*.parquet"):
            old.unlink()
        return self

    def write(self, record: Record) -> None:
        rows = self._rows.setdefault(record["split"], [])
        rows.append(_row(record))
        if len(rows) >= _BUFFERED_ROWS:
            self._flush(record["split"])

    def __exit__(self, *error: object) -> None:
        for split in self._rows:
            self._flush(split)
        for file in self._files.values():
            file.close()

    def _flush(self, split: str) -> None:
        schema = _FEATURES.arrow_schema
        if split not in self._files:
            path = self._folder / f"{split}.parquet"
            self._files[split] = pyarrow.parquet.ParquetWriter(path, schema)
        table = pyarrow.Table.from_pylist(self._rows[split], schema=schema)
        self._files[split].write_table(table)
        self._rows[split] = []


def _row(record: Record) -> Record:
    return record | {
        "messages": [
            {"role": "user", "content": record["question"]},
            {"role": "assistant", "content": record["answer"]},
        ],
        "task": record["task_type"],
        "path": record["filepath"],
    }
