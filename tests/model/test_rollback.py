"""The decision after a rollback."""

from __future__ import annotations

from typing import Any

from repobuild.engine.override import original_row, override_row
from repobuild.model.adapter.decision import StepInput, find_parent_row, find_reusable

OLD, NEW = "0" * 64, "1" * 64


def row(name: str, samples: str, **changes: Any) -> dict[str, Any]:
    made_of = {"manifest": "ab" * 32, "inputs": {"samples": samples}, "follows": ""}
    facts = {"object": name, "current": "", "mode": "continue", "promoted": True}
    trained = {"dataset": samples, "recipe": "r", "base": "b"}
    return {**facts, **trained, **made_of, "build": 1, **changes}


def rolled_back() -> dict[str, Any]:
    return override_row(row(NEW, "new"), row(OLD, "old", mode="rollback"))


def situation(**rows: Any) -> StepInput:
    return StepInput(
        dataset="new", recipe="r", base="b", size=9, rows=rows, parent=None
    )


def test_an_adapter_that_a_rollback_replaced_is_not_reused() -> None:
    assert find_reusable(situation(one=row(NEW, "new"))) == "one"
    assert find_reusable(situation(one=row(NEW, "new"), two=rolled_back())) == ""


def test_a_rolled_back_commit_continues_the_adapter_rolled_back_to() -> None:
    rows = {"one": row(NEW, "new"), "two": rolled_back()}
    found = find_parent_row(rows, ["one"], "two")
    assert found is not None and found["object"] == OLD
    found = find_parent_row(rows, ["one"], "three")
    assert found is not None and found["object"] == NEW


def test_rolling_back_twice_keeps_the_commits_own_row() -> None:
    twice = override_row(rolled_back(), row("2" * 64, "older"))
    assert original_row(twice) == row(NEW, "new")
    assert original_row(original_row(twice)) == row(NEW, "new")


def test_the_key_depends_on_the_adapter_that_is_continued() -> None:
    one, two = rolled_back(), override_row(row(NEW, "new"), row("2" * 64, "older"))
    assert one["inputs"] == two["inputs"] == row(NEW, "new")["inputs"]
    assert one["key"] != two["key"]
    assert (one["follows"], two["follows"]) == (OLD, "2" * 64)
