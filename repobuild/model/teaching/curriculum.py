"""Choose what an adapter is taught: facts, the most important ones first.

    sample      a question with its answer, by its key in the dataset
    fact        the samples of one kind about one element in one language: the same
                answer, asked in several phrasings
    taught      facts of the kinds in `adapter.teach`, with answers of at most
                `adapter.longest_answer` characters. A longer answer is cut at the end
                of a paragraph, if its first ones fit: what a class is for, without its
                code

A small model can say where things are, who calls them and what they are for in a
sentence; code and long prose take most of the tokens of a full set of samples.

Facts come by their worth: the importance of what they are about
(code/usage/importance.py), divided by the square root of their length. What is short is
learnt in fewer tokens, so that more of what is asked is covered; by the length itself
hardly any explanation would come before the budget ends. Facts of equal worth are in
the order of `adapter.teach`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any, NamedTuple

from repobuild.errors import UsageError, nearest
from repobuild.samples.tasks.phrases import (
    NUMBERS,
    FactKind,
    kinds_by_number,
    known_languages,
    load_phrases,
)
from repobuild.samples.text.paraphrases import shares_words

FENCE = "```"
# Bytes of what every question has beside its own words: the marks of its turns.
FRAME = 24
CHANGES = "code_change"  # the task that tells what commits changed

Sample = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Teaching:
    """The settings that say what is taught."""

    kinds: tuple[str, ...]  # tasks, or kinds of the question files; () = all
    longest_answer: int  # characters; 0 = any

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Teaching:
        """Read `[adapter]`; raises `UsageError` for an unknown task or kind."""
        kinds = tuple(settings["adapter.teach"])
        for name in kinds:
            if name not in taught_names():
                raise UsageError(
                    f'adapter.teach names "{name}"{nearest(name, taught_names())}, '
                    "which is no task and no kind of question\n"
                    "see docs/tasks.md, or leave it empty to teach all"
                )
        return cls(kinds, int(settings["adapter.longest_answer"]))

    def rank(self, sample_id: str, task: str) -> int | None:
        """Return the place of a sample's kind in the order, None if it is not taught.

        Tasks that only the repository's own rules know are always taught.
        """
        kind = kind_of(sample_id)
        if not self.kinds or not kind:
            return len(self.kinds)
        places = [n for n, name in enumerate(self.kinds) if name in (task, kind)]
        return places[-1] if places else None

    def shorten(self, sample: Sample) -> Sample | None:
        """Return the sample with a short enough answer, None if it has none."""
        answer = str(sample["answer"])
        if not self.longest_answer or len(answer) <= self.longest_answer:
            return sample
        if sample.get("form") == "fim":
            return None
        kept = cut_at_paragraph(answer, self.longest_answer)
        return {**sample, "answer": kept} if kept else None


class TeachableSample(NamedTuple):
    """What is known of a sample without its text (teachable.py)."""

    row: str  # key of the row of samples that holds it
    rank: int  # place of its kind in `adapter.teach`
    length: int  # bytes of question and answer, as taught
    importance: float
    digest: bytes


@dataclass(frozen=True, slots=True)
class TeachableFact:
    """A fact and the ids of the samples that ask it, sorted."""

    id: str
    samples: tuple[str, ...]
    importance: float


def order_facts(samples: Mapping[str, TeachableSample]) -> list[TeachableFact]:
    """Group samples, by id, into facts and order these: the first are taught first.

    Of equal worth, they are ordered by kind, then by the hash of their id, so that no
    file comes first.
    """
    groups: dict[str, list[str]] = {}
    for sample_id in samples:
        groups.setdefault(fact_of(sample_id), []).append(sample_id)
    facts = [
        TeachableFact(fact, tuple(sorted(ids)), max(samples[i].importance for i in ids))
        for fact, ids in groups.items()
    ]

    def place(fact: TeachableFact) -> tuple[float, int, bytes]:
        length = FRAME + min(samples[i].length for i in fact.samples)
        worth = fact.importance / math.sqrt(length)
        rank = samples[fact.samples[-1]].rank
        return -worth, rank, draw_hash(fact.id)

    return sorted(facts, key=place)


def fact_of(sample_id: str) -> str:
    """Return the id of the fact that a sample asks.

    Sample keys end in .NUMBER, ten numbers a kind (samples/tasks/phrases.py). Any other
    sample, of a rule of the repository's own, is a fact by itself.
    """
    head, dot, number = sample_id.rpartition(".")
    if not dot or not number.isdecimal():
        return sample_id
    return f"{head}.{int(number) // NUMBERS}"


def kind_of(sample_id: str) -> str:
    """Return the kind of fact that a sample asks, "" for one of a rule of users."""
    kind, _ = _kind_and_language(sample_id)
    return kind.name if kind else ""


def denies_a_place(sample_id: str) -> bool:
    """Return whether a sample tells that what it asks for is gone.

    It asks in the words in which samples ask where something is.
    """
    kind, language = _kind_and_language(sample_id)
    return kind is not None and kind.task == CHANGES and shares_words(kind, language)


def _kind_and_language(sample_id: str) -> tuple[FactKind | None, str]:
    head, _, number = sample_id.rpartition(".")
    task, _, language = head.rpartition("#")[2].partition(".")
    if not number.isdecimal() or language not in known_languages():
        return None, language
    return kinds_by_number(language).get((task, int(number) // NUMBERS)), language


@cache
def taught_names() -> frozenset[str]:
    """Return the tasks and kinds of all question files."""
    languages = map(load_phrases, known_languages())
    kinds = [kind for language in languages for kind in language.kinds.values()]
    return frozenset(name for kind in kinds for name in (kind.task, kind.name))


def cut_at_paragraph(answer: str, most: int) -> str:
    """Return the first paragraphs of an answer, at most `most` characters; "" if none.

    A block of code is kept whole or not at all, and so is what announces it.
    """
    kept: Sequence[str] = []
    paragraphs: list[str] = []
    for paragraph in answer.split("\n\n"):
        paragraphs.append(paragraph)
        text = "\n\n".join(paragraphs)
        if len(text) > most:
            break
        if text.count(FENCE) % 2 == 0 and not paragraph.rstrip().endswith((":", "：")):
            kept = list(paragraphs)
    return "\n\n".join(kept)


def draw_hash(text: str) -> bytes:
    """Return the hash by which equally important facts, and phrasings, are ordered."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
