"""Which contexts a change can affect: those are computed again, and no others.

    changed file      its elements and itself
    edge              what it points to, old or new
    first sentence    the callers of the element that says it
    class             the methods of its subclasses, which may override something else
    name              the elements of one other file, when it was or is now the only one

Over-approximating is harmless: an equal row is cut off by the engine.
"""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.code.graph import PROJECT
from repobuild.engine.contract import Value, View
from repobuild.samples.elements import Element, elements
from repobuild.samples.names import Names, names_of
from repobuild.samples.surroundings import (
    Surroundings,
    edges_of,
    made_id,
    parted,
    sentences,
)

Elements = dict[str, Element]


class Changes:
    """The changed files of one update, with what they were before."""

    def __init__(self, view: View, around: Surroundings) -> None:
        self._facts = view.changes("facts")
        self._graph = view.changes("graph")
        self._around = around
        paths = {*self._facts.keys(), *self._graph.keys()} - {PROJECT}
        # Facts do not see how a line is spaced, a quotation does.
        for path, (old, new) in view.changes("files").items():
            if (old or {}).get("blob") != (new or {}).get("blob"):
                paths.add(path)
        self.paths = sorted(paths)

    def old(self, path: str) -> Elements:
        """The elements of a file before the change."""
        if path not in self._facts:
            return self._around.elements(path)
        return elements(self._facts[path][0], path)

    def names(self, path: str) -> tuple[set[str], set[str]]:
        """The names of a file before and after."""
        now = self._around.facts(path)
        was = self._facts[path][0] if path in self._facts else now
        return set(names_of(was)), set(names_of(now))

    def graph(self, path: str) -> tuple[Value, Value]:
        """The graph rows of a file before and after; both None when it is as it was."""
        return self._graph[path] if path in self._graph else (None, None)


def affected(changes: Changes, around: Surroundings, names: Names) -> set[str]:
    """Return the ids whose rows may come out differently, gone ones included."""
    ids: set[str] = set()
    touched: set[str] = set()
    for path in changes.paths:
        old, new = changes.old(path), around.elements(path)
        ids.add(path)
        ids.update(made_id(path, qual) for qual in {**old, **new})
        ids.update(_quoting(path, old, new, around))
        ids.update(_pointed_at(path, *changes.graph(path)))
        for holder in _reshaped(path, old, new, changes):
            ids.update(_methods_below(holder, around))
        before, after = changes.names(path)
        touched.update(before ^ after)
    ids.update(_renamed(changes, around, names, touched))
    return ids


def _quoting(
    path: str, old: Elements, new: Elements, around: Surroundings
) -> Iterator[str]:
    """Callers of the elements whose first sentence changed."""
    before, after = sentences(old), sentences(new)
    for qual in {**before, **after}:
        if before.get(qual) != after.get(qual):
            yield from around.incoming(made_id(path, qual), "calls")


def _pointed_at(path: str, old: Value, new: Value) -> Iterator[str]:
    """Targets of the edges that came or went."""
    before, after = edges_of(path, old).into, edges_of(path, new).into
    for edge in {**before, **after}:
        if before.get(edge) != after.get(edge):
            yield edge[0]


def _reshaped(
    path: str, old: Elements, new: Elements, changes: Changes
) -> Iterator[str]:
    """Classes that have other methods or other bases than before."""
    before, after = (edges_of(path, row).out for row in changes.graph(path))
    old_methods, new_methods = _methods(old), _methods(new)
    classes = {e.qual for e in (*old.values(), *new.values())}
    for qual in sorted(classes):
        edge = (qual, "inherits")
        bases = before.get(edge) != after.get(edge)
        if bases or old_methods.get(qual) != new_methods.get(qual):
            yield made_id(path, qual)


def _methods(found: Elements) -> dict[str, set[str]]:
    methods: dict[str, set[str]] = {}
    for element in found.values():
        if element.parent:
            methods.setdefault(element.parent, set()).add(element.name)
    return methods


def _methods_below(holder: str, around: Surroundings) -> Iterator[str]:
    for below in around.descendants(holder):
        path, qual = parted(below)
        for element in around.elements(path).values():
            if element.parent == qual:
                yield element.id


def _renamed(
    changes: Changes, around: Surroundings, names: Names, touched: set[str]
) -> Iterator[str]:
    """Elements of unchanged files whose short name is another now."""
    changed = set(changes.paths)
    for name in names.flipped(sorted(touched), changed):
        for path in names.paths(name):
            if path not in changed:
                for element in around.elements(path).values():
                    if name in (element.name, element.shown):
                        yield element.id
