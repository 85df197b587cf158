"""Task `architecture_understanding`: how the parts hang together."""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope
from repobuild.samples.tasks.trace import Trace, code, merged, numbered

_FAMILY = 2  # subclasses that make a base class a pattern


def facts(about: FactScope) -> Iterator[Fact]:
    kind = about.get("kind")
    if kind in ("module", "file"):
        yield from _neighbours(about)
    elif kind == "lines":
        yield from _example(about)
    elif kind == "class" and len(about.get("subclasses")) >= _FAMILY:
        yield from _extend(about)
    elif kind in ("function", "class") and not about.get("name").startswith("__"):
        yield from _place(about)


def _neighbours(about: FactScope) -> Iterator[Fact]:
    for kind in ("imports", "importers"):
        text, sources = answer_parts.told(about, kind)
        if text:
            yield Fact(kind, about.answer(kind, members=text), sources, "medium")


def _extend(about: FactScope) -> Iterator[Fact]:
    """Steps for one more subclass, each resting on what the others do."""
    ids = about.seen(about.get("subclasses"))
    if not ids:
        return
    part = about.phrases.part
    model = ids[0]
    steps = [
        part(
            "step_subclass",
            name=about.get("label"),
            model=answer_parts.mention(about, model),
        )
    ]
    hooks = [f"`{name}`" for name in about.get("members") or [] if _is_hook(name)]
    if hooks:
        steps.append(part("step_methods", members=answer_parts.listed(about, hooks)))
    users, sources = answer_parts.told(about, "callers")
    if users:
        steps.append(part("step_users", members=users))
    tests, tested = answer_parts.told(about, "tests")
    if tests:
        steps.append(part("step_tests", members=tests))
    trace = Trace(about)
    trace.cite("pattern_subclasses", "subclasses")
    trace.cite("graph_callers", "callers")
    trace.cite("graph_callees", "callees")
    answer = about.answer("extend") + numbered(steps) + trace.written() + code(about)
    cited = tuple(trace.sources)
    yield Fact(
        "extend", answer, merged((about.id, model), sources, tested, cited), "hard"
    )


def _is_hook(name: str) -> bool:
    return not name.startswith("__")


def _place(about: FactScope) -> Iterator[Fact]:
    """Module, what uses it, what it uses: only with both sides is there a place."""
    users, sources = answer_parts.told(about, "callers")
    used, more = answer_parts.told(about, "callees")
    if not users or not used:
        return
    part = about.phrases.part
    answer = about.answer("place")
    if text := about.get("module_summary"):
        answer += part("module_summary", summary=text)
    answer += part("used_by", members=users) + part("calls", members=used)
    trace = Trace(about)
    trace.pattern()
    trace.cite("trace_tests", "tests")
    if trace.steps:
        answer += trace.written()
    answer += code(about)
    yield Fact("place", answer, merged(sources, more, tuple(trace.sources)), "hard")


def _example(about: FactScope) -> Iterator[Fact]:
    """A real subclass, with the lines of its methods, as the model of another one."""
    rows = about.get("members")
    bases = about.seen(list(about.get("bases") or ()))
    if not rows or not bases:
        return
    part = about.phrases.part
    members = [
        part("lines_of", name=name, start=str(start), end=str(end))
        for name, start, end in rows
    ]
    trace = Trace(about)
    trace.cite("graph_bases", "bases")
    trace.steps.append(part("trace_members", members=about.phrases.listed(members)))
    trace.cite("graph_callers", "callers")
    trace.cite("trace_tests", "tests")
    fields = {
        "base": answer_parts.mention(about, bases[0]),
        "start": str(about.get("start")),
        "end": str(about.get("end")),
    }
    answer = about.answer("example", **fields) + trace.written()
    sources = merged((about.id,), tuple(trace.sources))
    yield Fact("example", answer, sources, "hard", fields)
