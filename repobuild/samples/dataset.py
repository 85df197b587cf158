"""The `dataset` table: the split of each sample, or why it was dropped.

A context is decided by itself but for one thing: of samples that ask the same question
in different contexts, only the one with the smallest key is used. The index holds,
under a context's key, a term for each question that is good by itself and does not name
its element (fact.py marks those `named`); so an update looks up the questions of
changed contexts and decides again only those contexts that share one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b

from repobuild.engine.contract import View
from repobuild.samples.fact import Sample
from repobuild.samples.pool import News, Pool
from repobuild.samples.quality import (
    DUPLICATE,
    Bounds,
    near,
    reason,
    secrets_of,
    untrained,
)
from repobuild.samples.split import Split

Row = dict[str, dict[str, str]]
Samples = Mapping[str, Sample]


def dataset(view: View) -> None:
    """Bring the dataset up to date with the changed contexts."""
    judge = Judge(Bounds.of(view.settings), Split.of(view.settings))
    asked: Counter[str] = Counter()
    changes = News(view)
    for key, (old, new) in changes.items():
        if not view.full:
            asked.update(term for _, term in judge.questions(old or {}))
        asked.update(_write(view, judge, key, new))
    pool = Pool.of(view)
    for key in sorted(_shared(view, asked)):
        _decide_again(view, judge, pool, key)


def _write(view: View, judge: Judge, key: str, samples: Samples | None) -> list[str]:
    """Decide a context by itself; returns the terms of its questions."""
    if not samples:
        if not view.full:
            view.own.drop(key)
        return []
    row = judge.row(key, samples)
    terms = [term for _, term in _questions(samples, row)]
    view.own.put(key, row)
    if terms or not view.full:
        view.own.index.set(key, terms)
    return terms


def _shared(view: View, asked: Counter[str]) -> set[str]:
    """Contexts that ask what a changed one asks or asked; on a full build, all that
    share a question, which are known without asking the index for every question."""
    keys: set[str] = set()
    for term, count in asked.items():
        if not view.full or count > 1:
            found = view.own.index.find(term)
            if not view.full or len(found) > 1:
                keys.update(found)
    return keys


def _decide_again(view: View, judge: Judge, pool: Pool, key: str) -> None:
    """Drop the questions that a context with a smaller key asks, too."""
    samples: Samples = pool.get(key) or {}
    row = judge.row(key, samples)
    for sub, term in _questions(samples, row):
        if view.own.index.find(term)[0] != key:
            row[sub] = {"dropped": DUPLICATE}
    view.own.put(key, row)


class Judge:
    """Decides about the samples of one context."""

    def __init__(self, bounds: Bounds, split: Split) -> None:
        self._bounds = bounds
        self._split = split

    def row(self, key: str, samples: Samples) -> Row:
        """The context's row as far as it does not depend on other contexts."""
        known = secrets_of(samples)
        reasons = {
            s: reason(samples[s], self._bounds, self._split, known) for s in samples
        }
        self._mark(reasons, _same(samples, reasons), DUPLICATE)
        good = {s: samples[s] for s in samples if not reasons[s]}
        self._mark(reasons, near(good, self._bounds), "near duplicate")
        good = {s: samples[s] for s in samples if not reasons[s]}
        self._mark(reasons, untrained(good), "held out but not trained")
        return {
            sub: {"dropped": why} if why else self._kept(key, sub, samples[sub])
            for sub, why in reasons.items()
        }

    def questions(self, samples: Samples) -> list[tuple[str, str]]:
        """(sub, term) of the questions that are good by themselves."""
        return _questions(samples, self.row("", samples)) if samples else []

    def _kept(self, key: str, sub: str, sample: Sample) -> dict[str, str]:
        return self._split.row(key + sub, sample["element"], sample["held_out"])

    def _mark(self, reasons: dict[str, str], subs: set[str], why: str) -> None:
        for sub in subs:
            reasons[sub] = why


def _same(samples: Samples, reasons: Mapping[str, str]) -> set[str]:
    """Repeated questions within one context; the smallest sub stays."""
    seen: set[str] = set()
    repeated: set[str] = set()
    for sub in sorted(sub for sub in samples if not reasons[sub]):
        question = samples[sub]["question"]
        if question in seen:
            repeated.add(sub)
        seen.add(question)
    return repeated


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
