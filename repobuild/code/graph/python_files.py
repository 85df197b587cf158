"""Make the graph's rows of the Python files of one run.

`linked_edges.py` has the same two methods, `changed_terms` and `row`, for
files of all other languages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from repobuild.code.graph.nodes import open_terms, target_terms
from repobuild.code.graph.python_edges import python_file_row
from repobuild.code.resolve.python.data_flow.passing_sites import CallSite
from repobuild.code.resolve.python.distributions import Distributions, normal_name
from repobuild.code.resolve.python.modules import (
    Modules,
    module_surface,
    python_surface,
    stem_of,
)
from repobuild.code.resolve.python.resolver import Resolver
from repobuild.code.scan.python_table import python_table, standard_library
from repobuild.engine.contract import Change, OwnTable, Table, Value

MANIFEST_TERM = "manifest"  # held by every file that declares a project


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
        self._known_candidates: dict[str, list[str]] = {}
        self._standard = standard_library()
        self._distributions = Distributions(
            self._manifests(facts), python_table()["import_names"]
        )
        self.resolver = Resolver(
            self._modules,
            self._candidates,
            self._standard,
            self._distributions,
            self._call_sites,
        )
        self._sites: dict[str, list[CallSite]] | None = None  # of all files, by name

    def row(self, path: str) -> tuple[dict[str, Any], list[str]] | None:
        """Return a file's row and its index terms; None when it is not Python."""
        module = self._modules.get(path)
        if module is None:
            return None
        self.resolver.begin_file()
        row = python_file_row(module, self.resolver)
        within = tuple(f"{mark}:{path}:" for mark in "nbmdxse")
        looked_up = self.resolver.terms
        terms = {term for term in looked_up if not term.startswith(within)}
        terms.add("mod:" + stem_of(path).rpartition("/")[2])
        terms |= open_terms(row)
        terms.update(f"pass:{name}" for name in module.call_sites)
        return row, sorted(terms | target_terms(path, row))

    def changed_terms(self) -> set[str]:
        """Return the terms whose value differs between the old and the new facts."""
        terms: set[str] = set()
        for path, (old, new) in self._changed.items():
            was, now = _is_python(old), _is_python(new)
            if was and now:
                module = self._modules.get(path)  # its rows are read again later
                after = module_surface(module) if module else {}
                terms |= _different(python_surface(path, old), after)
            elif was or now:
                terms |= _module_terms(path)
                surface = python_surface(path, new if now else old)
                terms.update(term for term in surface if term.startswith("to:"))
            else:
                declared = self._distributions.surface
                terms |= _different(declared(path, old), declared(path, new))
        return terms

    def is_external(self, top: str) -> bool:
        """Return whether a top module comes from another project."""
        if top in self._standard:
            return False
        if self._distributions.is_declared(top):
            return True
        return not (self._candidates(top) or self._own.index.find(f"space:{top}"))

    def _known_stems(self) -> dict[str, list[str]]:
        """Return this run's modules by last name: all of them, else the changed."""
        stems: Iterable[str] = self._modules.stems()
        if not self._full:
            stems = {stem_of(path) for path in self._changed if stem_of(path) != path}
        by_name: dict[str, list[str]] = {}
        for stem in stems:
            by_name.setdefault(stem.rpartition("/")[2], []).append(stem)
        return by_name

    def _candidates(self, name: str) -> list[str]:
        """Return the stems of modules whose last name is `name`, sorted."""
        known = self._known_candidates.get(name)
        if known is not None:
            return known
        stems = set(self._stems_by_name.get(name, ()))
        if not self._full:
            stems.update(map(stem_of, self._own.index.find(f"mod:{name}")))
        known = self._known_candidates[name] = [
            stem
            for stem in sorted(stems)
            if stem.rpartition("/")[2] == name and self._modules.at(stem) is not None
        ]
        return known

    def _call_sites(self, name: str) -> list[CallSite]:
        """Return what is passed to something of this name, in order of the files."""
        if self._full:
            if self._sites is None:
                self._sites = {}
                for module in self._modules.all():
                    for one, sites in module.call_sites.items():
                        self._sites.setdefault(one, []).extend(sites)
            return self._sites.get(name, [])
        paths = {*self._own.index.find(f"pass:{name}"), *self._changed}
        modules = map(self._modules.get, sorted(paths))
        return [
            site
            for module in modules
            if module is not None
            for site in module.call_sites.get(name, ())
        ]

    def _manifests(self, facts: Table) -> Iterator[tuple[str, Value | None]]:
        """Yield every file that declares a project, with its facts."""
        for path, (_, new) in self._changed.items():
            if new is not None and "project" in new:
                yield path, new
        if not self._full:
            for path in self._own.index.find(MANIFEST_TERM):
                if path not in self._changed:
                    yield path, facts.get(path)


def _different(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    names = before.keys() | after.keys()
    return {name for name in names if before.get(name) != after.get(name)}


def _is_python(facts: Value | None) -> bool:
    return facts is not None and facts.get("language") == "python"


def _module_terms(path: str) -> set[str]:
    """Return the terms that a module changes by being added or removed."""
    stem = stem_of(path)
    # `p:` of any module: `a.py` beside `a/__init__.pyi` ends that a is a package.
    return {f"f:{stem}", f"top:{stem.rpartition('/')[2]}", f"p:{stem}"}


def import_name(package: str) -> str:
    """Return the normal form of the name that a distribution is imported by."""
    name = normal_name(package)
    return str(python_table()["import_names"].get(name, name))


@cache
def names_of_others() -> frozenset[str]:
    """Return the modules of any Python's standard library, and of its installers."""
    lists = ("standard_library", "python2_library", "installers")
    return frozenset(name for one in lists for name in python_table()[one])
