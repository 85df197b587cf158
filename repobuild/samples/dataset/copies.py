"""Samples that quote what samples of other contexts quote.

Two decisions, both over what is good by itself (judge.py) and whatever becomes of the
other sample, so that neither depends on an order:

    near duplicate      Another sample of the task shares a passage's `RUN` words, what
                        both show in their questions is alike, and so is what they
                        answer, names left out: `samples.near_duplicate`, as rapidfuzz
                        counts over words. Of two that are trained, or two about
                        elements that are not, the one with the greater context key
                        falls; of a trained one and another, the other.
    overlaps training   It is about an element of which nothing is trained, but `RUN`
                        words in a row of a passage of its answer stand in a passage of
                        a trained sample: somewhere else is a copy.

Held-out phrasings of trained facts (recall) are no part of either: they quote what is
trained, and fall with the trained samples that they ask about.

A question for a name is no near duplicate of one for another name: it has no passage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from rapidfuzz.distance import Indel

from repobuild.samples.tasks.facts import Sample
from repobuild.samples.text.passages import Passage, QuotedPassages, marks, quoted, runs

_TRAINED = "train"
_UNTRAINED = "generalise"


@dataclass(frozen=True, slots=True)
class CopiedPassage:
    """A sample that holds a passage."""

    sub: str
    task: str
    trained: bool
    quoted: QuotedPassages


Quotes = tuple[CopiedPassage, ...]


def quotes(
    samples: Mapping[str, Sample], row: Mapping[str, Mapping[str, str]]
) -> Quotes:
    """Return what a context quotes, by its samples that are good by themselves."""
    return tuple(
        CopiedPassage(sub, samples[sub]["task"], item["split"] == _TRAINED, found)
        for sub, item in row.items()
        if item.get("track") in ("", _UNTRAINED)
        and (found := quoted(samples[sub])).passages
    )


def terms(found: Quotes) -> set[str]:
    """Return the index terms by which contexts with a common run find each other."""
    passages = set(chain.from_iterable(quote.quoted.passages for quote in found))
    return {_term(mark) for passage in passages for mark in marks(passage)}


@dataclass(frozen=True, slots=True)
class CopyFinder:
    """Finds copies among contexts, given what they quote and who carries a term."""

    look: Callable[[str], Quotes]
    find: Callable[[str], list[str]]
    alike: float  # 0..1

    def near(self, key: str) -> set[str]:
        """Return the subs of a context that others nearly repeat."""
        return {
            quote.sub
            for quote in self.look(key)
            if any(
                self._yields(quote, other, key > place)
                for place, other in self._others(key, quote.quoted.passages)
            )
        }

    def overlapping(self, key: str) -> set[str]:
        """Return the subs of a context whose answers are trained elsewhere."""
        return {
            quote.sub
            for quote in self.look(key)
            if not quote.trained and self._is_told(key, quote)
        }

    def _is_told(self, key: str, quote: CopiedPassage) -> bool:
        own = set(chain.from_iterable(map(runs, quote.quoted.answered)))
        return bool(own) and any(
            other.trained and any(own & runs(p) for p in other.quoted.passages)
            for _, other in self._others(key, quote.quoted.answered)
        )

    def _others(
        self, key: str, passages: tuple[Passage, ...]
    ) -> Iterator[tuple[str, CopiedPassage]]:
        """Samples of other contexts that may share a run with one of the passages."""
        found = set(chain.from_iterable(map(marks, passages)))
        places = set(chain.from_iterable(self.find(_term(mark)) for mark in found))
        for place in sorted(places - {key}):
            for other in self.look(place):
                yield place, other

    def _yields(self, quote: CopiedPassage, other: CopiedPassage, later: bool) -> bool:
        """Whether the first gives way to the second."""
        if quote.task != other.task or quote.trained > other.trained:
            return False
        if quote.trained == other.trained and not later:
            return False
        one, two = quote.quoted, other.quoted
        return self._like(one.shown, two.shown) and self._like(one.said, two.said)

    def _like(self, one: Passage, other: Passage) -> bool:
        if one == other:
            return True
        alike = Indel.normalized_similarity(one, other, score_cutoff=self.alike)
        return alike > 0


def _term(mark: int) -> str:
    return f"m:{mark:x}"
