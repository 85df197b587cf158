"""The `dataset` table: the split of each sample, or why it was dropped.

A context is judged by itself (judge.py), and then by what others hold:

    duplicate question          the smallest context key that asks it keeps it
    near duplicate, overlaps    copies.py
    over budget                 balance.py
    licence: ID                 licence.py

Each looks at what others are by themselves, never at what became of them, so that one
pass decides, in any order. The index says who may hold the same; under a context's key

    q:   each question that is good by itself and does not name its element
         (fact.py marks those `named`)
    m:   each mark of a passage that it quotes (quoted.py)
    b:   each task and file that it trains samples of, if there is a budget
    l:   each file that its samples rely on, if licences are denied

So an update decides again the changed contexts, those that share a term with what they
hold or held, those of the modules whose share of the budget moved, and those that rely
on files whose licence changed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from repobuild.engine.contract import View
from repobuild.samples.dataset import budget, copies
from repobuild.samples.dataset.all_samples import AllSamples, SampleChanges
from repobuild.samples.dataset.budget import Cuts
from repobuild.samples.dataset.copies import CopyFinder, Quotes
from repobuild.samples.dataset.filters import Row, SampleFilter, Samples
from repobuild.samples.dataset.licence_filter import LicenceFilter
from repobuild.samples.dataset.quality import (
    DUPLICATE,
    NEAR,
    OVER_BUDGET,
    OVERLAPS,
    UNTRAINED,
    untrained,
)

KEPT = 4096  # contexts of which it is remembered what they quote


def dataset(view: View) -> None:
    """Bring the dataset up to date with the changed contexts."""
    update = DatasetUpdate(view)
    terms: Counter[str] = Counter()
    differing: set[str] = set()
    news = SampleChanges(view)
    for key, (old, new) in news.items():
        after = update.write(key, new)
        terms.update(after.terms)
        if not view.full:
            before = update.held(key, old)
            terms.update(before.terms)
            differing |= after.differing(before)
    for key in sorted(update.sharing(terms, differing, news) | update.moved()):
        update.decide(key)


@dataclass(frozen=True, slots=True)
class ContextQuotes:
    """What a context holds that others may hold, too."""

    terms: set[str]
    quotes: Quotes

    def differing(self, other: ContextQuotes) -> set[str]:
        """Return the terms of what one of the two holds and the other does not."""
        quotes = set(self.quotes) ^ set(other.quotes)
        return (self.terms ^ other.terms) | copies.terms(tuple(quotes))


class DatasetUpdate:
    """One run of the view."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._index = view.own.index
        self._judge = SampleFilter.of(view.settings)
        self._pool = AllSamples.of(view)
        self._cuts = Cuts.of(view)
        self._denied = LicenceFilter.of(view)
        self._judged = lru_cache(1)(self._judgement)
        # What all contexts of the standard library quote takes half a gigabyte.
        quoted = lru_cache(KEPT)(self._quoted)
        alike = view.settings["samples.near_duplicate"]
        self._copies = CopyFinder(quoted, self._index.find, alike)

    def held(self, key: str, samples: Samples | None) -> ContextQuotes:
        """Return what a context held that had these samples."""
        row = self._judge.row(key, samples)
        found = copies.quotes(samples or {}, row)
        return ContextQuotes(self._terms(samples or {}, row, found), found)

    def write(self, key: str, samples: Samples | None) -> ContextQuotes:
        """Judge a context by itself and within its budget; return what it holds."""
        if not samples:
            if not self._view.full:
                self._view.own.drop(key)
            return ContextQuotes(set(), ())
        row = self._judge.row(key, samples)
        found = copies.quotes(samples, row)
        terms = self._terms(samples, row, found)
        marked = terms | self._denied.terms(samples)
        if marked or not self._view.full:
            self._index.set(key, marked)
        self._view.own.put(key, self._allowed(key, samples, row))
        return ContextQuotes(terms, found)

    def sharing(
        self, terms: Counter[str], differing: set[str], news: SampleChanges
    ) -> set[str]:
        """Return contexts that share a term: changed ones, and those that hold what a
        changed one holds now and did not, or the other way round. On a full build all
        that share something, known without a look-up for every term."""
        keys: set[str] = set()
        for term, count in terms.items():
            if self._view.full and count == 1:
                continue
            found = self._index.find(term)
            # Who holds it alone, and was judged just now, is right already.
            if len(found) > 1 or (found and found[0] not in news):
                others = self._view.full or term in differing
                keys.update(found if others else filter(news.__contains__, found))
        return keys

    def moved(self) -> set[str]:
        """Return contexts whose licence changed, or their module's share of budget."""
        relicensed = self._denied.moved(self._view)
        if self._cuts is None or self._view.full:
            return relicensed
        terms = budget.moved(self._view)
        return relicensed | {key for term in terms for key in self._index.find(term)}

    def decide(self, key: str) -> None:
        """Judge a context by itself and by what others hold."""
        samples, judged = self._judged(key)
        row = dict(judged)
        self._drop(row, self._asked_before(key, samples, row), DUPLICATE)
        self._drop(row, self._copies.near(key), NEAR)
        self._drop(row, self._copies.overlapping(key), OVERLAPS)
        self._view.own.put(key, self._allowed(key, samples, row))

    def _allowed(self, key: str, samples: Samples, row: Row) -> Row:
        """Drop what a licence or the budget forbids."""
        for sub, why in self._denied.reasons(samples).items():
            row[sub] = {"dropped": why}
        return self._within_budget(key, samples, row)

    def _within_budget(self, key: str, samples: Samples, row: Row) -> Row:
        """Drop what is over budget, and the phrasings of what is trained no more."""
        if self._cuts is not None:
            trained = (sub for sub, item in row.items() if item.get("split") == "train")
            over = {s for s in trained if self._cuts.over(key + s, samples[s])}
            self._drop(row, over, OVER_BUDGET)
        kept = {s: samples[s] for s, item in row.items() if "dropped" not in item}
        self._drop(row, untrained(kept), UNTRAINED)
        return row

    def _asked_before(self, key: str, samples: Samples, row: Row) -> set[str]:
        """Questions that a context with a smaller key asks, too."""
        asked = _questions(samples, row)
        return {sub for sub, term in asked if self._index.find(term)[0] != key}

    def _drop(self, row: Row, subs: set[str], why: str) -> None:
        for sub in subs:
            if "dropped" not in row[sub]:
                row[sub] = {"dropped": why}

    def _quoted(self, key: str) -> Quotes:
        """What a context quotes, as of now."""
        return copies.quotes(*self._judged(key))

    def _judgement(self, key: str) -> tuple[Samples, Row]:
        """A context's samples and its row by itself, as of now."""
        samples: Samples = self._pool.get(key) or {}
        return samples, self._judge.row(key, samples)

    def _terms(self, samples: Samples, row: Row, found: Quotes) -> set[str]:
        terms = {term for _, term in _questions(samples, row)} | copies.terms(found)
        if self._cuts is not None:
            terms |= {
                budget.term(samples[sub]["task"], budget.module(samples[sub]))
                for sub, item in row.items()
                if item.get("split") == "train"
            }
        return terms


def _questions(samples: Samples, row: Row) -> list[tuple[str, str]]:
    """(sub, term) of the kept questions that another context could ask, too."""
    return [
        (sub, _term(samples[sub]["question"]))
        for sub, item in row.items()
        if "dropped" not in item and not samples[sub].get("named")
    ]


def _term(question: str) -> str:
    """Eight bytes: among 10^6 questions a false hit has a chance of 3 in 10^8."""
    found = blake2b(question.encode("utf-8", "replace"), digest_size=8)
    return "q:" + found.hexdigest()
