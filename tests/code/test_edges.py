"""Precision and recall of edges on cases of the language reference (tests/edges)."""

from __future__ import annotations

import pytest

from tests.edges.cases import KINDS, Case, Score, cases, scores


@pytest.fixture(scope="module")
def measured() -> dict[str, Score]:
    return scores()


def test_precision_and_recall_over_all_cases(measured: dict[str, Score]) -> None:
    total = measured["all"]
    assert total.cases >= 120
    assert total.precision >= 0.98
    assert total.recall >= 0.95


@pytest.mark.parametrize("group", sorted({case.group for case in cases()}))
def test_precision_and_recall_of_each_group(
    group: str, measured: dict[str, Score]
) -> None:
    # docs/benchmarks/analysis.md lists the missed edges; below a bound is a bug.
    assert measured[group].precision >= 0.85
    assert measured[group].recall >= 0.65


def test_every_expected_edge_names_existing_elements() -> None:
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


def test_no_two_cases_have_one_name() -> None:
    names = [(case.group, case.name) for case in cases()]
    assert len(names) == len(set(names))


def test_no_trap_is_a_right_edge() -> None:
    assert [case.name for case in cases() if case.right & case.traps] == []


def test_the_score_counts_wrong_and_missed_edges() -> None:
    case = Case("group", "name", right={("a", "calls", "b"), ("a", "calls", "c")})
    score = Score()
    score.add(case, {("a", "calls", "b"), ("a", "calls", "d")})
    assert (score.right, score.wrong, score.missed, score.whole) == (1, 1, 1, 0)
    assert (score.precision, score.recall) == (0.5, 0.5)
