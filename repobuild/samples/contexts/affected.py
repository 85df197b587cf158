"""Which contexts a change can affect: those are computed again, and no others.

    changed file      itself and its elements, but for the untouched (untouched.py)
    edge              both its ends, old or new; of a test's call of a method also the
                      class, which says where it is tested
    first sentence    the callers of the element that says it
    import            the elements of its file that mention what it binds
    class             its methods and those of its subclasses, which may override
                      something else; what its methods override or overrode
    name              the elements of one other file, when it was or is now the only one

Over-approximating is harmless: an equal row is cut off by the engine. Untouched
elements that nothing else affects get a new `@lines` row and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from repobuild.code.facts.element_row import name_of, parent_of
from repobuild.code.graph.graph import PROJECT
from repobuild.engine.contract import Value, View
from repobuild.samples.contexts.display_names import DisplayNames, names_of
from repobuild.samples.contexts.element_view import ElementView, elements
from repobuild.samples.contexts.graph_reader import (
    GraphReader,
    edges_of,
    is_test,
    made_id,
    parted,
    sentences,
)
from repobuild.samples.contexts.unchanged import (
    mentioning_none,
    same_frame,
    source,
    untouched,
)
from repobuild.samples.text.import_statements import other_names, statements

Elements = dict[str, ElementView]


@dataclass(frozen=True, slots=True)
class AffectedIds:
    """Ids to make again, gone ones included, and ids that at most moved."""

    ids: set[str]
    moved: set[str]


class ChangedFiles:
    """The changed files of one update, with what they were before."""

    def __init__(self, view: View, around: GraphReader) -> None:
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
            if not self._imports_changed(path):
                return new  # only its edges changed, and none of the file's own
        now = self._around.facts(path)
        was = self._facts[path][0] if path in self._facts else now
        if not new or not same_frame(was, now):
            return ()
        file = self._view.table("files").get(path)
        before = self._files[path][0] if path in self._files else file
        first, last = source(self._view, before), source(self._view, file)
        if first is None or last is None:
            return ()
        same = untouched(self.old(path), new, first, last)
        names = self._reimported(path, was, now, first, last)
        return mentioning_none(names, same, new, last)

    def _targets(self, path: str) -> tuple[list[str], list[str]]:
        """What a file imports, before and after."""
        key = ("", "imports")
        now = self._around.edges(path).out.get(key, [])
        if path not in self._graph:
            return now, now
        return edges_of(path, self._graph[path][0]).out.get(key, []), now

    def _imports_changed(self, path: str) -> bool:
        before, now = self._targets(path)
        return before != now

    def _reimported(
        self, path: str, was: Value, now: Value, before: bytes, after: bytes
    ) -> set[str]:
        """The names that a file imports by another statement than before."""
        old, new = self._targets(path)
        return other_names(statements(was, before, old), statements(now, after, new))

    def graph(self, path: str) -> tuple[Value, Value]:
        """The graph rows of a file before and after; both None when it is as it was."""
        return self._graph[path] if path in self._graph else (None, None)


def affected(
    changes: ChangedFiles, around: GraphReader, names: DisplayNames
) -> AffectedIds:
    """Return the ids whose rows may come out differently."""
    touched = set().union(*(before ^ after for before, after in changes.all_names()))
    ids: set[str] = set()
    moved: set[str] = set()
    reshaped: list[ReshapedClass] = []
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
        reshaped += _reshaped(path, old, new, changes, around)
    for holder in reshaped:
        ids.update(_methods_below(holder.id, around))
    ids.update(_methods_above(reshaped, around))
    ids.update(_renamed(changes, around, names, touched))
    return AffectedIds(ids, moved - ids)


def _quoting(
    path: str, old: Elements, new: Elements, around: GraphReader
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
            target, qual = parted(edge[0])
            if edge[1] == "calls" and "." in qual and is_test(path):
                yield made_id(target, parent_of(qual))
    for edge in {**before.out, **after.out}:
        if before.out.get(edge) != after.out.get(edge):
            yield made_id(path, edge[0])


@dataclass(frozen=True, slots=True)
class ReshapedClass:
    """A class that has other methods or other bases than before."""

    id: str
    bases: set[str]  # old and new
    names: set[str]  # of methods that may begin or cease to override something


def _reshaped(
    path: str, old: Elements, new: Elements, changes: ChangedFiles, around: GraphReader
) -> Iterator[ReshapedClass]:
    before, after = (edges_of(path, row).out for row in changes.graph(path))
    old_methods, new_methods = _methods(old), _methods(new)
    classes = {e.qual for e in (*old.values(), *new.values())}
    for qual in sorted(classes):
        id, edge = made_id(path, qual), (qual, "inherits")
        was, now = (set(found.get(qual, ())) for found in (old_methods, new_methods))
        bases = {*before.get(edge, ()), *around.outgoing(id, "inherits")}
        if before.get(edge) != after.get(edge):
            below = _methods_below(id, around)
            yield ReshapedClass(id, bases, was | now | {name_of(m) for m in below})
        elif was != now:
            yield ReshapedClass(id, bases, was ^ now)


def _methods(found: Elements) -> dict[str, set[str]]:
    methods: dict[str, set[str]] = {}
    for element in found.values():
        if element.parent:
            methods.setdefault(element.parent, set()).add(element.name)
    return methods


def _methods_below(holder: str, around: GraphReader) -> Iterator[str]:
    for below in (holder, *around.descendants(holder)):
        path, qual = parted(below)
        for element in around.elements(path).values():
            if element.parent == qual:
                yield element.id


def _methods_above(reshaped: list[ReshapedClass], around: GraphReader) -> Iterator[str]:
    """Methods of base classes, old and new, that one of the names may override.

    All names with all bases: a chain of classes may have come apart in two places.
    """
    names = set().union(*(holder.names for holder in reshaped))
    bases = {base for holder in reshaped for base in holder.bases}
    for id in {*bases, *(far for base in bases for far in around.ancestors(base))}:
        path, qual = parted(id)
        for element in around.elements(path).values():
            if element.parent == qual and element.name in names:
                yield element.id


def _renamed(
    changes: ChangedFiles, around: GraphReader, names: DisplayNames, touched: set[str]
) -> Iterator[str]:
    """Elements of unchanged files whose short name is another now."""
    changed = set(changes.paths)
    for name in names.flipped(sorted(touched), changed):
        for path in names.paths(name):
            if path not in changed:
                for element in around.elements(path).values():
                    if name in (element.name, element.shown):
                        yield element.id
