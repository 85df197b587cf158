"""Find who uses an element: callers, readers, tests.

A caller calls it, or makes an object of a class by any name; a reader refers to it.
What it decorates refers to it, and does not call it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from itertools import filterfalse, islice, tee
from typing import NamedTuple

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import split_id
from repobuild.samples.contexts.element_view import CONSTRUCTORS, ElementView
from repobuild.samples.contexts.fields.element_tests import tests_of
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.contexts.graph_reader import GraphReader
from repobuild.samples.text.long_strings import without_long_strings

_MOST_USERS = 64  # that are searched for what an element decorates
_ENUMERATION = re.compile(r"(?:Enum|Flag)$")
_OWN_CLASS = re.compile(r"cls|__class__|type\(self\)")
# `cls.__new__(cls)` and `type(self)(...)`, which may have a name of its own before.
_MAKES_OWN = re.compile(
    r"(?m)^[^#\n]*?\b(?:cls|self\.__class__|type\(self\))(?:\(|\.__new__\()"
    r"|^[^#\n]*?\bobject\.__new__\((?:cls|self\.__class__|type\(self\))\)"
    r"|^[ \t]+(\w+) = (?:type\(self\)|self\.__class__)(?:[ \t]*#.*)?\n[\s\S]*\b\1\("
)


class Users(NamedTuple):
    """Who uses an element: the code that calls it or refers to it, and tests."""

    callers: Iterable[str]
    readers: Iterable[str]
    tests: Iterable[str]


def users_of(file: FileContext, element: ElementView, is_only: bool) -> Users:
    """Return who uses an element; `is_only` says that no other has its name."""
    # A method that is also called by a computed name has callers that nobody finds.
    is_known = not file.is_dispatched(element)
    callers = _callers(file, element) if is_known else ()
    is_read_whole = is_known and is_read_by_name(element)
    incoming = file.reader.incoming
    readers = incoming(element.id, "uses", tests=False) if is_read_whole else ()
    is_asked = is_only or element.type != "class" and not element.name.startswith("__")
    users = _callers_apart(element, callers, readers, file.reader)
    return Users(*users, tests_of(file, element) if is_asked else [])


def _callers(file: FileContext, element: ElementView) -> Iterable[str]:
    """Return who calls an element, or makes an object of a class by any name."""
    callers = file.reader.incoming(element.id, "calls", tests=False)
    makers = _makers(file, element)
    if not makers:
        return callers
    # Where nothing else makes one, who refers to the class says more.
    others = list(callers)
    # What a function within a method makes is known by the calls.
    inner = {one.rpartition(".")[0] for one in others}
    return sorted({*others, *makers} - (inner - {*others})) if others else ()


def _makers(file: FileContext, element: ElementView) -> list[str]:
    """Return the methods of a class that make an object of it without its name."""
    if element.type != "class" or file.language != "python":
        return []
    return [
        one.id
        for one in file.children(element.qual)
        if one.type == "method" and one.name not in CONSTRUCTORS
        if _OWN_CLASS.search(code := file.code(one))
        if _MAKES_OWN.search(without_long_strings(code))
    ]


def _callers_apart(
    element: ElementView,
    callers: Iterable[str],
    readers: Iterable[str],
    reader: GraphReader,
) -> tuple[Iterable[str], Iterable[str]]:
    """Return who calls an element, and who refers to it: it decorates some of these.

    A call of an enumeration looks a member up, and one of a property calls what that
    gives.
    """
    if any(map(_ENUMERATION.search, element.row.bases)):
        return [], sorted({*readers, *callers})
    if element.is_property:
        is_whole = is_read_by_name(element)
        return [], sorted({*readers, *callers}) if is_whole else ()
    every, first = tee(callers)
    is_decorated = partial(_is_decorated, name=element.name, reader=reader)
    decorated = set(filter(is_decorated, islice(first, _MOST_USERS)))
    if decorated:  # all of them, however many: 453 functions of jqdatasdk have one
        decorated.update(filter(is_decorated, first))
    referring = sorted({*readers, *decorated}) if decorated else readers
    return filterfalse(is_decorated, every), referring


def _is_decorated(id: str, name: str, reader: GraphReader) -> bool:
    path, qual = split_id(id)
    one = reader.elements(path).get(qual)
    decorators = one.row.decorators if one is not None else ()
    return name in (name_of(text.partition("(")[0]) for text in decorators)


def is_reader(one: str, element: ElementView) -> bool:
    """Return whether one may tell who refers to an element: a class names itself."""
    is_own = one == element.id or one.startswith(f"{element.id}.")
    return not is_own and not _is_inner_test(one)


def is_caller(one: str, element: ElementView) -> bool:
    """Return whether one is another caller, and no part of what it would call."""
    is_part = element.type != "class" and one.startswith(f"{element.id}.")
    return one != element.id and not is_part and not _is_inner_test(one)


def _is_inner_test(id: str) -> bool:
    """Return whether an element is a test beside the code that it tests."""
    return name_of(split_id(id)[1]).startswith("test_")


def is_read_by_name(element: ElementView) -> bool:
    """Return whether code that reads an element without a call can be listed whole.

    A public method or property is read through any object (`self._url.path`), of which
    the graph knows the class only where that is certain.
    """
    return element.type != "method" or element.is_private
