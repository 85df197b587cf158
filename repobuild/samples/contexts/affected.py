"""Find the context rows that a change can affect; only those are computed again.

    changed file      its own row and those of its elements, except the unchanged ones
                      (unchanged.py)
    edge              both of its ends, old or new; for a test's use of a method also
                      the class, whose row lists its tests
    first sentence    the callers of the element whose docstring it begins, and the
                      methods that override it
    docstring         what has a copy of it in its file, and the members of that
    document          the elements whose names it tells or calls otherwise now, or
                      calls with an import of a file that came or went
    call site         the elements that a file calls otherwise now, and those that make
                      a call which is not resolved now, or was not
    unresolved call   the methods of the name that a file now calls, or called, on an
                      object of unknown class; where a file gained or lost a name, what
                      makes such a call of it
    decorator         what the element calls, of which it may be the decorator
    coroutine         who returns what it gives, and who returns that
    class body        the functions that it imports or assigns: they are its methods
    import            the elements of its file that mention a name that it binds; the
                      same for a definition at the top level; what the file takes from
                      one of two modules, or uses of what it imports itself
    class             its methods and those of its subclasses, which may override
                      something else; the methods that they override or overrode
    name              the elements of one other file, when that file was, or is now, the
                      only other one with the name
    clue              the same for a purpose or a heading; the methods of that name
                      when a parameter or an attribute is the first or last to have it
    heading           all sections of its document: the titles around them name them
    computed name     the methods of the class whose method looks names up, or did, and
                      those of its subclasses
    module            the stub beside it, which is read while there is no module; when
                      it comes, goes or says otherwise what it is for, its package

A row too many does no harm: the engine drops an equal row. Unchanged elements that
nothing else affects only get a new `@lines` row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from repobuild.code.facts.element_row import name_of, parent_of
from repobuild.code.graph.graph import PROJECT, split_id
from repobuild.code.graph.nodes import NO_ELEMENT, SEVERAL
from repobuild.code.scan.file_roles import is_test
from repobuild.engine.contract import Value, View
from repobuild.samples.contexts.clues import (
    clues_of,
    headings_of,
    own_clues,
    variable_clues,
)
from repobuild.samples.contexts.display_names import DisplayNames, names_of
from repobuild.samples.contexts.docstring_uses import docstring_uses
from repobuild.samples.contexts.element_view import ElementView, read_elements
from repobuild.samples.contexts.file_context import (
    GETATTR,
    is_of_main,
    names_bound_otherwise,
    names_by_value,
    names_chosen,
)
from repobuild.samples.contexts.graph_reader import (
    GraphReader,
    documented,
    element_id,
    first_sentences,
    read_edges,
)
from repobuild.samples.contexts.package_parts import (
    package_of,
    part_terms,
    purpose_of,
)
from repobuild.samples.contexts.unchanged import (
    Elements,
    changed_twins,
    has_same_header,
    read_source,
    unchanged_elements,
    without_mentions,
)
from repobuild.samples.text.deprecation import is_deprecated_module
from repobuild.samples.text.import_statements import changed_names, read_imports
from repobuild.samples.text.source_names import assigned_names
from repobuild.samples.text.summary.module_purpose import module_summary

_MODULES = (".py", ".pyi", ".pyx", ".so")
DocstringUses = tuple[dict[str, str], dict[str, str]]  # before and after


class AffectedIds(NamedTuple):
    """The ids whose rows a change can affect."""

    ids: set[str]  # to compute again, ids that are gone included
    moved: set[str]  # to give new line numbers


class Versions(NamedTuple):
    """A table's row of one file, before and after the update."""

    old: Value
    new: Value


class ChangedFiles:
    """The changed files of one update, with their state before it."""

    def __init__(self, view: View, reader: GraphReader) -> None:
        self._view = view
        self._files = view.changes("files")
        self._facts = view.changes("facts")
        self._graph = view.changes("graph")
        self._documents = view.changes("documents")
        self.calls = view.changes("call_sites")
        self._reader = reader
        self._old_elements: dict[str, Elements] = {}
        paths = {*self._facts.keys(), *self._graph.keys()} - {PROJECT}
        # Facts ignore the spacing within a line, a quotation does not.
        for path, (old, new) in self._files.items():
            if (old or {}).get("blob") != (new or {}).get("blob"):
                paths.add(path)
        self._stubs = set(self._revealed_or_hidden())
        self.paths = sorted(paths | self._stubs)

    def _revealed_or_hidden(self) -> Iterator[str]:
        """Yield the stubs whose module came or went: they are read only without one."""
        for path, (old, new) in self._facts.items():
            if path.endswith(".py") and (old is None) != (new is None):
                stub = f"{path}i"
                if stub in self._facts or stub in self._view.table("facts"):
                    yield stub

    def _was_shadowed(self, path: str) -> bool:
        """Return whether a file was a stub beside its module before the change."""
        module = path[:-1]
        if not path.endswith(".pyi"):
            return False
        if module in self._facts:
            return self._facts[module][0] is not None
        return module in self._view.table("facts")

    def facts(self, path: str) -> Versions:
        new = self._reader.facts(path)
        if path not in self._facts and path not in self._stubs:
            return Versions(new, new)
        if self._was_shadowed(path):
            return Versions({}, new)
        old = self._facts[path][0] if path in self._facts else self._raw("facts", path)
        return Versions(old, new)

    def stub(self, path: str) -> Versions:
        """Return the facts of a stub, whether they are read or not."""
        if path in self._facts:
            return Versions(*self._facts[path])
        return Versions({}, {})  # its docstrings are as they were

    def graph(self, path: str) -> Versions:
        """Return the graph rows of a file; both are None when the row is unchanged."""
        if path not in self._graph and path not in self._stubs:
            return _NO_VERSIONS
        known = self._graph[path] if path in self._graph else None
        old, new = known or (self._raw("graph", path),) * 2
        return Versions(
            None if self._was_shadowed(path) else old,
            None if self._reader.is_shadowed(path) else new,
        )

    def _raw(self, table: str, path: str) -> Value:
        return self._view.table(table).get(path)

    def old_elements(self, path: str) -> Elements:
        """Return the elements of a file before the change."""
        if path not in self._facts and path not in self._stubs:
            return self._reader.elements(path)
        if path not in self._old_elements:
            self._old_elements[path] = read_elements(self.facts(path).old, path)
        return self._old_elements[path]

    def touched_names(self) -> set[str]:
        """Return the names that some changed file gained or lost."""
        touched: set[str] = set()
        for path in self.paths:
            facts = self.facts(path)
            touched |= set(names_of(facts.old)) ^ set(names_of(facts.new))
        return touched

    def touched_clues(self) -> set[str]:
        """Return the clues that some changed file has more or less often now."""
        touched: set[str] = set()
        for path in self.paths:
            old = clues_of(self.old_elements(path))
            new = clues_of(self._reader.elements(path))
            touched.update(clue for clue in old | new if old[clue] != new[clue])
            facts = self.facts(path)
            before, after = (set(variable_clues(path, one or {})) for one in facts)
            touched |= before ^ after
        return touched

    def opened_names(self, path: str) -> set[str]:
        """Return the methods that a file now calls unresolved, or did before only."""
        before, after = (_open_calls(row) for row in self.graph(path))
        return {name.strip(f'"{SEVERAL}{NO_ELEMENT}') for name in before ^ after}

    def documented_names(self) -> set[str]:
        """Return the bare names that changed documents tell or call otherwise."""
        names: set[str] = set()
        for old, new in self._documents.values():
            for field in ("mentions", "calls"):
                before, after = (row.get(field, {}) for row in (old or {}, new or {}))
                names.update(
                    dotted.rpartition(".")[2]
                    for dotted in {**before, **after}
                    if before.get(dotted) != after.get(dotted)
                )
        return names | self._names_with_imports()

    def _names_with_imports(self) -> set[str]:
        """Return the bare names whose calls in documents import a file that came or
        went.
        """
        documents, names = self._view.table("documents"), set[str]()
        for path, (old, new) in self._files.items():
            if (old is None) == (new is None) or not path.endswith(_MODULES):
                continue
            parts = path.rpartition(".")[0].removesuffix("/__init__").split("/")
            modules = [".".join(parts[start:]) for start in range(len(parts))]
            for document in {
                d for m in modules for d in documents.index.find(f"i:{m}")
            }:
                calls = (documents.get(document) or {}).get("calls", {})
                names.update(dotted.rpartition(".")[2] for dotted in calls)
        return names

    def unchanged(self, path: str) -> Iterable[str]:
        """Return the elements of a file that at most have other line numbers."""
        elements = self._reader.elements(path)
        old_targets, new_targets = self._import_targets(path)
        touched = (self._facts, self._files, self._stubs)
        is_same_text = not any(path in one for one in touched)
        if is_same_text and old_targets == new_targets:
            return elements  # only edges of its elements changed
        facts = self.facts(path)
        if not elements or not has_same_header(path, facts.old, facts.new):
            return ()
        file = self._view.table("files").get(path)
        old_file = self._files[path][0] if path in self._files else file
        old_source = read_source(self._view, old_file)
        source = read_source(self._view, file)
        if old_source is None or source is None:
            return ()
        doc = facts.new.get("doc", "")  # is in the header
        was_deprecated = is_deprecated_module(old_source, doc)
        if was_deprecated != is_deprecated_module(source, doc):
            return ()
        was = self.old_elements(path)
        same = list(unchanged_elements(was, elements, old_source, source))
        old_and_new = (was, old_source), (elements, source)
        twins = set(changed_twins(same, facts.new["language"], *old_and_new))
        same = [qual for qual in same if qual not in twins]
        reimported = changed_names(
            read_imports(facts.old, old_source, old_targets),
            read_imports(facts.new, source, new_targets),
        )
        helpers = _top_level(was) ^ _top_level(elements)
        values = assigned_names(old_source) ^ assigned_names(source)
        stand_ins = names_bound_otherwise(facts.old) ^ names_bound_otherwise(facts.new)
        given = set(names_by_value(facts.old, old_source).items())
        given ^= set(names_by_value(facts.new, source).items())
        renamed = {value for _, value in given}
        touched_names = reimported | helpers | values | stand_ins | renamed
        return without_mentions(touched_names, same, elements, source)

    def _import_targets(self, path: str) -> tuple[list[str], list[str]]:
        """Return the ids that a file imports, before and after."""
        key = ("", "imports")
        new = self._reader.edges(path).outgoing.get(key, [])
        if path not in self._graph and path not in self._stubs:
            return new, new
        return read_edges(path, self.graph(path).old).outgoing.get(key, []), new


def _open_calls(row: Value) -> set[str]:
    return set((row or {}).get("", {}).get("open_calls", ()))


def _top_level(elements: Elements) -> set[str]:
    return {qual for qual in elements if "." not in qual}


_NO_VERSIONS = Versions(None, None)


def find_affected(
    changes: ChangedFiles, reader: GraphReader, names: DisplayNames
) -> AffectedIds:
    """Return the ids whose rows may come out differently."""
    touched, clues = changes.touched_names(), changes.touched_clues()
    ids: set[str] = set()
    moved: set[str] = set()
    classes: list[ChangedClass] = []
    for path in changes.paths:
        old, new = changes.old_elements(path), reader.elements(path)
        facts = changes.facts(path)
        unchanged = {
            qual
            for qual in changes.unchanged(path)
            if touched.isdisjoint((new[qual].name, new[qual].plain_qual))
            and clues.isdisjoint(own_clues(new[qual]))
            and is_of_main(facts.old, old[qual]) == is_of_main(facts.new, new[qual])
        }
        if headings_of(old) != headings_of(new):
            unchanged = set()
        unchanged -= _looked_up(old, new, unchanged)
        moved.update(element_id(path, qual) for qual in unchanged)
        ids.add(path)
        ids.update(_package_of(path, changes))
        ids.update(_documented_by_stub(path, changes, reader))
        ids.update(element_id(path, qual) for qual in {*old, *new} - unchanged)
        uses = docstring_uses(old), docstring_uses(new)
        ids.update(_readers_of_new_sentences(path, old, new, uses, reader))
        ids.update(_told_otherwise(new, uses))
        ids.update(_ends_of_changed_edges(path, changes.graph(path)))
        ids.update(_taken_otherwise(path, changes, reader))
        classes += _changed_classes(path, changes, reader)
    ids.update(_around_classes(classes, reader))
    ids.update(_renamed_elsewhere(changes, reader, names, touched))
    ids.update(_asked_otherwise(changes, reader, names, clues))
    ids.update(_used_otherwise(changes, reader, names))
    ids.update(_opened_otherwise(changes, reader, names))
    ids.update(_calling_unresolved(touched, reader))
    # A class calls what its constructor does, and its methods may call more.
    owners = ((path, parent_of(qual)) for path, qual in map(split_id, tuple(ids)))
    ids.update(element_id(path, owner) for path, owner in owners if owner)
    return AffectedIds(ids, moved - ids)


def _taken_otherwise(
    path: str, changes: ChangedFiles, reader: GraphReader
) -> Iterator[str]:
    """Yield what a file decorates, binds, dispatches, chooses or awaits anew."""
    old, new = changes.old_elements(path), reader.elements(path)
    yield from _decorating_otherwise(path, old, new, reader)
    yield from _bound_otherwise(path, old, new, reader)
    yield from _dispatched_otherwise(path, old, new, reader)
    yield from _chosen_otherwise(path, changes, reader)
    yield from _awaited_otherwise(path, changes, reader)


def _around_classes(classes: list[ChangedClass], reader: GraphReader) -> Iterator[str]:
    """Yield what changed classes pass on, and the methods that theirs replace."""
    for changed in classes:
        yield from _methods_below(changed.id, reader)
        yield from reader.descendants(changed.id)
    yield from _methods_above(classes, reader)


def _package_of(path: str, changes: ChangedFiles) -> Iterator[str]:
    """Yield the package that lists a file otherwise now."""
    old, new = changes.facts(path)
    before, after = part_terms(path, old), part_terms(path, new)
    if before != after or (after and _purpose(path, old) != _purpose(path, new)):
        yield package_of(path)


def _documented_by_stub(
    path: str, changes: ChangedFiles, reader: GraphReader
) -> Iterator[str]:
    """Yield the elements of a module of which its stub has a docstring now, or had."""
    if not path.endswith(".pyi"):
        return
    old, new = (documented(read_elements(one, path)) for one in changes.stub(path))
    known = reader.elements(path[:-1])
    yield from (element_id(path[:-1], qual) for qual in old ^ new if qual in known)


def _purpose(path: str, facts: Value) -> tuple[str, str]:
    """Return what the list of a package's parts may say of one of them."""
    return module_summary(path, facts), purpose_of(path, facts)


def _looked_up(old: Elements, new: Elements, unchanged: set[str]) -> set[str]:
    """Return the methods of classes of which a method that looks names up changed."""
    owners = {
        parent_of(qual)
        for elements in (old, new)
        for qual, element in elements.items()
        if qual not in unchanged and GETATTR in element.calls()
    }
    return {qual for qual in unchanged if parent_of(qual) in owners}


def _dispatched_otherwise(
    path: str, old: Elements, new: Elements, reader: GraphReader
) -> Iterator[str]:
    """Yield the methods below a class that begins or ceases to look names up."""
    before, after = _dispatchers(old), _dispatchers(new)
    for qual in sorted(before ^ after):
        yield from _methods_below(element_id(path, qual), reader)


def _dispatchers(elements: Elements) -> set[str]:
    """Return the classes of which a method looks names up."""
    return {one.parent for one in elements.values() if GETATTR in one.calls()}


def _readers_of_new_sentences(
    path: str, old: Elements, new: Elements, uses: DocstringUses, reader: GraphReader
) -> Iterator[str]:
    """Yield the callers and overriding methods of those with a new first sentence."""
    before, after = first_sentences(old, uses[0]), first_sentences(new, uses[1])
    for qual in {**old, **new}:
        if before.get(qual) == after.get(qual) and _runs(old, qual) == _runs(new, qual):
            continue
        yield from reader.incoming(element_id(path, qual), "calls")
        if owner := parent_of(qual):
            for subclass in reader.descendants(element_id(path, owner)):
                yield f"{subclass}.{name_of(qual)}"


def _decorating_otherwise(
    path: str, old: Elements, new: Elements, reader: GraphReader
) -> Iterator[str]:
    """Yield what an element calls whose decorators changed: it may be one of them."""
    for qual in old.keys() & new.keys():
        if old[qual].row.decorators != new[qual].row.decorators:
            yield from reader.outgoing(element_id(path, qual), "calls")


def _bound_otherwise(
    path: str, old: Elements, new: Elements, reader: GraphReader
) -> Iterator[str]:
    """Yield the functions that a class body binds under another name now, and the
    classes that bind a function which has a `self` now, or had one.
    """
    for qual in old.keys() & new.keys():
        id = element_id(path, qual)
        if new[qual].type == "class" and old[qual].row.attrs != new[qual].row.attrs:
            yield from reader.outgoing(id, "uses")
        if old[qual].takes_self != new[qual].takes_self:
            yield from reader.incoming(id, "uses")


def _chosen_otherwise(
    path: str, changes: ChangedFiles, reader: GraphReader
) -> Iterator[str]:
    """Yield what a file takes from one of several modules now, or did, and what it uses
    of files that it imports itself now, or did: it gets no other instead.
    """
    before, after = map(names_chosen, changes.facts(path))
    rows = [read_edges(path, row).outgoing for row in changes.graph(path)]
    old, new = (set(row.get(("", "imports"), ())) for row in rows)
    for id in reader.outgoing(path, "imports") if before != after else ():
        if name_of(split_id(id)[1]) in before ^ after:
            yield from (id, split_id(id)[0], *reader.incoming(id, "calls"))
    if files := {one for one in old ^ new if "::" not in one}:
        for targets in rows[1].values():
            yield from (one for one in targets if split_id(one)[0] in files)


def _awaited_otherwise(
    path: str, changes: ChangedFiles, reader: GraphReader
) -> Iterator[str]:
    """Yield what may return what a coroutine gives, or did: the callers of those that
    are coroutines now, were, or return other calls, and their callers.
    """
    old, new = changes.old_elements(path), reader.elements(path)
    before, after = (read_edges(path, row).outgoing for row in changes.graph(path))
    edge_ends = {
        qual
        for qual, kind in {**before, **after}
        if kind == "calls" and before.get((qual, kind)) != after.get((qual, kind))
    }
    changed = [
        element_id(path, qual)
        for qual in old.keys() | new.keys()
        if _gives(old.get(qual)) != _gives(new.get(qual))
        or (qual in edge_ends and qual in new and new[qual].returned_calls())
    ]
    for _ in range(2):
        changed = [one for id in changed for one in reader.incoming(id, "calls")]
        yield from changed


def _gives(element: ElementView | None) -> tuple[bool, set[str]]:
    """Return what decides whether callers have to await what an element returns."""
    if element is None:
        return False, set()
    return element.is_coroutine, element.returned_calls()


def _runs(elements: Elements, qual: str) -> bool:
    """Return whether an element exists at run time, for what is told of it."""
    return qual in elements and not elements[qual].is_for_types


def _told_otherwise(new: Elements, uses: DocstringUses) -> Iterator[str]:
    """Yield the elements whose docstring is now a copy or none, with what quotes it."""
    before, after = uses
    changed = {q for q in {**before, **after} if before.get(q) != after.get(q)}
    owners = {parent_of(qual) for qual in changed}
    for element in new.values() if changed else ():
        if not {element.qual, element.parent}.isdisjoint(changed) or (
            element.qual in owners
        ):
            yield element.id


def _ends_of_changed_edges(path: str, rows: Versions) -> Iterator[str]:
    """Yield both ends of the edges that were added or removed."""
    before, after = read_edges(path, rows.old), read_edges(path, rows.new)
    for edge in {**before.incoming, **after.incoming}:
        if before.incoming.get(edge) != after.incoming.get(edge):
            target, kind = edge
            yield target
            target_path, qual = split_id(target)
            if kind == "imports":
                yield target_path
            if kind in ("calls", "uses") and "." in qual and is_test(path):
                yield element_id(target_path, parent_of(qual))
    for edge in {**before.outgoing, **after.outgoing}:
        if before.outgoing.get(edge) != after.outgoing.get(edge):
            yield element_id(path, edge[0])


@dataclass(frozen=True, slots=True)
class ChangedClass:
    """A class that gained or lost methods or base classes."""

    id: str
    bases: set[str]  # ids, old and new
    methods: set[str]  # names that may begin or cease to override something


def _changed_classes(
    path: str, changes: ChangedFiles, reader: GraphReader
) -> Iterator[ChangedClass]:
    old, new = changes.old_elements(path), reader.elements(path)
    before, after = (read_edges(path, row).outgoing for row in changes.graph(path))
    old_methods, new_methods = _child_names(old), _child_names(new)
    for qual in sorted({e.qual for e in (*old.values(), *new.values())}):
        id, edge = element_id(path, qual), (qual, "inherits")
        was, now = old_methods.get(qual, set()), new_methods.get(qual, set())
        bases = {*before.get(edge, ()), *reader.outgoing(id, "inherits")}
        if before.get(edge) != after.get(edge):
            below = {name_of(method) for method in _methods_below(id, reader)}
            yield ChangedClass(id, bases, was | now | below)
        elif was != now:
            yield ChangedClass(id, bases, was ^ now)


def _child_names(elements: Elements) -> dict[str, set[str]]:
    """Return the names of each element's children by its qualified name."""
    names: dict[str, set[str]] = {}
    for element in elements.values():
        if element.parent and not element.is_for_types:
            names.setdefault(element.parent, set()).add(element.name)
    return names


def _methods_below(id: str, reader: GraphReader) -> Iterator[str]:
    """Yield the methods of a class and of its subclasses."""
    for class_id in (id, *reader.descendants(id)):
        path, qual = split_id(class_id)
        for element in reader.elements(path).values():
            if element.parent == qual:
                yield element.id


def _methods_above(classes: list[ChangedClass], reader: GraphReader) -> Iterator[str]:
    """Yield the methods of base classes, old and new, that the methods may override.

    All names are matched with all bases: a chain of classes may have been cut at two
    links (test_a_class_hierarchy_that_is_cut_at_two_links_is_updated).
    """
    names = set().union(*(changed.methods for changed in classes))
    bases = {base for changed in classes for base in changed.bases}
    for id in {*bases, *(far for base in bases for far in reader.ancestors(base))}:
        path, qual = split_id(id)
        for element in reader.elements(path).values():
            if element.parent == qual and element.name in names:
                yield element.id


def _used_otherwise(
    changes: ChangedFiles, reader: GraphReader, names: DisplayNames
) -> Iterator[str]:
    """Yield the elements of which documents or calls changed."""
    for old, new in changes.calls.values():
        before, after = old or {}, new or {}
        yield from (id for id in {**before, **after} if before.get(id) != after.get(id))
    yield from _named(changes.documented_names(), reader, names)


def _opened_otherwise(
    changes: ChangedFiles, reader: GraphReader, names: DisplayNames
) -> Iterator[str]:
    """Yield the elements that make a call which is now open, or was, and the methods
    that it may mean.
    """
    opened: set[str] = set()
    for path in changes.paths:
        here = changes.opened_names(path)
        opened |= here
        for element in reader.elements(path).values() if here else ():
            if any(name_of(chain) in here for chain in element.calls()):
                yield element.id
    yield from _named(opened, reader, names)


def _calling_unresolved(touched: set[str], reader: GraphReader) -> Iterator[str]:
    """Yield the elements with an unresolved call of a name that a file has, or had.

    `x.copy()` may be a method of the project where it has one of that name.
    """
    for name in sorted(touched):
        for path in reader.open_callers(name):
            for element in reader.elements(path).values():
                if any(name_of(chain) == name for chain in element.calls()):
                    yield element.id


def _named(wanted: set[str], reader: GraphReader, names: DisplayNames) -> Iterator[str]:
    """Yield the elements that have one of these bare names."""
    for name in sorted(wanted):
        for path in names.paths(name):
            for element in reader.elements(path).values():
                if element.name == name:
                    yield element.id


def _asked_otherwise(
    changes: ChangedFiles, reader: GraphReader, names: DisplayNames, touched: set[str]
) -> Iterator[str]:
    """Yield the elements of unchanged files that share a touched clue."""
    paths = names.with_clue(sorted(touched), set(changes.paths))
    for path in sorted(set(paths)):
        for element in reader.elements(path).values():
            if not touched.isdisjoint(own_clues(element)):
                yield element.id


def _renamed_elsewhere(
    changes: ChangedFiles, reader: GraphReader, names: DisplayNames, touched: set[str]
) -> Iterator[str]:
    """Yield the elements of unchanged files whose display name may differ now."""
    changed = set(changes.paths)
    for name in names.with_one_unchanged_file(sorted(touched), changed):
        for path in names.paths(name):
            if path not in changed:
                for element in reader.elements(path).values():
                    if name in (element.name, element.plain_qual):
                        yield element.id
