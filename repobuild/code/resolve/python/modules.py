"""Look up Python modules, and compute the terms that other files depend on.

While a file is resolved, every lookup outside of it is recorded as a term; the graph's
index holds the terms under the file's path. When a file changes, the terms whose value
differs follow from its old and new `surface` alone, and the index returns the files
that depend on them:

    top:a            the folders from which `import a` can find a module
    mod:a            (held by the module itself) its last name is a; answers `top:a`
    p:DIR            whether DIR is a package
    f:STEM           which file is the module STEM (a path without its ending)
    n:PATH:name      what a module's name is bound to
    n:PATH:*         its star imports and `__all__`, and whether it extends `__path__`
    n:PATH:!         the modules that it imports by their dotted names
    dep:a, dist:DIR  what manifests declare; see distributions.py
    space:a          (nobody changes it) the file imports the repository's own `a.b`
    b:PATH::Class    a class's bases
    m:PATH::Class:x  what a class itself binds x to
    d:PATH::f        all of a function f that contains definitions
    x:PATH:name      the function that makes the fixture of that name
    s:PATH:Class     the classes of a test file with a base of that name
    e:PATH::qual     the variables and results of a function, the containers of a class
    e:PATH::         the containers that the module's names are bound to
    to:NAME          what is passed to something called NAME; see passing_sites.py
    pass:NAME        (held by files that pass something to it) answers `to:NAME`
    in:KIND DST      (edges) DST, in another file, is a target of this file

No term depends on bodies, docstrings, comments or line numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from repobuild.code.facts.element_row import (
    FIXTURE,
    Binding,
    Bindings,
    ElementRow,
    bindings_of,
    name_of,
    parent_of,
    row_of,
    without_type_arguments,
)
from repobuild.code.resolve.binding_marks import ALTERNATIVE, DEFINITION
from repobuild.code.resolve.paths import folder_of
from repobuild.code.resolve.python.data_flow.passing_sites import CallSite, sites_of
from repobuild.code.scan.file_roles import is_test
from repobuild.engine.contract import Table, Value

_MODULE_ENDING = re.compile(r"(?:/?__init__)?\.pyi?\Z")
_FORMS = ("/__init__.py", ".py", "/__init__.pyi", ".pyi")  # preferred ones first
_TYPE = ElementRow._fields.index("type")
_ATTRS = ElementRow._fields.index("attrs")
_DECORATORS = ElementRow._fields.index("decorators")
_FIXTURE_NAME = re.compile(r"""[(,]\s*name\s*=\s*["'](\w+)["']""")


def stem_of(path: str) -> str:
    """Return a module's path without its ending (`.py` or `/__init__.py`)."""
    return _MODULE_ENDING.sub("", path)


def is_package(path: str) -> bool:
    return path.rpartition("/")[2].startswith("__init__.py")


class ModuleFacts:
    """One Python file's facts, as names are looked up in it.

    `items` holds the elements as they are stored, by qualified name: most are never
    needed as a whole, and unpacking one costs 1 us.
    """

    def __init__(self, path: str, facts: Value) -> None:
        self.path = path
        self.stem = stem_of(path)
        self.is_package = is_package(path)
        self.package = self.stem if self.is_package else folder_of(path)
        self.facts = facts
        self.names: Bindings = facts.get("names", {})
        self.all: list[str] | None = facts.get(
            "all"
        )  # entries: facts/python/exports.py
        self.items: dict[str, list[Any]] = {
            item[0]: item for item in facts.get("elements", ())
        }
        self._rows: dict[str, ElementRow] = {}
        self._containers: dict[str, frozenset[str]] = {}

    def row(self, qual: str) -> ElementRow:
        row = self._rows.get(qual)
        if row is None:
            row = self._rows[qual] = row_of(self.items[qual])
        return row

    def type_of(self, qual: str) -> str:
        """Return an element's type: function, method or class."""
        kind: str = self.items[qual][_TYPE]
        return kind

    def bindings(self, name: str) -> tuple[Binding, ...]:
        """Return what the module's name is bound to, in source order."""
        bindings = self.names.get(name)
        if bindings is not None:
            return (bindings,) if isinstance(bindings, str) else tuple(bindings)
        return (DEFINITION + name,) if name in self.items else ()

    def class_bindings(self, qual: str, name: str) -> tuple[Binding, ...]:
        """Return what a class itself binds a name to."""
        item = self.items[qual]
        if len(item) > _ATTRS:
            bindings = bindings_of(item[_ATTRS], name)
            if bindings:
                return bindings
        inner = f"{qual}.{name}"
        return (DEFINITION + inner,) if inner in self.items else ()

    def alternatives(self, qual: str) -> list[str]:
        """Return the definitions of which one exists, with this one; [] if it does."""
        outer, name = parent_of(qual), name_of(qual)
        if not outer:
            bindings = self.bindings(name)
        elif self.type_of(outer) == "class":
            bindings = self.class_bindings(outer, name)
        else:
            bindings = bindings_of(self.row(outer).vars, name)
        if not any(binding.startswith(ALTERNATIVE) for binding in bindings):
            return []
        definitions = (DEFINITION, ALTERNATIVE)
        return [one[1:] for one in bindings if one.startswith(definitions)]

    def stars(self) -> tuple[str, ...]:
        """Return the modules of the star imports, in source order."""
        return bindings_of(self.names, "*")

    @cached_property
    def dotted_imports(self) -> list[str]:
        """The modules of its `import a.b` statements."""
        entries = self.facts.get("imports", ())
        return sorted(
            {module for _, module, name, alias in entries if not (name or alias)}
        )

    @cached_property
    def fixtures(self) -> dict[str, str]:
        """The functions that make fixtures, by the fixture's name."""
        found: dict[str, str] = {}
        for qual, item in self.items.items():
            if len(item) <= _DECORATORS or not item[_DECORATORS]:
                continue
            for text in item[_DECORATORS]:
                if FIXTURE.match(text):
                    outer, _, name = qual.rpartition(".")
                    named = _FIXTURE_NAME.search(text)
                    found[f"{outer}.{named[1] if named else name}".lstrip(".")] = qual
        return found

    @cached_property
    def subclasses(self) -> dict[str, list[str]]:
        """The classes by the last name of each of their bases, in source order."""
        found: dict[str, list[str]] = {}
        for qual in self.items:
            if self.type_of(qual) == "class":
                for base in self.row(qual).bases:
                    name = name_of(without_type_arguments(base))
                    found.setdefault(name, []).append(qual)
        return found

    @cached_property
    def call_sites(self) -> dict[str, list[CallSite]]:
        """What the module passes to functions and classes, by their names."""
        return sites_of(self)

    def containers(self, scope: str) -> frozenset[str]:
        """Return the names that a scope ("" the module) binds to literal containers."""
        known = self._containers.get(scope)
        if known is None:
            names: Bindings = self.names
            if scope:
                row = self.row(scope)
                names = row.attrs if row.type == "class" else row.vars
            known = frozenset(
                name.partition("[")[0] for name in names if name[-1:] == "]"
            )
            self._containers[scope] = known
        return known

    @property
    def extends_path(self) -> bool:
        """Whether a package's modules may be in several folders, as pkgutil allows."""
        calls = self.facts.get("calls", ())
        return "__path__" in self.names or any(
            name.endswith("declare_namespace") for name, *_ in calls
        )

    def methods_by_class(self) -> Iterator[tuple[str, str]]:
        """Yield (class, name) of every definition directly in a class's body."""
        for qual in self.items:
            outer, _, name = qual.rpartition(".")
            if outer and "#" not in name and self.type_of(outer) == "class":
                yield outer, name

    def outermost_function(self, qual: str) -> str:
        """Return the outermost function around an element, "" when there is none."""
        parts = qual.split(".")
        for count in range(1, len(parts)):
            outer = ".".join(parts[:count])
            if self.type_of(outer) != "class":
                return outer
        return ""


def python_surface(path: str, facts: Value | None) -> dict[str, Any]:
    """Return every term that a file can change, with its value."""
    if not facts or facts.get("language") != "python":
        return {}
    return module_surface(ModuleFacts(path, facts))


def module_surface(module: ModuleFacts) -> dict[str, Any]:
    """Return every term that a module can change, with its value."""
    path = module.path
    terms: dict[str, Any] = {
        f"n:{path}:*": (module.stars(), module.all, module.extends_path),
        f"n:{path}:!": module.dotted_imports,
    }
    for name in module.names:
        terms[f"n:{path}:{name}"] = _term_value(module, module.bindings(name))
    for qual in module.items:
        if "." not in qual and "#" not in qual:
            terms[f"n:{path}:{qual}"] = _term_value(module, module.bindings(qual))
        if module.type_of(qual) == "class":
            row = module.row(qual)
            terms[f"b:{path}::{qual}"] = row.bases
            for name in row.attrs:
                bindings = module.class_bindings(qual, name)
                terms[f"m:{path}::{qual}:{name}"] = _term_value(module, bindings)
    for outer, rows in _functions_with_definitions(module).items():
        terms[f"d:{path}::{outer}"] = [
            (row.qual, row.type, row.parameters, row.returns, row.vars, row.bases)
            + (row.decorators, "a" in row.flags)
            for row in rows
        ]
    for name, qual in module.fixtures.items():
        terms[f"x:{path}:{name}"] = _term_value(module, (DEFINITION + qual,))
    if is_test(path):
        for name, quals in module.subclasses.items():
            terms[f"s:{path}:{name}"] = quals
    terms |= _flow_terms(module)
    for outer, name in module.methods_by_class():
        bindings = module.class_bindings(outer, name)
        terms[f"m:{path}::{outer}:{name}"] = _term_value(module, bindings)
    return terms


def _flow_terms(module: ModuleFacts) -> dict[str, Any]:
    """Return the terms of what data_flow.py reads of a module."""
    path = module.path
    terms: dict[str, Any] = {}
    for name, sites in module.call_sites.items():
        terms[f"to:{name}"] = sites
    terms[f"e:{path}::"] = _containers_in(module.names)
    inner: dict[str, list[tuple[str, str]]] = {}
    for qual in module.items:
        inner.setdefault(parent_of(qual), []).append((qual, module.type_of(qual)))
    for qual in module.items:
        row = module.row(qual)
        if row.type == "class":
            terms[f"e:{path}::{qual}"] = (_containers_in(row.attrs), row.decorators)
        else:
            within = (row.vars, row.parameters, row.decorators, row.flags, row.returns)
            terms[f"e:{path}::{qual}"] = (row.type, *within, inner.get(qual))
    return terms


def _containers_in(names: Bindings) -> list[tuple[str, Any]]:
    return [(name, to) for name, to in names.items() if name[-1:] == "]"]


def _term_value(module: ModuleFacts, bindings: tuple[Binding, ...]) -> list[Any]:
    """Return a name's bindings; with a function, all that its result depends on."""
    value: list[Any] = []
    for binding in bindings:
        if not binding.startswith((DEFINITION, ALTERNATIVE)):
            value.append((binding,))
            continue
        row = module.row(binding[1:])
        if row.type == "class":
            value.append((binding, row.type))
            continue
        returned = None if row.returns else row.vars.get("return")
        is_async = "a" in row.flags  # the other flags do not say what it returns
        value.append(
            (binding, row.type, (row.returns, row.decorators, is_async, returned))
        )
    return value


def _functions_with_definitions(module: ModuleFacts) -> dict[str, list[ElementRow]]:
    """Return each outermost function that contains definitions, and all of these."""
    rows: dict[str, list[ElementRow]] = {}
    for qual in module.items:
        outer = module.outermost_function(qual) if "." in qual else ""
        if outer:
            rows.setdefault(outer, [module.row(outer)]).append(module.row(qual))
    return rows


class Modules:
    """The Python files of the repository, in their current state.

    A full build passes every file's facts (`table`); an update loads the modules that
    it needs one by one.
    """

    def __init__(self, facts: Table, table: dict[str, Value] | None = None) -> None:
        self._facts = facts
        self._loaded: dict[str, ModuleFacts | None] = {}
        self._stems: dict[str, str | None] = {}  # stem -> path
        self._is_complete = table is not None
        for path, value in (table or {}).items():
            self._loaded[path] = ModuleFacts(path, value)
            stem = stem_of(path)
            known = self._stems.get(stem)
            if known is None or _preference(path) < _preference(known):
                self._stems[stem] = path

    def get(self, path: str) -> ModuleFacts | None:
        if path not in self._loaded:
            facts = None if self._is_complete else self._facts.get(path)
            is_python = facts is not None and facts.get("language") == "python"
            self._loaded[path] = ModuleFacts(path, facts) if is_python else None
        return self._loaded[path]

    def all(self) -> Iterator[ModuleFacts]:
        """Yield the modules that are loaded, by path; of a full build all."""
        for _, module in sorted(self._loaded.items()):
            if module is not None:
                yield module

    def at(self, stem: str) -> str | None:
        """Return the path of the module at a stem."""
        if stem not in self._stems:
            path = None
            if not self._is_complete:
                # The top folder itself can only be a package: `__init__.py`.
                forms = _FORMS if stem else _FORMS[0::2]
                paths = ((stem + form).lstrip("/") for form in forms)
                path = next((path for path in paths if self.get(path)), None)
            self._stems[stem] = path
        return self._stems[stem]

    def stems(self) -> Iterator[str]:
        return (stem for stem, path in self._stems.items() if path)


def _preference(path: str) -> int:
    return next(rank for rank, form in enumerate(_FORMS) if ("/" + path).endswith(form))
