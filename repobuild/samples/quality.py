"""Which samples are not used, and why. Every reason is kept in `dataset`.

Within one context, without a look at others:

    format         a field is missing or empty, or a fence is left open
    secret         one of its texts holds a secret; "secret: KIND", never the value. A
                   secret that one sample of a context shows is looked for in all of
                   them: only `password = "..."` tells what the value by itself does not
    answer length  outside samples.min_answer .. samples.max_answer characters. The
                   seed's 50-1000 hold for answers that explain; an answer that names
                   a path or fills a hole is right when it is short, so locations,
                   relations, imports and completions have no lower bound
    length         question and answer together above samples.max_characters
    split          it tells of an element of which nothing may be trained
    near           its answer is that of another sample, and so nearly is its question
    untrained      the phrasing is held out, but no other asks for the same answer

Across contexts only `duplicate`, the same question elsewhere: see dataset.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz

from repobuild.engine.contract import Value
from repobuild.samples.fact import Sample
from repobuild.samples.secret import secrets
from repobuild.samples.split import Split

DUPLICATE = "duplicate question"
_FIELDS = ("task", "language", "form", "question", "answer", "element", "difficulty")
_SHORT_IS_RIGHT = frozenset({"code_location", "relations", "code_completion"})
_ARCHITECTURE = "architecture_understanding"  # lists of imports among them
_FENCE = re.compile(r"^```", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The settings that decide."""

    min_answer: int
    max_answer: int
    max_characters: int
    near: float  # 0..100, as rapidfuzz counts

    @classmethod
    def of(cls, settings: Mapping[str, Value]) -> Bounds:
        return cls(
            settings["samples.min_answer"],
            settings["samples.max_answer"],
            settings["samples.max_characters"],
            100 * settings["samples.near_duplicate"],
        )


def reason(
    sample: Sample, bounds: Bounds, split: Split, known: Mapping[str, str]
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
    if _tells_of_hidden(sample, split):
        return "tells of a held-out element"
    return ""


def secrets_of(samples: Mapping[str, Sample]) -> dict[str, str]:
    """Return all secrets that a context's samples show, with their kinds."""
    found: dict[str, str] = {}
    for sub in sorted(samples):
        for secret, kind in secrets(_texts(samples[sub])).items():
            found.setdefault(secret, kind)
    return dict(sorted(found.items()))


def _secret(sample: Sample, known: Mapping[str, str]) -> str:
    texts = _texts(sample)
    return next((kind for secret, kind in known.items() if secret in texts), "")


def _texts(sample: Sample) -> str:
    """All that is said; what fills a hole stands where it is missing."""
    whole = (sample.get(name) or "" for name in ("prefix", "answer", "suffix"))
    return f"{sample.get('question') or ''}\n{''.join(whole)}"


def malformed(sample: Sample) -> str:
    for field in _FIELDS:
        if not sample.get(field) or not str(sample[field]).strip():
            return f"no {field}"
    if not sample.get("sources"):
        return "no sources"
    for field in ("question", "answer"):
        if "```" in sample[field] and len(_FENCE.findall(sample[field])) % 2:
            return f"open fence in the {field}"
    return ""


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


def near(samples: Mapping[str, Sample], bounds: Bounds) -> set[str]:
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


def _alike(one: str, other: str, bounds: Bounds) -> bool:
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
