"""Ask facts in many phrasings: the conversations that the base model is trained on.

A fact can be asked in every phrasing of its kind whose fields it has: those of
`configs/questions` and those of `configs/paraphrases`. The held-out phrasings are for
measuring only. Which facts of a repository are asked, in which language and how, is
drawn anew in every epoch:

    kinds       in turn, by KIND_SHARES: a repository has ten times as many places as
                callers, and a model of it needs both
    language    one fact in four in Chinese
    phrasing    any, with equal probability
"""

from __future__ import annotations

import json
import random
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from repobuild.model.bundled.question_facts import QuestionFact
from repobuild.model.bundled.tokenizer import TURN_END, TURN_START
from repobuild.resources import data_folder
from repobuild.samples.text.paraphrases import fields_in, phrasings

CHINESE_SHARE = 0.25
LONGEST_ANSWER = 480  # characters, about 160 tokens
LONG_SHARE = 0.04  # of the answers that are longer
LONGEST = 1_300  # characters of a conversation

# The question templates of every kind in a language.
Pool = Callable[[str], Mapping[str, tuple[str, ...]]]

# Facts of a kind that are asked in one turn over the kinds of a repository.
KIND_SHARES: Mapping[str, int] = {
    "location": 4,
    "callers": 4,
    "callees": 3,
    "signature": 3,
    "explain": 3,
    "bases": 3,
    "subclasses": 3,
    "usage": 2,
    "members": 2,
    "contents": 2,
    "imports": 2,
    "importers": 2,
    "reverse": 2,
    "lines": 2,
}


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """One question and its answer."""

    kind: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """The facts of one repository in all languages."""

    name: str
    project: str
    facts: tuple[QuestionFact, ...]

    def in_turn(self, rng: random.Random) -> Iterator[QuestionFact]:
        """Yield facts, kind after kind, each fact once and in one language."""
        kinds: dict[str, list[QuestionFact]] = defaultdict(list)
        for fact in self.facts:
            kinds[fact.kind].append(fact)
        for facts in kinds.values():
            rng.shuffle(facts)
        chosen: dict[tuple[str, str], str] = {}
        while kinds:
            for kind in sorted(kinds):
                for _ in range(KIND_SHARES.get(kind, 1)):
                    drawn = _next_fact(kinds[kind], chosen, rng)
                    if drawn is None:
                        del kinds[kind]
                        break
                    yield drawn


def _next_fact(
    facts: list[QuestionFact],
    chosen: dict[tuple[str, str], str],
    rng: random.Random,
) -> QuestionFact | None:
    """Take facts off the list until one is in the language drawn for its element."""
    while facts:
        fact = facts.pop()
        language = chosen.setdefault(
            (fact.kind, fact.element), "zh" if rng.random() < CHINESE_SHARE else "en"
        )
        short = len(fact.answer) <= LONGEST_ANSWER or rng.random() < LONG_SHARE
        if fact.language == language and short:
            return fact
    return None


def read_repository(file: Path) -> RepositoryFacts:
    """Read a file of facts; the project's name is the one that questions use."""
    rows = (json.loads(line) for line in file.read_text("utf-8").splitlines())
    facts = tuple(QuestionFact(**row) for row in rows)
    names = [f.fields["project"] for f in facts if "project" in f.fields]
    project = max(set(names), key=names.count) if names else file.stem
    return RepositoryFacts(file.stem, project, facts)


@cache
def held_out_phrasings(language: str) -> Mapping[str, tuple[str, ...]]:
    """Return the question templates that are never trained, for measuring a model."""
    path = data_folder("configs") / "questions" / f"{language}.toml"
    tables = tomllib.loads(path.read_text("utf-8"))
    return {
        name: tuple(table["held_out"])
        for name, table in tables.items()
        if isinstance(table, dict) and "held_out" in table
    }


def known_fields(fact: QuestionFact, project: str) -> dict[str, str]:
    """Return the fields of a fact, and those that its element's id gives."""
    known = {"project": project, **fact.fields}
    path, _, qual = fact.element.partition("::")
    if qual and fact.task != "code_change":
        known.setdefault("path", path)
        known.setdefault("short", qual.rpartition(".")[2])
    return known


def ask(
    fact: QuestionFact,
    fields: Mapping[str, str],
    rng: random.Random,
    pool: Pool = phrasings,
) -> AskedQuestion | None:
    """Return the fact in one of its phrasings; None if it has the fields of none."""
    known = fields.keys()
    all_of_kind = pool(fact.language)[fact.kind]
    fitting = [text for text in all_of_kind if fields_in(text) <= known]
    if not fitting:
        return None
    question = rng.choice(fitting).format_map(fields)
    return AskedQuestion(fact.kind, question, fact.answer)


def conversations(
    repository: RepositoryFacts, most: int, rng: random.Random, pool: Pool = phrasings
) -> Iterator[AskedQuestion]:
    """Yield at most so many conversations about a repository."""
    for fact in repository.in_turn(rng):
        if most == 0:
            return
        found = ask(fact, known_fields(fact, repository.project), rng, pool)
        if found and len(found.question) + len(found.answer) <= LONGEST:
            most -= 1
            yield found


def render_chat(question: str, answer: str) -> tuple[str, str]:
    """Return what the chat template makes of them: up to the answer, and the rest."""
    return (
        f"{TURN_START}user\n{question}{TURN_END}\n{TURN_START}assistant\n",
        f"{answer}{TURN_END}\n",
    )
