"""Find who is affected by changing an element or a file, tests included.

Affected are, step by step: callers, readers, subclasses, methods of subclasses that
override a changed one, and importers of a changed file. Nothing depends on a test, so
tests end a line; they are listed apart, because they are what to run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from repobuild.code.facts.element_row import name_of, parent_of
from repobuild.code.graph.nodes import split_id
from repobuild.code.scan.file_roles import is_test
from repobuild.code.usage.importance import score_of
from repobuild.query.exploration import MOST_DEPTH
from repobuild.query.graph_view import GraphView
from repobuild.query.node_facts import CONFIDENT, brief
from repobuild.query.reply import Item

_RELATION = {
    "calls": "caller", "uses": "reader", "inherits": "subclass", "imports": "importer",
}  # fmt: skip
_MOST_NODES = 3_000


class Affected(NamedTuple):
    """A node that a change reaches."""

    id: str
    distance: int
    relation: str  # to `of`
    of: str
    is_test: bool


def affected(view: GraphView, starts: list[str], depth: int) -> list[Affected]:
    """Return what a change of some nodes reaches: nearest first, then by importance."""
    importance = view.build.table("importance")
    found = {one.id: one for one in _reached(view, starts, depth)}

    def rank(one: Affected) -> tuple[int, float, str]:
        return one.distance, -score_of(importance, one.id), one.id

    return sorted(found.values(), key=rank)


def _reached(view: GraphView, starts: list[str], depth: int) -> Iterator[Affected]:
    inside = [id for start in starts for id in _with_elements(view, start)]
    seen = set(inside)
    waiting = deque((id, 0) for id in inside)
    while waiting and len(seen) < _MOST_NODES:
        id, distance = waiting.popleft()
        if distance >= min(depth, MOST_DEPTH):
            continue
        for relation, other in _reaches(view, id):
            if other in seen:
                continue
            seen.add(other)
            is_a_test = is_test(split_id(other)[0])
            yield Affected(other, distance + 1, relation, id, is_a_test)
            if not is_a_test:
                waiting.append((other, distance + 1))


def _with_elements(view: GraphView, id: str) -> list[str]:
    """Return a node with what it contains: a file's elements, a class's methods."""
    if id in view.areas.nodes:
        return [one for path in view.members[id] for one in _with_elements(view, path)]
    path, qual = split_id(id)
    inside = view.elements(path)
    if not qual:
        return [id, *inside]
    return [id, *(one for one in inside if one.startswith(f"{id}."))]


def _reaches(view: GraphView, id: str) -> Iterator[tuple[str, str]]:
    """Yield what depends on a node, with the relation."""
    for edge in view.into(id, tuple(_RELATION)):
        if edge.confidence >= CONFIDENT:
            yield _RELATION[edge.kind], edge.other
    path, qual = split_id(id)
    container = parent_of(qual)
    if (
        not container
        or (view.node(f"{path}::{container}") or {}).get("kind") != "class"
    ):
        return
    for edge in view.into(f"{path}::{container}", ("inherits",)):
        overriding = f"{edge.other}.{name_of(qual)}"
        if edge.confidence >= CONFIDENT and view.node(overriding):
            yield "overriding", overriding


def items(view: GraphView, found: list[Affected]) -> Iterator[Item]:
    """Yield what a reply shows: the product by distance and importance, then tests."""
    for one in sorted(found, key=lambda one: one.is_test):
        facts = brief(view, one.id)
        item: Item = {"id": one.id, "distance": one.distance, "relation": one.relation}
        item["of"] = one.of
        if one.is_test:
            item["test"] = True
        yield item | {name: facts[name] for name in facts if name not in item}
