"""`repobuild --budget`, and the line that tells what more budget teaches."""

from __future__ import annotations

from typing import Any

import pytest

from repobuild.cli.training_budget import (
    coverage_line,
    is_time,
    larger_budget,
    read_budget,
)
from repobuild.engine.storage.run_history import TableRun
from repobuild.errors import UsageError
from repobuild.model.teaching.scheduler import STARTUP


def trained(tokens: float, seconds: float) -> TableRun:
    return TableRun(
        "adapter", 1, False, 0, 1, {}, 0, 1, False, "first", tokens, seconds
    )


# 2,000 tokens a second, 300 tokens a fact.
RUNS = [trained(0, 1), trained(1_200_000, 600 + STARTUP), trained(9, 9)]
ROW: dict[str, Any] = {
    "work": 1_200_000,
    "tokens": 1_200_000,
    "budget": 1_200_000,
    "samples": {"trained": 4_000, "reviewed": 0},
    "coverage": {"facts": 9_000, "taught": 4_000, "mastered": 3_900},
}


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("900", 900),
        ("1000000000000", 10**12),
        ("500k", 500_000),
        ("1.5M", 1_500_000),
        ("30m", (1_800 - 10) * 2_000),
        ("2h", (7_200 - 10) * 2_000),
    ],
)
def test_a_budget_is_tokens_or_a_time_at_the_pace_of_the_newest_run(
    text: str, tokens: int
) -> None:
    assert read_budget(text, RUNS) == tokens


@pytest.mark.parametrize(
    "text",
    ["", "0", "0m", "-3", "30 m", "30min", "1g", "m", "9" * 400, f"{'9' * 400}h"],
)
def test_what_is_no_budget_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="30m, 2h, 500k or 1M"):
        read_budget(text, RUNS)


@pytest.mark.parametrize("text", ["0.1m", "0.001h"])
@pytest.mark.parametrize("runs", [RUNS, []])
def test_a_time_that_is_over_before_training_starts_is_refused(
    text: str, runs: list[TableRun]
) -> None:
    with pytest.raises(UsageError, match="over before training starts") as raised:
        read_budget(text, runs)
    assert "--budget 5m" in str(raised.value) and "--budget 500k" in str(raised.value)


def test_a_time_needs_a_run_to_go_by_and_tokens_do_not() -> None:
    with pytest.raises(UsageError, match="give tokens"):
        read_budget("30m", [trained(0, 1)])
    assert read_budget("1M", []) == 1_000_000
    found = {text: is_time(text) for text in ("900", "500k", "1M", "30m", "2h")}
    assert [text for text in found if found[text]] == ["30m", "2h"]


def test_the_proposed_budget_is_larger_than_the_last_one() -> None:
    """With a smaller one the adapter is taken as it is."""
    more = larger_budget(ROW, [], RUNS)
    assert more["budget"] == "20m" and more["tokens"] > ROW["budget"]
    assert more["facts"] == 5_000  # all that are left: the budget has room for more
    half = larger_budget({**ROW, "coverage": {"facts": 90_000, "taught": 0}}, [], RUNS)
    assert half["facts"] == more["tokens"] // 300


def test_a_run_that_taught_little_says_nothing_of_the_tokens_a_fact_takes() -> None:
    commit = {**ROW, "work": 16_000, "tokens": 16_000, "samples": {"trained": 3}}
    assert larger_budget(commit, [], RUNS) == {}
    assert larger_budget(commit, [ROW], RUNS)["facts"] == 5_000


def test_when_all_is_taught_nothing_is_proposed() -> None:
    full = {"facts": 9, "taught": 9, "mastered": 9}
    assert larger_budget({**ROW, "coverage": full}, [], RUNS) == {}
    assert coverage_line({"coverage": full}) == "taught all 9 facts, 9 mastered"


def test_the_line_says_what_was_taught_and_what_more_would_teach() -> None:
    adapter = {**ROW, "more": {"budget": "30m", "tokens": 1, "facts": 2_049}}
    assert coverage_line(adapter) == (
        "taught 4,000 of 9,000 facts, the most used first, 3,900 mastered; "
        "`repobuild --budget 30m` teaches about 2,000 more"
    )
    assert coverage_line({**ROW, "more": {}}).endswith("3,900 mastered")
    assert coverage_line({}) == coverage_line({"coverage": {}}) == ""
