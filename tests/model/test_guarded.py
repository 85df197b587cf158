"""Which facts an adapter is kept from answering as before."""

from __future__ import annotations

from collections.abc import Mapping

from repobuild.model.adapter.lineage import Known
from repobuild.model.teaching.curriculum import TeachableFact, denies_a_place
from repobuild.model.teaching.guarded import (
    GUARDED_FOR,
    MOST_GUARDED,
    guarded_facts,
)
from repobuild.samples.tasks.phrases import load_phrases

ABSENT = load_phrases("en").kinds["absent"].number
CHAIN = 30


def denial(name: str) -> str:
    return f"history//a.py::{name}#code_change.en.{ABSENT}"


def place(name: str) -> str:
    return f"a.py::{name}#code_location.en.0"


def guarded(known: Mapping[str, Known], *changed: str) -> frozenset[str]:
    facts = [TeachableFact(i, (i,), 1.0) for i in {**known, **dict.fromkeys(changed)}]
    return guarded_facts(facts, known, set(changed), CHAIN)


def test_a_denial_is_in_the_words_that_asked_for_the_place() -> None:
    assert denies_a_place(denial("f"))
    removed = load_phrases("en").kinds["removed"].number
    assert not denies_a_place(f"history//a.py::f#code_change.en.{removed}")
    assert not denies_a_place(place("f"))
    assert not denies_a_place("of a rule of users")


def test_denials_and_answers_that_changed_are_guarded() -> None:
    known = {denial("f"): Known(2, 1), place("g"): Known(2, 1), place("h"): Known(2, 1)}
    found = guarded(known, place("g"), place("new"), denial("gone"))
    assert found == {denial("f"), denial("gone"), place("g")}


def test_an_answer_that_changed_is_guarded_for_some_adapters() -> None:
    last = CHAIN - GUARDED_FOR
    known = {
        place("f"): Known(2, 1, replaced=last),
        place("g"): Known(2, 1, replaced=last - 1),
    }
    assert guarded(known) == {place("f")}


def test_few_facts_beside_those_of_the_delta_are_guarded() -> None:
    known = {denial(f"d{n}"): Known(2, 1) for n in range(MOST_GUARDED - 1)}
    known |= {place(f"p{n}"): Known(2, 1, replaced=CHAIN - n) for n in range(1, 5)}
    changed = [denial(f"new{n}") for n in range(MOST_GUARDED)]
    found = guarded(known, *changed)
    assert found >= set(changed) and len(found) == 2 * MOST_GUARDED
    assert place("p1") in found  # the newest of them
