"""A task has at most its proportion of the dataset."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repobuild.errors import UsageError
from repobuild.model.token_budget import balance
from repobuild.samples.dataset.budget import task_limits
from repobuild.samples.dataset.dataset import dataset
from repobuild.settings import read_layers
from tests.fakes import MemoryView
from tests.samples.test_budget import rows_of
from tests.samples.test_dataset import SETTINGS

LOCATION = "samples.proportions.code_location"
TASKS = ("code_explanation", "code_location", "relations")
sizes = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 500), min_size=1)
shares = st.dictionaries(
    st.sampled_from("abcdef"), st.integers(0, 20).map(lambda n: Fraction(n, 20))
)


@given(sizes, shares, st.sampled_from([0, 0, 7, 300]))
def test_no_task_has_more_than_its_proportion(sizes, shares, budget):
    limits = task_limits(sizes, shares, budget)
    kept = sum(limits.values())
    assert limits.keys() == sizes.keys()
    assert all(0 <= limits[task] <= sizes[task] for task in sizes)
    assert not budget or kept <= budget
    if len(shares.keys() & sizes.keys()) < len(sizes):
        for task in shares.keys() & sizes.keys():
            # each of the other tasks may have lost a fraction of a token
            assert limits[task] <= shares[task] * (kept + len(sizes))


@given(sizes, shares)
def test_tasks_without_a_proportion_keep_everything(sizes, shares):
    limits = task_limits(sizes, shares, 0)
    assert all(limits[t] == n for t, n in sizes.items() if t not in shares)


def test_proportions_of_all_tasks_are_weights():
    one_fifth = {"a": Fraction("0.2"), "b": Fraction("0.2")}
    assert task_limits({"a": 10, "b": 30}, one_fifth, 0) == {"a": 10, "b": 10}
    assert task_limits({"a": 10, "b": 30}, one_fifth, 8) == {"a": 4, "b": 4}


class Both:
    """Both views, one after the other."""

    def __init__(self, **settings: float) -> None:
        self.settings = SETTINGS | settings
        self.balance, self.dataset = map(MemoryView, (self.settings, self.settings))

    def build(self, rows: dict[str, Any]) -> dict[str, Any]:
        balance(self.balance.advance(samples=rows))
        shared = dict(self.balance.own.rows)
        dataset(self.dataset.advance(samples=rows, balance=shared))
        return dict(self.dataset.own.rows)


def trained(found: dict[str, Any]) -> Counter[str]:
    return Counter(
        sub[1:].partition(".")[0]
        for row in found.values()
        for sub, item in row.items()
        if item.get("split") == "train"
    )


def test_a_bounded_task_gives_up_samples_and_the_others_none():
    many = {f"f{n}.py": 6 for n in range(20)}
    rows = {k: v for task in TASKS for k, v in rows_of(many, task).items()}
    found = Both(**{LOCATION: 0.2}).build(rows)
    counts = trained(found)
    free = trained(Both().build(rows))
    assert counts["relations"] == free["relations"]
    assert counts["code_location"] < free["code_location"]
    assert counts["code_location"] / counts.total() == pytest.approx(0.2, abs=0.01)
    dropped = {i.get("dropped") for row in found.values() for i in row.values()}
    assert "over proportion" in dropped and "over budget" not in dropped


def test_random_updates_equal_a_full_build():
    chance = random.Random(6)
    settings = {LOCATION: 0.15, "samples.proportions.relations": 0.3}
    built = Both(**settings)
    for _ in range(25):
        rows: dict[str, Any] = {}
        for task in TASKS:
            sizes = {f"f{n}.py": chance.randrange(7) for n in range(8)}
            rows |= rows_of({path: n for path, n in sizes.items() if n}, task)
        assert built.build(rows) == Both(**settings).build(rows)


def test_a_new_sample_moves_the_boundary_by_few():
    many = {f"f{n}.py": 6 for n in range(30)}
    rows = {k: v for task in TASKS for k, v in rows_of(many, task).items()}
    built = Both(**{LOCATION: 0.2})
    before = built.build(rows)
    after = built.build(rows | rows_of({"new.py": 1}, "relations"))
    moved = [key for key in before if before[key] != after[key]]
    assert len(moved) <= 2


def test_a_proportion_is_checked_and_its_task_named(tmp_path: Path):
    settings = tmp_path / "repobuild.toml"
    settings.write_text("[samples]\nproportions = {code_location = 0.2}\n")
    assert read_layers(tmp_path).merged()[LOCATION] == 0.2
    settings.write_text("[samples.proportions]\ncode_location = 1.5\n")
    with pytest.raises(UsageError, match="must be a number from 0 to 1"):
        read_layers(tmp_path)
    settings.write_text("[samples.proportions]\ncode_locations = 0.5\n")
    with pytest.raises(UsageError, match="did you mean"):
        read_layers(tmp_path)
