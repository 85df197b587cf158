"""Which contexts a change can affect: those are computed again, and no others.

    changed file      itself and its elements, but for the untouched (untouched.py)
    edge              both its ends, old or new
    first sentence    the callers of the element that says it
    class             its methods and those of its subclasses, which may override
                      something else
    name              the elements of one other file, when it was or is now the only one

Over-approximating is harmless: an equal row is cut off by the engine. Untouched
elements that nothing else affects get a new `@lines` row and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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
from repobuild.samples.untouched import same_frame, source, untouched

Elements = dict[str, Element]


@dataclass(frozen=True, slots=True)
class Affected:
    """Ids to make again, gone ones included, and ids that at most moved."""

    ids: set[str]
    moved: set[str]


class Changes:
    """The changed files of one update, with what they were before."""

    def __init__(self, view: View, around: Surroundings) -> None:
        self._view = view
        self._files = view.changes("files")
        self._facts = view.changes("facts")
        self._graph = view.changes("graph")
        self._around = around
        self._old: dict[str, Elements] = {}
        paths = {*self._facts.keys(), *self._graph.keys()} - {PROJECT}
        # Facts do not see how a line is spaced, a quotation does.
        for path, (old, new) in self._files.items():
            if (old or {}).get("blob") != (new or {}).get("blob"):
                paths.add(path)
        self.paths = sorted(paths)

    def old(self, path: str) -> Elements:
        """The elements of a file before the change."""
        if path not in self._facts:
            return self._around.elements(path)
        if path not in self._old:
            self._old[path] = elements(self._facts[path][0], path)
        return self._old[path]

    def names(self, path: str) -> tuple[set[str], set[str]]:
        """The names of a file before and after."""
        now = self._around.facts(path)
        was = self._facts[path][0] if path in self._facts else now
        return set(names_of(was)), set(names_of(now))

    def all_names(self) -> Iterator[tuple[set[str], set[str]]]:
        return (self.names(path) for path in self.paths)

    def untouched(self, path: str) -> Iterable[str]:
        """The elements of a file that at most moved."""
        new = self._around.elements(path)
        if path not in self._facts and path not in self._files:
            return new  # only its edges changed
        old, file = self.old(path), self._view.table("files").get(path)
        was = self._facts[path][0] if path in self._facts else self._around.facts(path)
        if not new or not same_frame(was, self._around.facts(path)):
            return ()
        before = self._files[path][0] if path in self._files else file
        return untouched(old, new, source(self._view, before), source(self._view, file))

    def graph(self, path: str) -> tuple[Value, Value]:
        """The graph rows of a file before and after; both None when it is as it was."""
        return self._graph[path] if path in self._graph else (None, None)


def affected(changes: Changes, around: Surroundings, names: Names) -> Affected:
    """Return the ids whose rows may come out differently."""
    touched = set().union(*(before ^ after for before, after in changes.all_names()))
    ids: set[str] = set()
    moved: set[str] = set()
    for path in changes.paths:
        old, new = changes.old(path), around.elements(path)
        same = {
            qual
            for qual in changes.untouched(path)
            if touched.isdisjoint((new[qual].name, new[qual].shown))
        }
        moved.update(made_id(path, qual) for qual in same)
        ids.add(path)
        ids.update(made_id(path, qual) for qual in {**old, **new} if qual not in same)
        ids.update(_quoting(path, old, new, around))
        ids.update(_connected(path, *changes.graph(path)))
        for holder in _reshaped(path, old, new, changes):
            ids.update(_methods_below(holder, around))
    ids.update(_renamed(changes, around, names, touched))
    return Affected(ids, moved - ids)


def _quoting(
    path: str, old: Elements, new: Elements, around: Surroundings
) -> Iterator[str]:
    """Callers of the elements whose first sentence changed."""
    before, after = sentences(old), sentences(new)
    for qual in {**before, **after}:
        if before.get(qual) != after.get(qual):
            yield from around.incoming(made_id(path, qual), "calls")


def _connected(path: str, old: Value, new: Value) -> Iterator[str]:
    """Both ends of the edges that came or went."""
    before, after = edges_of(path, old), edges_of(path, new)
    for edge in {**before.into, **after.into}:
        if before.into.get(edge) != after.into.get(edge):
            yield edge[0]
    for edge in {**before.out, **after.out}:
        if before.out.get(edge) != after.out.get(edge):
            yield made_id(path, edge[0])


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
    for below in (holder, *around.descendants(holder)):
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
