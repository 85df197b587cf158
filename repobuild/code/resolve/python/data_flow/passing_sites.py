"""Find what is passed to functions: call sites by the name of what they call.

A parameter's values are at the calls of its function, in any file. These are searched
for by name; whether a call means the function is resolved then. The names of a site
are the last one of its chain (`make` of `a.make()(f)`) and, where that is a variable or
an alias, the last name of what it is bound to. A decorator is a call site, too, and a
class passes what it is called with to its bases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from repobuild.code.facts.element_row import (
    Bindings,
    ElementRow,
    bindings_of,
    name_of,
    parent_of,
    without_type_arguments,
)
from repobuild.code.resolve.binding_marks import (
    ALTERNATIVE,
    ASSIGNED_CALL,
    ASSIGNED_NAME,
    DECORATED,
    DEFINITION,
    IMPORTED_NAME,
)

SUBCLASS = "<"  # in place of arguments: `scope` is a class with this base
_TAIL = re.compile(r"(?:\(\)|\[\w*\])+\Z")
_SPECIAL = ("__init__", "__new__", "__call__")  # run under the name of their class
_DECORATORS = ElementRow._fields.index("decorators")
_FLOW = ElementRow._fields.index("flow")
# Decorators of Python itself, which keep what they decorate.
_PLAIN = frozenset("property staticmethod classmethod overload abstractmethod".split())


class ModuleSource(Protocol):
    """What is read of a module (`ModuleFacts`)."""

    path: str
    facts: Any
    names: Bindings
    items: dict[str, list[Any]]

    def row(self, qual: str) -> ElementRow: ...

    def type_of(self, qual: str) -> str: ...


class CallSite(NamedTuple):
    """One call that passes something; `passed` is flat: which, binding, ..."""

    path: str
    scope: str
    callee: str
    passed: tuple[str, ...]


def decorator_chain(text: str) -> str:
    """Return a decorator, as written, as a chain."""
    name, bracket, _ = text.partition("(")
    return name.strip() + ("()" if bracket else "")


def names_of_function(
    module: ModuleSource | None, qual: str
) -> Iterator[tuple[str, bool]]:
    """Yield the names under which calls may mean a function, and which are classes.

    A function within another one is called under the name of that: `outer()()`.
    """
    while qual and module is not None:
        name, outer = name_of(qual), parent_of(qual)
        is_class = module.type_of(qual) == "class"
        if name not in _SPECIAL:
            yield name, is_class
            if outer and module.type_of(outer) == "class":
                return
        qual = outer


def sites_of(module: ModuleSource) -> dict[str, list[CallSite]]:
    """Return a module's call sites by each of their names."""
    found: dict[str, list[CallSite]] = {}
    for site in _all_sites(module):
        for name in _names(module, site):
            found.setdefault(name, []).append(site)
    return found


def _all_sites(module: ModuleSource) -> Iterator[CallSite]:
    path = module.path
    for entry in module.facts.get("flow", ()):
        if len(entry) > 2:
            yield CallSite(path, "", entry[0], tuple(entry[1:]))
    for qual, item in module.items.items():
        if len(item) > _FLOW:
            for entry in item[_FLOW]:
                if len(entry) > 2:
                    yield CallSite(path, qual, entry[0], tuple(entry[1:]))
        if len(item) > _DECORATORS and item[_DECORATORS]:
            outer = parent_of(qual)
            for index, text in enumerate(item[_DECORATORS]):
                if text not in _PLAIN:
                    passed = ("0", f"{DECORATED}{index + 1}:{qual}")
                    yield CallSite(path, outer, decorator_chain(text), passed)
        if module.type_of(qual) == "class":
            for base in module.row(qual).bases:
                yield CallSite(path, qual, without_type_arguments(base), (SUBCLASS,))


def _names_of_bases(module: ModuleSource, scope: str) -> Iterator[str]:
    while scope and module.type_of(scope) != "class":
        scope = parent_of(scope)
    for base in module.row(scope).bases if scope else ():
        yield name_of(without_type_arguments(base))


def _names(module: ModuleSource, site: CallSite) -> set[str]:
    chain = _TAIL.sub("", site.callee)
    holder, _, name = chain.rpartition(".")
    names = {name}
    if holder and name in _SPECIAL:
        # `super().__init__(f)` and `Base.__init__(self, f)` name no function.
        names = {name_of(holder)}
        if holder == "super()":
            names = set(_names_of_bases(module, site.scope))
    elif not holder:
        scope = site.scope
        while scope and name not in module.row(scope).vars:
            scope = parent_of(scope)
        bindings = module.names if not scope else module.row(scope).vars
        for binding in bindings_of(bindings, name):
            mark, text = binding[:1], _TAIL.sub("", binding[1:])
            if mark == IMPORTED_NAME:
                names.add(text.rpartition(":")[2])
            elif mark in (ASSIGNED_NAME, ASSIGNED_CALL):
                names.add(text.rpartition(".")[2])
            elif mark in (DEFINITION, ALTERNATIVE):
                names.add(name_of(text))
        if name == "cls":
            names.add(name_of(parent_of(site.scope)))
    return names - {""}
