"""Match a sample's text against the templates of its question file.

A template `{name} is defined in {path}` becomes a pattern whose groups are the fields:
matching inverts the rendering that made the text. The pattern has to match the whole
text, so that every word of it belongs either to the template or to a field.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

from repobuild.resources import data_folder
from repobuild.truth.structure import INLINE_CODE, REPEATED, STRUCTURE

NUMBERS_PER_KIND = 10  # sample numbers of a kind; the last is the held-out question's
_FIELD = re.compile(r"\{(\w+)\}")
_MULTILINE_FIELDS = frozenset(
    {"body", "code", "items", "reasons", "description", "style"}
)
_MULTILINE_PARTS = ("change_signature", "summary")
_NAME_FIELDS = frozenset("name short path container other other_path".split())
_LINE = r"[^\n]+?"
_LINES = r"(?s:.+?)"
_DEFAULTS = r"(?P<defaults>(?:\n\n\*\*[^\n]+)*?)"

Fields = dict[tuple[str, str], str]  # (kind or part, field) -> the text in its place


class UnknownKindError(Exception):
    """No check exists for samples of this kind."""


class _Piece(NamedTuple):
    """A template, or without one an entry of `STRUCTURE` in its notation."""

    part: str
    template: str = ""


@dataclass(frozen=True)
class AnswerTemplates:
    """One language's question file."""

    words: Mapping[str, str]
    parts: Mapping[str, str]
    kinds: Mapping[str, Mapping[str, Any]]
    kind_by_number: Mapping[tuple[str, int], str]  # (task, number // 10) -> kind
    _patterns: dict[tuple[_Piece, ...], _TemplatePattern] = field(
        default_factory=dict, init=False
    )

    @cached_property
    def end_of_counted_list(self) -> str:
        """A pattern for what ends a list that says how many there are in all."""
        end = re.escape(self.words["more_of"].partition("{items}")[2])
        return end.replace(r"\{total\}", r"(\d+)").replace(r"\ ", r"\ ?", 1) + "$"

    def kind(self, task: str, number: int) -> str:
        """Return the kind of a sample by its key. Raises `UnknownKindError`."""
        kind = self.kind_by_number.get((task, number // NUMBERS_PER_KIND), "")
        if kind not in STRUCTURE:
            raise UnknownKindError(f'no check for "{kind or task}"')
        return kind

    def match_question(self, kind: str, number: int, text: str) -> Fields | None:
        table, index = self.kinds[kind], number % NUMBERS_PER_KIND
        held_out = index == NUMBERS_PER_KIND - 1
        template = table["held_out"][0] if held_out else table["questions"][index]
        return self._match([_Piece(kind, template)], text)

    def match_answer(self, kind: str, text: str) -> Fields | None:
        answer = _Piece(kind, self.kinds[kind]["answer"])
        return self._match([answer, *map(_Piece, STRUCTURE[kind])], text)

    def match_parts(self, names: Sequence[str], text: str) -> list[Fields]:
        """Read a text as each of these parts that it can be."""
        readings = (self._match([_Piece(n, self.parts[n])], text) for n in names)
        return [fields for fields in readings if fields is not None]

    def match_sequence(self, entries: Sequence[str], text: str) -> Fields | None:
        """Read a text as these parts in this order; `?` and `|` as in `STRUCTURE`."""
        return self._match(list(map(_Piece, entries)), text)

    def _match(self, pieces: Sequence[_Piece], text: str) -> Fields | None:
        key = tuple(pieces)
        if key not in self._patterns:
            self._patterns[key] = _TemplatePattern(self.words, self.parts, key)
        return self._patterns[key].match(text)


class _TemplatePattern:
    """One regular expression for a sequence of templates."""

    def __init__(
        self,
        words: Mapping[str, str],
        parts: Mapping[str, str],
        pieces: Sequence[_Piece],
    ) -> None:
        self._words, self._parts = words, parts
        self._groups: dict[str, tuple[str, str]] = {}  # group -> (part, field)
        self._expression = re.compile("".join(map(self._piece, pieces)))

    def match(self, text: str) -> Fields | None:
        match = self._expression.fullmatch(text)
        if match is None:
            return None
        return {
            self._groups[group]: value
            for group, value in match.groupdict().items()
            if value is not None
        }

    def _piece(self, piece: _Piece) -> str:
        entry, template = piece
        if template:
            return self._template(entry, template)
        if entry == REPEATED:
            self._groups["defaults"] = ("", "defaults")
            return _DEFAULTS
        names = entry.rstrip("?").split("|")
        options = [self._template(name, self._parts[name]) for name in names]
        return f"(?:{'|'.join(options)})" + ("?" if entry.endswith("?") else "")

    def _template(self, part: str, template: str) -> str:
        """Return a template's pattern; a repeated field must have the same text."""
        if not _FIELD.search(template):
            # No field: its own text is the field, so that a claim can be made of it.
            group = f"{part}__said"
            self._groups[group] = (part, "said")
            return f"(?P<{group}>{re.escape(template)})"
        pieces = []
        for index, text in enumerate(_FIELD.split(template)):
            group = f"{part}__{text}"
            if index % 2 == 0:
                pieces.append(re.escape(text))
            elif group in self._groups:
                pieces.append(f"(?P={group})")
            else:
                pieces.append(self._field(part, text, template))
        return "".join(pieces)

    def _field(self, part: str, name: str, template: str) -> str:
        if name == "code" and "```" not in template and part not in INLINE_CODE:
            return self._template(part, self._words["code"])
        group = f"{part}__{name}"
        self._groups[group] = (part, name)
        if f"`{{{name}}}`" in template and name in _NAME_FIELDS:
            return f"(?P<{group}>[^`\\n]+)"
        multiline = name in _MULTILINE_FIELDS or part in _MULTILINE_PARTS
        return f"(?P<{group}>{_LINES if multiline else _LINE})"


@cache
def answer_templates(language: str) -> AnswerTemplates:
    """Return the templates of a language's question file."""
    return read_templates(data_folder("configs") / "questions" / f"{language}.toml")


def read_templates(path: Path) -> AnswerTemplates:
    body = tomllib.loads(path.read_text("utf-8"))
    kinds = {k: v for k, v in body.items() if isinstance(v, dict) and "task" in v}
    kind_by_number: dict[tuple[str, int], str] = {}
    counts: dict[str, int] = {}
    for kind, table in kinds.items():
        task = table["task"]
        kind_by_number[task, counts.get(task, 0)] = kind
        counts[task] = counts.get(task, 0) + 1
    return AnswerTemplates(body["words"], body["parts"], kinds, kind_by_number)
