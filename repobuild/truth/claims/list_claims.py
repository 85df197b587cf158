"""Lists in an answer, read back: names, the file behind them, and whether more exist.

"`a`, `b` (in `x.py`), `c` (in `y.py`) and others": names without a file stand in the
file that the sample is about. Where a run of names ends in a file, the text does not
say whether the first ones are meant, too: the sample's sources decide, and every name
must be one of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from repobuild.truth.answer_template import AnswerTemplates

_NAME = re.compile(r"`([^`\n]+)`")
_COUNT = re.compile(r"#\d+")
_MARK = "\0"


@dataclass(frozen=True, slots=True)
class ParsedList:
    """Ids in the order of the text; `more` when the text says that there are more."""

    ids: tuple[str, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class ListedName:
    """A name, with the file that follows it right away, if one does."""

    name: str
    path: str


def shown(qual: str) -> str:
    return _COUNT.sub("", qual)


def without_more(text: str, frames: AnswerTemplates) -> tuple[str, bool]:
    """The list itself, and whether the text says that there are more."""
    before, after = frames.words["more"].split("{items}")
    if text.startswith(before) and text.endswith(after):
        return text[len(before) : len(text) - len(after)], True
    return text, False


def names(text: str, frames: AnswerTemplates) -> list[ListedName] | None:
    """Read a list without its end; None when it is none."""
    before, after = frames.parts["mention"].replace("{path}", _MARK).split("{names}")
    file = re.compile(re.escape(after).replace(_MARK, r"([^`\n]+)"))
    join = frames.words["join"]
    found: list[ListedName] = []
    place = 0
    while place < len(text):
        if found:
            if not text.startswith(join, place):
                return None
            place += len(join)
        place += len(before) if before and text.startswith(before, place) else 0
        name = _NAME.match(text, place)
        if name is None:
            return None
        behind = file.match(text, name.end())
        found.append(ListedName(name[1], behind[1] if behind else ""))
        place = behind.end() if behind else name.end()
    return found


def listing(
    text: str, frames: AnswerTemplates, path: str, sources: Sequence[str]
) -> ParsedList | str:
    """Return the ids that a list means, or what is wrong with it."""
    bare, more = without_more(text, frames)
    found = names(bare, frames)
    if not found:
        return "it cannot be read as a list"
    waiting = [*sources[1:], *sources[:1]]  # the sample's own element comes first
    ids: list[str] = []
    for number, named in enumerate(found):
        behind = next((other.path for other in found[number:] if other.path), "")
        options = [named.path] if named.path else [path, behind, ""]
        id = _source(named.name, options, waiting)
        if id is None:
            return f"`{named.name}` is none of the sample's sources"
        waiting.remove(id)
        ids.append(id)
    return ParsedList(tuple(ids), more)


def _source(name: str, options: list[str], sources: list[str]) -> str | None:
    """The first source that a name means, in one of these files or as a file."""
    for id in sources:
        path, _, qual = id.partition("::")
        if qual and path in options and shown(qual) == name:
            return id
        if not qual and path == name and "" in options:
            return id
    return None
