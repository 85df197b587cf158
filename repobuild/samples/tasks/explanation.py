"""Task `code_explanation`: what an element is and what it is for."""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope

_NO_OWN = ["__init__"]  # a class with nothing else has no methods to list
_CODE_HALF = 2  # code is shown in one half of the cases and asked about in the other


def facts(about: FactScope) -> Iterator[Fact]:
    kind = about.get("kind")
    if kind in ("function", "method", "class"):
        yield from _element(about)
    elif kind == "section":
        yield from _passage(about)
    elif about.get("summary"):
        yield _module(about)


def _element(about: FactScope) -> Iterator[Fact]:
    if about.get("summary"):
        yield _explain(about)
    else:
        yield from _sketch(about)
    if about.get("kind") == "class" and (about.get("members") or _NO_OWN) != _NO_OWN:
        yield _members(about)
    if about.get("body"):
        yield from _code(about)


def _explain(about: FactScope) -> Fact:
    container = ""
    if about.get("kind") == "method":
        container = about.phrases.part("container", container=about.get("container"))
    answer = (
        about.answer("explain")
        + container
        + answer_parts.summary(about)
        + answer_parts.signature(about)
        + answer_parts.parameters(about, described=True)
        + answer_parts.returns(about)
    )
    return Fact("explain", answer, (about.id,))


def _sketch(about: FactScope) -> Iterator[Fact]:
    """Without a docstring: what signature and callees tell, if they do."""
    callees, sources = answer_parts.told(about, "callees")
    if not callees or about.get("name").startswith("__"):
        return
    answer = about.answer("sketch") + answer_parts.signature(about)
    answer += about.phrases.part("calls", members=callees)
    yield Fact("sketch", answer, sources, "medium")


def _members(about: FactScope) -> Fact:
    names = [f"`{name}`" for name in about.get("members")]
    members = answer_parts.listed(about, names, "members" in (about.get("more") or ()))
    answer = about.answer("members", members=members)
    return Fact("members", answer, (about.id,))


def _module(about: FactScope) -> Fact:
    answer = about.answer("module") + answer_parts.summary(about)
    if about.get("kind") == "document":  # its sections have a question of their own
        return Fact("module", answer, (about.id,))
    members, sources = answer_parts.told(about, "members")
    if members:
        answer += about.phrases.part("defines", members=members)
    return Fact("module", answer, sources or (about.id,))


def _passage(about: FactScope) -> Iterator[Fact]:
    text = about.get("summary")
    if text:
        answer = about.answer("passage", text=text)
        yield Fact("passage", answer, (about.id,))


def _code(about: FactScope) -> Iterator[Fact]:
    """Quote the code, or show it and ask what it is for."""
    code = about.get("head") + "\n" + about.get("body")
    summary = about.get("summary")
    if summary and len(about.get("body")) % _CODE_HALF:
        shown = {"code": code}
        answer = about.answer("describe", summary=summary)
        yield Fact("describe", answer, (about.id,), "medium", shown)
        return
    answer = about.answer("code", code=answer_parts.code(about, code))
    yield Fact("code", answer, (about.id,), "medium")
