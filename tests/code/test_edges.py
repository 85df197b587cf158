"""Calls, imports and inheritance on cases from the language reference (tests/edges)."""

from __future__ import annotations

import pytest

from tests.edges.cases import KINDS, Case, Score, cases, scores


@pytest.fixture(scope="module")
def measured() -> dict[str, Score]:
    return scores()


def test_precision_and_recall_over_all_cases(measured: dict[str, Score]) -> None:
    whole = measured["all"]
    assert whole.cases >= 120
    assert whole.precision >= 0.95
    assert whole.recall >= 0.85


@pytest.mark.parametrize("group", sorted({case.group for case in cases()}))
def test_no_group_is_given_up(group: str, measured: dict[str, Score]) -> None:
    # docs/benchmarks/analysis.md lists what is missed; a group that falls is a bug.
    assert measured[group].precision >= 0.85
    assert measured[group].recall >= 0.65


def test_every_expected_edge_names_elements_that_there_are() -> None:
    from tests.code_world import World

    for case in cases():
        known = {
            path + sub
            for path, row in World(case.files).rows.items()
            for sub in row
            if " " not in sub
        }
        for source, kind, target in case.right | case.traps:
            assert kind in KINDS, case.name
            assert {source, target} <= known, (case.group, case.name)


def test_no_case_is_told_twice() -> None:
    names = [(case.group, case.name) for case in cases()]
    assert len(names) == len(set(names))


def test_a_trap_is_no_right_edge() -> None:
    assert [case.name for case in cases() if case.right & case.traps] == []


def test_the_score_counts_what_is_wrong_and_what_is_missed() -> None:
    case = Case("group", "name", right={("a", "calls", "b"), ("a", "calls", "c")})
    score = Score()
    score.add(case, {("a", "calls", "b"), ("a", "calls", "d")})
    assert (score.right, score.wrong, score.missed, score.whole) == (1, 1, 1, 0)
    assert (score.precision, score.recall) == (0.5, 0.5)
