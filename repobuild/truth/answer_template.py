"""The frames of a question file, turned round: from a text back to what filled them.

A frame `{name} is defined in {path}` becomes a pattern whose groups are the fields. The
pattern must match the whole text, so nothing stands in a text that no field holds.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from repobuild.resources import folder
from repobuild.truth.structure import INLINE, REPEATED, STEP, STRUCTURE

NUMBERS = 10  # sample numbers of a kind; the last is the held-out question's
_FIELD = re.compile(r"\{(\w+)\}")
_MANY_LINES = frozenset({"body", "items", "description", "style"})
_NAMES = frozenset("name short path container other other_path".split())
_LINE = r"[^\n]+?"
_DEFAULTS = r"(?P<defaults>(?:\n\n\*\*[^\n]+)*?)"
_STEP = r"(?P<steps>(?:\n\d+\. [^\n]+)+)"

Fields = dict[tuple[str, str], str]  # (frame or part, field) -> what stands there


class UnknownKindError(Exception):
    """A sample of a kind that nothing here can check."""


@dataclass(frozen=True)
class AnswerTemplates:
    """One language's question file."""

    words: Mapping[str, str]
    parts: Mapping[str, str]
    kinds: Mapping[str, Mapping[str, Any]]
    numbers: Mapping[tuple[str, int], str]  # (task, tens) -> kind

    def kind(self, task: str, number: int) -> str:
        """The kind of a sample, by its key. Raises `UnknownKindError`."""
        kind = self.numbers.get((task, number // NUMBERS), "")
        if kind not in STRUCTURE:
            raise UnknownKindError(f'no check for "{kind or task}"')
        return kind

    def question(self, kind: str, number: int, text: str) -> Fields | None:
        place = number % NUMBERS
        table = self.kinds[kind]
        if place == NUMBERS - 1:
            frame = table["held_out"][0]
        else:
            frame = table["questions"][place]
        return _match(self._compiled(f"q{frame}", ((kind, frame),)), text)

    def answer(self, kind: str, text: str) -> Fields | None:
        frames = [(kind, self.kinds[kind]["answer"])]
        frames += [(part, "") for part in STRUCTURE[kind]]
        return _match(self._compiled(f"a{kind}", tuple(frames)), text)

    def part(self, names: tuple[str, ...], text: str) -> list[Fields]:
        """Read a text as each of these parts that it can be."""
        found = []
        for name in names:
            pattern = self._compiled(f"p{name}", ((name, self.parts[name]),))
            fields = _match(pattern, text)
            if fields is not None:
                found.append(fields)
        return found

    def sequence(self, names: tuple[str, ...], text: str) -> Fields | None:
        """Read a text that is some of these parts, in this order."""
        key = "s" + " ".join(names)
        return _match(self._compiled(key, tuple((name, "") for name in names)), text)

    def _compiled(
        self, key: str, frames: tuple[tuple[str, str], ...]
    ) -> TemplatePattern:
        known: dict[str, TemplatePattern] = self.__dict__.setdefault("_patterns", {})
        if key not in known:
            groups: dict[str, tuple[str, str]] = {}
            text = "".join(self._piece(part, frame, groups) for part, frame in frames)
            known[key] = TemplatePattern(re.compile(text), groups)
        return known[key]

    def _piece(self, part: str, frame: str, groups: dict[str, tuple[str, str]]) -> str:
        """The pattern of a frame, or of a part as the structure names it."""
        if frame:
            return self._turned(part, frame, groups)
        if part == REPEATED:
            groups["defaults"] = ("", "defaults")
            return _DEFAULTS
        if part == STEP:
            groups["steps"] = ("", "steps")
            return _STEP
        names = part.rstrip("?").split("|")
        options = [self._turned(name, self.parts[name], groups) for name in names]
        return f"(?:{'|'.join(options)})" + ("?" if part.endswith("?") else "")

    def _turned(self, part: str, frame: str, groups: dict[str, tuple[str, str]]) -> str:
        """The pattern of one frame; a field that returns must say the same again."""
        pieces = []
        if not _FIELD.search(frame):
            groups[f"{part}__said"] = (part, "said")
            return f"(?P<{part}__said>{re.escape(frame)})"
        for place, text in enumerate(_FIELD.split(frame)):
            group = f"{part}__{text}"
            if place % 2 == 0:
                pieces.append(re.escape(text))
            elif group in groups:
                pieces.append(f"(?P={group})")
            else:
                pieces.append(self._field(part, text, frame, groups))
        return "".join(pieces)

    def _field(
        self, part: str, name: str, frame: str, groups: dict[str, tuple[str, str]]
    ) -> str:
        group = f"{part}__{name}"
        if name == "code" and "```" not in frame and part not in INLINE:
            return self._turned(part, self.words["code"], groups)
        groups[group] = (part, name)
        many = name in _MANY_LINES or name == "code" or part == "change_signature"
        if f"`{{{name}}}`" in frame and name in _NAMES:
            return f"(?P<{group}>[^`\\n]+)"
        return f"(?P<{group}>{'(?s:.+?)' if many else _LINE})"


@dataclass(frozen=True, slots=True)
class TemplatePattern:
    expression: re.Pattern[str]
    groups: Mapping[str, tuple[str, str]]


def _match(pattern: TemplatePattern, text: str) -> Fields | None:
    found = pattern.expression.fullmatch(text)
    if found is None:
        return None
    said = found.groupdict()
    return {
        pattern.groups[group]: value
        for group, value in said.items()
        if value is not None
    }


@cache
def answer_templates(language: str) -> AnswerTemplates:
    """Read a language's question file."""
    return read_templates(folder("configs") / "questions" / f"{language}.toml")


def read_templates(path: Path) -> AnswerTemplates:
    body = tomllib.loads(path.read_text("utf-8"))
    kinds = {k: v for k, v in body.items() if isinstance(v, dict) and "task" in v}
    numbers: dict[tuple[str, int], str] = {}
    counts: dict[str, int] = {}
    for kind, table in kinds.items():
        task = table["task"]
        numbers[task, counts.get(task, 0)] = kind
        counts[task] = counts.get(task, 0) + 1
    return AnswerTemplates(body["words"], body["parts"], kinds, numbers)
