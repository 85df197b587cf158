"""Drop samples for what they are by themselves or within their context.

`SampleFilter.decide` applies these in order; the first reason counts:

    no FIELD, ...  malformed: a field is missing, empty or not text, a code fence is
                   left open, masked code lacks the code around it
    not text       control characters, bytes that do not decode, or text of another
                   encoding that was read as Latin-1
    secret: KIND   one of its texts shows a secret (secrets_filter.py)
    answer too long, answer too short
                   outside samples.min_answer .. samples.max_answer characters. The
                   original specification's 50-1000 suit answers that explain; an answer
                   that names a path or fills masked code is right when it is short, so
                   locations, relations, imports and completions have no lower bound,
                   nor has what a project says of itself
    sample too long
                   question and answer together above samples.max_characters
    code in long lines, code of few letters
                   quoted code of three lines or more that is data or packed: above 100
                   characters a line, or below a quarter letters (the filters of
                   DeepSeek-Coder, Guo et al. 2024). The original specification's 5 to
                   40 lines bound the contexts, not the samples
    tells of a held-out element
                   a source is an element that must not be trained
    ambiguous      the task knows that the question has more than one right answer in
                   the tree, or another sample of the context answers it otherwise
    duplicate question
                   another sample of the context asks and answers the same; the smallest
                   key stays
    near duplicate another sample has the same answer and nearly the same question
    phrasing is trained
                   the phrasing is held out, but a trained question is nearly the same
    held out but not trained
                   the phrasing is held out, but no trained sample has its answer

Nothing here looks at other contexts; dataset.py does, with copies.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rapidfuzz import fuzz

from repobuild.engine.contract import Value
from repobuild.samples.dataset.secrets_filter import (
    full_text,
    secret_reason,
    secrets_of,
)
from repobuild.samples.dataset.split import Split
from repobuild.samples.tasks.facts import Sample

AMBIGUOUS = "ambiguous"
DUPLICATE = "duplicate question"
NEAR = "near duplicate"
RECALLED = "phrasing is trained"
UNTRAINED = "held out but not trained"
OVERLAPS = "overlaps training"
OVER_BUDGET = "over budget"
OVER_PROPORTION = "over proportion"

Samples = Mapping[str, Sample]  # the samples of one context, by the end of their keys
# sub -> {"split", "track"} with the importance, or {"dropped"}
Row = dict[str, dict[str, Any]]

_FIELDS = ("task", "language", "form", "question", "answer", "element", "difficulty")
_FORMS = ("chat", "fim")
_DIFFICULTIES = ("easy", "medium", "hard")
_SHORT_IS_RIGHT = frozenset(
    "code_location relations code_completion assertion_completion import_completion"
    " project_overview".split()
)
_ARCHITECTURE = "architecture_understanding"  # its medium answers are import lists
_FENCE = re.compile(r"^```", re.MULTILINE)
_CODE_BLOCK = re.compile(r"^```.*\n((?:.*\n)*?)```", re.MULTILINE)
_NAME = re.compile(r"`[^`\n]*`|\"[^\"\n]*\"")
# Control characters but tab and line break, lone surrogates, undecodable bytes.
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffd]")
_LATIN_1_RUN = re.compile("[\x80-\xff]{4,}")  # longer than in any language's words
_FEWEST_RUNS = 3
_FEWEST_CODE_LINES = 3  # shorter code is not judged: a signature may be one long line
_LONG_LINE = 100  # characters on average
_FEW_LETTERS = 0.25  # of the characters that are not white space


@dataclass(frozen=True, slots=True)
class LengthBounds:
    """The settings that bound lengths and similarity."""

    min_answer: int  # characters
    max_answer: int  # characters
    max_characters: int
    near: float  # similarity of two questions, 0..100 as rapidfuzz counts

    @classmethod
    def of(cls, settings: Mapping[str, Value]) -> LengthBounds:
        return cls(
            settings["samples.min_answer"],
            settings["samples.max_answer"],
            settings["samples.max_characters"],
            100 * settings["samples.near_duplicate"],
        )


@dataclass(frozen=True, slots=True)
class SampleFilter:
    """Decides about the samples of one context by the settings alone."""

    bounds: LengthBounds
    split: Split

    @classmethod
    def of(cls, settings: Mapping[str, Value]) -> SampleFilter:
        return cls(LengthBounds.of(settings), Split.of(settings))

    def decide(self, key: str, samples: Samples | None) -> Row:
        """Return the context's row as far as it does not depend on other contexts."""
        if not samples:
            return {}
        known = secrets_of(samples)
        reasons = {
            s: drop_reason(samples[s], self.bounds, self.split, known) for s in samples
        }
        _mark(reasons, _contradicting(_good(samples, reasons)), AMBIGUOUS)
        _mark(reasons, _repeated_questions(_good(samples, reasons)), DUPLICATE)
        _mark(reasons, near_duplicates(_good(samples, reasons), self.bounds), NEAR)
        recalled = trained_phrasings(_good(samples, reasons), self.bounds)
        _mark(reasons, recalled, RECALLED)
        _mark(reasons, untrained_phrasings(_good(samples, reasons)), UNTRAINED)
        row: Row = {}
        for sub, why in reasons.items():
            element, held_out = samples[sub]["element"], samples[sub]["held_out"]
            row[sub] = (
                {"dropped": why}
                if why
                else self.split.assign(key + sub, element, held_out)
            )
        return row


def _good(samples: Samples, reasons: Mapping[str, str]) -> Samples:
    return {sub: samples[sub] for sub in samples if not reasons[sub]}


def _mark(reasons: dict[str, str], subs: set[str], why: str) -> None:
    for sub in subs:
        reasons[sub] = why


# ------------------------------------------------------------------- a sample by itself


def drop_reason(
    sample: Sample, bounds: LengthBounds, split: Split, known: Mapping[str, str]
) -> str:
    """Return why a sample is dropped, or ""; `known` holds its context's secrets."""
    if problem := format_error(sample) or secret_reason(sample, known):
        return problem
    answer, question = len(sample["answer"]), len(sample["question"])
    if answer > bounds.max_answer:
        return "answer too long"
    if answer < bounds.min_answer and not _may_be_short(sample):
        return "answer too short"
    if answer + question > bounds.max_characters:
        return "sample too long"
    if problem := _code_problem(sample):
        return problem
    if _tells_of_held_out_element(sample, split):
        return "tells of a held-out element"
    return AMBIGUOUS if sample.get("ambiguous") else ""


def format_error(sample: Sample) -> str:
    """Return what is wrong with the format of a sample, or ""."""
    for field in _FIELDS:
        value = sample.get(field)
        if not isinstance(value, str) or not value.strip():
            return f"no {field}"
    if not isinstance(sample.get("held_out"), bool):
        return "no held_out"
    if not sample.get("sources"):
        return "no sources"
    if sample["form"] not in _FORMS or sample["difficulty"] not in _DIFFICULTIES:
        return "unknown form or difficulty"
    if sample["form"] == "fim" and not (sample.get("prefix") or sample.get("suffix")):
        return "nothing around the hole"
    for field in ("question", "answer"):
        if "```" in sample[field] and len(_FENCE.findall(sample[field])) % 2:
            return f"open fence in the {field}"
    text = full_text(sample)
    return "not text" if _NOT_TEXT.search(text) or _is_misread(text) else ""


def _is_misread(text: str) -> bool:
    """Return whether a quarter is runs of Latin-1 signs, as of GBK read as Latin-1."""
    if text.isascii():
        return False
    runs = _LATIN_1_RUN.findall(text)
    return len(runs) >= _FEWEST_RUNS and sum(map(len, runs)) * 4 > len(text)


def _may_be_short(sample: Sample) -> bool:
    task = sample["task"]
    return task in _SHORT_IS_RIGHT or (
        task == _ARCHITECTURE and sample["difficulty"] == "medium"
    )


def _code_problem(sample: Sample) -> str:
    """Return what is wrong with the quoted code, or ""."""
    for text in (sample["question"], sample["answer"]):
        for code in _CODE_BLOCK.findall(text) if "```" in text else ():
            lines = code.count("\n")
            if lines < _FEWEST_CODE_LINES:
                continue
            if len(code) > _LONG_LINE * lines:
                return "code in long lines"
            letters = sum(map(str.isalpha, code))
            if letters < _FEW_LETTERS * len("".join(code.split())):
                return "code of few letters"
    return ""


def _tells_of_held_out_element(sample: Sample, split: Split) -> bool:
    """Check the sources; the tasks leave such elements out, users' tasks may not."""
    if split.is_held_out(sample["element"]):
        return False
    return any(split.is_held_out(id) for id in sample["sources"])


# ---------------------------------------------------------- samples within one context


@lru_cache(maxsize=1 << 10)  # of a context and of those that ask the same
def asked(question: str) -> str:
    """Return what tells a question from others: not white space, nor capitals of prose.

    Code in backticks keeps its capitals: `Config` and `config` are two names.
    """
    pieces = " ".join(question.split()).split("`")
    return "`".join(
        piece if number % 2 else piece.casefold() for number, piece in enumerate(pieces)
    )


def _contradicting(samples: Samples) -> set[str]:
    """Return the samples whose question another one answers otherwise."""
    answers: dict[str, set[str]] = {}
    for sample in samples.values():
        answers.setdefault(asked(sample["question"]), set()).add(sample["answer"])
    return {
        sub
        for sub, sample in samples.items()
        if len(answers[asked(sample["question"])]) > 1
    }


def _repeated_questions(samples: Samples) -> set[str]:
    """Return the samples whose question another one asks; the smallest key stays."""
    seen: set[str] = set()
    repeated: set[str] = set()
    for sub in sorted(samples):
        question = asked(samples[sub]["question"])
        if question in seen:
            repeated.add(sub)
        seen.add(question)
    return repeated


def near_duplicates(samples: Samples, bounds: LengthBounds) -> set[str]:
    """Return the samples that another one nearly repeats; the smallest key stays.

    A held-out phrasing falls before a trained one: it would not be a new phrasing.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    order = sorted(samples, key=lambda sub: (samples[sub]["held_out"], sub))
    for sub in order:
        sample = samples[sub]
        groups.setdefault((sample["language"], sample["answer"]), []).append(sub)
    repeated: set[str] = set()
    for subs in groups.values():
        kept: list[str] = []
        for sub in subs:
            text = samples[sub]["question"]
            if any(_alike(text, samples[k]["question"], bounds) for k in kept):
                repeated.add(sub)
            else:
                kept.append(sub)
    return repeated


def _alike(one: str, other: str, bounds: LengthBounds) -> bool:
    """Compare two questions without their code, which would make all of them alike."""
    one, other = one.partition("```")[0], other.partition("```")[0]
    return fuzz.ratio(one, other, score_cutoff=bounds.near) > 0


def trained_phrasings(samples: Samples, bounds: LengthBounds) -> set[str]:
    """Return the held-out phrasings that a trained question nearly repeats.

    The answers do not matter here: the phrasing is what must be new.
    """
    if not any(sample["held_out"] for sample in samples.values()):
        return set()
    trained: dict[str, list[str]] = {}
    for sample in samples.values():
        if not sample["held_out"]:
            template = question_template(sample["question"])
            trained.setdefault(sample["language"], []).append(template)
    return {
        sub
        for sub, sample in samples.items()
        if sample["held_out"]
        and _is_like_any(
            question_template(sample["question"]),
            trained.get(sample["language"], ()),
            bounds,
        )
    }


def _is_like_any(text: str, others: Iterable[str], bounds: LengthBounds) -> bool:
    return any(fuzz.ratio(text, other, score_cutoff=bounds.near) for other in others)


def question_template(question: str) -> str:
    """Return a question's template: its words without names and code."""
    return _NAME.sub("_", question.partition("```")[0])


def untrained_phrasings(samples: Samples) -> set[str]:
    """Return the held-out phrasings of answers that no trained sample has."""
    trained = {s["answer"] for s in samples.values() if not s["held_out"]}
    return {
        sub
        for sub, sample in samples.items()
        if sample["held_out"] and sample["answer"] not in trained
    }
