"""Turn one fact into samples: the same fact asked in several phrasings.

Which phrasings of a kind an element gets is decided by a hash of its id, never by
position. So samples keep their keys and their splits when code around them changes.

A question that names its element by a name that no other element has is marked `named`:
no other context can ask the same, and dataset/dataset.py need not index it. One whose
question the tree answers in two ways is marked `ambiguous`, and dropped there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple
from zlib import crc32

from repobuild.code.usage.prose_language import is_chinese
from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import PROPERTIES, strip_counts
from repobuild.samples.tasks.phrases import HELD_OUT, FactKind, Phrases

Sample = dict[str, Value]
# One in six of the questions that a fact gets is held out in addition. With the share
# of elements that are held out (split.generalise) this gives about 80 : 10 : 10.
_HELD_OUT_PERIOD = 6
_PERCENT = 100


class MaskedCode(NamedTuple):
    """The code before and after masked code; the answer is exactly the masked code."""

    prefix: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing to know about an element."""

    kind: str  # a table of the question files
    answer: str
    sources: tuple[str, ...]  # ids of the elements that the answer rests on
    difficulty: str = "easy"
    fields: Mapping[str, str] = field(default_factory=dict)  # of its questions
    masked: MaskedCode | None = None
    ambiguous: bool = False  # the tree has another right answer to its questions
    unanswered: tuple[int, ...] = ()  # numbers of questions of its kind
    # Chooses the phrasings; "" means phrasing_seed(kind, element).
    phrasing_seed: str = ""


@dataclass(frozen=True)
class FactScope:
    """A context, and everything else that its samples may depend on."""

    context: Mapping[str, Value]
    phrases: Phrases
    languages: tuple[str, ...]
    is_held_out: Callable[[str], bool]  # whether an element is held out: never trained

    @property
    def id(self) -> str:
        return str(self.context["id"])

    def get(self, name: str) -> Value:
        return self.context.get(name, "")

    @cached_property
    def common_fields(self) -> Mapping[str, str]:
        """The fields that every question and answer template may use."""
        context = self.context
        kind = "property" if self.is_property else context["kind"]
        return {
            "name": context["label"],
            "short": context["name"],
            "kind": self.phrases.words.get(kind, kind),
            "path": context["path"],
            "project": context["project"],
            "container": context.get("container", ""),
            "fence": context.get("fence", ""),
            "verb": self._word("verb", kind),
            "made": self._word("made", kind),
        }

    @property
    def is_property(self) -> bool:
        return any(d in PROPERTIES for d in self.context.get("decorators") or ())

    def _word(self, name: str, kind: str) -> str:
        """Return a word in its form for elements of a kind: Chinese calls no class."""
        words = self.phrases.words
        return words.get(f"{name}_{kind}", words.get(name, ""))

    def is_foreign(self, text: str) -> bool:
        """Return whether a quotation is in another language than the answer."""
        return is_chinese(text) != (self.phrases.words["script"] == "Han")

    def answer(self, kind: str, /, **more: str) -> str:
        return self.phrases.answer(kind, **{**self.common_fields, **more})

    def without_held_out(self, ids: list[str]) -> list[str]:
        """Return the ids that an answer may name.

        Held-out elements may be named only in the samples of a held-out element.
        """
        if self.is_held_out(self.id):
            return ids
        return [id for id in ids if not self.is_held_out(id)]


def with_id_fields(context: Mapping[str, Value]) -> dict[str, Value]:
    """Add path, name and label to a context; rows omit what their id says."""
    path, _, qual = context["id"].partition("::")
    name = strip_counts(qual).rpartition(".")[2] or path.rpartition("/")[2]
    about_project = context["kind"] == "project"
    known = {"path": "" if about_project else path, "name": name, "label": name}
    return {**known, **context}


def samples_of(
    fact: Fact, scope: FactScope, every: bool = False
) -> Iterator[tuple[str, Sample]]:
    """Yield (end of the key, sample) for each question that the fact gets.

    Some kinds are asked of a share of all elements; with `every`, of all.
    """
    kind = scope.phrases.kinds[fact.kind]
    seed = fact.phrasing_seed or phrasing_seed(fact.kind, scope.id)
    if not every and not is_asked(kind, seed):
        return
    # The choices below and that of `is_asked` read different bits of the hash.
    bucket = crc32(seed.encode())
    brief = bool(scope.get("brief"))  # tests: one question, in one language
    if kind.one_language or brief:
        language = scope.languages[(bucket >> 4) % len(scope.languages)]
        if language != scope.phrases.language:
            return
    count = 1 if brief else kind.ask
    first = (bucket >> 20) % len(kind.questions)
    numbers = [n % len(kind.questions) for n in range(first, first + count)]
    if (bucket >> 12) % _HELD_OUT_PERIOD < count:
        numbers.append(HELD_OUT)
    for number in numbers:
        if number in fact.unanswered:
            continue
        sub = f"#{kind.task}.{scope.phrases.language}.{kind.number + number}"
        yield sub, _sample(fact, scope, number)


def is_asked(kind: FactKind, seed: str) -> bool:
    """Return whether a seed is in the share of elements that get facts of a kind."""
    return crc32(seed.encode()) % _PERCENT < kind.share * _PERCENT


def phrasing_seed(kind: str, element: str) -> str:
    """Return the text whose hash chooses an element's phrasings of a kind."""
    return f"{kind} {element}"


def _sample(fact: Fact, scope: FactScope, number: int) -> Sample:
    kind = scope.phrases.kinds[fact.kind]
    held_out = number == HELD_OUT
    question = kind.held_out if held_out else kind.questions[number]
    sample: Sample = {
        "task": kind.task,
        "language": scope.phrases.language,
        "form": "fim" if fact.masked else "chat",
        "question": question.format_map({**scope.common_fields, **fact.fields}),
        "answer": fact.answer,
        "element": scope.id,
        "sources": list(fact.sources),
        "difficulty": fact.difficulty,
        "held_out": held_out,
    }
    if "{name}" in question and not scope.get("shared"):
        sample["named"] = True
    if fact.ambiguous:
        sample["ambiguous"] = True
    if fact.masked:
        sample["prefix"], sample["suffix"] = fact.masked
    return sample
