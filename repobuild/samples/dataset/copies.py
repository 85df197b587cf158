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

What many contexts hold is boilerplate, and finds no copies: a mark that more than
`COMMON` contexts hold is not looked at, and a sample whose words more than `COMMON`
contexts quote word for word is a near duplicate wherever it is. Otherwise each holder
would be compared with each other one, at every commit that touches one of them: among
500 modules with one method alike, such a commit took 11 s, and 0.5 s without. GPT-3's
training data was separated from its tests with the same rule, at ten documents (Brown
et al. 2020, appendix C).

Held-out phrasings of trained facts (track recall) take no part: they quote what is
trained, and fall with the trained samples that they ask about. A question whose answer
is only a name has no passage, so it is never a near duplicate of one for another name.

text/passages.py defines passages, runs, and the marks by which the index finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
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

COMMON = 20  # contexts
_TRAINED = "train"
_HELD_OUT_ELEMENT = "generalise"


@dataclass(frozen=True, slots=True)
class QuotingSample:
    """A sample that quotes passages."""

    sub: str
    task: str
    trained: bool
    quoted: QuotedPassages

    @property
    def term(self) -> str:
        """The index term of samples of this task with the same words."""
        words = repr((self.task, self.quoted.question_words, self.quoted.answer_words))
        data = words.encode("utf-8", "replace")
        return f"c:{blake2b(data, digest_size=8).hexdigest()}"


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
    """Return the terms by which contexts find each other's copies.

    They share a run of words, or all words of a sample.
    """
    samples = tuple(samples)
    passages = set(chain.from_iterable(sample.quoted.all for sample in samples))
    marks = {_term(mark) for passage in passages for mark in fingerprints(passage)}
    return marks | {sample.term for sample in samples}


@dataclass(frozen=True, slots=True)
class CopyFinder:
    """Finds copies of a context's passages in other contexts."""

    quoting: Callable[[str], QuotingSamples]  # by context key
    find: Callable[[str, int], list[str] | None]  # `contract.Index.find_few`
    alike: float  # the least similarity of near duplicates, 0..1

    def near_duplicates(self, key: str) -> set[str]:
        """Return the samples of a context that give way to a near duplicate."""
        return {
            sample.sub
            for sample in self.quoting(key)
            if self._has_near_duplicate(key, sample)
        }

    def _has_near_duplicate(self, key: str, sample: QuotingSample) -> bool:
        holders = self.find(sample.term, COMMON)  # of the same words
        return holders is None or any(
            self._gives_way(sample, other, key > other_key)
            for other_key, other in self._candidates(key, sample.quoted.all, holders)
        )

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
        self,
        key: str,
        passages: tuple[Passage, ...],
        holders: Iterable[str] = (),
    ) -> Iterator[tuple[str, QuotingSample]]:
        """Yield samples of other contexts that may share a run with a passage.

        Those of `holders` are among them.
        """
        marks = set(chain.from_iterable(map(fingerprints, passages)))
        found = (self.find(_term(mark), COMMON) for mark in marks)
        keys = set(chain.from_iterable(filter(None, found))).union(holders)
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
