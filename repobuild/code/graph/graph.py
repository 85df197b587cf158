"""The repository graph: elements, and what contains, imports, calls and inherits what.

A row is a file: `{sub: item}`.

    ""                    the file     {"kind": "file", "name", "start_line",
                                        "end_line", "language", "shape",
                                        "unresolved"}
    "::qual"              an element   {"kind": "function|method|class|section", "name",
                                        "start_line", "end_line", "shape", "face"}
    " KIND DST"           an edge from the file
    "::qual KIND DST"     an edge from an element   {"confidence": float}

KIND is contains, imports, calls or inherits; DST is an element id `path::qual` or a
path. A qualified name holds no space (headings are slugs), so a sub splits at its first
two spaces. `shape` and `face` are digests (bytes): all of an element, and what callers
see. `unresolved` (Python) counts the names that elements call and that no edge stands
for: builtins, other projects' functions, the unknown; facts keep each with its lines.

Row `@project` is the project: see `project.py`.

The unit of work is the file. The index holds, under its path, every term that its edges
were worked out from (`names.py`), and `in:KIND DST` for every DST in *another* file;
edges within a file are found in its own row, `incoming` looks at both.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from repobuild.code.graph.edges import resolved_row
from repobuild.code.graph.project import PROJECT, update_project
from repobuild.code.resolve.linked.linking import Linking
from repobuild.code.resolve.python.modules import Modules, stem_of, surface
from repobuild.code.resolve.python.resolver import Resolver
from repobuild.engine.contract import Change, Table, Value, View
from repobuild.resources import folder


def graph(view: View) -> None:
    """Bring the graph up to date with the changed files."""
    update = GraphUpdate(view)
    update.run()
    update_project(view, update.rows, update.is_external)


class GraphUpdate:
    """One run of the view."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.facts = view.table("facts")
        self.changed = view.changes("facts")
        self.rows: dict[str, Change] = {}  # path -> the graph's row before and after
        every = None
        if view.full:
            every = {
                path: new
                for path, (_, new) in self.changed.items()
                if new is not None and new.get("language") == "python"
            }
        self.modules = Modules(self.facts, every)
        self._named: dict[str, list[str]] = {}
        self._name_stems()
        self.standard = _standard_names()
        self.resolver = Resolver(self.modules, self._candidates, self.standard)
        self.linking = Linking(self.facts, self.changed, view.own, view.full)

    def run(self) -> None:
        concerned = set(self.changed)
        if not self.view.full:
            for term in self._changed_terms():
                concerned.update(self.view.own.index.find(term))
        for path in sorted(concerned):
            self._update(path)

    def _update(self, path: str) -> None:
        own = self.view.own
        before = None if self.view.full else own.get(path)
        facts = self._facts_of(path)
        if facts is None or not facts.get("language"):
            if before is not None:
                own.drop(path)
                self.rows[path] = (before, None)
            return
        module = self.modules.get(path)
        if module is None:
            row, terms = self.linking.row(path, facts)
        else:
            self.resolver.begin()
            row = resolved_row(module, self.resolver)
            terms = _terms(path, row, self.resolver.terms)
        own.put(path, row)
        own.index.set(path, terms)
        self.rows[path] = (before, row)

    def _facts_of(self, path: str) -> Value | None:
        change = self.changed.get(path)
        return change[1] if change is not None else self.facts.get(path)

    def _name_stems(self) -> None:
        """Note which modules exist now by each last name, as far as this run knows."""
        stems: Iterable[str] = self.modules.stems()
        if not self.view.full:
            stems = {stem_of(path) for path in self.changed if stem_of(path) != path}
        for stem in stems:
            self._named.setdefault(stem.rpartition("/")[2], []).append(stem)

    def _candidates(self, name: str) -> Iterator[str]:
        """Yield the stems of modules whose last name is `name`."""
        found = set(self._named.get(name, ()))
        if not self.view.full:
            for path in self.view.own.index.find(f"mod:{name}"):
                found.add(stem_of(path))
        for stem in sorted(found):
            if stem.rpartition("/")[2] == name and self.modules.at(stem) is not None:
                yield stem

    def is_external(self, top: str) -> bool:
        """Return whether a top module comes from another project."""
        if top in self.standard:
            return False
        return next(iter(self._candidates(top)), None) is None

    def _changed_terms(self) -> set[str]:
        """Return the terms whose value differs between the old and the new facts."""
        terms = set(self.linking.changed_terms())
        for path, (old, new) in self.changed.items():
            was, now = _is_python(old), _is_python(new)
            if was and now:
                before, after = surface(path, old), surface(path, new)
                for term in before.keys() | after.keys():
                    if before.get(term) != after.get(term):
                        terms.add(term)
            elif was or now:
                terms |= _module_terms(path)
        return terms


def _is_python(facts: Value | None) -> bool:
    return facts is not None and facts.get("language") == "python"


def _module_terms(path: str) -> set[str]:
    """Return the terms that a module changes by coming or going."""
    stem = stem_of(path)
    # `p:` of any module: `a.py` beside `a/__init__.pyi` ends that a is a package.
    return {f"f:{stem}", f"top:{stem.rpartition('/')[2]}", f"p:{stem}"}


def _terms(path: str, row: Mapping[str, Value], looked: set[str]) -> list[str]:
    """Return what a file is found by: looks outside, targets outside, its own name."""
    own = (f"n:{path}:", f"b:{path}::", f"m:{path}::", f"d:{path}::")
    terms = {term for term in looked if not term.startswith(own)}
    terms.add("mod:" + stem_of(path).rpartition("/")[2])
    for sub in row:
        edge = sub.partition(" ")[2]  # "" of a node
        if edge and split_id(edge.partition(" ")[2])[0] != path:
            terms.add("in:" + edge)
    return sorted(terms)


@cache
def _standard_names() -> frozenset[str]:
    """Return the top names of Python's standard library."""
    path = folder("configs") / "languages" / "python.toml"
    return frozenset(tomllib.loads(path.read_text("utf-8"))["standard_library"])


# ------------------------------------------------------------------- reading the graph


def split_id(id: str) -> tuple[str, str]:
    """Return (path, qualified name); the name is "" for a file."""
    path, _, qual = id.partition("::")
    return path, qual


def node(table: Table, id: str) -> Value | None:
    """Return the node of an element id or a path."""
    path, qual = split_id(id)
    row = table.get(path)
    return row.get(f"::{qual}" if qual else "") if row else None


def elements_of(row: Value | None) -> Iterator[tuple[str, Value]]:
    """Yield (qualified name, node) of the elements of a file, none for no row."""
    for sub, item in (row or {}).items():
        if sub.startswith("::") and " " not in sub:
            yield sub[2:], item


def edges_of(row: Value, qual: str) -> list[tuple[str, str, float]]:
    """Return (kind, dst, confidence) of the edges that leave `qual` ("" = the file)."""
    start = f"::{qual} " if qual else " "
    found = []
    for sub, item in row.items():
        if sub.startswith(start):
            kind, _, dst = sub[len(start) :].partition(" ")
            found.append((kind, dst, item["confidence"]))
    return found


def outgoing(table: Table, id: str, kind: str) -> list[tuple[str, float]]:
    """Return (dst, confidence), sorted by dst."""
    path, qual = split_id(id)
    row = table.get(path)
    edges = edges_of(row, qual) if row else []
    return sorted((dst, sure) for found, dst, sure in edges if found == kind)


def incoming(table: Table, id: str, kind: str) -> list[tuple[str, float]]:
    """Return (src, confidence), sorted by src, from every file."""
    end = f" {kind} {id}"
    found = []
    for path in {split_id(id)[0], *table.index.find("in:" + end[1:])}:
        for sub, item in (table.get(path) or {}).items():
            if sub.endswith(end):
                found.append((path + sub[: -len(end)], item["confidence"]))
    return sorted(found)


def callers(table: Table, id: str) -> list[tuple[str, float]]:
    """Return who calls `id`."""
    return incoming(table, id, "calls")


__all__ = [
    "PROJECT",
    "callers",
    "edges_of",
    "elements_of",
    "graph",
    "incoming",
    "node",
    "outgoing",
    "split_id",
]
