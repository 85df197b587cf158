"""Reasoning traces: call graph, pattern and code that an answer about design rests on.

Each piece is "" where a context knows nothing of the kind; `Trace` gathers the texts
and the elements that they cite.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import FactScope

_EDGES = 3  # neighbours that a trace names on each side
# What a context may show of a pattern, the most telling first.
_PATTERNS = ("overrides", "overridden", "subclasses", "bases")


@dataclass(slots=True)
class Trace:
    """Text that grows, and its sources in order."""

    about: FactScope
    steps: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    def cite(self, part: str, name: str, most: int = _EDGES) -> None:
        """Add a step about one of the context's lists, when it has something."""
        text, ids = told(self.about, name, most)
        if text:
            self.steps.append(self.about.phrases.part(part, **self._named(text)))
            self.sources += ids

    def pattern(self) -> None:
        """Add what the element is an example of."""
        before = len(self.steps)
        for name in _PATTERNS:
            if len(self.steps) == before:
                self.cite(f"pattern_{name}", name)
        if len(self.steps) == before and (holder := self.about.get("container")):
            part = self.about.phrases.part
            self.steps.append(part("pattern_container", **self._named(f"`{holder}`")))
        if len(self.steps) == before:
            self.cite("pattern_function", "callers", 1)

    def written(self) -> str:
        """The steps as a numbered list behind their heading."""
        return self.about.phrases.part("reasoning", items=numbered(self.steps))

    def _named(self, members: str) -> dict[str, str]:
        return {**self.about.names(), "members": members}


def told(about: FactScope, name: str, most: int) -> tuple[str, list[str]]:
    """The first few of a context's list as text, and their ids."""
    value = list(about.get(name) or ())
    ids = about.seen(value)
    more = len(ids) > most or len(ids) < len(value) or name in (about.get("more") or ())
    return answer_parts.mentions(about, ids[:most], more), ids[:most]


def reasoning(about: FactScope, *edges: str) -> tuple[str, tuple[str, ...]]:
    """Edges of the call graph, pattern and signature of the element itself."""
    trace = Trace(about)
    for name in edges:
        trace.cite(f"graph_{name}", name)
    trace.pattern()
    if not trace.steps:
        return code(about), ()
    return trace.written() + code(about), tuple(trace.sources)


def code(about: FactScope) -> str:
    """The signature, with the file that has it."""
    text = about.get("signature")
    if not text:
        return ""
    shown = answer_parts.code(about, text)
    return about.phrases.part("trace_code", path=about.get("path"), code=shown)


def numbered(steps: list[str]) -> str:
    return "".join(f"\n{n}. {step}" for n, step in enumerate(steps, 1))


def merged(*groups: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id for group in groups for id in group))
