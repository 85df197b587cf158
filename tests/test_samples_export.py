"""The exported files have the seed's form, and every line says where it comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from repobuild.samples.export import export
from repobuild.samples.provenance import provenance
from tests.fakes import MemoryTable

SAMPLE = {
    "task": "code_location",
    "language": "en",
    "form": "chat",
    "question": "In which file is `f` defined?",
    "answer": "`f` is defined in `a.py`.",
    "element": "a.py::f",
    "sources": ["a.py::f"],
    "difficulty": "easy",
    "held_out": False,
}
SUBS = ("#b", "#a", "#c")
TRAIN = {"split": "train", "track": ""}
VAL = {"split": "val", "track": "recall"}


class Tables:
    settings = {"samples.max_code_lines": 40, "samples.min_code_lines": 5}

    def __init__(self) -> None:
        self.tables = {
            "samples": MemoryTable({"a.py::f": dict.fromkeys(SUBS, SAMPLE)}),
            "dataset": MemoryTable(
                {"a.py::f": {"#b": TRAIN, "#a": VAL, "#c": {"dropped": "too long"}}}
            ),
            "files": MemoryTable({"a.py": {"blob": "12ab", "mode": 1}}),
            "graph": MemoryTable({"a.py": {"::f": {"start_line": 3, "end_line": 7}}}),
        }

    def table(self, name: str) -> MemoryTable:
        return self.tables[name]

    def joined(self, name: str) -> tuple[str, ...]:
        return (name,)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    export(Tables(), tmp_path)
    return tmp_path


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_line_has_the_form_of_the_seed(folder: Path) -> None:
    (line,) = lines(folder / "train.jsonl")
    assert line["conversations"] == [
        {"role": "user", "content": SAMPLE["question"]},
        {"role": "assistant", "content": SAMPLE["answer"]},
    ]
    metadata = line["metadata"]
    assert metadata["task_type"] == "code_location"
    assert metadata["element_name"] == "f"
    assert metadata["filepath"] == "a.py"


def test_a_line_names_path_blob_and_lines_of_its_sources(folder: Path) -> None:
    (line,) = lines(folder / "train.jsonl")
    assert line["metadata"]["provenance"] == [
        {
            "id": "a.py::f",
            "path": "a.py",
            "blob": "12ab",
            "start_line": 3,
            "end_line": 7,
        }
    ]


def test_the_metadata_counts_what_was_written_and_dropped(folder: Path) -> None:
    found = json.loads((folder / "metadata.json").read_text("utf-8"))
    assert found["total_samples"] == 2
    assert (found["train_samples"], found["val_samples"], found["test_samples"]) == (
        1,
        1,
        0,
    )
    assert found["task_distribution"] == {"code_location": 2}
    assert found["dropped"] == {"too long": 1}
    assert found["generation_config"]["max_code_lines"] == 40


def test_two_exports_are_equal_byte_for_byte(folder: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    export(Tables(), again)
    for name in ("train.jsonl", "val.jsonl", "test.jsonl", "metadata.json"):
        assert (folder / name).read_bytes() == (again / name).read_bytes()


def test_a_source_that_is_gone_has_no_provenance() -> None:
    tables = Tables()
    ids = ["@project", "a.py::gone", "b.py"]
    assert provenance(ids, tables.table("graph"), tables.table("files")) == [
        {"id": "@project"}
    ]
