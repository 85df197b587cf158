"""Drop samples that quote what samples of other contexts quote.

Both decisions look only at samples that are good within their context
(quality_filter.py), and ignore whether the other sample is dropped later, so neither
depends on an order:

    near duplicate      Another sample of the task shares `RUN` words in a row of a
                        passage, and both the code that their questions show and their
                        answers without names are similar by `samples.near_duplicate`
                        (rapidfuzz, over words). Of two trained samples, or two about
                        held-out elements, the one with the greater context key is
                        dropped; of a trained and a held-out one, the held-out one.
    overlaps training   The sample is about a held-out element, but `RUN` words in a row
                        of a passage of its answer are in a passage of a trained sample.

Held-out phrasings of trained facts (track recall) take no part: they quote what is
trained, and fall with the trained samples that they ask about. A question whose answer
is only a name has no passage, so it is never a near duplicate of one for another name.

text/passages.py defines passages, runs, and the marks by which the index finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from rapidfuzz.distance import Indel

from repobuild.samples.tasks.facts import Sample
from repobuild.samples.text.passages import (
    Passage,
    QuotedPassages,
    fingerprints,
    quoted_passages,
    word_runs,
)

_TRAINED = "train"
_HELD_OUT_ELEMENT = "generalise"


@dataclass(frozen=True, slots=True)
class QuotingSample:
    """A sample that quotes passages."""

    sub: str
    task: str
    trained: bool
    quoted: QuotedPassages


QuotingSamples = tuple[QuotingSample, ...]  # of one context


def quoting_samples(
    samples: Mapping[str, Sample], row: Mapping[str, Mapping[str, str]]
) -> QuotingSamples:
    """Return those of a context's samples that are good and quote passages."""
    return tuple(
        QuotingSample(sub, samples[sub]["task"], item["split"] == _TRAINED, quoted)
        for sub, item in row.items()
        if item.get("track") in ("", _HELD_OUT_ELEMENT)
        and (quoted := quoted_passages(samples[sub])).all
    )


def index_terms(samples: Iterable[QuotingSample]) -> set[str]:
    """Return the terms by which contexts that share a run of words find each other."""
    passages = set(chain.from_iterable(sample.quoted.all for sample in samples))
    return {_term(mark) for passage in passages for mark in fingerprints(passage)}


@dataclass(frozen=True, slots=True)
class CopyFinder:
    """Finds copies of a context's passages in other contexts."""

    quoting: Callable[[str], QuotingSamples]  # by context key
    find: Callable[[str], list[str]]  # index term -> context keys
    alike: float  # the least similarity of near duplicates, 0..1

    def near_duplicates(self, key: str) -> set[str]:
        """Return the samples of a context that give way to a near duplicate."""
        return {
            sample.sub
            for sample in self.quoting(key)
            if any(
                self._gives_way(sample, other, key > other_key)
                for other_key, other in self._candidates(key, sample.quoted.all)
            )
        }

    def overlapping(self, key: str) -> set[str]:
        """Return the held-out samples whose answer is trained in another context."""
        return {
            sample.sub
            for sample in self.quoting(key)
            if not sample.trained and self._is_trained_elsewhere(key, sample)
        }

    def _is_trained_elsewhere(self, key: str, sample: QuotingSample) -> bool:
        own = set(chain.from_iterable(map(word_runs, sample.quoted.in_answer)))
        return bool(own) and any(
            other.trained and any(own & word_runs(p) for p in other.quoted.all)
            for _, other in self._candidates(key, sample.quoted.in_answer)
        )

    def _candidates(
        self, key: str, passages: tuple[Passage, ...]
    ) -> Iterator[tuple[str, QuotingSample]]:
        """Yield samples of other contexts that may share a run with a passage."""
        marks = set(chain.from_iterable(map(fingerprints, passages)))
        keys = set(chain.from_iterable(self.find(_term(mark)) for mark in marks))
        for other_key in sorted(keys - {key}):
            for other in self.quoting(other_key):
                yield other_key, other

    def _gives_way(
        self, sample: QuotingSample, other: QuotingSample, later: bool
    ) -> bool:
        """Return whether the first sample is dropped as a near duplicate."""
        if sample.task != other.task or sample.trained > other.trained:
            return False
        if sample.trained == other.trained and not later:
            return False
        one, two = sample.quoted, other.quoted
        return self._is_similar(
            one.question_words, two.question_words
        ) and self._is_similar(one.answer_words, two.answer_words)

    def _is_similar(self, one: Passage, other: Passage) -> bool:
        if one == other:
            return True
        alike = Indel.normalized_similarity(one, other, score_cutoff=self.alike)
        return alike > 0


def _term(mark: int) -> str:
    return f"m:{mark:x}"
