"""An answer is helped to go on as a fact does, and only as one does."""

from __future__ import annotations

import pytest

from repobuild.model.base import resolve_base
from repobuild.model.copying import BONUS, SURE_BONUS, FactCopier
from repobuild.model.generate import TextGenerator
from repobuild.model.grounding import GroundedQuestion

FACTS = [[1, 2, 3, 4, 5, 0], [9, 2, 3, 4, 7, 0]]


@pytest.mark.parametrize(
    ("answer", "follows"),
    [
        ([], {1, 9}),
        ([1], {2}),
        ([8], set()),  # no fact begins so, and one token is not enough elsewhere
        ([8, 2, 3], set()),
        ([8, 2, 3, 4], {5, 7}),
        ([1, 2, 3, 4], {5}),  # the longer agreement counts
        ([8, 3, 4, 5], {0}),  # then the answer ends
        ([1, 2, 3, 4, 5, 0], set()),
    ],
)
def test_what_follows_is_what_a_fact_goes_on_with(
    answer: list[int], follows: set[int]
) -> None:
    assert FactCopier(FACTS, begins=True).next_tokens(answer) == follows


def test_a_fact_that_may_not_answer_is_not_begun() -> None:
    copier = FactCopier(FACTS, begins=False)
    assert copier.next_tokens([]) == set()
    assert copier.next_tokens([1, 2, 3]) == {4}


def test_what_repeats_a_fact_from_its_beginning_is_helped_more() -> None:
    copier = FactCopier(FACTS, begins=True)
    assert copier.bonus([1, 2]) == copier.bonus([]) == SURE_BONUS > BONUS
    assert copier.bonus([8, 2, 3, 4]) == BONUS
    assert FactCopier(FACTS, begins=False).bonus([1, 2]) == BONUS


def test_a_base_repeats_the_fact_that_answers() -> None:
    """Names that it never saw, in batches and as a stream."""
    fact = "`quorl_zept` is called by `mivvat_brone`, `Azzurp.tequil_ond`."
    asked = GroundedQuestion("Who calls quorl_zept?", (fact,), answered=True)
    generator = TextGenerator.load(resolve_base({"base.model": "tiny"}))
    (answer,) = generator.generate([asked], 60)
    assert (answer.text, answer.ended) == (fact, True)
    assert "".join(generator.stream(asked, 60)) == fact
