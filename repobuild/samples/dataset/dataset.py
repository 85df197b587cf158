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
                                       question, or more than `COMMON` contexts ask it;
                                       no context keeps it
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
    c:   the words of each sample with such passages (copies.py)
    b:   each task and file that it trains samples of, if there is a budget
    l:   each file that its samples rely on, if licences are denied
    i:   each element that its samples are about, if its key does not name it

What is kept has the `importance` of what it is about (code/usage/importance.py), unless
that is 0: training and readers take the more important first.

An update decides again the changed contexts, those that share a term which a changed
context gained or lost (unless more than `COMMON` held it before and hold it after: then
nobody's decision changes), those of files whose cut in the budget moved, those that
rely on files whose licence changed, those about elements whose importance changed, and
those whose verdicts changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain
from typing import NamedTuple

from repobuild.code.usage.importance import changed_ids, score_of
from repobuild.engine.contract import View
from repobuild.engine.digest import pack, unpack
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

_MOST_KNOWN = 100_000  # contexts, some 8 kB each; others are filtered again


def dataset(view: View) -> None:
    """Bring the dataset up to date with the changed contexts."""
    update = DatasetUpdate(view)
    terms: Counter[str] = Counter()
    changed = ChangedTerms()
    for key, (old, new) in SampleChanges(view).items():
        after = update.write(key, new)
        terms.update(after.terms)
        if not view.full:
            before = update.shareable(key, old)
            changed.held[key] = after.terms
            changed.lost |= before.terms - after.terms
            changed.differing.update(after.differing_terms(before))
    affected = update.sharing(terms) if view.full else update.sharing_changed(changed)
    rescored = update.with_changed_scores()
    decided = affected | update.with_changed_limits(rescored)
    for key in sorted(decided):
        update.decide(key)
    written = changed.held.keys()  # with their scores
    for key in sorted(rescored.difference(decided, written)):
        update.score_again(key)


@dataclass(frozen=True, slots=True)
class Filtered:
    """What a context's samples are by themselves. Kept for `_MOST_KNOWN` contexts."""

    packed_row: bytes  # takes a tenth of the memory of the row
    questions: Mapping[str, Question]  # those that other contexts may ask, by sample
    quoting: QuotingSamples

    @property
    def row(self) -> Row:
        row: Row = unpack(self.packed_row)
        return row


class Question(NamedTuple):
    """The terms of a question; `answer` is empty where it is ambiguous."""

    term: str
    answer: str


@dataclass(frozen=True, slots=True)
class Shareable:
    """What a context holds that other contexts may hold, too."""

    terms: set[str]
    quoting: QuotingSamples

    def differing_terms(self, other: Shareable) -> set[str]:
        """Return the terms of what only one of the two holds."""
        quoting = set(self.quoting) ^ set(other.quoting)
        return (self.terms ^ other.terms) | copies.index_terms(quoting)


@dataclass(slots=True)
class ChangedTerms:
    """The terms of the contexts that an update changes."""

    held: dict[str, set[str]] = field(default_factory=dict)  # now, by key
    lost: set[str] = field(default_factory=set)
    # Term -> how many of these contexts gained or lost it, or what it is of.
    differing: Counter[str] = field(default_factory=Counter)


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
        self._known: dict[str, Filtered] = {}  # by key
        alike = view.settings["samples.near_duplicate"]
        self._copies = CopyFinder(self._quoting, self._index.find_few, alike)

    def write(self, key: str, samples: Samples | None) -> Shareable:
        """Write a context's row and terms without a look at other contexts."""
        if not samples:
            if not self._view.full:
                self._view.own.drop(key)
            return Shareable(set(), ())
        self._known.pop(key, None)
        filtered = self._remember(key, samples)
        row = filtered.row
        shareable = self._shareable(samples, filtered)
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
        return self._shareable(samples or {}, self._filter_samples(key, samples))

    def sharing(self, terms: Counter[str]) -> set[str]:
        """Return the contexts of a full build that share a term with another one."""
        shared = (term for term, count in terms.items() if count > 1)
        return set(chain.from_iterable(map(self._index.find, shared)))

    def sharing_changed(self, changed: ChangedTerms) -> set[str]:
        """Return the contexts of an update to decide again because they share a term.

        These are changed contexts that share one with any context, and all that hold
        what a changed context gained or lost, unless the term was and is common.
        """
        keys: set[str] = set()
        alone: set[str] = set()  # terms that a single changed context holds
        for term in changed.lost.union(*changed.held.values()):
            differing = changed.differing[term]
            holders = self._index.find_few(term, copies.COMMON + differing)
            if holders is None:
                continue
            if len(holders) == 1 and holders[0] in changed.held:
                alone.add(term)  # its row is already right
            elif differing:
                keys.update(holders)
        keys.update(key for key, held in changed.held.items() if held - alone)
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
        filtered = self._filtered(key)
        dropped = self._asked_elsewhere(key, filtered.questions)
        dropped[NEAR] = self._copies.near_duplicates(key)
        dropped[OVERLAPS] = self._copies.overlapping(key)
        if self._view.full and not any(dropped.values()):
            return  # `write` has written it
        row = filtered.row
        for why, subs in dropped.items():
            _drop(row, subs, why)
        samples: Samples = self._samples.get(key) or {}
        self._view.own.put(key, self._apply_limits(key, samples, row))

    def _asked_elsewhere(
        self, key: str, questions: Mapping[str, Question]
    ) -> dict[str, set[str]]:
        """Return {why: samples} of questions that another context asks, too.

        One with the same answer is kept by the context with the smallest key.
        """
        found: dict[str, set[str]] = {AMBIGUOUS: set(), DUPLICATE: set()}
        for sub, question in questions.items():
            holders = self._index.find_few(question.term, copies.COMMON)
            if holders is None:
                found[AMBIGUOUS].add(sub)
                continue
            if len(holders) == 1:
                continue
            answered = self._index.find(question.answer) if question.answer else ()
            if len(answered) < len(holders):
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
        return self._filtered(key).quoting

    def _filtered(self, key: str) -> Filtered:
        known = self._known.get(key)
        return known or self._remember(key, self._samples.get(key))

    def _remember(self, key: str, samples: Samples | None) -> Filtered:
        if len(self._known) >= _MOST_KNOWN:
            del self._known[next(iter(self._known))]  # the one that was made first
        filtered = self._known[key] = self._filter_samples(key, samples)
        return filtered

    def _filter_samples(self, key: str, samples: Samples | None) -> Filtered:
        row = self._filter.decide(key, samples)
        samples = samples or {}
        quoting = copies.quoting_samples(samples, row)
        return Filtered(pack(row), _questions(samples, row), quoting)

    def _shareable(self, samples: Samples, filtered: Filtered) -> Shareable:
        terms = copies.index_terms(filtered.quoting)
        terms.update(filter(None, chain.from_iterable(filtered.questions.values())))
        if self._cuts is not None:
            terms |= {
                budget.index_term(samples[sub]["task"], budget.file_of(samples[sub]))
                for sub, item in filtered.row.items()
                if item.get("split") == "train"
            }
        return Shareable(terms, filtered.quoting)


def _drop(row: Row, subs: set[str], why: str) -> None:
    """Drop samples of a row that have no reason yet."""
    for sub in subs:
        if "dropped" not in row[sub]:
            row[sub] = {"dropped": why}


def _questions(samples: Samples, row: Row) -> dict[str, Question]:
    """Return the questions of a context that another context could ask, too.

    Besides those that are kept these are the ambiguous ones: what has two answers here
    is not made clear by another context.
    """
    found = {}
    for sub, item in row.items():
        why, sample = item.get("dropped"), samples[sub]
        if why in (None, AMBIGUOUS) and not sample.get("named"):
            question = asked(sample["question"])
            answer = "" if why else f"a:{_hash(question + sample['answer'])}"
            found[sub] = Question(f"q:{_hash(question)}", answer)
    return found


def _hash(text: str) -> str:
    """Hash to eight bytes: 10^6 questions collide with a chance of 3 in 10^8."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()
