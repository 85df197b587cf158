"""Parse the lists in an answer: names, their files, and whether there are more.

In "`a`, `b` (in `x.py`), `c` (in `y.py`) and others", names without a file belong to
the file that the sample is about. Where a run of names ends in a file, the text does
not say whether the file applies to the first ones, too. The sample's sources decide it:
every name must be one of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from repobuild.truth.answer_template import AnswerTemplates
from repobuild.truth.tree.python_reader import display_name

_NAME = re.compile(r"`([^`\n]+)`")
_PATH_MARK = "\0"
_WIDE_BRACKET = "）"


@dataclass(frozen=True, slots=True)
class ParsedList:
    """The listed ids in text order; `has_more` when the text says there are others."""

    ids: tuple[str, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class ListedName:
    """A name, with the file that directly follows it, or ""."""

    name: str
    path: str


def strip_more(text: str, templates: AnswerTemplates) -> tuple[str, bool]:
    """Return the list without "and others", and whether the text says so.

    That there may be others claims nothing.
    """
    if counted := re.search(templates.end_of_counted_list, text):
        return text[: counted.start()], True
    for word in ("more", "perhaps"):
        before, after = templates.words[word].split("{items}")
        if text.endswith(_WIDE_BRACKET + after.lstrip()):
            after = after.lstrip()  # Chinese writes no space after a wide bracket
        if text.startswith(before) and text.endswith(after):
            return text[len(before) : len(text) - len(after)], word == "more"
    return text, False


def told_total(text: str, templates: AnswerTemplates) -> int:
    """Return how many a list says there are in all, 0 where it does not say so."""
    counted = re.search(templates.end_of_counted_list, text)
    return int(counted[1]) if counted else 0


def parse_names(text: str, templates: AnswerTemplates) -> list[ListedName] | None:
    """Parse a list without "and others"; None when the text is no list."""
    mention = templates.parts["mention"].replace("{path}", _PATH_MARK)
    before, after = mention.split("{names}")
    file = re.compile(re.escape(after).replace(_PATH_MARK, r"([^`\n]+)"))
    namesake = templates.parts["namesake"].split("{names}")[0]
    at_top = templates.parts["top_level"].split("`{path}`")[1]
    join = templates.words["join"]
    parsed: list[ListedName] = []
    position = 0
    while position < len(text):
        if parsed:
            if not text.startswith(join, position):
                return None
            position += len(join)
        position += len(before) if before and text.startswith(before, position) else 0
        position += len(namesake) if text.startswith(namesake, position) else 0
        name = _NAME.match(text, position)
        if name is None:
            return None
        path = file.match(text, name.end())
        parsed.append(ListedName(name[1], path[1] if path else ""))
        position = path.end() if path else name.end()
        position += len(at_top) if text.startswith(at_top, position) else 0
    return parsed


def parse_list(
    text: str, templates: AnswerTemplates, path: str, sources: Sequence[str]
) -> ParsedList | str:
    """Return the ids that a list names, or what is wrong with it."""
    bare, has_more = strip_more(text, templates)
    listed = parse_names(bare, templates)
    if not listed:
        return "it cannot be read as a list"
    unused = [*sources[1:], *sources[:1]]  # the sample's own element comes first
    ids: list[str] = []
    for index, one in enumerate(listed):
        next_path = next((other.path for other in listed[index:] if other.path), "")
        paths = [one.path] if one.path else [path, next_path, ""]
        id = _find_source(one.name, paths, unused)
        if id is None:
            return f"`{one.name}` is none of the sample's sources"
        unused.remove(id)
        ids.append(id)
    return ParsedList(tuple(ids), has_more)


def _find_source(name: str, paths: list[str], sources: list[str]) -> str | None:
    """Return the first source that a name means: in one of the files, or as a file."""
    for id in sources:
        path, _, qual = id.partition("::")
        if qual and path in paths and display_name(qual) == name:
            return id
        if not qual and path == name and "" in paths:
            return id
    return None
