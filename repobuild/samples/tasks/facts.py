"""From one fact to its samples: the same thing asked in several ways.

A question that names its element by a name that is the element's alone is marked
`named`: no other context can ask the same, and dataset.py need not look for it.

Which of a kind's questions an element gets is decided by a hash of its id, never by
position, so that samples keep their keys and their splits when code around them
changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from zlib import crc32

from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import shown
from repobuild.samples.tasks.phrases import HELD_OUT, PhraseKind, Phrases

Sample = dict[str, Value]
# One in six of the questions a fact gets is held out beside them: with the share of
# elements that are held out whole (split.generalise) this gives about 80 : 10 : 10.
_HELD_OUT_PERIOD = 6
_WHOLE = 100


class MaskedCode(NamedTuple):
    """Code around a hole; the answer is exactly what fills it."""

    prefix: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing to know about an element."""

    kind: str  # a table of the question file
    answer: str
    sources: tuple[str, ...]
    difficulty: str = "easy"
    fields: Mapping[str, str] = field(default_factory=dict)
    hole: MaskedCode | None = None
    turn: str = ""  # what its questions are chosen by, if not by kind and element


@dataclass(frozen=True, slots=True)
class FactScope:
    """A context, and all that its samples may depend on beside it."""

    context: Mapping[str, Value]
    phrases: Phrases
    languages: tuple[str, ...]
    hidden: Callable[[str], bool]  # elements of which nothing may be trained

    @property
    def id(self) -> str:
        return str(self.context["id"])

    def get(self, name: str) -> Value:
        return self.context.get(name, "")

    def names(self) -> dict[str, str]:
        """The fields that every question and answer may use."""
        context = self.context
        kind = context["kind"]
        return {
            "name": context["label"],
            "short": context["name"],
            "kind": self.phrases.words.get(kind, kind),
            "path": context["path"],
            "project": context["project"],
            "container": context.get("container", ""),
            "fence": context.get("fence", ""),
        }

    def answer(self, kind: str, /, **more: str) -> str:
        return self.phrases.answer(kind, **{**self.names(), **more})

    def seen(self, ids: list[str]) -> list[str]:
        """The ids that may be told: held-out elements are not, outside their own."""
        if self.hidden(self.id):
            return ids
        return [id for id in ids if not self.hidden(id)]


def completed(context: Mapping[str, Value]) -> dict[str, Value]:
    """A context with what its id says: rows are stored without it."""
    path, _, qual = context["id"].partition("::")
    name = shown(qual).rpartition(".")[2] or path.rpartition("/")[2]
    about_project = context["kind"] == "project"
    known = {"path": "" if about_project else path, "name": name, "label": name}
    return {**known, **context}


def samples_of(fact: Fact, about: FactScope) -> Iterator[tuple[str, Sample]]:
    """Yield the fact's questions with its one answer, by their keys."""
    kind = about.phrases.kinds[fact.kind]
    luck = crc32((fact.turn or turn_of(fact.kind, about.id)).encode())
    if luck % _WHOLE >= kind.share * _WHOLE:
        return
    brief = bool(about.get("brief"))
    if (kind.turns or brief) and not _has_its_turn(luck, about):
        return
    fields = {**about.names(), **fact.fields}
    ask = 1 if brief else kind.ask
    first = (luck >> 20) % len(kind.questions)
    for place in range(first, first + ask):
        place %= len(kind.questions)
        yield _sample(fact, about, kind, place, kind.questions[place], fields)
    if (luck >> 12) % _HELD_OUT_PERIOD < ask:
        yield _sample(fact, about, kind, HELD_OUT, kind.held_out, fields)


def turn_of(kind: str, element: str) -> str:
    """What an element's questions of a kind are chosen by."""
    return f"{kind} {element}"


def _has_its_turn(luck: int, about: FactScope) -> bool:
    turn = (luck >> 4) % len(about.languages)
    return about.languages[turn] == about.phrases.language


def _sample(
    fact: Fact,
    about: FactScope,
    kind: PhraseKind,
    place: int,
    question: str,
    fields: Mapping[str, str],
) -> tuple[str, Sample]:
    sample: Sample = {
        "task": kind.task,
        "language": about.phrases.language,
        "form": "fim" if fact.hole else "chat",
        "question": question.format_map(fields),
        "answer": fact.answer,
        "element": about.id,
        "sources": list(fact.sources),
        "difficulty": fact.difficulty,
        "held_out": place == HELD_OUT,
    }
    if "{name}" in question and not about.get("shared"):
        sample["named"] = True
    if fact.hole:
        sample["prefix"], sample["suffix"] = fact.hole
    return f"#{kind.task}.{about.phrases.language}.{kind.number + place}", sample
