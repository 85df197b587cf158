"""Which facts a run is given, what is reviewed, and what is known afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from repobuild.model.adapter.decision import (
    Plan,
    SampleDelta,
    StepDecision,
    StepMode,
)
from repobuild.model.adapter.lineage import Known
from repobuild.model.base import Base
from repobuild.model.conversation import Conversation, Example, TokenisedSamples
from repobuild.model.teaching.curriculum import TeachableFact
from repobuild.model.teaching.lesson import (
    DELTA_TIMES,
    LEAST_BUDGET,
    LOST_TIMES,
    MOST_ASKED,
    MOST_LOST,
    Lesson,
    boxes_after_asking,
    coverage,
    facts_to_ask,
    first_lesson,
    known_after,
    next_lesson,
)
from repobuild.model.teaching.scheduler import Certainty, Pace, Scheduler, TaughtFact
from tests.model.test_nano import Samples, manifest_of, recipe, teachable

SIZE = 10  # tokens of every sample
MASTERY = 3
CHAIN = 20  # adapters before this one


@dataclass
class Tokens:
    """A conversation in which every sample has `SIZE` tokens."""

    unusable: set[str] = field(default_factory=set)

    def tokenise(
        self, samples: Iterable[tuple[str, Any]], longest: int
    ) -> TokenisedSamples:
        ids = [sample_id for sample_id, _ in samples]
        kept = [Example(i, "t", [0] * SIZE, 5) for i in ids if i not in self.unusable]
        left = len(ids) - len(kept)
        return TokenisedSamples(kept, {"too long": left} if left else {})


@dataclass
class Texts:
    """The texts of a plan's samples, from memory."""

    samples: Mapping[str, Mapping[str, Any]]

    def pairs(self, ids: Iterable[str]) -> list[tuple[str, Mapping[str, Any]]]:
        return [(sample_id, self.samples[sample_id]) for sample_id in ids]


def tokens(*unusable: str) -> Conversation:
    return Tokens(set(unusable))  # type: ignore[return-value]


def name(number: int) -> str:
    return f"f{number:04}#code_location.en.0"


def plan(
    count: int,
    known: Mapping[int, Known] | None = None,
    changed: Iterable[int] = (),
    continues: bool = True,
) -> Plan:
    """Return a plan of so many facts of two phrasings, the first most important."""
    facts = [
        TeachableFact(name(n), (name(n), name(n)[:-1] + "1"), 1 - n / count)
        for n in range(count)
    ]
    samples: Samples = [
        (i, {"task": "code_location", "question": "?", "answer": "!"})
        for fact in facts for i in fact.samples
    ]  # fmt: skip
    mode = StepMode.CONTINUE if continues else StepMode.FIRST
    row = {"chain": CHAIN - 1} if continues else None
    return Plan(
        base=Base("b", "b", None, "0"),
        recipe=recipe(mastery=MASTERY),
        samples=teachable(samples),
        texts=Texts(dict(samples)),  # type: ignore[arg-type]
        held_out=[],
        facts=facts,
        manifest=manifest_of(samples),
        known={name(n): k for n, k in (known or {}).items()},
        decision=StepDecision(mode, "", row),
        delta=SampleDelta([], [name(n) for n in changed], []),
    )


def numbers(facts: Iterable[TeachableFact]) -> list[int]:
    return [int(fact.id[1:5]) for fact in facts]


def mastered(count: int, looked: int = 1) -> dict[int, Known]:
    return {n: Known(MASTERY, looked) for n in range(count)}


# ------------------------------------------------------------------------ first build


def test_a_first_build_is_given_the_most_important_facts() -> None:
    made = first_lesson(plan(50, continues=False), tokens(), budget=10_000)
    assert numbers(made.facts) == list(range(50))
    assert {fact.box for fact in made.taught} == {None}


def test_what_the_budget_cannot_reach_is_not_tokenised() -> None:
    made = first_lesson(plan(500, continues=False), tokens(), budget=30 * SIZE)
    assert numbers(made.facts) == list(range(10))  # each three times
    assert len(made.examples) == 20


def test_a_fact_keeps_the_phrasings_that_can_be_tokenised() -> None:
    given = tokens(name(0), name(1), name(1)[:-1] + "1")
    made = first_lesson(plan(3, continues=False), given, budget=10_000)
    assert numbers(made.facts) == [0, 2]
    assert [len(fact.examples) for fact in made.taught] == [1, 2]
    assert made.left_out == {"too long": 3}
    asked = [[made.examples[n].id for n in fact.examples] for fact in made.taught]
    assert asked == [[name(0)[:-1] + "1"], [name(2), name(2)[:-1] + "1"]]


# --------------------------------------------------------------------------- continue


def test_the_delta_comes_before_the_reviews() -> None:
    reviews = {name(0): MASTERY, name(2): 0}
    given = plan(10, mastered(10), changed=[7, 4])
    made = next_lesson(given, tokens(), 1_500_000, 0.5, reviews)
    assert numbers(made.facts) == [4, 7, 2, 0]
    assert [fact.box for fact in made.taught] == [None, None, 0, MASTERY]
    assert made.pace.review == 0.5
    assert made.pace.at_once
    first = Scheduler(made.taught, [SIZE] * len(made.examples), made.pace).next_pass()
    assert [shown.fact for shown in first][:3] == [0, 1, 2]


def test_a_small_delta_has_a_small_budget() -> None:
    small = next_lesson(plan(900, changed=[1]), tokens(), 1_500_000, 0.5, {})
    large = next_lesson(plan(900, changed=range(800)), tokens(), 1_500_000, 0.5, {})
    assert small.pace.budget == LEAST_BUDGET < large.pace.budget < 1_500_000
    bounded = next_lesson(plan(900, changed=range(800)), tokens(), 20_000, 0.5, {})
    assert bounded.pace.budget == 20_000


def test_without_a_delta_the_facts_that_were_not_begun_are_taught() -> None:
    made = next_lesson(plan(8, mastered(3)), tokens(), 50_000, 0.5, {name(0): MASTERY})
    assert numbers(made.facts) == [3, 4, 5, 6, 7, 0]
    assert made.pace.budget == 50_000


# ---------------------------------------------------------------------------- reviews


def test_a_changed_fact_is_not_asked() -> None:
    asked = facts_to_ask(plan(20, mastered(20), changed=range(10)))
    assert asked and min(numbers(asked)) >= 10


def test_all_of_a_few_hundred_facts_are_asked_at_every_adapter() -> None:
    assert len(facts_to_ask(plan(MOST_ASKED, mastered(MOST_ASKED)))) == MOST_ASKED
    assert len(facts_to_ask(plan(9000, mastered(9000)))) == MOST_ASKED
    assert facts_to_ask(plan(9)) == []


def test_what_no_run_has_mastered_is_asked_at_every_adapter() -> None:
    known = {**mastered(2000), 1500: Known(0, CHAIN - 1), 1900: Known(1, CHAIN - 1)}
    assert numbers(facts_to_ask(plan(2000, known)))[:2] == [1500, 1900]


def test_what_was_learnt_last_is_asked_before_what_was_right_more_often() -> None:
    new = {n: Known(MASTERY, CHAIN - 1) for n in range(MOST_ASKED // 3)}
    old = {n: Known(MASTERY + 2, CHAIN - 1) for n in range(len(new), 9000)}
    asked = numbers(facts_to_ask(plan(9000, new | old)))
    assert new.keys() == set(asked[: len(new)])


def test_what_was_not_looked_at_for_longest_has_the_other_places() -> None:
    places = MOST_ASKED - MOST_ASKED // 3
    known = {n: Known(MASTERY + 2, 5 if n < 900 else 1) for n in range(900 + places)}
    known |= {n: Known(MASTERY, 5) for n in range(MOST_ASKED // 3)}
    asked = numbers(facts_to_ask(plan(len(known), known)))
    assert set(range(900, len(known))) <= set(asked)


def test_what_is_taught_again_waits_for_the_delta() -> None:
    """In every pass: before, the delta waited for it and was never begun."""
    reviews = {name(n): 0 for n in range(100, 100 + MOST_LOST)}
    given = plan(900, mastered(900), changed=range(20))
    made = next_lesson(given, tokens(), 1_500_000, 0.5, reviews)
    assert made.pace.budget >= (2 * 20 * DELTA_TIMES + MOST_LOST * LOST_TIMES) * SIZE
    passes = Scheduler(made.taught, [SIZE] * len(made.examples), made.pace)
    for _ in range(DELTA_TIMES // 2):
        shown = [shown.fact for shown in passes.next_pass()]
        assert shown[:20] == list(range(20)) and len(shown) > 20
        passes.record(dict.fromkeys(shown, False))


def test_each_commit_begins_with_the_next_phrasing() -> None:
    """A review is shown once or twice: the other phrasings would never be."""
    first = []
    for number in range(1, 5):
        given = plan(3, mastered(3), changed=[0])
        row = {"chain": number}
        given = replace(given, decision=StepDecision(StepMode.CONTINUE, "", row))
        made = next_lesson(given, tokens(), 50_000, 0.5, {name(1): MASTERY})
        asked = [made.examples[n].id for n in made.taught[1].examples]
        assert len(asked) == 2
        first.append(asked[0].rpartition(".")[2])
    assert first == ["1", "0", "1", "0"]


def test_every_fact_is_asked_within_some_adapters() -> None:
    known = dict(mastered(40))
    for number in range(2, 10):
        given = plan(40, known)
        given = replace(given, decision=StepDecision(
            StepMode.CONTINUE, "", {"chain": number - 1}))  # fmt: skip
        for asked in numbers(facts_to_ask(given)):
            known[asked] = Known(MASTERY, number)
    assert min(fact.looked for fact in known.values()) > 1


def test_what_was_lost_is_taught_before_what_is_right_is_shown() -> None:
    given = plan(5, {0: Known(4, 1), 1: Known(1, 1), 2: Known(3, 1)})
    boxes = boxes_after_asking(given, given.facts[:3], {name(0): True, name(1): True})
    assert list(boxes.items()) == [(name(2), 0), (name(0), 4), (name(1), MASTERY)]


def test_a_delta_does_not_repair_everything_at_once() -> None:
    given = plan(200, mastered(200))
    boxes = boxes_after_asking(given, given.facts, {})
    assert list(boxes) == [fact.id for fact in given.facts[:MOST_LOST]]


def test_what_replaces_another_answer_is_asked_and_taught_again_first() -> None:
    given = replace(plan(900, mastered(900)), guarded=frozenset({name(700), name(800)}))
    asked = facts_to_ask(given)
    assert numbers(asked)[:2] == [700, 800]
    assert len(asked) == MOST_ASKED - 2  # these two are asked twice
    other = asked[5].id
    answers = dict.fromkeys([fact.id for fact in asked], Certainty.RIGHT)
    answers |= {name(800): Certainty.WRONG, other: Certainty.WRONG}
    boxes = boxes_after_asking(given, asked, answers)
    assert list(boxes)[:3] == [name(800), other, name(700)]
    made = next_lesson(given, tokens(), 50_000, 0.5, boxes)
    assert [fact.guarded for fact in made.taught[:3]] == [True, False, True]


def test_a_denial_that_is_right_and_not_sure_is_taught_again() -> None:
    denial = "history//f#code_change.en.80"
    fact = TeachableFact(denial, (denial,), 1.0)
    known = {denial: Known(MASTERY + 1, 1)}
    given = replace(plan(1), known=known, guarded=frozenset({denial}))
    found = [
        boxes_after_asking(given, [fact], {denial: answer})
        for answer in reversed(Certainty)
    ]
    assert found == [{denial: MASTERY + 1}, {denial: MASTERY - 1}, {denial: 0}]


# -------------------------------------------------------------------- what is known


def lesson(*facts: int) -> Lesson:
    made = plan(10).facts
    taught = [TaughtFact((n,)) for n in range(len(facts))]
    pace = Pace(1000, 100, MASTERY, 0.5)
    return Lesson([made[n] for n in facts], taught, [], pace, {})


def test_what_was_shown_is_known_by_its_box() -> None:
    given = plan(10, mastered(3), changed=[0])
    boxes = {0: (MASTERY, 4), 1: (1, 2), 2: (0, 0)}
    found = known_after(given, lesson(0, 5, 6), boxes, asked={})
    assert found == {
        name(0): Known(MASTERY, CHAIN, replaced=CHAIN),
        name(1): Known(MASTERY, 1),
        name(2): Known(MASTERY, 1),
        name(5): Known(1, CHAIN),
    }


def test_a_changed_fact_that_was_not_taught_is_not_known() -> None:
    found = known_after(plan(10, mastered(3), changed=[0]), lesson(), {}, asked={})
    assert name(0) not in found


def test_what_was_asked_was_looked_at_and_what_is_wrong_has_no_box() -> None:
    asked = {name(0): True, name(1): False}
    found = known_after(plan(10, mastered(3)), lesson(), {}, asked)
    assert found[name(0)] == Known(MASTERY, CHAIN)
    assert found[name(1)] == Known(0, CHAIN)
    assert found[name(2)] == Known(MASTERY, 1)


def test_that_an_answer_changed_is_noted_until_a_rebase() -> None:
    later = plan(10, {0: Known(MASTERY, 9, replaced=7)})
    kept = known_after(later, lesson(0), {0: (1, 1)}, {name(0): Certainty.RIGHT})
    assert kept[name(0)] == Known(1, CHAIN, replaced=7)
    again = plan(10, {0: Known(MASTERY, 9, replaced=7)}, continues=False)
    assert known_after(again, lesson(0), {0: (1, 1)}, {})[name(0)].replaced == 0


def test_a_rebase_knows_nothing_of_its_parent() -> None:
    given = plan(10, mastered(3), continues=False)
    assert known_after(given, lesson(5), {0: (2, 3)}, {}) == {name(5): Known(2, 1)}


def test_coverage_counts_facts_and_weighs_them_by_importance() -> None:
    facts = [
        TeachableFact("a", ("a",), 0.6),
        TeachableFact("b", ("b",), 0.3),
        TeachableFact("c", ("c",), 0.1),
    ]
    known = {"a": Known(3, 1), "b": Known(1, 1), "gone": Known(3, 1)}
    assert coverage(facts, known, mastery=3) == {
        "facts": 3, "taught": 2, "mastered": 1, "share": 0.6667, "weighted": 0.9,
    }  # fmt: skip
    assert coverage([], {}, 3)["share"] == coverage([], {}, 3)["weighted"] == 0
