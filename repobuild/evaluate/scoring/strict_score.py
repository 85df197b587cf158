"""Strict scores: an answer is compared with a checked fact.

How one answer is marked, `expected` being the answer of the sample:

    facts, right, wrong   by what can be looked up: facts.py
    exact        1 when both are equal after NFC, one space for any white space, no
                 space at the ends; else 0
    edit         rapidfuzz's ratio of the two normalised texts, 0 to 1
    stopped      only for completions, which are compared up to where they end: 1 when
                 the model had ended there by itself (stop.py)
    path_exact   only for `code_location` questions: 1 when the first path of the
                 answer is the first path of the expected one
    path_accuracy  paths that both name, as a share of the paths that either names;
                 naming many paths in the hope of a hit therefore costs
    named, hallucinated  distinct names and paths in backticks, and those of them that
                 neither the repository nor Python knows, nor question or expected
                 answer hold: what is gone may be spoken of

What is a path and what a name says known.py.  A path that the question itself names
counts for nothing: repeating is not knowing.  A question that names the expected path
has no path score.

A track's number has a 95 % confidence interval from the percentile bootstrap over its
questions, and a difference of two models from the paired one.  Loss is the sum over
tokens divided by the number of tokens, resampled by sample.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from repobuild.evaluate.questions import LOCATION, HeldOutSample
from repobuild.evaluate.scoring import exact_facts
from repobuild.evaluate.scoring.confidence import ConfidenceInterval, ratio
from repobuild.evaluate.scoring.exact_facts import FactCounts
from repobuild.evaluate.scoring.mention_parser import (
    KnownNames,
    names_in,
    path_of,
    paths_in,
    spans,
)
from repobuild.evaluate.scoring.truncate import COMPLETIONS, code_in, completion

# One an answer; the shares are better when they are larger.
ANSWER_METRICS = (
    "facts", "right", "path_exact", "path_accuracy", "exact", "edit", "stopped",
)  # fmt: skip
METRICS = (*ANSWER_METRICS, "wrong", "hallucinated")


@dataclass(frozen=True, slots=True)
class StrictMark:
    """How one answer fared; None where a score does not apply."""

    verdict: FactCounts
    exact: float
    edit: float
    stopped: float | None
    path_exact: float | None
    path_accuracy: float | None
    named: tuple[str, ...]
    hallucinated: tuple[str, ...]

    @property
    def facts(self) -> float | None:
        return self.verdict.share

    @property
    def right(self) -> float | None:
        return self.verdict.right

    def pair(self, metric: str) -> tuple[float, float] | None:
        """A metric as a fraction: `wrong` and `hallucinated` count facts and names."""
        if metric == "hallucinated":
            return float(len(self.hallucinated)), float(len(self.named))
        if metric == "wrong":
            wrong = len(self.verdict.wrong)
            said = wrong + len(self.verdict.stated)
            return (float(wrong), float(said)) if self.verdict.wanted else None
        value: float | None = getattr(self, metric)
        return None if value is None else (value, 1.0)


def mark(sample: HeldOutSample, answer: str, known: KnownNames) -> StrictMark:
    """Compare one answer with the answer of its sample."""
    from rapidfuzz import fuzz

    question, expected = sample.question, sample.answer
    left, stopped = _left(sample, answer)
    said, right = normalised(left), normalised(expected)
    named = _named(answer, known)
    told = f"{question}\n{expected}"
    wanted = [path for path in paths_in(expected, known) if path not in question]
    found = [path for path in paths_in(answer, known) if path not in question]
    return StrictMark(
        verdict=_verdict(sample, answer, known),
        exact=float(said == right),
        edit=round(fuzz.ratio(said, right) / 100, 4),
        stopped=stopped,
        path_exact=_first_equal(found, wanted) if sample.task == LOCATION else None,
        path_accuracy=_overlap(found, wanted),
        named=named,
        hallucinated=tuple(n for n in named if n not in told and not _is(n, known)),
    )


def _left(sample: HeldOutSample, answer: str) -> tuple[str, float | None]:
    """What of an answer is compared, and whether the model had ended there."""
    if sample.task not in COMPLETIONS:
        return answer, None
    left = completion(sample.sub, sample.row, answer)
    return left, float(normalised(left) == normalised(code_in(answer)))


def _verdict(sample: HeldOutSample, answer: str, known: KnownNames) -> FactCounts:
    """A completion is code: it states no facts beside itself."""
    if sample.task in COMPLETIONS:
        return FactCounts(*[frozenset()] * 4)
    return exact_facts.judged(
        sample.question, answer, sample.answer, sample.task, known
    )


def _named(answer: str, known: KnownNames) -> tuple[str, ...]:
    """Names and paths in backticks."""
    places = (path_of(span) for span in spans(answer))
    paths = (path for path in places if known.is_path(path))
    return tuple(dict.fromkeys([*names_in(answer, known), *paths]))


def _is(named: str, known: KnownNames) -> bool:
    return named in known.paths or known.has_name(named)


def normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _first_equal(found: list[str], wanted: list[str]) -> float | None:
    if not wanted:
        return None
    return float(bool(found) and found[0] == wanted[0])


def _overlap(found: list[str], wanted: list[str]) -> float | None:
    if not wanted:
        return None
    return round(len({*found} & {*wanted}) / len({*found} | {*wanted}), 4)


# ------------------------------------------------------------------- over a track


def score(marks: Sequence[StrictMark]) -> dict[str, ConfidenceInterval]:
    """Mean of every metric that applies to at least one answer."""
    estimates = {}
    for metric in METRICS:
        pairs = [pair for m in marks if (pair := m.pair(metric)) is not None]
        if pairs:
            estimates[metric] = ratio(pairs)
    return estimates


def difference(
    one: Sequence[StrictMark], other: Sequence[StrictMark], metric: str
) -> ConfidenceInterval | None:
    """By how much `one` is above `other` on the same questions, paired."""
    gaps = []
    for a, b in zip(one, other, strict=True):
        left, right = getattr(a, metric), getattr(b, metric)
        if left is not None and right is not None:
            gaps.append((left - right, 1.0))
    return ratio(gaps) if gaps else None


def loss(losses: Sequence[tuple[float, int]]) -> ConfidenceInterval | None:
    """Negative log likelihood per token; samples without a token are left out."""
    pairs = [(total, float(tokens)) for total, tokens in losses if tokens]
    return ratio(pairs) if pairs else None
