"""Task `implementation_path`: how something is done here, and how to change it.

The reasoning traces of the seed: every step names code that the graph knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope
from repobuild.samples.tasks.trace import Trace, merged, numbered, reasoning

_STEPS = 2  # callees that make a sequence


def facts(about: FactScope) -> Iterator[Fact]:
    if about.get("kind") == "lines":
        yield from _trace(about)
    if about.get("kind") not in ("function", "method", "class"):
        return
    if about.get("brief") or about.get("name").startswith("__"):
        return
    yield from _change(about)
    yield from _steps(about)
    if about.get("kind") == "method" and about.get("summary"):
        yield from _similar(about)


def _change(about: FactScope) -> Iterator[Fact]:
    """Read it, keep its callers working, run its tests."""
    part = about.phrases.part
    steps = [part("step_read", **about.names())]
    groups: list[tuple[str, ...]] = [(about.id,)]
    for kind, step in (
        ("overrides", "step_overrides"),
        ("overridden", "step_overridden"),
        ("subclasses", "step_subclasses"),
        ("callers", "step_callers"),
        ("tests", "step_run"),
    ):
        text, sources = answer_parts.told(about, kind)
        if text:
            steps.append(part(step, members=text))
            groups.append(sources)
    if len(steps) > 1:
        text, cited = reasoning(about, "callees")
        answer = about.answer("change") + numbered(steps) + text
        yield Fact("change", answer, merged(*groups, cited), "hard")


def _steps(about: FactScope) -> Iterator[Fact]:
    """The callees in the order of their first call, with what each is for."""
    summaries = about.get("callee_summaries") or {}
    ids = about.seen(about.get("callees") or [])
    if len(ids) < _STEPS or not any(id in summaries for id in ids):
        return
    steps = []
    for id in ids[: answer_parts.MEMBERS]:
        text = summaries.get(id, "")
        step = answer_parts.mention(about, id)
        steps.append(step + about.phrases.part("purpose", text=text) if text else step)
    text, cited = reasoning(about, "callers")
    answer = about.answer("steps") + numbered(steps) + text
    sources = (about.id, *ids[: answer_parts.MEMBERS])
    yield Fact("steps", answer, merged(sources, cited), "hard")


def _similar(about: FactScope) -> Iterator[Fact]:
    if not about.get("signature") or not about.get("sole"):
        return
    answer = about.answer("similar") + answer_parts.summary(about)
    if text := about.get("container_summary"):
        answer += about.phrases.part(
            "class_summary", container=about.get("container"), summary=text
        )
    text, cited = reasoning(about, "callers", "callees")
    answer += text
    yield Fact("similar", answer, merged((about.id,), cited), "hard")


def _trace(about: FactScope) -> Iterator[Fact]:
    """Callers, then each call at its line, then what it is an example of."""
    rows = about.get("calls")
    if not rows:
        return
    shown = set(about.seen([id for _, id, _ in rows]))
    trace = Trace(about)
    trace.cite("graph_callers", "callers")
    for (line, text), calls in groupby(rows, key=lambda row: (row[0], row[2])):
        ids = [id for _, id, _ in calls if id in shown]
        if ids:
            members = answer_parts.mentions(about, ids)
            trace.steps.append(_call(about, str(line), members, text))
            trace.sources += ids
    if not shown:
        return
    trace.pattern()
    trace.cite("trace_tests", "tests")
    lines = {"start": str(about.get("start")), "end": str(about.get("end"))}
    answer = about.answer("trace", **lines) + trace.written()
    yield Fact("trace", answer, merged((about.id,), tuple(trace.sources)), "hard")


def _call(about: FactScope, line: str, members: str, text: str) -> str:
    """One call with its line of code, in marks that the code does not hold."""
    marked = f"`` {text} ``" if "`" in text else f"`{text}`"
    return about.phrases.part("trace_call", line=line, members=members, code=marked)
