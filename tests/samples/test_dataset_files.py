"""Exported files have the specified format, and every line names its sources."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from repobuild.errors import StaleError
from repobuild.samples.dataset.summary import whole_licence
from repobuild.samples.export.dataset_card import hub_licence
from repobuild.samples.export.dataset_files import DATASET_FORMATS, export
from repobuild.samples.export.sample_record import provenance
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
COMMIT = "4f2a91c"
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
            "licences": MemoryTable({"a.py": {"licence": "MIT", "source": "LICENSE"}}),
        }

    def with_extensions(self, name: str) -> tuple[str, ...]:
        return (name,)

    def table(self, name: str) -> MemoryTable:
        return self.tables[name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    export(Tables(), tmp_path, COMMIT)
    return tmp_path


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_line_has_the_format_of_the_specification(folder: Path) -> None:
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
    export(Tables(), again, COMMIT)
    for name in ("train.jsonl", "val.jsonl", "test.jsonl", "metadata.json"):
        assert (folder / name).read_bytes() == (again / name).read_bytes()


def test_a_line_names_its_task_element_split_and_licence(folder: Path) -> None:
    (line,) = lines(folder / "val.jsonl")
    expected = {"task_type": "code_location", "element": "a.py::f", "licence": "MIT"}
    expected |= {"split": "val", "track": "recall", "id": "a.py::f#a"}
    assert line["metadata"] | expected == line["metadata"]
    assert "question" not in line["metadata"]


def test_the_formats_of_other_tools(tmp_path: Path) -> None:
    export(Tables(), tmp_path / "openai", COMMIT, "openai")
    export(Tables(), tmp_path / "sharegpt", COMMIT, "sharegpt")
    (openai,) = lines(tmp_path / "openai" / "train.jsonl")
    (sharegpt,) = lines(tmp_path / "sharegpt" / "train.jsonl")
    question, answer = SAMPLE["question"], SAMPLE["answer"]
    assert openai["messages"] == [
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]
    assert sharegpt["id"] == "a.py::f#b"
    assert sharegpt["conversations"] == [
        {"from": "human", "value": question},
        {"from": "gpt", "value": answer},
    ]
    assert openai["metadata"] == sharegpt["metadata"]


def test_a_datasets_folder_is_loaded_by_the_library(tmp_path: Path) -> None:
    from datasets import load_dataset

    export(Tables(), tmp_path / "out", COMMIT, "datasets")
    found = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in found.items()} == {"train": 1, "val": 1}
    row = found["val"][0]
    assert row["messages"][1] == {"role": "assistant", "content": SAMPLE["answer"]}
    assert (row["task"], row["element"], row["licence"], row["track"]) == (
        "code_location",
        "a.py::f",
        "MIT",
        "recall",
    )
    assert row["provenance"][0]["blob"] == "12ab"
    assert row["prefix"] is None


def test_the_hub_can_read_the_dataset_card(tmp_path: Path) -> None:
    from huggingface_hub import DatasetCard

    export(Tables(), tmp_path, COMMIT, "datasets")
    card = DatasetCard.load(tmp_path / "README.md")
    data = card.data.to_dict()
    assert data["license"] == "mit"
    assert data["language"] == ["en"]
    assert data["size_categories"] == ["n<1K"]
    assert [file["split"] for file in data["configs"][0]["data_files"]] == [
        "train",
        "val",
    ]
    for text in (COMMIT, "| too long | 1 |", "| MIT | 2 |", "| code_location | 2 |"):
        assert text in card.text


def test_writing_a_folder_again_removes_the_old_files(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "test.parquet").write_bytes(b"old")
    export(Tables(), tmp_path, COMMIT, "datasets")
    names = sorted(path.name for path in (tmp_path / "data").iterdir())
    assert names == ["train.parquet", "val.parquet"]


@pytest.mark.parametrize(
    ("licences", "name"),
    [
        (["MIT"], "mit"),
        (["GPL-3.0-or-later"], "gpl-3.0"),
        (["LGPL-2.1-only"], "lgpl-2.1"),
        (["MIT", "ISC"], "other"),
        (["PSF-2.0"], "other"),
        (["MIT", "NOASSERTION"], "unknown"),
        ([], "unknown"),
    ],
)
def test_licences_get_the_names_of_the_hub(licences: list[str], name: str) -> None:
    assert hub_licence(licences) == name


@pytest.mark.parametrize("format", DATASET_FORMATS)
def test_every_format_is_equal_byte_for_byte(format: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        export(Tables(), tmp_path / name, COMMIT, format)
    one, two = tmp_path / "one", tmp_path / "two"
    written = sorted(path.relative_to(one) for path in one.rglob("*.*"))
    assert written == sorted(path.relative_to(two) for path in two.rglob("*.*"))
    assert all((one / p).read_bytes() == (two / p).read_bytes() for p in written)


def test_a_sample_of_the_project_has_the_licence_of_its_top_folder() -> None:
    licences = MemoryTable({"/": {"licence": "ISC", "source": "LICENSE"}})
    about = SAMPLE | {"element": "@project", "sources": ["@project"]}
    assert whole_licence(about, licences) == "ISC"
    assert whole_licence(about, MemoryTable()) == "NOASSERTION"


def test_a_sample_has_the_licence_of_all_its_sources() -> None:
    licences = MemoryTable(
        {"a.py": {"licence": "MIT"}, "b.py": {"licence": "ISC OR 0BSD"}}
    )
    about = SAMPLE | {"sources": ["a.py::f", "b.py::g"]}
    assert whole_licence(about, licences) == "MIT AND (ISC OR 0BSD)"


def test_a_dataset_older_than_its_samples_is_reported_as_stale(tmp_path: Path) -> None:
    tables = Tables()
    tables.table("samples").put("a.py::f", {"#b": SAMPLE})
    with pytest.raises(StaleError, match="older than the samples"):
        export(tables, tmp_path, COMMIT)


def test_a_removed_source_has_no_provenance() -> None:
    tables = Tables()
    ids = ["@project", "a.py::gone", "b.py"]
    assert provenance(ids, tables.table("graph"), tables.table("files")) == [
        {"id": "@project"}
    ]
