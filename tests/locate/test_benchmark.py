"""The benchmark of localisation reads its answers and splits its halves rightly."""

import numpy as np
import pytest

from tests.benchmarks.localisation import (
    HALVES,
    Ranks,
    accuracy,
    changed_functions,
    fit,
    half_of,
    reciprocal,
)

SOURCE = """import os


class Door:
    width = 1

    def open(self):
        def push():
            return 1
        return push()


def close():
    return 2
"""


def patched(tree, line, removed, added=""):
    sign = f"-{removed}\n" if removed else ""
    more = f"+{added}\n" if added else ""
    patch = f"--- a/a.py\n+++ b/a.py\n@@ -{line},1 +{line},1 @@\n{sign}{more}"
    return list(changed_functions(patch, tree))


@pytest.fixture
def tree(repository):
    repository.commit({"a.py": SOURCE})
    return repository.git.head.peel().tree


@pytest.mark.parametrize(
    ("line", "removed", "added", "found"),
    [
        (9, "            return 1", "            return 3", ["a.py::Door.open"]),
        (5, "    width = 1", "    width = 2", ["a.py::Door"]),
        (1, "import os", "", []),
        (14, "", "    x = 1", ["a.py::close"]),
    ],
)
def test_an_answer_is_the_innermost_function_that_holds_a_changed_line(
    tree, line, removed, added, found
):
    assert patched(tree, line, removed, added) == found


def test_a_half_depends_on_the_id_alone():
    halves = [half_of(f"project-{n}") for n in range(400)]
    assert halves == [half_of(f"project-{n}") for n in range(400)]
    assert 150 < halves.count(HALVES[0]) < 250


def test_strict_accuracy_asks_for_all_and_ties_count_against_us():
    ranks = [Ranks("tuning", (1, 7)), Ranks("tuning", (2,))]
    assert accuracy(ranks, 5) == 50
    assert accuracy(ranks, 5, whole=False) == 100
    assert reciprocal(ranks) == 0.75


def test_a_fit_finds_which_signal_tells_the_answer():
    chance = np.random.default_rng(0)
    cases = []
    for _ in range(30):
        matrix = chance.random((20, 2))
        cases.append((matrix, int(matrix[:, 1].argmax())))
    noise, signal = fit(cases, [False, False], 0.01)
    assert signal > 5 * max(noise, 0.1)
