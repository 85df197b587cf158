"""Hold a fact so that it can be asked in any phrasing of its kind.

The fields are read back out of the questions: every phrasing is a template, and a fact
has up to nine. `corpus_facts.py` reads the facts of a corpus; `question_texts.py` asks
them again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from repobuild.samples.dataset.summary import KeptSample
from repobuild.samples.tasks.phrases import HELD_OUT, NUMBERS, kinds_by_number
from repobuild.samples.text.paraphrases import fields_of

_KEY = re.compile(r"#(\w+)\.(\w+)\.(\d+)$")


@dataclass(frozen=True, slots=True)
class QuestionFact:
    """A fact in one language, ready to be asked in any phrasing of its kind."""

    kind: str
    task: str
    language: str
    element: str
    fields: Mapping[str, str]
    answer: str


def read_facts(samples: Iterable[KeptSample]) -> Iterator[QuestionFact]:
    """Yield each fact of the training samples once; fill-in samples have none."""
    found: dict[tuple[str, ...], QuestionFact] = {}
    for kept in samples:
        if kept.row["split"] != "train" or kept.sample["form"] != "chat":
            continue
        fact = _read_fact(kept)
        if fact is None:
            continue
        key = (fact.kind, fact.language, fact.element, fact.answer)
        if key in found:  # another phrasing of it, perhaps with other fields
            fact = replace(fact, fields={**found[key].fields, **fact.fields})
        found[key] = fact
    yield from found.values()


def _read_fact(kept: KeptSample) -> QuestionFact | None:
    """Return what a sample asks and says; None if its question is held out."""
    match = _KEY.search(kept.id)
    assert match is not None
    task, language, number = match[1], match[2], int(match[3])
    kind = kinds_by_number(language).get((task, number // NUMBERS))
    if kind is None or number % NUMBERS == HELD_OUT:
        return None
    sample = kept.sample
    fields = fields_of(sample["question"], kind.questions[number % NUMBERS])
    if fields is None:
        return None
    element, answer = str(sample["element"]), str(sample["answer"])
    return QuestionFact(kind.name, task, language, element, fields, answer)
