"""Task `code_location`: where something is, and what is where."""

from __future__ import annotations

import re
from collections.abc import Iterator

from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope

# A heading that one document has: not "Options", not "Version 8.1".
_TELLING = re.compile(
    r"(?i)^(?!version\b|v?\d)(?=.*[^\W\d]{3}.*\s.*[^\W\d]{3}|[^\x00-\x7f]{4})"
)
SHORTEST_CLUE = 24  # characters; "Return the name." could be anything


def facts(about: FactScope) -> Iterator[Fact]:
    kind = about.get("kind")
    if kind == "lines":
        yield _lines(about)
    elif kind in ("function", "method", "class"):
        yield from _element(about)
    elif kind == "section":
        if _TELLING.search(str(about.get("label"))):
            yield Fact("heading", about.answer("heading"), (about.id,))
    elif kind == "document":
        yield from _sections(about)
    elif kind in ("module", "file"):
        yield from _contents(about)


def _element(about: FactScope) -> Iterator[Fact]:
    # Nobody asks where a test is, and its name is hard to learn: after one training on
    # both, 62 % of the paths of code were right in a trained phrasing, 17 % of tests'.
    if about.get("brief"):
        return
    if about.get("label"):
        yield Fact("location", about.answer("location"), (about.id,))
    clue = about.get("summary")
    if len(clue) >= SHORTEST_CLUE and not about.get("name").startswith("__"):
        fields = {"summary": clue}
        yield Fact("reverse", about.answer("reverse"), (about.id,), "medium", fields)
    if about.get("kind") == "method" and about.get("sole"):
        yield Fact("container", about.answer("container"), (about.id,))


def _lines(about: FactScope) -> Fact:
    start, end = str(about.get("start")), str(about.get("end"))
    element = about.id
    return Fact("lines", about.answer("lines", start=start, end=end), (element,))


def _contents(about: FactScope) -> Iterator[Fact]:
    text, sources = answer_parts.told(about, "members")
    if text and not about.get("brief"):
        yield Fact("contents", about.answer("contents", members=text), sources)


def _sections(about: FactScope) -> Iterator[Fact]:
    titles = [f'"{title}"' for title in about.get("titles") or []]
    if titles:
        text = answer_parts.listed(
            about, titles, "members" in (about.get("more") or ())
        )
        sources = (about.id, *about.get("members"))
        yield Fact("sections", about.answer("sections", members=text), sources)
