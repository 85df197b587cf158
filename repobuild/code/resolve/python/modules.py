"""Modules and what they offer: the part of a file that other files can depend on.

While a file is resolved, every look outside is noted as a term; the terms lie in the
graph's index under the file's path. When a file changes, the terms whose value differs
are worked out from its old and new surface alone, and the index says whom that
concerns:

    top:a            where a module `a` may be imported from by its bare name
    mod:a            (held by the module itself) its last name is a; answers `top:a`
    p:DIR            whether DIR is a package
    f:STEM           which file is the module STEM (a path without its ending)
    n:PATH:name      what a module's name is bound to
    n:PATH:*         its star imports and `__all__`
    b:PATH::Class    a class's bases
    m:PATH::Class:x  what a class itself binds x to
    d:PATH::f        all that a function f holds that has definitions in it
    in:KIND DST      (edges) DST, in another file, is a target of this file

Bodies, docstrings, comments and lines are in none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from repobuild.code.facts.element_row import (
    Binding,
    Bindings,
    ElementRow,
    bound,
    row_of,
)
from repobuild.engine.contract import Table, Value

_MODULE = re.compile(r"(?:/?__init__)?\.pyi?\Z")
_FORMS = ("/__init__.py", ".py", "/__init__.pyi", ".pyi")


def stem_of(path: str) -> str:
    """Return a module's path without its ending (`.py` or `/__init__.py`)."""
    return _MODULE.sub("", path)


def is_package(path: str) -> bool:
    return path.rpartition("/")[2].startswith("__init__.py")


def folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


class ModuleFacts:
    """One Python file's facts, as names are looked up in it."""

    def __init__(self, path: str, facts: Value) -> None:
        self.path = path
        self.stem = stem_of(path)
        self.package = self.stem if is_package(path) else folder_of(path)
        self.is_package = is_package(path)
        self.facts = facts
        self.names: Bindings = facts.get("names", {})
        self.all: list[str] | None = facts.get("all")
        self.items: dict[str, list[Any]] = {
            item[0]: item for item in facts.get("elements", ())
        }
        self._rows: dict[str, ElementRow] = {}

    def row(self, qual: str) -> ElementRow:
        row = self._rows.get(qual)
        if row is None:
            row = self._rows[qual] = row_of(self.items[qual])
        return row

    def bindings(self, name: str) -> tuple[Binding, ...]:
        """Return what the module's name is bound to, in source order."""
        found = self.names.get(name)
        if found is not None:
            return (found,) if isinstance(found, str) else tuple(found)
        return ("#" + name,) if name in self.items else ()

    def members(self, qual: str, name: str) -> tuple[Binding, ...]:
        """Return what a class itself binds a name to."""
        item = self.items[qual]
        if len(item) > 17:
            found = bound(item[17], name)
            if found:
                return found
        inner = f"{qual}.{name}"
        return ("#" + inner,) if inner in self.items else ()

    def stars(self) -> tuple[str, ...]:
        return bound(self.names, "*")

    def exports(self, name: str) -> bool:
        """Return whether a star import would take the name."""
        return not name.startswith("_") if self.all is None else name in self.all


def surface(path: str, facts: Value | None) -> dict[str, Any]:
    """Return every term that a file can change, with its value."""
    if not facts or facts.get("language") != "python":
        return {}
    module = ModuleFacts(path, facts)
    found: dict[str, Any] = {f"n:{path}:*": (module.stars(), module.all)}
    for name in module.names:
        _note(found, module, f"n:{path}:{name}", module.bindings(name))
    for qual, item in module.items.items():
        if "." not in qual and "#" not in qual:
            _note(found, module, f"n:{path}:{qual}", module.bindings(qual))
        if item[1] == "class":
            _note_class(found, module, qual)
    for outer, rows in _holders(module).items():
        found[f"d:{path}::{outer}"] = [
            (row.qual, row.type, row.parameters, row.returns, row.vars, row.bases)
            + (row.decorators, row.flags)
            for row in rows
        ]
    for outer, name in members_of(module):
        term = f"m:{path}::{outer}:{name}"
        _note(found, module, term, module.members(outer, name))
    return found


def _note(
    found: dict[str, Any], module: ModuleFacts, term: str, bindings: tuple[Binding, ...]
) -> None:
    """Note what a name is bound to, and of functions what a caller is given."""
    found[term] = [(binding, *_given(module, binding)) for binding in bindings]


def _given(module: ModuleFacts, binding: Binding) -> Iterator[Any]:
    if binding[:1] == "#":
        row = module.row(binding[1:])
        yield row.type
        if row.type != "class":
            returned = None if row.returns else row.vars.get("return")
            yield row.returns, row.decorators, row.flags, returned


def _note_class(found: dict[str, Any], module: ModuleFacts, qual: str) -> None:
    row = module.row(qual)
    found[f"b:{module.path}::{qual}"] = row.bases
    for name in row.attrs:
        term = f"m:{module.path}::{qual}:{name}"
        _note(found, module, term, module.members(qual, name))


def members_of(module: ModuleFacts) -> Iterator[tuple[str, str]]:
    """Yield (class, name) of every definition that lies directly in a class."""
    for qual in module.items:
        outer, _, name = qual.rpartition(".")
        if outer and "#" not in name and module.items[outer][1] == "class":
            yield outer, name


def outermost_function(module: ModuleFacts, qual: str) -> str:
    """Return the outermost function that an element lies in, "" when in none."""
    parts = qual.split(".")
    for count in range(1, len(parts)):
        outer = ".".join(parts[:count])
        if module.items[outer][1] != "class":
            return outer
    return ""


def _holders(module: ModuleFacts) -> dict[str, list[ElementRow]]:
    """Return the outermost functions that hold definitions, each with all of them."""
    found: dict[str, list[ElementRow]] = {}
    for qual in module.items:
        outer = outermost_function(module, qual) if "." in qual else ""
        if outer:
            found.setdefault(outer, [module.row(outer)]).append(module.row(qual))
    return found


class Modules:
    """The Python files of the repository, as of now."""

    def __init__(self, facts: Table, table: dict[str, Value] | None = None) -> None:
        self._facts = facts
        self._loaded: dict[str, ModuleFacts | None] = {}
        self._stems: dict[str, str | None] = {}
        self.every = table is not None  # every file is known beforehand
        for path, value in (table or {}).items():
            self._loaded[path] = ModuleFacts(path, value)
            self._prefer(path)

    def _prefer(self, path: str) -> None:
        stem = stem_of(path)
        known = self._stems.get(stem)
        if known is None or _rank(path) < _rank(known):
            self._stems[stem] = path

    def get(self, path: str) -> ModuleFacts | None:
        if path not in self._loaded:
            facts = None if self.every else self._facts.get(path)
            python = facts is not None and facts.get("language") == "python"
            self._loaded[path] = ModuleFacts(path, facts) if python else None
        return self._loaded[path]

    def at(self, stem: str) -> str | None:
        """Return the file that is the module at a stem."""
        if stem not in self._stems:
            found = None
            if not self.every:
                forms = _FORMS if stem else _FORMS[0::2]
                paths = ((stem + form).lstrip("/") for form in forms)
                found = next((path for path in paths if self.get(path)), None)
            self._stems[stem] = found
        return self._stems[stem]

    def stems(self) -> Iterator[str]:
        return (stem for stem, path in self._stems.items() if path)


def _rank(path: str) -> int:
    return next(rank for rank, form in enumerate(_FORMS) if ("/" + path).endswith(form))
