"""Task `architecture_understanding`: how the parts depend on each other."""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope
from repobuild.samples.tasks.trace import Trace, merged, numbered, render_source

_PATTERN_SUBCLASSES = 2  # subclasses that make a base class a pattern to follow


def facts(scope: FactScope) -> Iterator[Fact]:
    kind = scope.get("kind")
    if kind in ("module", "file"):
        yield from _imports(scope)
    elif kind == "lines":
        yield from _example(scope)
    elif kind == "class" and len(scope.get("subclasses")) >= _PATTERN_SUBCLASSES:
        yield from _extend(scope)
    elif kind in ("function", "class") and not scope.get("name").startswith("__"):
        yield from _role(scope)


def _imports(scope: FactScope) -> Iterator[Fact]:
    for kind in ("imports", "importers"):
        text, ids = answer_parts.list_field(scope, kind)
        if text:
            answer = scope.answer(kind, members=text)
            yield Fact(kind, answer, (scope.id, *ids), "medium")


def _extend(scope: FactScope) -> Iterator[Fact]:
    """How to write one more subclass, after the model of an existing one."""
    ids = scope.without_held_out(scope.get("subclasses"))
    if not ids:
        return
    part = scope.phrases.part
    model = answer_parts.element_name(scope, ids[0])
    steps = [part("step_subclass", name=scope.get("label"), model=model)]
    methods = [
        f"`{name}`" for name in scope.get("members") or [] if not name.startswith("__")
    ]
    if methods:
        listed = answer_parts.list_texts(scope, methods)
        steps.append(part("step_methods", members=listed))
    users, callers = answer_parts.list_field(scope, "callers")
    if users:
        steps.append(part("step_users", members=users))
    tested, tests = answer_parts.list_field(scope, "tests")
    if tested:
        steps.append(part("step_tests", members=tested))
    trace = Trace(scope)
    trace.cite("pattern_subclasses", "subclasses")
    trace.cite("graph_callers", "callers")
    trace.cite("graph_callees", "callees")
    answer = scope.answer("extend") + numbered(steps) + trace.render()
    answer += render_source(scope)
    sources = merged((scope.id, ids[0]), callers, tests, tuple(trace.sources))
    yield Fact("extend", answer, sources, "hard")


def _role(scope: FactScope) -> Iterator[Fact]:
    """The element between its users and what it uses; nothing if one side is empty."""
    users, callers = answer_parts.list_field(scope, "callers")
    used, callees = answer_parts.list_field(scope, "callees")
    if not users or not used:
        return
    part = scope.phrases.part
    answer = scope.answer("place")
    if text := scope.get("module_summary"):
        answer += part("module_summary", summary=text)
    answer += part("used_by", members=users) + part("calls", members=used)
    trace = Trace(scope)
    trace.cite_pattern()
    trace.cite("trace_tests", "tests")
    if trace.steps:
        answer += trace.render()
    answer += render_source(scope)
    sources = merged((scope.id,), callers, callees, tuple(trace.sources))
    yield Fact("place", answer, sources, "hard")


def _example(scope: FactScope) -> Iterator[Fact]:
    """A subclass, with the lines of its methods, as the model for another one."""
    rows = scope.get("members")
    bases = scope.without_held_out(list(scope.get("bases") or ()))
    if not rows or not bases:
        return
    part = scope.phrases.part
    members = [
        part("lines_of", name=name, start=str(start), end=str(end))
        for name, start, end in rows
    ]
    trace = Trace(scope)
    trace.cite("graph_bases", "bases")
    trace.steps.append(part("trace_members", members=scope.phrases.listed(members)))
    trace.cite("graph_callers", "callers")
    trace.cite("trace_tests", "tests")
    fields = {
        "base": answer_parts.element_name(scope, bases[0]),
        "start": str(scope.get("start")),
        "end": str(scope.get("end")),
    }
    answer = scope.answer("example", **fields) + trace.render()
    sources = merged((scope.id,), tuple(trace.sources))
    yield Fact("example", answer, sources, "hard", fields)
