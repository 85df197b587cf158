"""The question files: how facts are asked and answered in one language.

A file in `configs/questions/` holds one table per kind of fact. The number in a
sample's key comes from here: ten for each kind of a task, in the order of the file, the
question's place in its list added, the held-out question last. So a question that is
reworded keeps its key, and a new kind belongs at the end of its task, a new question at
the end of its list.
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
from repobuild.resources import folder

NUMBERS = 10  # sample numbers that a kind has; the last is the held-out question's
HELD_OUT = NUMBERS - 1
_TABLES = ("words", "parts")
_FIELDS = frozenset("task ask turns share questions held_out answer".split())


@dataclass(frozen=True, slots=True)
class PhraseKind:
    """One kind of fact: its questions and the frame of its answer."""

    name: str
    task: str
    questions: tuple[str, ...]
    held_out: str
    answer: str
    ask: int  # questions that one element gets
    turns: bool  # each element gets them in one of the languages, not in all
    share: float  # of the elements that get the fact at all
    number: int  # of its first question


@dataclass(frozen=True, slots=True)
class Phrases:
    """All kinds of one language, and the pieces that answers are made of."""

    language: str
    words: Mapping[str, str]
    parts: Mapping[str, str]
    kinds: Mapping[str, PhraseKind]

    def answer(self, kind: str, /, **fields: str) -> str:
        return self.kinds[kind].answer.format_map(fields)

    def part(self, name: str, /, **fields: str) -> str:
        return self.parts[name].format_map(fields)

    def listed(self, items: list[str], among_others: bool = False) -> str:
        """Join names as the language does; say so when there are more."""
        text = self.words["join"].join(items)
        return self.words["more"].format(items=text) if among_others else text


@cache
def phrases(language: str) -> Phrases:
    """Return the phrases of a language; raises `UsageError` when it has no file."""
    path = _file(language)
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.toml"))
        raise UsageError(
            f'no question file for language "{language}"{nearest(language, known)}\n'
            f'set samples.languages to some of {", ".join(known)}, or write "{path}"'
        )
    return read_phrases(path)


def ingredients(settings: Mapping[str, Value]) -> dict[str, Value]:
    """Return the digests of the question files: rewording them remakes samples."""
    return {
        f"questions.{language}": blake2b(
            _file(language).read_bytes() if _file(language).is_file() else b"",
            digest_size=16,
        ).hexdigest()
        for language in settings["samples.languages"]
    }


def read_phrases(path: Path) -> Phrases:
    """Read one question file."""
    body = tomllib.loads(path.read_text("utf-8"))
    numbers: dict[str, int] = {}
    kinds: dict[str, PhraseKind] = {}
    for name, table in body.items():
        if isinstance(table, dict) and name not in _TABLES:
            kinds[name] = _kind(path, name, table, numbers)
    return Phrases(body["language"], body["words"], body["parts"], kinds)


def _kind(
    path: Path, name: str, table: Mapping[str, Value], numbers: dict[str, int]
) -> PhraseKind:
    for field in table:
        if field not in _FIELDS:
            raise UsageError(
                f'unknown key "{name}.{field}" in "{path}"{nearest(field, _FIELDS)}'
            )
    questions = tuple(table["questions"])
    if len(questions) > HELD_OUT:
        raise UsageError(f'"{name}" in "{path}" has more than {HELD_OUT} questions')
    number = numbers.get(table["task"], 0)
    numbers[table["task"]] = number + NUMBERS
    return PhraseKind(
        name=name,
        task=table["task"],
        questions=questions,
        held_out=table["held_out"][0],
        answer=table["answer"],
        ask=min(table["ask"], len(questions)),
        turns=table.get("turns", False),
        share=table.get("share", 1.0),
        number=number,
    )


def _file(language: str) -> Path:
    return folder("configs") / "questions" / f"{language}.toml"
