"""Walk the graph from some nodes, breadth first, along chosen edges.

    callees, callers        calls
    bases, subclasses       inherits
    imports, imported_by    imports
    reads, read_by          uses
    contains, contained_by  contains

`downstream` follows what a node depends on (callees), `upstream` what depends on it
(callers). Every node is visited once, so a cycle ends; every edge is listed once, with
the name of its direction as seen from the node that is nearer to the start.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from repobuild.code.graph.nodes import split_id
from repobuild.code.scan.file_roles import is_test
from repobuild.query.graph_view import Edge, GraphView
from repobuild.query.node_facts import CONFIDENT, brief
from repobuild.query.reply import Item

KINDS = ("calls", "imports", "inherits", "uses", "contains")
DEFAULT_KINDS = ("calls", "imports", "inherits", "uses")
_DOWN = {
    "calls": "callee", "imports": "imports", "inherits": "base", "uses": "reads",
    "contains": "contains",
}  # fmt: skip
_UP = {
    "calls": "caller", "imports": "imported_by", "inherits": "subclass",
    "uses": "read_by", "contains": "contained_by",
}  # fmt: skip
MOST_DEPTH = 8
_MOST_STEPS = 5_000  # edges that are followed for one reply


class Direction(Enum):
    """Which way edges are followed."""

    DOWNSTREAM = "downstream"  # to what a node depends on
    UPSTREAM = "upstream"  # to what depends on it
    BOTH = "both"


class Walk(NamedTuple):
    """What is explored."""

    direction: Direction
    depth: int
    kinds: tuple[str, ...] = DEFAULT_KINDS
    types: Collection[str] = ()  # kinds of nodes that are listed; none = all


class Hop(NamedTuple):
    """One edge of a walk."""

    start: str
    relation: str  # of the end, as seen from the start: "caller", "callee", ...
    end: str
    depth: int
    edge: Edge


def walk(view: GraphView, starts: Sequence[str], plan: Walk) -> Iterator[Hop]:
    """Yield the edges that are met, nearest first; each node is expanded once."""
    seen = set(starts)
    met: set[tuple[str, str, str]] = set()
    waiting = deque((start, 0) for start in starts)
    steps = 0
    while waiting and steps < _MOST_STEPS:
        id, depth = waiting.popleft()
        if depth >= min(plan.depth, MOST_DEPTH):
            continue
        for step in _steps(view, id, depth + 1, plan):
            steps += 1
            one, other = sorted((step.start, step.end))
            name = (step.edge.kind, one, other)
            if name not in met:
                met.add(name)
                yield step
            if step.end not in seen:
                seen.add(step.end)
                waiting.append((step.end, depth + 1))


def _steps(view: GraphView, id: str, depth: int, plan: Walk) -> Iterator[Hop]:
    if plan.direction is not Direction.UPSTREAM:
        for edge in sorted(view.out(id), key=_rank):
            if edge.kind in plan.kinds and edge.confidence >= CONFIDENT:
                yield Hop(id, _DOWN[edge.kind], edge.other, depth, edge)
    if plan.direction is not Direction.DOWNSTREAM:
        for edge in sorted(view.into(id, plan.kinds), key=_rank):
            if edge.confidence >= CONFIDENT:
                yield Hop(id, _UP[edge.kind], edge.other, depth, edge)


def _rank(edge: Edge) -> tuple[bool, int, str]:
    return is_test(split_id(edge.other)[0]), KINDS.index(edge.kind), edge.other


def items(view: GraphView, steps: Iterator[Hop], plan: Walk) -> Iterator[Item]:
    """Yield what a reply shows of each edge; a node's facts come with its first one."""
    known: set[str] = set()
    starts: set[str] = set()
    for step in steps:
        if step.depth == 1:
            starts.add(step.start)
        facts = brief(view, step.end)
        if plan.types and facts["kind"] not in plan.types:
            continue
        item: Item = {"relation": step.relation, "id": step.end}
        if step.depth > 1 or len(starts) > 1:  # else the reply's `start`
            item["of"] = step.start
        if step.depth > 1:
            item["depth"] = step.depth
        if step.edge.confidence < 1.0:
            item["confidence"] = step.edge.confidence
        if step.end not in known:
            known.add(step.end)
            item |= {name: facts[name] for name in facts if name != "id"}
        yield item
