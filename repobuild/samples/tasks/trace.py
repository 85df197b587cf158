"""Render reasoning traces: the call graph, pattern and code behind a design answer.

A trace is a numbered list of steps; each names elements that the graph knows, so that
the answer rests on sources and can be checked (repobuild/truth/structure.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import FactScope

# Fields of a context that show a pattern, the most specific first.
_PATTERNS = ("overrides", "overridden", "subclasses", "bases")


@dataclass(slots=True)
class Trace:
    """Steps of an answer, and the ids of the elements that they cite, in order."""

    scope: FactScope
    steps: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    def cite(self, part: str, name: str) -> None:
        """Add a step about a list of the context that may be named whole."""
        text, ids = whole_list(self.scope, name)
        if text:
            self.steps.append(self._render_step(part, text))
            self.sources += ids

    def cite_pattern(self) -> None:
        """Add one step that says what the element is an example of."""
        before = len(self.steps)
        for name in _PATTERNS:
            if len(self.steps) == before:
                self.cite(f"pattern_{name}", name)

    def _render_step(self, part: str, members: str) -> str:
        fields = {**self.scope.common_fields, "members": members}
        return self.scope.phrases.part(part, **fields)

    def render(self) -> str:
        """Return the steps as a numbered list under a heading."""
        return self.scope.phrases.part("reasoning", items=numbered(self.steps))


def whole_list(scope: FactScope, name: str) -> tuple[str, tuple[str, ...]]:
    """List the elements in a field of the context, all of them.

    Both the text and the ids are empty where some are not known, or may not be named.
    """
    ids = tuple(scope.get(name) or ())
    is_cut = name in (scope.get("more") or ()) or answer_parts.is_open(scope, name)
    if not ids or is_cut or len(scope.without_held_out(list(ids))) < len(ids):
        return "", ()
    text = answer_parts.list_elements(scope, list(ids))
    # A list that is cut says so by its end, with or without more.
    is_long = text == answer_parts.list_elements(scope, list(ids), len(ids))
    return ("", ()) if is_long else (text, ids)


def reasoning(scope: FactScope, *edges: str) -> tuple[str, tuple[str, ...]]:
    """Return the text and sources of a trace over edges of the call graph.

    `edges` are "callers" and "callees". Both are empty when the graph shows nothing:
    that a method belongs to its class is no reason for anything.
    """
    trace = Trace(scope)
    for name in edges:
        trace.cite(f"graph_{name}", name)
    trace.cite_pattern()
    return (trace.render(), tuple(trace.sources)) if trace.steps else ("", ())


def render_source(scope: FactScope) -> str:
    """Return the element's signature and the file that has it."""
    text = scope.get("signature")
    if not text:
        return ""
    code = answer_parts.render_code(scope, answer_parts.with_decorators(scope))
    return scope.phrases.part("trace_code", path=scope.get("path"), code=code)


def numbered(steps: list[str]) -> str:
    return "".join(f"\n{n}. {step}" for n, step in enumerate(steps, 1))


def merged(*groups: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ids of all groups in order, each once."""
    return tuple(dict.fromkeys(id for group in groups for id in group))
