"""Task `code_explanation`: what an element is and what it is for."""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope

_ONLY_INIT = ["__init__"]  # such a class has no methods worth listing


def facts(scope: FactScope) -> Iterator[Fact]:
    kind = scope.get("kind")
    if kind in ("function", "method", "class"):
        yield from _element(scope)
    elif kind == "section":
        if text := scope.get("summary"):
            yield Fact("passage", scope.answer("passage", text=text), (scope.id,))
    elif scope.get("summary"):
        yield _module(scope)


def _element(scope: FactScope) -> Iterator[Fact]:
    if scope.get("summary"):
        yield _explain(scope)
    else:
        yield from _sketch(scope)
    members = scope.get("members") or _ONLY_INIT
    if scope.get("kind") == "class" and members != _ONLY_INIT:
        names = [f"`{name}`" for name in members]
        more = "members" in (scope.get("more") or ())
        text = answer_parts.list_texts(scope, names, more)
        yield Fact("members", scope.answer("members", members=text), (scope.id,))
    if scope.get("body"):
        yield _code(scope)


def _explain(scope: FactScope) -> Fact:
    container = ""
    if scope.get("kind") == "method" and scope.get("container"):
        container = scope.phrases.part("container", container=scope.get("container"))
    answer = (
        scope.answer("explain")
        + container
        + answer_parts.render_summary(scope)
        + answer_parts.render_signature(scope)
        + answer_parts.render_parameters(scope, described=True)
        + answer_parts.render_returns(scope)
    )
    return Fact("explain", answer, (scope.id,))


def _sketch(scope: FactScope) -> Iterator[Fact]:
    """Describe an element without a docstring by its signature and callees."""
    callees, ids = answer_parts.list_field(scope, "callees")
    if not callees or scope.get("name").startswith("__"):
        return
    answer = scope.answer("sketch") + answer_parts.render_signature(scope)
    answer += scope.phrases.part("calls", members=callees)
    yield Fact("sketch", answer, (scope.id, *ids), "medium")


def _module(scope: FactScope) -> Fact:
    answer = scope.answer("module") + answer_parts.render_summary(scope)
    if scope.get("kind") == "document":  # its sections have a question of their own
        return Fact("module", answer, (scope.id,))
    members, ids = answer_parts.list_field(scope, "members")
    if members:
        answer += scope.phrases.part("defines", members=members)
    return Fact("module", answer, (scope.id, *ids))


def _code(scope: FactScope) -> Fact:
    """Quote the code, or show it and ask what it is for: half of the elements each."""
    code = scope.get("head") + "\n" + scope.get("body")
    summary = scope.get("summary")
    if summary and len(scope.get("body")) % 2:
        answer = scope.answer("describe", summary=summary)
        return Fact("describe", answer, (scope.id,), "medium", {"code": code})
    answer = scope.answer("code", code=answer_parts.render_code(scope, code))
    return Fact("code", answer, (scope.id,), "medium")
