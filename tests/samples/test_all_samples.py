"""All tables of samples are read as one."""

from __future__ import annotations

import random
from typing import Any

import pytest

from repobuild.errors import StaleError
from repobuild.samples.dataset.all_samples import AllSamples, dataset_key
from repobuild.samples.dataset.dataset import dataset
from tests.fakes import MemoryTable, MemoryView
from tests.samples.test_dataset import SETTINGS, sample

DUPLICATE = {"dropped": "duplicate question"}


class Joined(MemoryView):
    """A view over `samples` and one table that joins it."""

    def with_extensions(self, name: str) -> tuple[str, ...]:
        return ("samples", "own")


def test_a_row_keeps_its_key_or_gets_its_table_as_prefix() -> None:
    tables = {"samples": MemoryTable({"own//x": 1}), "own": MemoryTable({"a//b": 2})}
    every = AllSamples(tables)
    assert every.locate("a.md::A // B") == ("samples", "a.md::A // B")
    assert every.locate(dataset_key("own", "a//b")) == ("own", "a//b")
    assert every.get("own//a//b") == 2
    assert [key for key, _ in every.items()] == ["own//x", "own//a//b"]


def test_a_row_of_a_missing_table_is_an_error_and_not_a_missing_row() -> None:
    with pytest.raises(StaleError, match='holds samples of "own"'):
        AllSamples({"samples": MemoryTable()}).get("own//x")


def test_one_question_in_two_tables_is_used_once() -> None:
    view = Joined(SETTINGS)
    row = {"#t.en.0": sample("What is asked twice?")}
    dataset(view.advance(samples={"z.py": row}, own={"k": row}))
    kept, dropped = view.own.rows["own//k"], view.own.rows["z.py"]
    assert kept["#t.en.0"] != DUPLICATE  # the smaller key
    assert dropped["#t.en.0"] == DUPLICATE
    dataset(view.advance(samples={"z.py": row}, own={}))
    assert view.own.rows["z.py"]["#t.en.0"] != DUPLICATE
    assert "own//k" not in view.own.rows


def test_edits_of_both_tables_equal_a_build_from_scratch() -> None:
    chance = random.Random(7)
    questions = [f"What is the {n}th thing to know?" for n in range(6)]

    def rows() -> dict[str, Any]:
        return {
            key: {"#t.en.0": sample(chance.choice(questions))}
            for key in "abcdef"
            if chance.random() < 0.7
        }

    view = Joined(SETTINGS)
    for _ in range(60):
        samples, own = rows(), rows()
        dataset(view.advance(samples=samples, own=own))
        clean = Joined(SETTINGS)
        dataset(clean.advance(samples=samples, own=own))
        assert view.own.rows == clean.own.rows
