"""What `repobuild status` says of the next adapter."""

from __future__ import annotations

from typing import Any

import pytest

from repobuild.engine.explain.forecast import NO_WORK, ExpectedWork, ForecastInput
from repobuild.model.adapter.adapter_forecast import SAMPLE_TOKENS, adapter
from repobuild.model.adapter.recipe import Recipe
from repobuild.model.base import resolve_base
from repobuild.model.teaching.lesson import LEAST_BUDGET
from repobuild.model.teaching.scheduler import FIRST_TIMES
from tests.model.test_nano import settings

BUDGET = 100_000


def row(**changes: Any) -> dict[str, Any]:
    """Return the row of an adapter that was taught 40 of 100 facts."""
    now = settings(adapter__budget=BUDGET)
    return {
        "object": "a1", "dataset": "d1", "recipe": Recipe.of(now).digest,
        "base": resolve_base(now).digest, "promoted": True, "mode": "first", "chain": 1,
        "drift": 0.0, "build": 1, "current": "", "budget": BUDGET, "tokens": 50_000,
        "samples": {"shown": 1000}, "coverage": {"facts": 100, "taught": 40},
        **changes,
    }  # fmt: skip


def forecast(
    changed: int, rows: dict[str, Any], size: int = 1000, budget: int = BUDGET,
    commit: str = "c2", **changes: Any,
) -> ExpectedWork:  # fmt: skip
    return adapter(
        ForecastInput(
            settings=settings(adapter__budget=budget, **changes),
            rows=rows,
            ancestors=iter(["c1"]),
            commit=commit,
            changed=changed,
            size=size,
        )
    )


def test_a_first_build_is_as_long_as_its_budget_or_as_its_facts_need() -> None:
    few, many = (forecast(n, {}, size=n) for n in (22, 100_000))
    assert few.text == many.text == "would start from the base model: no adapter yet"
    assert few.work == pytest.approx(FIRST_TIMES * 10 * SAMPLE_TOKENS)
    assert many.work == BUDGET


def test_a_change_continues_and_costs_more_than_its_own_samples() -> None:
    few, many = (forecast(n, {"c1": row()}, budget=10**9) for n in (4, 4000))
    assert few.text == "would continue on at most about 4 changed samples"
    assert few.work == LEAST_BUDGET < many.work
    assert forecast(4000, {"c1": row()}).work == BUDGET


def test_the_tokens_of_a_sample_are_those_of_the_newest_adapter() -> None:
    older = row(tokens=900_000, build=0)
    same = [
        forecast(4000, rows, budget=10**9).work
        for rows in ({"c1": row()}, {"c0": older, "c1": row()})
    ]
    assert same[0] == same[1]


@pytest.mark.parametrize("commit", ["c1", "c2"])
def test_nothing_changed_is_no_work(commit: str) -> None:
    assert forecast(0, {"c1": row()}, commit=commit).text == NO_WORK


@pytest.mark.parametrize("commit", ["c1", "c2"])
def test_a_larger_budget_teaches_what_was_not_begun(commit: str) -> None:
    found = forecast(0, {"c1": row()}, budget=2 * BUDGET, commit=commit)
    assert found.text == "would continue on 60 facts not begun"
    assert found.work == 60 * FIRST_TIMES / 0.5 * 50
    last = row(coverage={"facts": 100, "taught": 99})
    found = forecast(0, {"c1": last}, budget=2 * BUDGET, commit=commit)
    assert found.text == "would continue on 1 fact not begun"


def test_a_smaller_budget_or_one_with_nothing_left_is_no_work() -> None:
    assert forecast(0, {"c1": row()}, budget=BUDGET // 2).text == NO_WORK
    whole = row(coverage={"facts": 100, "taught": 100})
    assert forecast(0, {"c1": whole}, budget=2 * BUDGET).text == NO_WORK


def test_another_recipe_starts_from_the_base_model() -> None:
    for changed in (0, 4):
        found = forecast(changed, {"c1": row()}, adapter__mastery=5)
        assert found.text == "would start from the base model: another recipe"


def test_an_adapter_of_an_earlier_version_starts_from_the_base_model() -> None:
    """It counted neither facts nor what it showed."""
    earlier = row(recipe="0" * 64, samples={"trained": 9})
    del earlier["coverage"], earlier["budget"]
    found = forecast(4, {"c1": earlier}, size=22)
    assert found.text == "would start from the base model: another recipe"
    assert found.work == pytest.approx(FIRST_TIMES * 10 * SAMPLE_TOKENS)
