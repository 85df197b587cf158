"""Ask a fact in more phrasings than its samples have, those of `configs/paraphrases`.

A sample's question is a template with its fields filled in. The fields are read back
out of it, and fill every other template of the kind that needs no others. So a
paraphrase names what the samples name, and is as unambiguous as they are.

The held-out phrasings of a kind are in no pool; nothing that is trained uses them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from repobuild.resources import data_folder
from repobuild.samples.tasks.phrases import (
    NUMBERS,
    FactKind,
    kinds_by_number,
    load_phrases,
)

_FIELD = re.compile(r"\{(\w+)\}")


def paraphrases(
    task: str,
    language: str,
    asked: Iterable[tuple[int, str]],
    order: Callable[[str], bytes],
) -> list[str]:
    """Return the questions that ask the same fact in other words, by their `order`.

    `asked` holds (number of the sample's key, question) of the samples of one fact.
    Unknown tasks and numbers have none. Those that name nothing ("Where are the
    tests?") come first: only facts about the project have them, and who sits in a
    checkout asks so. Then, if the kind says that something is gone, the words in which
    samples ask where it was: any of them may have been taught the old answer. Without,
    9 of 22 questions for what commits of click had removed got the old path, 7 of them
    although the adapter was right in the words that it was taught.
    """
    fields: dict[str, str] = {}
    kind: FactKind | None = None
    for number, question in asked:
        kind = kinds_by_number(language).get((task, number // NUMBERS))
        place = number % NUMBERS
        if kind is None or place >= len(kind.questions):
            return []
        fields |= fields_of(question, kind.questions[place]) or {}
    if kind is None:
        return []
    first = set(kind.questions) if shares_words(kind, language) else set[str]()
    found = {
        template.format_map(fields): (bool(fields_in(template)), template not in first)
        for template in phrasings(language)[kind.name]
        if fields_in(template) <= fields.keys()
    }
    return sorted(found, key=lambda text: (found[text], order(text)))


def shares_words(kind: FactKind, language: str) -> bool:
    """Return whether a kind answers the questions of another one, which is above it."""
    kinds = load_phrases(language).kinds.values()
    return kind != next(other for other in kinds if other.questions == kind.questions)


@cache
def phrasings(language: str) -> Mapping[str, tuple[str, ...]]:
    """Return the question templates of every kind, none of them held out."""
    more = _more_questions(language)
    return {
        name: (*kind.questions, *more.get(name, ()))
        for name, kind in load_phrases(language).kinds.items()
    }


def fields_of(question: str, template: str) -> dict[str, str] | None:
    """Return the fields that fill a template so that it becomes the question."""
    match = _pattern(template).fullmatch(question)
    return None if match is None else match.groupdict()


@cache
def _pattern(template: str) -> re.Pattern[str]:
    pattern, seen, end = "", set[str](), 0
    for field in _FIELD.finditer(template):
        name = field[1]
        pattern += re.escape(template[end : field.start()])
        pattern += f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"
        seen.add(name)
        end = field.end()
    return re.compile(pattern + re.escape(template[end:]), re.DOTALL)


@cache
def fields_in(template: str) -> frozenset[str]:
    """Return the names of a template's fields."""
    return frozenset(_FIELD.findall(template))


def _more_questions(language: str) -> Mapping[str, tuple[str, ...]]:
    """Return the further questions of each kind; a language may have none."""
    path = data_folder("configs") / "paraphrases" / f"{language}.toml"
    if not path.is_file():
        return {}
    tables = tomllib.loads(path.read_text("utf-8"))
    return {
        name: tuple(table["questions"])
        for name, table in tables.items()
        if isinstance(table, dict)
    }
