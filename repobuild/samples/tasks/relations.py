"""Task `relations`: callers, callees, inheritance, tests; one fact for each list."""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope

_LISTS = (
    "callers",
    "callees",
    "bases",
    "subclasses",
    "overrides",
    "overridden",
    "tests",
)


def facts(about: FactScope) -> Iterator[Fact]:
    if about.get("kind") not in ("function", "method", "class"):
        return
    if about.get("name").startswith("__") and about.get("name") != "__init__":
        return
    for kind in _LISTS:
        text, sources = answer_parts.told(about, kind)
        if text:
            answer = about.answer(kind, members=text)
            yield Fact(kind, answer, sources, "medium")
