"""Read the question files: how facts are asked and answered in one language.

A file in `configs/questions/` has one table for each kind of fact. The number in a
sample's key is computed here: ten numbers for each kind of a task, in the order of the
file, plus the index of the question in its list; the held-out question has the last.
So a reworded question keeps its key. A new kind must come last in its task, and a new
question last in its list, or the keys of others move.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path

from repobuild.engine.contract import Value
from repobuild.errors import UsageError, nearest
from repobuild.resources import data_folder

AUTO = "auto"  # the setting that leaves the languages to the project's documents
NUMBERS = 10  # key numbers of a kind; the last is the held-out question's
HELD_OUT = NUMBERS - 1
_WIDE_BRACKET = "）"
_TABLES = ("words", "parts")
_FIELDS = frozenset("task ask turns share questions held_out answer".split())


@dataclass(frozen=True, slots=True)
class FactKind:
    """One kind of fact: its questions and the template of its answer."""

    name: str
    task: str
    questions: tuple[str, ...]
    held_out: str
    answer: str
    ask: int  # how many of the questions one element gets
    one_language: bool  # whether an element gets them in one language, not in all
    share: float  # 0..1, of the elements that get the fact at all
    number: int  # key number of its first question


@dataclass(frozen=True, slots=True)
class Phrases:
    """The templates of one language: kinds of facts, and what answers are made of."""

    language: str
    words: Mapping[str, str]  # single words, separators, code fences
    parts: Mapping[str, str]  # paragraphs and phrases of an answer
    kinds: Mapping[str, FactKind]

    def answer(self, kind: str, /, **fields: str) -> str:
        return self.kinds[kind].answer.format_map(fields)

    def part(self, name: str, /, **fields: str) -> str:
        return self.parts[name].format_map(fields)

    def listed(
        self, items: list[str], among_others: int = False, perhaps: bool = False
    ) -> str:
        """Join names as the language does; end with "and others" if asked to.

        `among_others` is how many there are in all, or true where nobody counted them.
        With `perhaps`, nobody knows whether there are others.
        """
        text = self.words["join"].join(items)
        if not among_others and not perhaps:
            return text
        is_counted = among_others > 1 and not perhaps
        word = "more_of" if is_counted else "more" if among_others else "perhaps"
        more = self.words[word]
        if text.endswith(_WIDE_BRACKET):  # which no space follows
            more = more.replace("{items} ", "{items}")
        return more.format(items=text, total=among_others)


@cache
def load_phrases(language: str) -> Phrases:
    """Return the phrases of a language. Raises `UsageError` if it has no file."""
    path = _file(language)
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.toml"))
        raise UsageError(
            f'no question file for language "{language}"{nearest(language, known)}\n'
            f'set samples.languages to some of {", ".join(known)}, or write "{path}"'
        )
    return read_phrases(path)


@cache
def kinds_by_number(language: str) -> Mapping[tuple[str, int], FactKind]:
    """Return the kinds of a language by (task, number of a sample's key // NUMBERS)."""
    kinds = load_phrases(language).kinds.values()
    return {(kind.task, kind.number // NUMBERS): kind for kind in kinds}


def ingredients(settings: Mapping[str, Value]) -> dict[str, Value]:
    """Return the digests of the question files, so that rewording remakes samples."""
    return {
        f"questions.{language}": blake2b(
            _file(language).read_bytes() if _file(language).is_file() else b"",
            digest_size=16,
        ).hexdigest()
        for language in question_languages(settings)
    }


def question_languages(settings: Mapping[str, Value]) -> list[str]:
    """Return the languages that questions may be in: all, if the documents decide."""
    chosen: list[str] | str = settings["samples.languages"]
    return list(known_languages() if chosen == AUTO else chosen)


@cache
def known_languages() -> tuple[str, ...]:
    """Return the languages that have a question file, sorted."""
    folder = data_folder("configs") / "questions"
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def read_phrases(path: Path) -> Phrases:
    """Read one question file. Raises `UsageError` if a kind is not as it must be."""
    body = tomllib.loads(path.read_text("utf-8"))
    numbers: dict[str, int] = {}
    kinds: dict[str, FactKind] = {}
    for name, table in body.items():
        if isinstance(table, dict) and name not in _TABLES:
            _check_kind(path, name, table)
            number = numbers.get(table["task"], 0)
            numbers[table["task"]] = number + NUMBERS
            kinds[name] = _kind(name, table, number)
    return Phrases(body["language"], body["words"], body["parts"], kinds)


def _check_kind(path: Path, name: str, table: Mapping[str, Value]) -> None:
    for field in table:
        if field not in _FIELDS:
            raise UsageError(
                f'unknown key "{name}.{field}" in "{path}"{nearest(field, _FIELDS)}'
            )
    if len(table["questions"]) > HELD_OUT:
        raise UsageError(f'"{name}" in "{path}" has more than {HELD_OUT} questions')


def _kind(name: str, table: Mapping[str, Value], number: int) -> FactKind:
    questions = tuple(table["questions"])
    return FactKind(
        name=name,
        task=table["task"],
        questions=questions,
        held_out=table["held_out"][0],
        answer=table["answer"],
        ask=min(table["ask"], len(questions)),
        one_language=table.get("turns", False),
        share=table.get("share", 1.0),
        number=number,
    )


def _file(language: str) -> Path:
    return data_folder("configs") / "questions" / f"{language}.toml"
