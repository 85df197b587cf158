"""Let an answer go on as the facts that were given with its question do.

A model of a few million parameters finds the right fact, and loses its way in a name:
`_commit_in___` for `held_out_tracks`. So the tokens with which a fact goes on after
what was just said get a bonus, its first tokens at the beginning of the answer too, if
the question is known to ask for that fact. It may still be answered in other words,
unless all that was said is the beginning of that fact: then the bonus is twice as
large. With one, a call was quoted up to its second line, and its first one again.

Of 116 questions in phrasings that are never trained, with facts, of which the first was
the right one for 115, the embedded base repeated it for 39 without a bonus, 104 with 6
and 108 with 10 nats; this repository's adapter for 20, 100 and 103
(`tests.benchmarks.copying`).

Source: the copy mechanism (See et al. 2017, "Get To The Point: Summarization with
Pointer-Generator Networks"), here without anything that is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BONUS = 10.0  # nats
SURE_BONUS = 2 * BONUS  # where an answer repeats a fact from the beginning on
LEAST_SAID = 3  # tokens of an answer that must be in a fact, or all of them

Tokens = Sequence[int]


@dataclass(frozen=True, slots=True)
class FactCopier:
    """The facts of one question, as answers: each with the token that ends one."""

    facts: Sequence[Tokens]
    begins: bool  # whether an answer is to begin as a fact does

    def bonus(self, answer: Tokens) -> float:
        """Return the bonus, in nats, of the tokens with which a fact goes on."""
        said = list(answer)
        repeats = any(said == list(fact[: len(said)]) for fact in self.facts)
        return SURE_BONUS if self.begins and repeats else BONUS

    def next_tokens(self, answer: Tokens) -> set[int]:
        """Return the tokens that follow the longest end of the answer in a fact."""
        if not answer and not self.begins:
            return set()
        longest, found = min(LEAST_SAID, len(answer)), set[int]()
        for fact in self.facts:
            for place, token in enumerate(fact):
                agreed = _agreed(answer, fact, place)
                # Fewer tokens count where they are the whole answer, and begin a fact.
                if agreed < LEAST_SAID and not agreed == len(answer) == place:
                    continue
                if agreed > longest:
                    longest, found = agreed, set()
                if agreed == longest:
                    found.add(token)
        return found


def _agreed(answer: Tokens, fact: Tokens, place: int) -> int:
    """Return how many tokens before a place in a fact are the last of the answer."""
    count, most = 0, min(len(answer), place)
    while count < most and answer[-1 - count] == fact[place - 1 - count]:
        count += 1
    return count
