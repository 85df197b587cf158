"""Make the graph's rows of the Python files of one run.

`linked_edges.py` has the same two methods, `changed_terms` and `row`, for
files of all other languages.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from repobuild.code.graph.nodes import target_terms
from repobuild.code.graph.python_edges import python_file_row
from repobuild.code.resolve.python.modules import Modules, python_surface, stem_of
from repobuild.code.resolve.python.resolver import Resolver
from repobuild.engine.contract import Change, OwnTable, Table, Value
from repobuild.resources import data_folder


class PythonFiles:
    """One run's Python modules, with the resolver that links them."""

    def __init__(
        self, facts: Table, changed: Mapping[str, Change], own: OwnTable, full: bool
    ) -> None:
        self._changed = changed
        self._own = own
        self._full = full
        every = None
        if full:
            every = {
                path: new
                for path, (_, new) in changed.items()
                if new is not None and _is_python(new)
            }
        self._modules = Modules(facts, every)
        self._stems_by_name = self._known_stems()
        self._standard = _standard_library()
        self._resolver = Resolver(self._modules, self._candidates, self._standard)

    def row(self, path: str) -> tuple[dict[str, Any], list[str]] | None:
        """Return a file's row and its index terms; None when it is not Python."""
        module = self._modules.get(path)
        if module is None:
            return None
        self._resolver.begin_file()
        row = python_file_row(module, self._resolver)
        within = (f"n:{path}:", f"b:{path}::", f"m:{path}::", f"d:{path}::")
        looked_up = self._resolver.terms
        terms = {term for term in looked_up if not term.startswith(within)}
        terms.add("mod:" + stem_of(path).rpartition("/")[2])
        return row, sorted(terms | target_terms(path, row))

    def changed_terms(self) -> set[str]:
        """Return the terms whose value differs between the old and the new facts."""
        terms: set[str] = set()
        for path, (old, new) in self._changed.items():
            was, now = _is_python(old), _is_python(new)
            if was and now:
                before, after = python_surface(path, old), python_surface(path, new)
                names = before.keys() | after.keys()
                terms |= {t for t in names if before.get(t) != after.get(t)}
            elif was or now:
                terms |= _module_terms(path)
        return terms

    def is_external(self, top: str) -> bool:
        """Return whether a top module comes from another project."""
        if top in self._standard:
            return False
        return next(iter(self._candidates(top)), None) is None

    def _known_stems(self) -> dict[str, list[str]]:
        """Return this run's modules by last name: all of them, else the changed."""
        stems: Iterable[str] = self._modules.stems()
        if not self._full:
            stems = {stem_of(path) for path in self._changed if stem_of(path) != path}
        by_name: dict[str, list[str]] = {}
        for stem in stems:
            by_name.setdefault(stem.rpartition("/")[2], []).append(stem)
        return by_name

    def _candidates(self, name: str) -> Iterator[str]:
        """Yield the stems of modules whose last name is `name`."""
        stems = set(self._stems_by_name.get(name, ()))
        if not self._full:
            stems.update(map(stem_of, self._own.index.find(f"mod:{name}")))
        for stem in sorted(stems):
            if stem.rpartition("/")[2] == name and self._modules.at(stem) is not None:
                yield stem


def _is_python(facts: Value | None) -> bool:
    return facts is not None and facts.get("language") == "python"


def _module_terms(path: str) -> set[str]:
    """Return the terms that a module changes by being added or removed."""
    stem = stem_of(path)
    # `p:` of any module: `a.py` beside `a/__init__.pyi` ends that a is a package.
    return {f"f:{stem}", f"top:{stem.rpartition('/')[2]}", f"p:{stem}"}


@cache
def _standard_library() -> frozenset[str]:
    """Return the top names of Python's standard library."""
    path = data_folder("configs") / "languages" / "python.toml"
    return frozenset(tomllib.loads(path.read_text("utf-8"))["standard_library"])
