"""A budget is shared out evenly, is kept, and hardly moves when samples change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repobuild.errors import UsageError
from repobuild.model import token_budget
from repobuild.model.token_budget import (
    balance,
    count_tokens,
    ingredients,
    load_token_counter,
)
from repobuild.resources import data_folder
from repobuild.samples.dataset.budget import BudgetCuts, fair_level, first_beyond
from repobuild.samples.dataset.dataset import dataset
from tests.fakes import MemoryTable, MemoryView
from tests.samples.test_dataset import LONG, SETTINGS, SPLIT, sample

TOKENS = {**SETTINGS, "base.model": "tiny", "base.revision": "", "root": "."}
OVER = {"dropped": "over budget"}
TRAINED = {"split": "train", "track": ""}
sizes = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 500), min_size=1)


@pytest.fixture(autouse=True)
def a_word_is_a_token(monkeypatch) -> None:
    """These tests are about the sharing; `counter` has tests below."""
    monkeypatch.setattr(token_budget, "_load_counter", lambda path: words)


def words(text: str) -> int:
    return len(text.split())


class Built:
    """Both views, one after the other."""

    def __init__(self, most: int) -> None:
        self.settings = {**TOKENS, "samples.max_tokens": most}
        self.balance, self.dataset = (
            MemoryView(self.settings),
            MemoryView(self.settings),
        )

    def build(self, rows: dict[str, Any]) -> dict[str, Any]:
        balance(self.balance.advance(samples=rows))
        shared = dict(self.balance.own.rows)
        dataset(self.dataset.advance(samples=rows, balance=shared))
        return dict(self.dataset.own.rows)


def rows_of(made: dict[str, int], task: str = "code_explanation") -> dict[str, Any]:
    """Return this many samples about each file, none of them held out."""
    return {
        key: {
            f"#{task}.en.{n}": sample(
                f"{task} {n}, {path}?",
                f"`{n}` `of` `{path}`, `with` `names` `only` so that `none` is `copy`",
                element=path,
                task=task,
            )
            for n in range(count)
        }
        for path, count in made.items()
        for key in [f"{path}@{task}"]
    }


def kept(found: dict[str, Any]) -> dict[str, int]:
    return {
        key.partition("@")[0]: sum("split" in item for item in row.values())
        for key, row in found.items()
    }


def words_in(rows: dict[str, Any], found: dict[str, Any]) -> int:
    return sum(
        count_tokens(rows[key][sub], words)
        for key, row in found.items()
        for sub, item in row.items()
        if item == TRAINED
    )


@settings(deadline=None)
@given(sizes, st.integers(0, 3000))
def test_the_level_is_the_highest_that_the_budget_fills(basins, most) -> None:
    found = fair_level(basins, most)
    assert sum(min(found, size) for size in basins.values()) <= most
    if found < max(basins.values()):
        assert sum(min(found + 1, size) for size in basins.values()) > most


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(1, 9))), st.integers(0, 99))
def test_a_queue_ends_where_the_next_sample_does_not_fit(made, most) -> None:
    queue = [list(entry) for entry in sorted(made)]
    end = first_beyond(queue, most)
    assert sum(tokens for bucket, tokens in queue if bucket < end) <= most


def test_without_a_budget_no_token_is_counted(monkeypatch) -> None:
    monkeypatch.setattr(token_budget, "_load_counter", None)
    monkeypatch.setattr(token_budget, "tokenizer_file", None)
    world = Built(0)
    assert set(kept(world.build(rows_of({"a.py": 5}))).values()) == {5}
    assert world.balance.own.rows == {} and ingredients(world.settings) == {}


def test_a_small_file_keeps_all_samples_and_large_ones_share_the_rest() -> None:
    rows = rows_of({"small.py": 2, "large.py": 60, "larger.py": 90})
    found = kept(Built(600).build(rows))
    assert found["small.py"] == 2
    assert abs(found["large.py"] - found["larger.py"]) <= 1 < found["large.py"]


def test_a_rare_task_keeps_all_samples_and_a_common_one_loses_some() -> None:
    common = rows_of({f"m{n}.py": 20 for n in range(10)})
    rare = rows_of({"m1.py": 3}, "relations")
    found = Built(800).build(common | rare)
    assert [item for item in found["m1.py@relations"].values()] == [TRAINED] * 3
    assert OVER in found["m1.py@code_explanation"].values()


def test_the_budget_is_kept_and_used_up() -> None:
    rows = rows_of({f"m{n}.py": 3 + 7 * n for n in range(12)})
    found = Built(1500).build(rows)
    assert 0.9 * 1500 < words_in(rows, found) <= 1500


def test_a_held_out_phrasing_is_dropped_with_its_trained_sample() -> None:
    rows = rows_of({"a.py": 1})
    row = rows["a.py@code_explanation"]
    other = {"question": "Quite another way to ask?", "held_out": True}
    row["#code_explanation.en.9"] = row["#code_explanation.en.0"] | other
    row = Built(1).build(rows)["a.py@code_explanation"]
    assert list(row.values()) == [OVER, {"dropped": "held out but not trained"}]


def test_held_out_elements_cost_nothing() -> None:
    ids = [f"b.py::f{n}" for n in range(999)]
    hidden = next(id for id in ids if SPLIT.is_held_out(id))
    found = Built(1).build({hidden: {"#x.en.1": sample("Why?", element=hidden)}})
    assert found[hidden]["#x.en.1"]["track"] == "generalise"


def test_one_more_sample_flips_few_others() -> None:
    made = {f"m{n}.py": 40 for n in range(20)}
    world, other = Built(3000), Built(3000)
    before = world.build(rows_of(made))
    after = other.build(rows_of(made | {"m3.py": 41}))
    flipped = sum(
        row[sub] != after[key][sub] for key, row in before.items() for sub in row
    )
    assert 0 < sum(OVER in row.values() for row in before.values())
    assert flipped <= 2


paths = st.sampled_from(["a.py", "b.py", "c.py", "d/e.py"])
tasks = st.sampled_from(["code_explanation", "relations"])
edit = st.dictionaries(st.tuples(paths, tasks), st.integers(0, 12), max_size=3)


@settings(deadline=None, max_examples=40)
@given(st.lists(edit, min_size=1, max_size=6), st.integers(1, 600))
def test_edits_in_any_sequence_equal_a_clean_build(edits, most) -> None:
    world, rows = Built(most), {}
    for change in edits:
        for (path, task), count in change.items():
            for key, made in rows_of({path: count}, task).items():
                rows.pop(key, None)
                if made:
                    rows[key] = made
        rows = dict(rows)
        clean = Built(most)
        assert world.build(rows) == clean.build(rows)
        assert world.balance.own.rows == clean.balance.own.rows
        assert words_in(rows, world.dataset.own.rows) <= most


def test_the_cut_of_a_file_excludes_its_samples_only() -> None:
    table = MemoryTable({"code_location": {"sizes": {"a.py": 9}, "cuts": {"a.py": 0}}})
    one = sample("Why?", element="a.py", task="code_location")
    assert BudgetCuts(table).exclude("any", one, 0.0)
    assert not BudgetCuts(table).exclude("any", one | {"element": "b.py"}, 0.0)


# ---------------------------------------------------------------------- tokenizer


def test_tokens_are_counted_as_by_the_base_models_tokenizer(monkeypatch) -> None:
    monkeypatch.undo()
    from transformers import AutoTokenizer

    count = load_token_counter(TOKENS)
    path = token_budget.tokenizer_file(TOKENS)
    assert count is not None and path is not None
    theirs = AutoTokenizer.from_pretrained(str(path.parent))
    text = f"{LONG} def f(x): 函数\n"
    assert count(text) == len(theirs(text, add_special_tokens=False)["input_ids"])


def test_another_tokenizer_changes_the_key(tmp_path: Path) -> None:
    settings = {**TOKENS, "samples.max_tokens": 9, "base.model": "m", "root": tmp_path}
    (tmp_path / "m").mkdir()
    found = set()
    for text in ("{}", "[]"):
        (tmp_path / "m" / "tokenizer.json").write_text(text)
        found.add(json.dumps(ingredients(settings)))
    assert len(found) == 2


def test_the_error_for_a_missing_tokenizer_says_what_to_do(
    tmp_path: Path,
) -> None:
    (tmp_path / "m").mkdir()
    for model in ("m", "nobody/nothing", "no such folder/at/all"):
        settings = {**TOKENS, "base.model": model, "root": tmp_path}
        assert load_token_counter(settings) is None
        with pytest.raises(UsageError, match=r"samples.max_tokens to 0"):
            ingredients({**settings, "samples.max_tokens": 9})


def test_the_tokenizer_of_the_bundled_model_is_found() -> None:
    path = token_budget.tokenizer_file(TOKENS)
    assert path is not None and path.is_relative_to(data_folder("cache"))
