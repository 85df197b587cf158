"""Task `implementation_path`: how something is done here, and how to change it.

The original specification asks for reasoning traces: here, every step names code that
the graph knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope
from repobuild.samples.tasks.trace import (
    Trace,
    merged,
    numbered,
    reasoning,
    render_source,
)

_FEWEST_STEPS = 2  # callees that make a sequence


def facts(scope: FactScope) -> Iterator[Fact]:
    if scope.get("kind") == "lines":
        yield from _trace(scope)
    if scope.get("kind") not in ("function", "method", "class"):
        return
    if scope.get("brief") or scope.get("name").startswith("__"):
        return
    yield from _change(scope)
    yield from _steps(scope)
    if scope.get("kind") == "method" and scope.get("summary"):
        yield from _similar(scope)


def _change(scope: FactScope) -> Iterator[Fact]:
    """Say what to look at when the element changes: reasons first, then the steps."""
    part = scope.phrases.part
    steps = [part("step_read", **scope.common_fields())]
    groups: list[tuple[str, ...]] = [(scope.id,)]
    for field, step in (
        ("overrides", "step_overrides"),
        ("overridden", "step_overridden"),
        ("subclasses", "step_subclasses"),
        ("callers", "step_callers"),
        ("tests", "step_run"),
    ):
        text, ids = answer_parts.list_field(scope, field)
        if text:
            steps.append(part(step, members=text))
            groups.append(ids)
    if len(steps) > 1:
        text, cited = reasoning(scope, "callees")
        answer = scope.answer("change") + text
        answer += part("steps", items=numbered(steps)) + render_source(scope)
        yield Fact("change", answer, merged(*groups, cited), "hard")


def _steps(scope: FactScope) -> Iterator[Fact]:
    """The callees in the order of their first call, with the purpose of each."""
    summaries = scope.get("callee_summaries") or {}
    ids = scope.without_held_out(scope.get("callees") or [])
    if len(ids) < _FEWEST_STEPS or not any(id in summaries for id in ids):
        return
    ids = ids[: answer_parts.MAX_NAMES]
    steps = []
    for id in ids:
        step = answer_parts.element_name(scope, id)
        if text := summaries.get(id, ""):
            step += scope.phrases.part("purpose", text=text)
        steps.append(step)
    text, cited = reasoning(scope, "callers")
    answer = scope.answer("steps") + text
    answer += scope.phrases.part("parts", items=numbered(steps)) + render_source(scope)
    yield Fact("steps", answer, merged((scope.id, *ids), cited), "hard")


def _similar(scope: FactScope) -> Iterator[Fact]:
    """How to write a method like this one."""
    if not scope.get("signature") or not scope.get("sole"):
        return
    text, cited = reasoning(scope, "callers", "callees")
    if not text:
        return
    answer = scope.answer("similar") + text + answer_parts.render_summary(scope)
    if text := scope.get("container_summary"):
        answer += scope.phrases.part(
            "class_summary", container=scope.get("container"), summary=text
        )
    answer += render_source(scope)
    yield Fact("similar", answer, merged((scope.id,), cited), "hard")


def _trace(scope: FactScope) -> Iterator[Fact]:
    """The callers, then each call at its line, then the pattern and the tests."""
    rows = scope.get("calls")
    if not rows:
        return
    allowed = set(scope.without_held_out([id for _, id, _ in rows]))
    if not allowed:
        return
    trace = Trace(scope)
    trace.cite("graph_callers", "callers")
    for (line, text), calls in groupby(rows, key=lambda row: (row[0], row[2])):
        ids = [id for _, id, _ in calls if id in allowed]
        if ids:
            # A code span holds text with a backtick only between double backticks.
            code = f"`` {text} ``" if "`" in text else f"`{text}`"
            members = answer_parts.list_elements(scope, ids)
            step = scope.phrases.part(
                "trace_call", line=str(line), members=members, code=code
            )
            trace.steps.append(step)
            trace.sources += ids
    trace.cite_pattern()
    trace.cite("trace_tests", "tests")
    lines = {"start": str(scope.get("start")), "end": str(scope.get("end"))}
    answer = scope.answer("trace", **lines) + trace.render()
    yield Fact("trace", answer, merged((scope.id,), tuple(trace.sources)), "hard")
