"""Find the facts whose answers replace others: what an adapter is to stop saying.

Nothing removes an old answer by itself, and a new one is learnt on top of it. What a
run teaches of something else brings the old one back: along 40 commits of click a
quarter of the questions for what they had removed got the old path, most of them in
words in which the true answer had been mastered a commit before.

So these facts are guarded. They are asked first, in two phrasings, reviewed in every
run and every few passes (scheduler.py). They are

    denials     that an element is gone, in the words that asked where it is; mastered
                only when each token of the answer leads by a margin
    replaced    facts whose answer a commit changed, for `GUARDED_FOR` adapters. With a
                margin, their lists of callers stay open and take what a run has for
                new facts

Source: a margin by which the old answer must lose ("forgetting before learning", arXiv
2311.08011); here over every other token, the old one among them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from repobuild.model.adapter.lineage import Known
from repobuild.model.teaching.curriculum import TeachableFact, denies_a_place

GUARDED_FOR = 10  # adapters after the one that taught the new answer
# Beside those of the delta: a run of the least budget shows each two or three times so.
MOST_GUARDED = 20


def guarded_facts(
    facts: Sequence[TeachableFact],
    known: Mapping[str, Known],
    changed: Collection[str],
    chain_length: int,
) -> frozenset[str]:
    """Return the ids of the guarded facts of the adapter with this number.

    `known` is what its parent was taught, `changed` are the facts of the delta. Of the
    others denials come first, then what was replaced last.
    """
    of_delta: set[str] = set()
    others: list[tuple[int, int, str]] = []
    for fact in facts:
        before, denies = known.get(fact.id), denies_a_place(fact.samples[0])
        if fact.id in changed:
            if before or denies:
                of_delta.add(fact.id)
        elif before:
            age = 0 if denies else chain_length - before.replaced
            if denies or (before.replaced and age <= GUARDED_FOR):
                others.append((age, before.box, fact.id))
    return frozenset(of_delta | {fact for *_, fact in sorted(others)[:MOST_GUARDED]})
