"""Which samples are not used, and why. Every reason is kept in `dataset`.

Within one context, without a look at others (judge.py):

    no FIELD, ...  format: a field is missing, empty or no text, a fence is left open,
                   a hole lacks what is around it
    not text       control characters, or bytes that are no text
    secret: KIND   one of its texts holds a secret; never the value. A secret that one
                   sample of a context shows is looked for in all of them: only
                   `password = "..."` tells what the value by itself does not
    answer too long, answer too short
                   outside samples.min_answer .. samples.max_answer characters. The
                   seed's 50-1000 hold for answers that explain; an answer that names
                   a path or fills a hole is right when it is short, so locations,
                   relations, imports and completions have no lower bound
    sample too long
                   question and answer together above samples.max_characters
    code in long lines, code of few letters
                   quoted code of three lines or more that is data or packed: above 100
                   characters a line, or below a quarter letters (DeepSeek-Coder's
                   filters). The seed's 5 to 40 lines are bounds of contexts
    tells of a held-out element
                   it tells of an element of which nothing may be trained
    duplicate question
                   another sample asks the same; the smallest key stays
    near duplicate its answer is that of another sample, and so nearly is its question
    phrasing is trained
                   the phrasing is held out, but a trained question nearly is it
    held out but not trained
                   the phrasing is held out, but no trained sample has the answer

Across contexts (dataset.py):

    duplicate question
    near duplicate quotes what a sample elsewhere quotes, and says the same (copies.py)
    overlaps training
                   of an untrained element, but its answer stands in a trained sample
    over budget    its module's share of samples.max_tokens is used up (balance.py)
    held out but not trained
                   when what it asks about fell by one of these
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz

from repobuild.engine.contract import Value
from repobuild.samples.dataset.secret import secrets
from repobuild.samples.dataset.split import Split
from repobuild.samples.tasks.facts import Sample

DUPLICATE = "duplicate question"
NEAR = "near duplicate"
RECALLED = "phrasing is trained"
UNTRAINED = "held out but not trained"
OVERLAPS = "overlaps training"
OVER_BUDGET = "over budget"
_FIELDS = ("task", "language", "form", "question", "answer", "element", "difficulty")
_SHORT_IS_RIGHT = frozenset(
    "code_location relations code_completion assertion_completion import_completion"
    "".split()
)
_ARCHITECTURE = "architecture_understanding"  # lists of imports among them
_FENCE = re.compile(r"^```", re.MULTILINE)
_BLOCK = re.compile(r"^```.*\n((?:.*\n)*?)```", re.MULTILINE)
_NAMED = re.compile(r"`[^`\n]*`|\"[^\"\n]*\"")
# Control characters but tab and line break, halves of characters, undecoded bytes.
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffd]")
_FORMS = ("chat", "fim")
_DIFFICULTIES = ("easy", "medium", "hard")
_JUDGED_LINES = 3  # a signature may be one long line
_LONG_LINE = 100  # characters on average
_FEW_LETTERS = 0.25  # of what is no space


@dataclass(frozen=True, slots=True)
class LengthBounds:
    """The settings that decide."""

    min_answer: int
    max_answer: int
    max_characters: int
    near: float  # 0..100, as rapidfuzz counts

    @classmethod
    def of(cls, settings: Mapping[str, Value]) -> LengthBounds:
        return cls(
            settings["samples.min_answer"],
            settings["samples.max_answer"],
            settings["samples.max_characters"],
            100 * settings["samples.near_duplicate"],
        )


def reason(
    sample: Sample, bounds: LengthBounds, split: Split, known: Mapping[str, str]
) -> str:
    """Return why a sample is dropped, or ""; `known` are its context's secrets."""
    if problem := malformed(sample):
        return problem
    if known and (kind := _secret(sample, known)):
        return f"secret: {kind}"
    answer, question = len(sample["answer"]), len(sample["question"])
    if answer > bounds.max_answer:
        return "answer too long"
    if answer < bounds.min_answer and not _may_be_short(sample):
        return "answer too short"
    if answer + question > bounds.max_characters:
        return "sample too long"
    if problem := _odd_code(sample):
        return problem
    if _tells_of_hidden(sample, split):
        return "tells of a held-out element"
    return ""


def secrets_of(samples: Mapping[str, Sample]) -> dict[str, str]:
    """Return all secrets that a context's samples show, with their kinds.

    A secret stands within a line, and phrasings in two languages repeat most lines:
    looked for in each once, the standard library takes a third of the time.
    """
    lines = {line for sample in samples.values() for line in _texts(sample).split("\n")}
    return dict(sorted(secrets("\n".join(sorted(lines))).items()))


def _secret(sample: Sample, known: Mapping[str, str]) -> str:
    texts = _texts(sample)
    return next((kind for secret, kind in known.items() if secret in texts), "")


def _texts(sample: Sample) -> str:
    """All that is said; what fills a hole stands where it is missing."""
    whole = (sample.get(name) or "" for name in ("prefix", "answer", "suffix"))
    return f"{sample.get('question') or ''}\n{''.join(whole)}"


def malformed(sample: Sample) -> str:
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
    return "not text" if _NO_TEXT.search(_texts(sample)) else ""


def _odd_code(sample: Sample) -> str:
    """What is wrong with the code that is quoted."""
    for code in _code_of(sample):
        lines = code.count("\n")
        if lines < _JUDGED_LINES:
            continue
        if len(code) > _LONG_LINE * lines:
            return "code in long lines"
        letters = sum(map(str.isalpha, code))
        if letters < _FEW_LETTERS * len("".join(code.split())):
            return "code of few letters"
    return ""


def _code_of(sample: Sample) -> list[str]:
    """The code that a sample shows; a question shows what is around its hole."""
    texts = (sample["question"], sample["answer"])
    return [code for text in texts if "```" in text for code in _BLOCK.findall(text)]


def _may_be_short(sample: Sample) -> bool:
    task = sample["task"]
    return task in _SHORT_IS_RIGHT or (
        task == _ARCHITECTURE and sample["difficulty"] == "medium"
    )


def _tells_of_hidden(sample: Sample, split: Split) -> bool:
    """The tasks leave such elements out; this makes sure, for users' tasks too."""
    if split.generalised(sample["element"]):
        return False
    return any(split.generalised(id) for id in sample["sources"])


def near(samples: Mapping[str, Sample], bounds: LengthBounds) -> set[str]:
    """Samples of one context that another one repeats; the smallest key stays.

    Held-out phrasings give way to trained ones: else they would be no new phrasing.
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
    """Compare what is asked; code that both show would make everything alike."""
    one, other = one.partition("```")[0], other.partition("```")[0]
    return fuzz.ratio(one, other, score_cutoff=bounds.near) > 0


def untrained(samples: Mapping[str, Sample]) -> set[str]:
    """Held-out phrasings of answers that no trained sample of the context has."""
    trained = {s["answer"] for s in samples.values() if not s["held_out"]}
    return {
        sub
        for sub, sample in samples.items()
        if sample["held_out"] and sample["answer"] not in trained
    }


def asked_in_training(samples: Mapping[str, Sample], bounds: LengthBounds) -> set[str]:
    """Held-out phrasings that a trained question of the context nearly has.

    Whatever it asks about: the phrasing is what must be new.
    """
    if not any(sample["held_out"] for sample in samples.values()):
        return set()
    frames: dict[str, list[str]] = {}
    for sample in samples.values():
        if not sample["held_out"]:
            frames.setdefault(sample["language"], []).append(frame(sample["question"]))
    return {
        sub
        for sub, sample in samples.items()
        if sample["held_out"]
        and any(
            fuzz.ratio(frame(sample["question"]), other, score_cutoff=bounds.near)
            for other in frames.get(sample["language"], ())
        )
    }


def frame(question: str) -> str:
    """The words of a question, without the names and the code that it is about."""
    return _NAMED.sub("_", question.partition("```")[0])
