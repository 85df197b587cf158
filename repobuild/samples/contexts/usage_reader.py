"""Read what documents say of elements, and where they are called, for the contexts.

Input are the tables `documents` and `call_sites` of code/usage. Two questions:

    `said_of`   the sentence of a document that says what an element is or does
    `example`   the best real call: from the element's own docstring, else a document,
                else the code that shows most, of equals a test. What stands inside of
                a function of the project comes last

A name in a document belongs to an element of that name when what stands before its last
dot fits the element's module or class, or is a variable that the code makes of the
class, or when no other element has the name. Code that uses what its file defines, or
imports in a way of its own, comes with an import of the element.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from repobuild.code.graph.graph import split_id
from repobuild.code.scan.file_roles import is_shown, is_test, is_tool
from repobuild.code.scan.python_table import standard_library, value_members
from repobuild.code.usage.call_example import CallExample, call_example
from repobuild.code.usage.document_text import read_document
from repobuild.code.usage.explained_names import file_names, written_imports
from repobuild.engine.contract import Value, View
from repobuild.samples.contexts.element_view import PYTHON_SUFFIXES, ElementView
from repobuild.samples.text.docstring_parts import warning_of
from repobuild.samples.text.import_statements import module_of

_MOST_PATHS = 16  # files with calls that are compared, tests and others each
_PRIVATE_IMPORT = re.compile(r"^(?:from|import) (?:\w+\.)+_[a-z]", re.MULTILINE)
_IMPORTS = re.compile(r"(?:(?:from|import) [^\n]*\n+)+")
_INSIDE = re.compile(r"(?:async def|def|class) ")
_RUNS = re.compile(r"\bawait\b|\basync\b|asyncio|\brun|gather|create_task|future")
_MODULE_ENDS = (".py", "/__init__.py", ".pyi", ".pyx", ".so")
_README = re.compile(r"(?i)readme[^/]*$")
# Methods that many classes have: `x.read(...)` in a document is no call of ours.
_COMMON = frozenset(
    "read write close open run start stop next send put submit save load".split()
)


class CalledAs(NamedTuple):
    """What decides which calls of its name are calls of an element."""

    is_unique: bool  # no other element has its name
    is_bound: bool = False  # a class makes a function its method
    is_awaited: bool | None = None  # None where nobody knows


class RealCall(NamedTuple):
    """A quoted call and the file that has it; "" for the element's own docstring."""

    site: str
    code: str


class UsageReader:
    """The tables as of this update."""

    def __init__(self, view: View) -> None:
        self._graph = view.table("graph")
        self._files = view.table("files")
        self._documents, self._sites = view.table("documents"), view.table("call_sites")
        self._by_callee: dict[str, list[tuple[str, Value]]] | None = None
        self._rows: dict[str, list[tuple[str, Value]]] = {}
        if view.full:
            self._by_callee = {}
            for path, row in self._sites.items():
                for callee, call in row.items():
                    self._by_callee.setdefault(callee, []).append((path, call))

    def said_of(self, element: ElementView, is_unique: bool) -> list[str]:
        """Return [path, sentence] of what a document says of an element, or []."""
        found = [
            (not _README.match(path), path, sentence)
            for path, row in self._with_term(f"m:{element.name}")
            for dotted, sentence in row.get("mentions", {}).items()
            if sentence and _is_named(dotted, element, is_unique)
        ]
        return list(min(found)[1:]) if found else []

    def example(self, element: ElementView, called: CalledAs) -> RealCall | None:
        """Return the best real call of an element.

        One that a class makes its method is called on an object, and `name(self, ...)`
        is for its own module.
        """
        own = _docstring_example(element)
        if own and not _needs_another_package(own.code, element):
            return RealCall("", own.code)
        documented = [
            (-call[0], len(call[1]), path, call[1])
            for path, row in self._with_term(f"c:{element.name}")
            for dotted, call in row.get("calls", {}).items()
            if self._means(dotted, call[1], element, called)
            if not self._imports_missing(call[1], element)
            if _fits_await(call[1], element.name, called.is_awaited)
        ]
        if documented:
            *_, path, code = min(documented)
            return RealCall(path, _with_import(code, element))
        sites = [
            (
                _is_last_resort(path, code, score),
                _imports_private(code) - score,
                not is_test(path),
                len(code),
                path,
                code,
            )
            for path, (score, code) in self._calls_of(element.id)
            # Nobody but its own file and its tests call what is private there.
            if not element.is_private or (path != element.path and not is_test(path))
            if not called.is_bound or f".{element.name}(" in code
            if _has_object(code, element)
            if _fits_await(code, element.name, called.is_awaited)
        ]
        if not sites:
            return RealCall("", own.code) if own else None
        *_, path, code = min(sites)
        return RealCall(path, _with_import(code, element))

    def _means(
        self, dotted: str, code: str, element: ElementView, called: CalledAs
    ) -> bool:
        """Return whether a call in a document's code is one of an element.

        `desk.lend()` is one of `Desk.lend` after `desk = Desk()`, and none of this
        project after `desk = furniture.find()` with another package.
        """
        variable = dotted.rpartition(".")[0]
        pattern = rf"^[ \t]*{re.escape(variable)}(?:: [^=\n]+)? = ([A-Za-z_][\w.]*)\("
        made = re.search(pattern, code, re.MULTILINE) if variable else None
        named = dotted.rpartition(".")[2] == element.name
        if made and named and element.type == "method":
            if made[1].rpartition(".")[2] == element.parent.rpartition(".")[2]:
                return True
            root = made[1].partition(".")[0]
            modules = [o.module for o in written_imports(code) if o.bound == root]
            if any(self._is_foreign(one, element) for one in modules):
                return False
        return _is_called(dotted, element, called)

    def _is_foreign(self, module: str, element: ElementView) -> bool:
        """Return whether a module is of another package than those of the project."""
        root = module.partition(".")[0]
        if not root or root in module_of(element.path).split("."):
            return False
        return not any(map(self._is_module, (root, f"src/{root}")))

    def _imports_missing(self, code: str, element: ElementView) -> bool:
        """Return whether a document imports a module that the element's package lacks,
        or the element's name from another package.

        `from text.patterns import match` was right until the module moved.
        """
        *folders, last = element.path.split("/")
        for one in written_imports(code):
            parts = one.module.split(".")
            if parts[0] not in folders:
                is_named = one.bound == element.name and parts[0]
                if is_named and parts[0] != last.partition(".")[0]:
                    if not any(map(self._is_module, (parts[0], f"src/{parts[0]}"))):
                        return True
                continue
            above = folders[: folders.index(parts[0])]
            module = "/".join([*above, *parts])
            inner = f"{module}/{one.name}" if one.name else module
            if not (self._is_module(module) or self._is_module(inner)):
                return True
        return False

    def _is_module(self, stem: str) -> bool:
        return any(f"{stem}{end}" in self._files for end in _MODULE_ENDS)

    def is_called_in_documents(self, name: str) -> bool:
        """Return whether a document calls something of a name, be it another thing."""
        return bool(self._with_term(f"c:{name}"))

    def _with_term(self, term: str) -> list[tuple[str, Value]]:
        """Return the documents that hold a name, with their rows."""
        if term not in self._rows:
            paths = self._documents.index.find(term)
            rows = ((path, self._documents.get(path)) for path in paths)
            self._rows[term] = [(path, row) for path, row in rows if row]
        return self._rows[term]

    def _calls_of(self, id: str) -> Iterator[tuple[str, Value]]:
        """Yield (path, call) of the first test files and of the first others."""
        for tests in (True, False):
            yield from islice(
                (one for one in self._all_calls(id) if is_test(one[0]) == tests),
                _MOST_PATHS,
            )

    def _all_calls(self, id: str) -> Iterator[tuple[str, Value]]:
        if self._by_callee is not None:
            yield from self._by_callee.get(id, ())
            return
        paths = {*self._graph.index.find(f"in:calls {id}"), split_id(id)[0]}
        for path in sorted(paths):
            row = self._sites.get(path) or {}
            if id in row:
                yield path, row[id]


def _imports_private(code: str) -> bool:
    """Return whether an example imports from a module that is not for others."""
    return _PRIVATE_IMPORT.search(code) is not None


def _with_import(code: str, element: ElementView) -> str:
    """Return code with an import of an element that it calls by its bare name.

    Its own file needs none, and a test may have it in a branch.
    """
    if element.parent or element.type == "method" or element.is_private:
        return code
    if not element.path.endswith(PYTHON_SUFFIXES):
        return code
    module = module_of(element.path)
    if _is_inside(code) or not _is_for_others(element.path, module):
        return code
    bound = {one.bound for one in written_imports(code)}
    # A call that passes nothing says no more with an import than without.
    bare = rf"(?<![\w.@]){re.escape(element.name)}\((?!\))"
    if element.name in bound or not re.search(bare, code):
        return code
    found = _IMPORTS.match(code)
    above = found[0].strip() + "\n" if found else ""
    rest = code[found.end() :] if found else code
    return f"{above}from {module} import {element.name}\n\n{rest}"


def _needs_another_package(code: str, element: ElementView) -> bool:
    """Return whether an example imports what neither Python nor the project has.

    `parse(text, parser=defusedexpat)` shows what few do.
    """
    known = {*standard_library(), *module_of(element.path).split(".")}
    roots = {one.module.partition(".")[0] for one in written_imports(code)}
    return not roots - {""} <= known


def _docstring_example(element: ElementView) -> CallExample | None:
    """Return the best call of an element in the examples of its own docstring.

    Of equal ones it is the first: the later ones show what is special, or fails.
    """
    if f"{element.name}(" not in element.doc or warning_of(element.doc):
        return None  # it may show what it warns of
    blocks = read_document(element.doc, is_rst=True).code
    written = [line for lines in blocks for line in lines]
    around = element.plain_qual.split(".")[:-1]
    known = file_names(written_imports("\n".join(written)), written, around)
    found = [
        example
        for lines in blocks
        for row in range(len(lines))
        if (example := call_example(lines, row, element.name, known))
        and _fits_kind(example.code, element)
    ]
    return max(found, key=lambda one: one.score) if found else None


def _fits_kind(code: str, element: ElementView) -> bool:
    """Return whether a call of a method has an object before its dot.

    `set_options(...)` is a call of what another module binds to that name.
    """
    is_method = element.type == "method" or element.takes_self
    return not is_method or f".{element.name}(" in code


def _has_object(code: str, element: ElementView) -> bool:
    """Return whether code of Python names a method after a dot.

    `parse = parser.parse` made `parse(text)` a call of it, and is not shown.
    """
    if element.type != "method" or not element.path.endswith(PYTHON_SUFFIXES):
        return True
    return re.search(rf"\.{re.escape(element.name)}\b", code) is not None


def _is_named(dotted: str, element: ElementView, is_unique: bool) -> bool:
    """Return whether a name in a document's prose means an element."""
    *before, last = dotted.split(".")
    if last != element.name:
        return False
    if not before:
        return is_unique and not element.parent
    return _fits(before, element)


def _is_called(dotted: str, element: ElementView, called: CalledAs) -> bool:
    """Return whether a call in a document's code means an element by its name."""
    if _is_named(dotted, element, called.is_unique):
        return not called.is_bound
    # `runner.invoke(...)`: a variable, whose class only the method's name can tell.
    is_method = (element.type == "method" or called.is_bound) and "." in dotted
    name = dotted.rpartition(".")[2]
    is_own = called.is_unique and name == element.name and not _is_common(name)
    return is_method and is_own


def _is_common(name: str) -> bool:
    """Return whether any object may have a method of a name."""
    return name in _COMMON or name in value_members()


def _is_for_others(path: str, module: str) -> bool:
    """Return whether a file is a package, or a public module in a folder of one.

    A module by itself may be a script, which nobody imports.
    """
    *_, name = parts = module.split(".")
    is_package = path.endswith("/__init__.py") and module
    if (len(parts) < 2 and not is_package) or name.startswith("_"):
        return False
    is_own = not (is_test(path) or is_tool(path) or is_shown(path))
    return is_own and all(one.isidentifier() and one[0] != "_" for one in parts)


def _is_inside(code: str) -> bool:
    """Return whether code is quoted with the head of a function or a class."""
    return _INSIDE.match(_IMPORTS.sub("", code, 1)) is not None


def _is_last_resort(path: str, code: str, score: int) -> bool:
    """Return whether a call is shown only where there is no other.

    That is one inside of the project's own functions, where nobody else can write it,
    and one of a test that needs more than it shows.
    """
    if is_test(path):
        return score < 0
    return _is_inside(code) and not is_shown(path)


def _fits_await(code: str, name: str, is_awaited: bool | None) -> bool:
    """Return whether code awaits a call if, and only if, it gives what is awaited."""
    if is_awaited is None:
        return True
    if is_awaited:
        return _RUNS.search(code) is not None
    calls = re.finditer(rf"\bawait ([^\n]*?)(?<!\w){re.escape(name)}\(", code)
    return all(one[1].count("(") != one[1].count(")") for one in calls)


def _fits(before: list[str], element: ElementView) -> bool:
    """Return whether names before a dot are those of the class and the module."""
    owners = element.plain_qual.split(".")[:-1]
    modules = set(module_of(element.path).split("."))
    if owners and before[-len(owners) :] != owners:
        return False
    return modules.issuperset(before[: len(before) - len(owners)])
