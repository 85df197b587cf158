"""Mark an answer by comparison with a checked fact, and average the marks of a track.

The metrics of one answer; `expected` is the answer of the sample:

    facts, right, wrong   from the facts that can be looked up: exact_facts.py
    exact        exact match: 1 if both texts are equal after normalisation (NFC, white
                 space as one space, no space at the ends), else 0
    edit         edit similarity of the two normalised texts, from 0 to 1: 1 minus the
                 indel distance (Levenshtein distance without substitutions) over the
                 sum of the lengths; rapidfuzz's `ratio`
    rouge_l, bleu  words shared with the expected answer: text_overlap.py
    stopped      only for completions, which are truncated where they end: 1 if the
                 model stopped there by itself (truncate.py)
    path_exact   only for `code_location` questions: 1 if the first path of the answer
                 is the first path of the expected one
    path_accuracy  Jaccard index of the paths in both: paths in the intersection over
                 paths in the union, so naming many paths in the hope of a hit costs
    named, hallucinated  distinct names and paths in backticks, and those of them that
                 neither the repository nor Python knows, and that occur neither in the
                 question nor in the expected answer: removed things may be mentioned

mentions/mention_parser.py defines what is a path and what is a name. A path in the
question itself does not count: repeating is not knowing. A question that contains the
expected path has no path score.

A track's number has a 95 % confidence interval from the bootstrap over its questions
(confidence.py), a difference of two models one from the paired bootstrap. The loss is
the sum over tokens divided by the number of tokens, resampled by sample.

Sources: Rajpurkar et al., "SQuAD" (EMNLP 2016) for exact match; Levenshtein, "Binary
codes capable of correcting deletions, insertions, and reversals" (1966); Jaccard, "The
distribution of the flora in the alpine zone" (1912); Koehn, "Statistical significance
tests for machine translation evaluation" (EMNLP 2004) for the paired bootstrap.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from repobuild.evaluate.mentions.mention_parser import (
    KnownNames,
    names_in,
    path_of,
    paths_in,
    spans,
)
from repobuild.evaluate.questions import LOCATION, HeldOutSample
from repobuild.evaluate.scoring import exact_facts
from repobuild.evaluate.scoring.confidence import ConfidenceInterval, mean, ratio
from repobuild.evaluate.scoring.exact_facts import FactCounts
from repobuild.evaluate.scoring.text_overlap import TextOverlap, text_overlap
from repobuild.evaluate.scoring.truncate import (
    COMPLETIONS,
    code_in,
    truncate_completion,
)

# Each answer has one value of these; larger is better.
ANSWER_METRICS = (
    "facts", "right", "path_exact", "path_accuracy", "exact", "edit", "rouge_l", "bleu",
    "stopped",
)  # fmt: skip
METRICS = (*ANSWER_METRICS, "wrong", "hallucinated")
_NO_FACTS = FactCounts(*[frozenset()] * 4)


@dataclass(frozen=True, slots=True)
class StrictMark:
    """The metrics of one answer; None where one does not apply."""

    fact_counts: FactCounts
    exact: float
    edit: float
    stopped: float | None
    path_exact: float | None
    path_accuracy: float | None
    named: tuple[str, ...]
    hallucinated: tuple[str, ...]
    overlap: TextOverlap | None = None

    @property
    def rouge_l(self) -> float | None:
        return self.overlap.rouge_l if self.overlap else None

    @property
    def bleu(self) -> float | None:
        return self.overlap.bleu if self.overlap else None

    @property
    def facts(self) -> float | None:
        return self.fact_counts.share

    @property
    def right(self) -> float | None:
        return self.fact_counts.right

    def fraction(self, metric: str) -> tuple[float, float] | None:
        """Return a metric's numerator and denominator.

        `wrong` counts facts and `hallucinated` names; the other metrics are over 1.
        """
        if metric == "hallucinated":
            return float(len(self.hallucinated)), float(len(self.named))
        if metric == "wrong":
            wrong = len(self.fact_counts.wrong)
            stated = wrong + len(self.fact_counts.stated)
            return (float(wrong), float(stated)) if self.fact_counts.wanted else None
        value: float | None = getattr(self, metric)
        return None if value is None else (value, 1.0)


def mark_answer(sample: HeldOutSample, answer: str, known: KnownNames) -> StrictMark:
    """Compare an answer with the expected answer of its sample."""
    from rapidfuzz import fuzz

    question, expected = sample.question, sample.answer
    compared, stopped, fact_counts = answer, None, _NO_FACTS
    if sample.task in COMPLETIONS:  # code: it states no facts
        compared = truncate_completion(sample.sub, sample.row, answer)
        stopped = float(normalised(compared) == normalised(code_in(answer)))
    else:
        fact_counts = exact_facts.compare_facts(
            question, answer, expected, sample.task, known
        )
    ours, theirs = normalised(compared), normalised(expected)
    paths = [path for path in paths_in(answer, known) if path not in question]
    expected_paths = [p for p in paths_in(expected, known) if p not in question]
    named = _named(answer, known)
    given = f"{question}\n{expected}"
    is_location = sample.task == LOCATION
    return StrictMark(
        fact_counts=fact_counts,
        exact=float(ours == theirs),
        edit=round(fuzz.ratio(ours, theirs) / 100, 4),
        stopped=stopped,
        path_exact=_first_equal(paths, expected_paths) if is_location else None,
        path_accuracy=_jaccard(paths, expected_paths),
        named=named,
        hallucinated=tuple(
            name
            for name in named
            if name not in given
            and name not in known.paths
            and not known.has_name(name)
        ),
        overlap=text_overlap(compared, expected),
    )


def named_files(
    question: str, answer: str, files: Sequence[str], known: KnownNames
) -> float | None:
    """Return which share of reference files an answer names.

    None if there is none that the question does not name itself.
    """
    wanted = {path for path in files if path not in question}
    if not wanted:
        return None
    named = wanted.intersection(paths_in(answer, known))
    return round(len(named) / len(wanted), 4)


def normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _named(answer: str, known: KnownNames) -> tuple[str, ...]:
    """Return the distinct names and paths in backticks."""
    quoted = (path_of(span) for span in spans(answer))
    paths = (path for path in quoted if known.is_path(path))
    return tuple(dict.fromkeys([*names_in(answer, known), *paths]))


def _first_equal(paths: list[str], expected: list[str]) -> float | None:
    return float(paths[:1] == expected[:1]) if expected else None


def _jaccard(paths: list[str], expected: list[str]) -> float | None:
    if not expected:
        return None
    return round(len({*paths} & {*expected}) / len({*paths} | {*expected}), 4)


# ------------------------------------------------------------------- over a track


def score_marks(marks: Sequence[StrictMark]) -> dict[str, ConfidenceInterval]:
    """Return the mean of every metric that applies to at least one answer."""
    scores = {}
    for metric in METRICS:
        fractions = [f for m in marks if (f := m.fraction(metric)) is not None]
        if fractions:
            scores[metric] = ratio(fractions)
    return scores


def difference(
    ours: Sequence[StrictMark], theirs: Sequence[StrictMark], metric: str
) -> ConfidenceInterval | None:
    """Return our metric minus theirs on the same questions, paired."""
    differences = []
    for our_mark, their_mark in zip(ours, theirs, strict=True):
        a, b = getattr(our_mark, metric), getattr(their_mark, metric)
        if a is not None and b is not None:
            differences.append(a - b)
    return mean(differences)


def loss(losses: Sequence[tuple[float, int]]) -> ConfidenceInterval | None:
    """Return the negative log likelihood per token in nats.

    Each entry is a sample's sum and its number of tokens; empty samples do not count.
    """
    pairs = [(total, float(tokens)) for total, tokens in losses if tokens]
    return ratio(pairs) if pairs else None
