"""Scores that cannot be had by talking: an answer is compared with a checked fact.

How one answer is marked, `expected` being the answer of the sample:

    exact        1 when both are equal after NFC, one space for any white space, no
                 space at the ends; else 0
    edit         rapidfuzz's ratio of the two normalised texts, 0 to 1
    path_exact   only for `code_location` questions: 1 when the first path of the
                 answer is the first path of the expected one
    path_accuracy  paths that both name, as a share of the paths that either names;
                 naming many paths in the hope of a hit therefore costs
    named, hallucinated  distinct names in backticks, and those of them that neither
                 the repository nor Python knows

A path is a string in backticks that is a path of the repository, or holds a slash and
no space, or ends in a file suffix of the repository and is no name of it.  `:12`,
`:12-34` and `#L12` at its end are cut.  An answer without any path in backticks is
searched for bare words by the same rule, because models that were never trained on our
form leave the backticks out.  A path that the question itself names counts for nothing:
repeating is not knowing.  A question that names the expected path has no path score.

Fenced code is not searched for paths or names, only text and inline code.

The answer to a completion is its first fenced block, or all of it when it has none:
whether code comes in a fence is form, not knowledge.

A track's number has a 95 % confidence interval from the percentile bootstrap over its
questions, and a difference of two models from the paired one.  Loss is the sum over
tokens divided by the number of tokens, resampled by sample.
"""

from __future__ import annotations

import builtins
import keyword
import random
import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

LOCATION = "code_location"
COMPLETION = "code_completion"
RESAMPLES = 1_000
ANSWER_METRICS = ("path_exact", "path_accuracy", "exact", "edit")  # one an answer
METRICS = (*ANSWER_METRICS, "hallucinated")

_FENCE = re.compile(r"(```|~~~).*?(\1|\Z)", re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_WORD = re.compile(r"[\w./\\-]+")
_LINES = re.compile(r"(:\d+([-:]\d+)?|#L\d+(-L?\d+)?)$")
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_PYTHON = frozenset(
    {*dir(builtins), *keyword.kwlist, *sys.stdlib_module_names, "self", "cls"}
)


@dataclass(frozen=True, slots=True)
class Known:
    """What exists in the repository: paths, their suffixes, and names."""

    paths: frozenset[str]
    names: frozenset[str]
    suffixes: frozenset[str]

    @classmethod
    def of(cls, paths: Sequence[str], names: Sequence[str]) -> Known:
        """Every part of a dotted name and of a path counts as a name by itself."""
        parts = {part for name in names for part in name.split(".")}
        stems = {part for path in paths for part in _segments(path)}
        suffixes = {_suffix(path) for path in paths} - {""}
        every = frozenset(parts | stems | set(names))
        return cls(frozenset(paths), every, frozenset(suffixes))

    def has_name(self, name: str) -> bool:
        """A dotted name exists when all of its parts do; Python's own always do."""
        if name in self.names:
            return True
        return all(part in self.names or part in _PYTHON for part in name.split("."))

    def is_path(self, text: str) -> bool:
        if text in self.paths:
            return True
        if any(sign.isspace() for sign in text) or "://" in text or "(" in text:
            return False
        slashed = "/" in text.strip("/")
        return slashed or (_suffix(text) in self.suffixes and text not in self.names)


@dataclass(frozen=True, slots=True)
class Mark:
    """How one answer fared; None where a score does not apply."""

    exact: float
    edit: float
    path_exact: float | None
    path_accuracy: float | None
    named: tuple[str, ...]
    hallucinated: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % confidence interval."""

    value: float
    low: float
    high: float
    n: int

    def plain(self) -> dict[str, float | int]:
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


def mark(question: str, answer: str, expected: str, task: str, known: Known) -> Mark:
    """Compare one answer with the answer of its sample."""
    from rapidfuzz import fuzz

    text = code_in if task == COMPLETION else str
    said, right = normalised(text(answer)), normalised(text(expected))
    names = names_in(answer, known)
    wanted = [path for path in paths_in(expected, known) if path not in question]
    found = [path for path in paths_in(answer, known) if path not in question]
    return Mark(
        exact=float(said == right),
        edit=round(fuzz.ratio(said, right) / 100, 4),
        path_exact=_first_equal(found, wanted) if task == LOCATION else None,
        path_accuracy=_overlap(found, wanted),
        named=names,
        hallucinated=tuple(name for name in names if not known.has_name(name)),
    )


def normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def code_in(text: str) -> str:
    """What the first fence holds; an open fence reaches to the end."""
    _, fence, rest = text.partition("```")
    code = rest.partition("\n")[2].partition("```")[0]
    return code if fence else text


def paths_in(text: str, known: Known) -> list[str]:
    """Distinct paths in order; see the rule at the top."""
    quoted = [_LINES.sub("", span.strip()) for span in _spans(text)]
    paths = [span for span in quoted if known.is_path(span)]
    if not paths:
        words = (word.rstrip(".") for word in _WORD.findall(_prose(text)))
        paths = [word for word in words if known.is_path(word)]
    return list(dict.fromkeys(paths))


def names_in(text: str, known: Known) -> tuple[str, ...]:
    """Distinct names in backticks; paths, signatures and expressions are none."""
    spans = (span.strip().removesuffix("()") for span in _spans(text))
    names = (s for s in spans if _NAME.fullmatch(s) and not known.is_path(s))
    return tuple(dict.fromkeys(names))


def _prose(text: str) -> str:
    return _FENCE.sub(" ", text)


def _spans(text: str) -> list[str]:
    return _SPAN.findall(_prose(text))


def _suffix(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    stem, dot, suffix = name.rpartition(".")
    return suffix if stem and dot and suffix.isalnum() else ""


def _segments(path: str) -> list[str]:
    """`a/b.py` also makes `a` and `b` names: modules are written without suffix."""
    *folders, name = path.split("/")
    return [*folders, name.split(".")[0]]


def _first_equal(found: list[str], wanted: list[str]) -> float | None:
    if not wanted:
        return None
    return float(bool(found) and found[0] == wanted[0])


def _overlap(found: list[str], wanted: list[str]) -> float | None:
    if not wanted:
        return None
    return round(len({*found} & {*wanted}) / len({*found} | {*wanted}), 4)


# ------------------------------------------------------------------- over a track


def score(marks: Sequence[Mark]) -> dict[str, Estimate]:
    """Mean of every metric that applies to at least one answer."""
    estimates = {}
    for metric in METRICS:
        pairs = [pair for m in marks if (pair := _pair(m, metric)) is not None]
        if pairs:
            estimates[metric] = ratio(pairs)
    return estimates


def difference(
    one: Sequence[Mark], other: Sequence[Mark], metric: str
) -> Estimate | None:
    """By how much `one` is above `other` on the same questions, paired."""
    gaps = []
    for a, b in zip(one, other, strict=True):
        left, right = getattr(a, metric), getattr(b, metric)
        if left is not None and right is not None:
            gaps.append((left - right, 1.0))
    return ratio(gaps) if gaps else None


def loss(losses: Sequence[tuple[float, int]]) -> Estimate | None:
    """Negative log likelihood per token; samples without a token are left out."""
    pairs = [(total, float(tokens)) for total, tokens in losses if tokens]
    return ratio(pairs) if pairs else None


def ratio(pairs: Sequence[tuple[float, float]], seed: int = 1) -> Estimate:
    """Sum of firsts over sum of seconds, with its bootstrap interval."""
    if len(set(pairs)) == 1:  # every draw would be the same
        alike = round(_quotient(pairs), 4)
        return Estimate(alike, alike, alike, len(pairs))
    chance = random.Random(seed)
    draws = sorted(
        _quotient(chance.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES)
    )
    tail = RESAMPLES // 40  # 2.5 % on either side
    return Estimate(
        value=round(_quotient(pairs), 4),
        low=round(draws[tail], 4),
        high=round(draws[-tail - 1], 4),
        n=len(pairs),
    )


def _quotient(pairs: Sequence[tuple[float, float]]) -> float:
    below = sum(pair[1] for pair in pairs)
    return sum(pair[0] for pair in pairs) / below if below else 0.0


def _pair(m: Mark, metric: str) -> tuple[float, float] | None:
    """A metric of one answer as a fraction: hallucination counts names, not answers."""
    if metric == "hallucinated":
        return float(len(m.hallucinated)), float(len(m.named))
    value: float | None = getattr(m, metric)
    return None if value is None else (value, 1.0)
