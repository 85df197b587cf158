"""Task `architecture_understanding`: how the parts hang together."""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.samples import pieces
from repobuild.samples.fact import About, Fact

_FAMILY = 2  # subclasses that make a base class a pattern


def facts(about: About) -> Iterator[Fact]:
    kind = about.get("kind")
    if kind in ("module", "file"):
        yield from _neighbours(about)
    elif kind == "class" and len(about.get("subclasses")) >= _FAMILY:
        yield from _extend(about)
    elif kind in ("function", "class") and not about.get("name").startswith("__"):
        yield from _place(about)


def _neighbours(about: About) -> Iterator[Fact]:
    for kind in ("imports", "importers"):
        text, sources = pieces.told(about, kind)
        if text:
            yield Fact(kind, about.answer(kind, members=text), sources, "medium")


def _extend(about: About) -> Iterator[Fact]:
    """Steps for one more subclass, each resting on what the others do."""
    ids = about.seen(about.get("subclasses"))
    if not ids:
        return
    part = about.phrases.part
    model = ids[0]
    steps = [part("step_subclass", model=pieces.mention(about, model))]
    hooks = [f"`{name}`" for name in about.get("members") or []]
    if hooks:
        steps.append(part("step_methods", members=pieces.listed(about, hooks)))
    users, sources = pieces.told(about, "callers")
    if users:
        steps.append(part("step_users", members=users))
    tests, tested = pieces.told(about, "tests")
    if tests:
        steps.append(part("step_tests", members=tests))
    answer = about.answer("extend") + numbered(steps)
    yield Fact("extend", answer, merged((about.id, model), sources, tested), "hard")


def _place(about: About) -> Iterator[Fact]:
    """Module, what uses it, what it uses: only with both sides is there a place."""
    users, sources = pieces.told(about, "callers")
    used, more = pieces.told(about, "callees")
    if not users or not used:
        return
    part = about.phrases.part
    answer = about.answer("place")
    if text := about.get("module_summary"):
        answer += part("module_summary", summary=text)
    answer += part("used_by", members=users) + part("calls", members=used)
    yield Fact("place", answer, merged(sources, more), "hard")


def numbered(steps: list[str]) -> str:
    return "".join(f"\n{n}. {step}" for n, step in enumerate(steps, 1))


def merged(*groups: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id for group in groups for id in group))
