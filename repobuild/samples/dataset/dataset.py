"""Make the table `dataset`: each sample's split, or the reason why it is dropped.

Start here. The decisions about one sample, in order; the first drop reason counts:

    within its context
        no FIELD, not text, ...        quality_filter.py: the format of the sample
        secret: KIND                   secrets_filter.py: a text shows a secret
        answer too long, ...           quality_filter.py: lengths, quoted code
        tells of a held-out element    quality_filter.py, split.py
        ambiguous                      quality_filter.py: it has two right answers
        duplicate question, near duplicate, phrasing is trained,
        held out but not trained       quality_filter.py: repetition in the context
        {"split", "track"}             split.py: train, val or test
    by what other contexts hold
        ambiguous                      here: another context has another answer to the
                                       question; no context keeps it
        duplicate question             here: of contexts with the same answer, the one
                                       with the smallest key keeps the question
        near duplicate                 copies.py
        overlaps training              copies.py
    by people and by limits in the settings; the first two replace an earlier reason
        reviewed                       review_filter.py: somebody judged it bad
        licence: ID                    licence_filter.py: samples.deny_licences
        over budget, over proportion   budget.py: samples.max_tokens and .proportions
        held out but not trained       quality_filter.py, for what was dropped above

A decision that looks at other contexts looks at what their samples are by themselves,
never at whether they were dropped. So one pass decides, in any order, and an update
equals a full build (`test_an_update_equals_a_full_build_whatever_changes`).

The index of the table finds the contexts that may hold the same. Terms of a context:

    q:   each question that is good within its context, or ambiguous there, and does not
         name its element (tasks/facts.py marks those that do as `named`)
    a:   each such question with its one answer: a question is ambiguous if more
         contexts hold it than hold it with this answer
    m:   each mark of a passage that it quotes (text/passages.py)
    b:   each task and file that it trains samples of, if there is a budget
    l:   each file that its samples rely on, if licences are denied
    i:   each element that its samples are about, if its key does not name it

What is kept has the `importance` of what it is about (code/usage/importance.py), unless
that is 0: training and readers take the more important first.

An update decides again the changed contexts, those that share a term which a changed
context gained or lost, those of files whose cut in the budget moved, those that rely on
files whose licence changed, those about elements whose importance changed, and those
whose verdicts changed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from repobuild.code.usage.importance import changed_ids, score_of
from repobuild.engine.contract import View
from repobuild.samples.dataset import budget, copies
from repobuild.samples.dataset.all_samples import (
    AllSamples,
    SampleChanges,
    is_about,
    keys_about,
)
from repobuild.samples.dataset.budget import BudgetCuts
from repobuild.samples.dataset.copies import CopyFinder, QuotingSamples
from repobuild.samples.dataset.licence_filter import LicenceFilter
from repobuild.samples.dataset.quality_filter import (
    AMBIGUOUS,
    DUPLICATE,
    NEAR,
    OVER_BUDGET,
    OVER_PROPORTION,
    OVERLAPS,
    UNTRAINED,
    Row,
    SampleFilter,
    Samples,
    asked,
    untrained_phrasings,
)
from repobuild.samples.dataset.review_filter import REVIEWED, ReviewFilter
from repobuild.samples.tasks.facts import Sample

CACHED_CONTEXTS = 4096  # contexts whose quoted passages stay in memory


def dataset(view: View) -> None:
    """Bring the dataset up to date with the changed contexts."""
    update = DatasetUpdate(view)
    terms: Counter[str] = Counter()
    differing: set[str] = set()
    changed = SampleChanges(view)
    for key, (old, new) in changed.items():
        after = update.write(key, new)
        terms.update(after.terms)
        if not view.full:
            before = update.shareable(key, old)
            terms.update(before.terms)
            differing |= after.differing_terms(before)
    affected = update.sharing(terms, differing, changed)
    rescored = update.with_changed_scores()
    decided = affected | update.with_changed_limits(rescored)
    for key in sorted(decided):
        update.decide(key)
    for key in sorted(rescored.difference(decided, changed)):  # these are scored
        update.score_again(key)


@dataclass(frozen=True, slots=True)
class Shareable:
    """What a context holds that other contexts may hold, too."""

    terms: set[str]
    quoting: QuotingSamples

    def differing_terms(self, other: Shareable) -> set[str]:
        """Return the terms of what only one of the two holds."""
        quoting = set(self.quoting) ^ set(other.quoting)
        return (self.terms ^ other.terms) | copies.index_terms(quoting)


class DatasetUpdate:
    """One run of the view."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._index = view.own.index
        self._filter = SampleFilter.of(view.settings)
        self._samples = AllSamples.of(view)
        self._cuts = BudgetCuts.of(view)
        self._licences = LicenceFilter.of(view)
        self._importance = view.table("importance")
        self._reviews = ReviewFilter.of(view)
        self._filtered = lru_cache(1)(self._read_and_filter)
        # The passages of all contexts of the standard library take half a gigabyte.
        quoting = lru_cache(CACHED_CONTEXTS)(self._quoting)
        alike = view.settings["samples.near_duplicate"]
        self._copies = CopyFinder(quoting, self._index.find, alike)

    def write(self, key: str, samples: Samples | None) -> Shareable:
        """Write a context's row and terms without a look at other contexts."""
        if not samples:
            if not self._view.full:
                self._view.own.drop(key)
            return Shareable(set(), ())
        row = self._filter.decide(key, samples)
        shareable = self._shareable(samples, row)
        terms = shareable.terms | self._licences.terms(samples)
        terms |= {
            f"i:{sample['element']}"
            for sub, sample in samples.items()
            if not is_about(key + sub, sample)
        }
        if terms or not self._view.full:
            self._index.set(key, terms)
        self._view.own.put(key, self._apply_limits(key, samples, row))
        return shareable

    def shareable(self, key: str, samples: Samples | None) -> Shareable:
        """Return what a context with these samples holds that others may hold."""
        return self._shareable(samples or {}, self._filter.decide(key, samples))

    def sharing(
        self, terms: Counter[str], differing: set[str], changed: SampleChanges
    ) -> set[str]:
        """Return the contexts to decide again because they share a term.

        In an update: changed contexts that share one with any context, and all that
        hold what a changed context gained or lost. In a full build: all that share
        something; a term counted once is skipped without a look-up.
        """
        keys: set[str] = set()
        for term, count in terms.items():
            if self._view.full and count == 1:
                continue
            holders = self._index.find(term)
            # A changed context that holds the term alone is already right.
            if len(holders) > 1 or (holders and holders[0] not in changed):
                others = self._view.full or term in differing
                keys.update(
                    holders if others else filter(changed.__contains__, holders)
                )
        return keys

    def with_changed_limits(self, rescored: set[str]) -> set[str]:
        """Return the contexts of other licence, importance, verdict or file's cut."""
        if self._view.full:
            return set()
        keys = self._licences.changed_contexts(self._view)
        keys |= self._reviews.changed_contexts(self._view)
        if self._cuts is not None:  # what is important comes first
            keys |= rescored
        terms = budget.changed_terms(self._view) if self._cuts is not None else ()
        return keys | {key for term in terms for key in self._index.find(term)}

    def with_changed_scores(self) -> set[str]:
        """Return the contexts about elements whose importance changed."""
        keys: set[str] = set()
        for id in () if self._view.full else changed_ids(self._view):
            about = keys_about(self._samples, id)
            keys.update(k for k in about if self._view.own.get(k) is not None)
            keys.update(self._index.find(f"i:{id}"))
        return keys

    def score_again(self, key: str) -> None:
        """Write a context's row with the importance of today, decided as it is."""
        samples: Samples = self._samples.get(key) or {}
        row: Row = self._view.own.get(key) or {}
        self._view.own.put(key, self._with_scores(samples, row))

    def decide(self, key: str) -> None:
        """Write a context's row by itself and by what other contexts hold."""
        samples, filtered = self._filtered(key)
        row = dict(filtered)
        for why, subs in self._asked_elsewhere(key, samples, row).items():
            _drop(row, subs, why)
        _drop(row, self._copies.near_duplicates(key), NEAR)
        _drop(row, self._copies.overlapping(key), OVERLAPS)
        self._view.own.put(key, self._apply_limits(key, samples, row))

    def _asked_elsewhere(
        self, key: str, samples: Samples, row: Row
    ) -> dict[str, set[str]]:
        """Return {why: samples} of questions that another context asks, too.

        One with the same answer is kept by the context with the smallest key.
        """
        found: dict[str, set[str]] = {AMBIGUOUS: set(), DUPLICATE: set()}
        for sub in _asking(samples, row):
            holders = self._index.find(_question_term(samples[sub]))
            if len(holders) == 1:
                continue
            if len(self._index.find(_answer_term(samples[sub]))) < len(holders):
                found[AMBIGUOUS].add(sub)
            elif holders[0] != key:
                found[DUPLICATE].add(sub)
        return found

    def _apply_limits(self, key: str, samples: Samples, row: Row) -> Row:
        """Drop what is judged bad, of a denied licence, over budget, or untrained."""
        for sub, why in self._licences.reasons(samples).items():
            row[sub] = {"dropped": why}
        for sub in self._reviews.judged_bad(key, samples):
            row[sub] = {"dropped": REVIEWED}
        if self._cuts is not None:
            trained = (sub for sub, item in row.items() if item.get("split") == "train")
            over = {
                s
                for s in trained
                if self._cuts.exclude(key + s, samples[s], self._score(samples[s]))
            }
            has_budget = self._view.settings["samples.max_tokens"]
            _drop(row, over, OVER_BUDGET if has_budget else OVER_PROPORTION)
        kept = {s: samples[s] for s, item in row.items() if "dropped" not in item}
        _drop(row, untrained_phrasings(kept), UNTRAINED)
        return self._with_scores(samples, row)

    def _with_scores(self, samples: Samples, row: Row) -> Row:
        """Add the importance of what each kept sample is about, where it is not 0."""
        scored: Row = {}
        for sub, item in row.items():
            scored[sub] = {n: v for n, v in item.items() if n != "importance"}
            if "dropped" not in item and (score := self._score(samples[sub])):
                scored[sub]["importance"] = score
        return scored

    def _score(self, sample: Sample) -> float:
        """Return the importance of what a sample is about."""
        return score_of(self._importance, str(sample["element"]))

    def _quoting(self, key: str) -> QuotingSamples:
        return copies.quoting_samples(*self._filtered(key))

    def _read_and_filter(self, key: str) -> tuple[Samples, Row]:
        samples: Samples = self._samples.get(key) or {}
        return samples, self._filter.decide(key, samples)

    def _shareable(self, samples: Samples, row: Row) -> Shareable:
        quoting = copies.quoting_samples(samples, row)
        terms = _asked_terms(samples, row) | copies.index_terms(quoting)
        if self._cuts is not None:
            terms |= {
                budget.index_term(samples[sub]["task"], budget.file_of(samples[sub]))
                for sub, item in row.items()
                if item.get("split") == "train"
            }
        return Shareable(terms, quoting)


def _drop(row: Row, subs: set[str], why: str) -> None:
    """Drop samples of a row that have no reason yet."""
    for sub in subs:
        if "dropped" not in row[sub]:
            row[sub] = {"dropped": why}


def _asking(samples: Samples, row: Row) -> list[str]:
    """Return the samples whose question another context could ask, too.

    Besides those that are kept these are the ambiguous ones: what has two answers here
    is not made clear by another context.
    """
    return [
        sub
        for sub, item in row.items()
        if item.get("dropped", AMBIGUOUS) == AMBIGUOUS and not samples[sub].get("named")
    ]


def _asked_terms(samples: Samples, row: Row) -> set[str]:
    """Return the terms of a context's questions; no answer is that of an ambiguous."""
    subs = _asking(samples, row)
    terms = {_question_term(samples[sub]) for sub in subs}
    answered = (sub for sub in subs if "dropped" not in row[sub])
    return terms | {_answer_term(samples[sub]) for sub in answered}


def _question_term(sample: Sample) -> str:
    return f"q:{_hash(asked(sample['question']))}"


def _answer_term(sample: Sample) -> str:
    return f"a:{_hash(asked(sample['question']) + sample['answer'])}"


def _hash(text: str) -> str:
    """Hash to eight bytes: 10^6 questions collide with a chance of 3 in 10^8."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()
