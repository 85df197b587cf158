"""Task `project_overview`: what the project is, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope


def facts(about: FactScope) -> Iterator[Fact]:
    if about.get("kind") != "project":
        return
    source = (about.id,)
    if text := about.get("description"):
        yield Fact("purpose", about.answer("purpose", description=text), source)
    if modules := _modules(about):
        yield Fact("modules", about.answer("modules", members=modules), source)
    if names := [f"`{name}`" for name in about.get("technologies") or []]:
        members = about.phrases.listed(names)
        answer = about.answer("technologies", members=members)
        yield Fact("technologies", answer, source)
    yield from _architecture(about)
    if counts := about.get("counts"):
        numbers = {name: str(count) for name, count in counts.items()}
        yield Fact("statistics", about.answer("statistics", **numbers), source)


def _modules(about: FactScope) -> str:
    rows = about.get("modules") or []
    return answer_parts.listed(about, [f"`{path}`" for path, _ in rows])


def _architecture(about: FactScope) -> Iterator[Fact]:
    """The style, and what each key module is for."""
    style = about.get("style")
    if not style:
        return
    shown = about.phrases.words.get("style_" + style.replace(" ", "_"), style)
    answer = about.answer("architecture", style=shown)
    lines = [
        f"\n- `{path}`" + (about.phrases.part("purpose", text=text) if text else "")
        for path, text in about.get("modules") or []
    ]
    if lines:
        answer += about.phrases.part(
            "modules", items="".join(lines[: answer_parts.MEMBERS])
        )
    yield Fact("architecture", answer, (about.id,), "hard")
