"""Task `implementation_path`: how something is done here, and how to change it.

The reasoning traces of the seed: every step names code that the graph knows.
"""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.samples import pieces
from repobuild.samples.architecture import merged, numbered
from repobuild.samples.fact import About, Fact

_STEPS = 2  # callees that make a sequence


def facts(about: About) -> Iterator[Fact]:
    if about.get("kind") not in ("function", "method", "class"):
        return
    if about.get("brief") or about.get("name").startswith("__"):
        return
    yield from _change(about)
    yield from _steps(about)
    if about.get("kind") == "method" and about.get("summary"):
        yield from _similar(about)


def _change(about: About) -> Iterator[Fact]:
    """Read it, keep its callers working, run its tests."""
    part = about.phrases.part
    steps = [part("step_read", **about.names())]
    groups: list[tuple[str, ...]] = [(about.id,)]
    for kind, step in (
        ("overrides", "step_overrides"),
        ("subclasses", "step_subclasses"),
        ("callers", "step_callers"),
        ("tests", "step_run"),
    ):
        text, sources = pieces.told(about, kind)
        if text:
            steps.append(part(step, members=text))
            groups.append(sources)
    if len(steps) > 1:
        answer = about.answer("change") + numbered(steps)
        yield Fact("change", answer, merged(*groups), "hard")


def _steps(about: About) -> Iterator[Fact]:
    """The callees in the order of their first call, with what each is for."""
    summaries = about.get("callee_summaries") or {}
    ids = about.seen(about.get("callees") or [])
    if len(ids) < _STEPS or not any(id in summaries for id in ids):
        return
    steps = []
    for id in ids[: pieces.MEMBERS]:
        text = summaries.get(id, "")
        step = pieces.mention(about, id)
        steps.append(step + about.phrases.part("purpose", text=text) if text else step)
    answer = about.answer("steps") + numbered(steps)
    yield Fact("steps", answer, (about.id, *ids[: pieces.MEMBERS]), "hard")


def _similar(about: About) -> Iterator[Fact]:
    if not about.get("signature") or not about.get("sole"):
        return
    answer = about.answer("similar") + pieces.signature(about) + pieces.summary(about)
    if text := about.get("container_summary"):
        answer += about.phrases.part(
            "class_summary", container=about.get("container"), summary=text
        )
    yield Fact("similar", answer, (about.id,), "hard")
