"""Read what documents say of elements, and where they are called, for the contexts.

Input are the tables `documents` and `call_sites` of code/usage. Two questions:

    `said_of`   the sentence of a document that says what an element is or does
    `example`   the best real call: from the element's own docstring, else a document,
                else the code that shows most, of equals a test

A name in a document belongs to an element of that name when what stands before its last
dot fits the element's module or class, or when no other element has the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from repobuild.code.graph.graph import split_id
from repobuild.code.scan.file_roles import is_test
from repobuild.code.usage.call_example import CallExample, call_example
from repobuild.code.usage.document_text import read_document
from repobuild.code.usage.explained_names import file_names, written_imports
from repobuild.engine.contract import Value, View
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.text.docstring_parts import warning_of
from repobuild.samples.text.import_statements import module_of

_MOST_PATHS = 16  # files with calls that are compared, tests and others each
_PRIVATE_IMPORT = re.compile(r"^(?:from|import) (?:\w+\.)+_[a-z]", re.MULTILINE)
_MODULE_ENDS = (".py", "/__init__.py", ".pyi", ".pyx", ".so")
_README = re.compile(r"(?i)readme[^/]*$")
# Methods that any object may have: `x.get(...)` in a document is no call of ours.
_COMMON = frozenset(
    name
    for type_ in (str, bytes, list, dict, set, tuple, int, float, object, BaseException)
    for name in dir(type_)
) | frozenset(
    "read write close open run start stop next send put submit save load".split()
)


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

    def example(
        self, element: ElementView, is_unique: bool, is_bound: bool = False
    ) -> RealCall | None:
        """Return the best real call of an element.

        `is_bound` says that a class makes a function its method: it is called on an
        object, and `name(self, ...)` is for its own module.
        """
        if own := _docstring_example(element):
            return RealCall("", own.code)
        documented = [
            (-call[0], len(call[1]), path, call[1])
            for path, row in self._with_term(f"c:{element.name}")
            for dotted, call in row.get("calls", {}).items()
            if _is_called(dotted, element, is_unique, is_bound)
            if not self._imports_missing(call[1], element)
        ]
        if documented:
            return RealCall(*min(documented)[2:])
        sites = [
            (_imports_private(code) - score, not is_test(path), len(code), path, code)
            for path, (score, code) in self._calls_of(element.id)
            # Nobody but its own file and its tests call what is private there.
            if not element.is_private or (path != element.path and not is_test(path))
            if not is_bound or f".{element.name}(" in code
        ]
        return RealCall(*min(sites)[3:]) if sites else None

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


def _is_named(dotted: str, element: ElementView, is_unique: bool) -> bool:
    """Return whether a name in a document's prose means an element."""
    *before, last = dotted.split(".")
    if last != element.name:
        return False
    if not before:
        return is_unique and not element.parent
    return _fits(before, element)


def _is_called(
    dotted: str, element: ElementView, is_unique: bool, is_bound: bool
) -> bool:
    """Return whether a call in a document's code means an element."""
    if _is_named(dotted, element, is_unique):
        return not is_bound
    # `runner.invoke(...)`: a variable, whose class only the method's name can tell.
    is_method = (element.type == "method" or is_bound) and "." in dotted
    name = dotted.rpartition(".")[2]
    return is_method and is_unique and name == element.name and name not in _COMMON


def _fits(before: list[str], element: ElementView) -> bool:
    """Return whether names before a dot are those of the class and the module."""
    owners = element.plain_qual.split(".")[:-1]
    modules = set(module_of(element.path).split("."))
    if owners and before[-len(owners) :] != owners:
        return False
    return modules.issuperset(before[: len(before) - len(owners)])
