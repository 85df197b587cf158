"""Task `project_overview`: what the project is, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope


def facts(scope: FactScope) -> Iterator[Fact]:
    if scope.get("kind") != "project":
        return
    source = (scope.id,)
    if text := scope.get("description"):
        yield Fact("purpose", scope.answer("purpose", description=text), source)
    paths = [f"`{path}`" for path, _ in scope.get("modules") or []]
    if modules := answer_parts.list_texts(scope, paths):
        yield Fact("modules", scope.answer("modules", members=modules), source)
    if names := [f"`{name}`" for name in scope.get("technologies") or []]:
        members = scope.phrases.listed(names)
        answer = scope.answer("technologies", members=members)
        yield Fact("technologies", answer, source)
    yield from _architecture(scope)
    if counts := scope.get("counts"):
        numbers = {name: str(count) for name, count in counts.items()}
        yield Fact("statistics", scope.answer("statistics", **numbers), source)


def _architecture(scope: FactScope) -> Iterator[Fact]:
    """Name the architectural style, and what each key module is for."""
    style = scope.get("style")
    if not style:
        return
    label = scope.phrases.words.get("style_" + style.replace(" ", "_"), style)
    answer = scope.answer("architecture", style=label)
    lines = [
        f"\n- `{path}`" + (scope.phrases.part("purpose", text=text) if text else "")
        for path, text in scope.get("modules") or []
    ]
    if lines:
        items = "".join(lines[: answer_parts.MAX_NAMES])
        answer += scope.phrases.part("modules", items=items)
    yield Fact("architecture", answer, (scope.id,), "hard")
