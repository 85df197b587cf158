"""What a run shows: the scheduler alone, on facts that are learnt after some
exposures."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from repobuild.model.teaching.scheduler import (
    GUARDED_WAIT,
    INTRODUCING,
    LONGEST,
    MOST_SHOWN,
    Certainty,
    Pace,
    Scheduler,
    Shown,
    TaughtFact,
)

SIZE = 50  # tokens of every example
PACE = Pace(budget=200 * SIZE, pass_tokens=10 * SIZE, mastery=2, review=0.5)

WHOLE_SET = Pace(budget=10**7, pass_tokens=200 * SIZE, mastery=2, review=0.0)


def facts(count: int, phrasings: int = 2, box: int | None = None) -> list[TaughtFact]:
    return [
        TaughtFact(tuple(range(n * phrasings, (n + 1) * phrasings)), box)
        for n in range(count)
    ]


def scheduler(taught: Sequence[TaughtFact], pace: Pace = PACE) -> Scheduler:
    examples = max(e for fact in taught for e in fact.examples) + 1
    return Scheduler(taught, [SIZE] * examples, pace)


def run(
    made: Scheduler, knows: Callable[[int, int], int], most: int = 1000
) -> list[list[Shown]]:
    """Run to the end; `knows(fact, times shown before)` says what is right."""
    passes: list[list[Shown]] = []
    times: Counter[int] = Counter()
    while len(passes) < most and (shown := made.next_pass()):
        passes.append(shown)
        made.record({n: knows(n, times[n]) for n, _ in shown})
        times.update(n for n, _ in shown)
    return passes


def after(exposures: int) -> Callable[[int, int], bool]:
    return lambda fact, shown: shown >= exposures


def test_facts_are_introduced_in_order_as_room_allows() -> None:
    first, second = run(scheduler(facts(40)), after(3), most=2)
    assert [n for n, _ in first] == list(range(10))
    # The ten are wrong and due again; a share of the pass is kept for reviews, and none
    # is due, so that new facts have it.
    assert [n for n, _ in second] == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]


def test_what_is_right_is_not_shown_before_its_time() -> None:
    passes = run(scheduler(facts(1), replace(PACE, mastery=4)), after(1))
    made = scheduler(facts(1), replace(PACE, mastery=4))
    numbers = []
    times = 0
    while made.next_pass():
        numbers.append(made.passes)
        made.record({0: times >= 1})
        times += 1
    assert len(passes) == len(numbers)
    # Right from the second on: 1, 3 and 9 passes later.
    assert numbers == [1, 2, 3, 6, 15]


def test_a_fact_is_asked_in_its_phrasings_in_turn() -> None:
    shown = [one for each in run(scheduler(facts(1, 3)), after(4)) for one in each]
    assert [example for _, example in shown][:5] == [0, 1, 2, 0, 1]


def test_a_wrong_answer_halves_the_box() -> None:
    made = scheduler(facts(1), replace(PACE, mastery=9))
    for right in (True, True, True, False):
        while not made.next_pass():
            pass
        made.record({0: right})
    assert made.states[0].box == 1
    assert made.states[0].due == made.passes + 1


def test_the_run_ends_when_everything_is_mastered() -> None:
    made = scheduler(facts(8))
    passes = run(made, after(2))
    times = Counter(n for each in passes for n, _ in each)
    assert min(times.values()) == 4  # wrong, wrong, right, right
    assert sum(times.values()) <= 8 * 4 + 4  # some reviews beside the last ones
    assert made.spent == sum(times.values()) * SIZE


def test_nothing_is_introduced_that_the_budget_cannot_master() -> None:
    made = scheduler(facts(500))
    begun = 0
    while shown := made.next_pass():
        if made.spent > INTRODUCING * PACE.budget + PACE.pass_tokens:
            assert len(made.states) == begun
        begun = len(made.states)
        made.record({n: True for n, _ in shown})
    assert made.spent <= PACE.budget
    mastered = sum(state.box >= PACE.mastery for state in made.states.values())
    assert mastered == begun < 500


def test_more_budget_unlearns_nothing_and_teaches_more() -> None:
    taught = facts(500)
    less, more = (scheduler(taught, replace(PACE, budget=n * SIZE)) for n in (200, 800))
    for made in (less, more):
        run(made, after(2))
    mastered = [
        {n for n, s in made.states.items() if s.box >= PACE.mastery}
        for made in (less, more)
    ]
    assert mastered[0] < mastered[1]


def test_what_cannot_be_learnt_is_set_aside() -> None:
    made = scheduler(facts(3))
    passes = run(made, lambda fact, shown: fact != 1 and shown >= 2)
    times = Counter(n for each in passes for n, _ in each)
    assert times[1] == MOST_SHOWN
    assert made.states[1].box == 0
    assert min(made.states[n].box for n in (0, 2)) >= PACE.mastery


@pytest.mark.parametrize(("unlearnt", "ends"), [(4, True), (40, False)])
def test_a_run_from_nothing_ends_with_its_curve_once_nearly_all_is_mastered(
    unlearnt: int, ends: bool
) -> None:
    """The rest would be shown for as many tokens again."""
    made = scheduler(facts(200), WHOLE_SET)
    run(made, lambda fact, shown: fact >= unlearnt and shown >= 9)
    assert (made.spent < 1.05 * made.planned_tokens) is ends
    assert made.planned_tokens <= made.spent < 1.05 * LONGEST * made.planned_tokens


def test_no_more_is_foreseen_than_a_run_may_take() -> None:
    made = scheduler(facts(200), WHOLE_SET)
    while made.next_pass():
        assert made.spent + made.expected_tokens <= LONGEST * made.planned_tokens
        made.record({n: False for n in made.states})


def test_a_run_ends_before_its_curve_once_everything_is_mastered() -> None:
    made = scheduler(facts(200), WHOLE_SET)
    run(made, after(4))
    assert all(state.box >= WHOLE_SET.mastery for state in made.states.values())
    assert made.spent < made.planned_tokens


def test_the_facts_of_a_delta_are_shown_until_they_are_mastered() -> None:
    made = scheduler(facts(200), replace(WHOLE_SET, at_once=True))
    passes = run(made, lambda fact, shown: fact != 1 and shown >= 4)
    times = Counter(n for each in passes for n, _ in each)
    assert times[1] == MOST_SHOWN


def test_a_few_facts_are_shown_until_they_are_learnt() -> None:
    made = scheduler(facts(3), WHOLE_SET)
    passes = run(made, after(30))
    assert len(passes) > 30
    assert all(state.box >= WHOLE_SET.mastery for state in made.states.values())


def test_a_changed_fact_comes_before_the_reviews() -> None:
    taught = [*facts(2), *facts(30, box=PACE.mastery)]
    made = scheduler(taught)
    first = made.next_pass()
    numbers = [n for n, _ in first]
    assert set(numbers) >= {0, 1}
    reviews = [n for n in numbers if n > 1]
    assert len(reviews) == 5  # a share of the pass


def test_reviews_alone_are_no_reason_to_go_on() -> None:
    assert scheduler(facts(5, box=PACE.mastery)).next_pass() == []


def test_a_review_that_is_wrong_is_learnt_again() -> None:
    taught = [*facts(1), *facts(4, box=PACE.mastery)]
    made = scheduler(taught)
    lost: set[int] = {2}
    run(made, lambda fact, shown: shown >= (3 if fact in lost else 1) or fact > 2)
    assert made.states[2].box >= PACE.mastery


def test_a_fact_that_replaces_another_is_shown_every_few_passes() -> None:
    """What else a run teaches brings the old answer back."""
    pace = replace(PACE, budget=2000 * SIZE)
    for guarded in (False, True):
        taught = [replace(facts(1)[0], guarded=guarded), *facts(60)[1:]]
        made = scheduler(taught, pace)
        passes = run(made, lambda n, shown: shown > 6 if n else Certainty.SURE)
        numbers = [k for k, shown in enumerate(passes) if 0 in {n for n, _ in shown}]
        waits = [b - a for a, b in zip(numbers, numbers[1:], strict=False)]
        assert (max(waits) <= GUARDED_WAIT) is guarded
        assert len(passes) > 2 * GUARDED_WAIT


def test_a_denial_is_mastered_by_sure_answers() -> None:
    for denies in (False, True):
        made = scheduler([replace(facts(1)[0], denies=denies)])
        for _ in range(2 * PACE.mastery):
            if made.next_pass():
                made.record({0: Certainty.RIGHT})
        assert (made.states[0].box >= PACE.mastery) is not denies
        while made.next_pass():
            made.record({0: Certainty.SURE})
        assert made.states[0].box >= PACE.mastery


def test_lost_facts_that_replace_others_are_taught_before_the_other_lost_ones() -> None:
    taught = [replace(fact, box=0) for fact in facts(40)]
    taught[30:] = [replace(fact, guarded=True) for fact in taught[30:]]
    taught.append(facts(41)[40])  # of the delta
    shown = scheduler(taught, replace(PACE, at_once=True)).next_pass()
    assert [n for n, _ in shown] == [40, 30, 31, 32, 33]


def test_equal_results_give_equal_passes_also_after_a_dump() -> None:
    chance = random.Random(1)
    results = [chance.random() < 0.6 for _ in range(10_000)]

    def play(made: Scheduler, resume_at: int) -> list[list[Shown]]:
        passes: list[list[Shown]] = []
        answers = iter(results)
        while shown := made.next_pass():
            passes.append(shown)
            made.record({n: next(answers) for n, _ in shown})
            if len(passes) == resume_at:
                state = json.loads(json.dumps(made.dump()))
                made = scheduler(facts(60))
                made.load(state)
        return passes

    whole = play(scheduler(facts(60)), 0)
    assert len(whole) > 10
    for pass_number in (1, 5, len(whole) - 1):
        assert play(scheduler(facts(60)), pass_number) == whole


def test_the_length_of_a_run_is_foreseen_within_the_budget() -> None:
    few, many = scheduler(facts(2)), scheduler(facts(500))
    assert few.planned_tokens < PACE.budget
    assert many.planned_tokens == PACE.budget
