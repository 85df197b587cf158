"""Find the lists of users and callees that may miss some.

The graph has an edge for a call only where it knows what is called. An element with a
call of an unknown object, or whose name is called on one, may have more neighbours
than the graph shows.
"""

from __future__ import annotations

import re

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import split_id
from repobuild.code.scan.file_roles import is_test, is_tool
from repobuild.code.scan.python_table import value_members
from repobuild.samples.contexts.element_view import CONSTRUCTORS, ElementView
from repobuild.samples.contexts.fields.callees import (
    constructor_of,
    methods_call_more,
)
from repobuild.samples.contexts.fields.users import is_read_by_name
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.contexts.graph_reader import GraphReader

_MOST_OPEN_CALLERS = 3  # files; more of them may well mean something else
TEST_LISTS = ("tests", "users_in_tests")
_MADE = re.compile(r"^[ \t]+(\w+) = (?:[\w.]+\.)?(\w+)\(", re.MULTILINE)
_OPERATED = re.compile(r"(?<![\w.])(\w+)\[|\b(?:in |len\(|iter\()(\w+)\b(?![.(\[])")
_OPERATED_SELF = re.compile(r"(?<![\w.])self\[|\b(?:in |len\(|iter\()self\b(?![.(\[])")
_SPECIAL = re.compile(r"\.__\w+__$")


def open_lists(
    file: FileContext, element: ElementView, callees: list[str], is_only: bool
) -> list[str]:
    """Return the lists that may miss some, those of a class's methods included."""
    found = _own_open_lists(file, element, callees)
    maker = constructor_of(file, element)
    is_open = maker and "callees" in _own_open_lists(file, maker, callees)
    if is_open or methods_call_more(file, element, callees):
        found = list(dict.fromkeys(["callees", *found]))
    # Tests may reach it in the place of others of its name, and read a property of an
    # object of which nobody knows the class. So may any code.
    if not is_only or element.is_property:
        found = list(dict.fromkeys([*found, *TEST_LISTS]))
    return [*found, "readers"] if element.is_property else found


def _own_open_lists(
    file: FileContext, element: ElementView, callees: list[str]
) -> list[str]:
    """Return the lists of users and callees that may miss some.

    The users of a method do where any code calls its name on an object of unknown
    class, the callees where the element makes such a call.
    """
    reader = file.reader
    known = {name_of(split_id(id)[1]) for id in callees}
    unknown = reader.open_calls(element.path) - known
    called = {name_of(chain) for chain in element.calls() if "." in chain}
    # `x.append()` is a list's, unless the project has something of that name.
    is_open = any(
        one not in value_members() or file.names.is_of_product(one)
        for one in called & unknown
    ) or any(reader.calls_several(element.path, one) for one in called)
    is_open |= any(
        reader.calls_no_element(element.path, one) for one in element.calls()
    )
    # What a function defines within itself makes calls of its own.
    is_open |= any(reader.outgoing(one.id, "calls") for one in _inner(file, element))
    found = ["callees"] if is_open else []
    is_by_name = not element.is_property and reader.is_looked_up(element.name)
    if element.type != "method" and not reader.binding_classes(element):
        return [*found, "callers"] if is_by_name else found
    are_tests = {is_test(path) for path in reader.open_callers(element.name)}
    # Who passes it on uses it, too, and others may pass it on through an object.
    is_passed = not is_read_by_name(element) and any(
        reader.incoming(element.id, "uses", tests=False)
    )
    is_called = False in are_tests
    found += ["callers"] if is_called or is_by_name or is_passed else []
    # `for one in handlers: one._write()` refers to the method of each of them.
    found += ["readers"] if is_called and not element.is_property else []
    return [*found, *TEST_LISTS] if True in are_tests else found


def open_callers(file: FileContext, element: ElementView) -> list[str]:
    """Return the files that may call a method, and of which nobody knows it.

    They are none where there are many, where others may call it in another way, and
    where the name is one of Python's own types: most of these calls are of those.
    """
    reader = file.reader
    is_by_name = reader.is_looked_up(element.name) or file.is_dispatched(element)
    if element.type != "method" or element.is_property or is_by_name:
        return []
    if element.name in value_members():
        return []
    if any(reader.incoming(element.id, "uses", tests=False)):
        return []  # who is given it calls it by any name
    paths = (one for one in reader.open_callers(element.name) if not is_test(one))
    found = sorted(one for one in paths if not is_tool(one))
    return found if len(found) <= _MOST_OPEN_CALLERS else []


def _inner(file: FileContext, element: ElementView) -> list[ElementView]:
    """Return the functions that a function defines within itself."""
    return file.children(element.qual) if element.type != "class" else []


def has_unresolved_calls(element: ElementView, reader: GraphReader) -> bool:
    """Return whether it calls a method that may do its main work and is not resolved.

    That is `super().m()` of a base from elsewhere, or a special method of any object.
    """
    known = {name_of(split_id(id)[1]) for id in reader.outgoing(element.id, "calls")}
    return any(
        name_of(chain) not in known
        for chain in element.calls()
        if "." in chain and not chain.endswith(CONSTRUCTORS)
        if chain.startswith("super()") or _SPECIAL.search(chain)
    )


def uses_operators(file: FileContext, element: ElementView, callees: list[str]) -> bool:
    """Return whether Python code calls special methods by an index, `in` or `len()`.

    That is of its own object, or of what a callee has returned: `evolver[i] = x` may be
    what a function is there for, and is no call that a list of its callees has.
    """
    if file.language != "python" or element.type == "class":
        return False
    code = file.code(element)
    known = {name_of(split_id(id)[1]) for id in callees}
    made = {name for name, callee in _MADE.findall(code) if callee in known}
    if element.type == "method" and _OPERATED_SELF.search(code):
        return True
    return bool(made) and any(
        name in made for pair in _OPERATED.findall(code) for name in pair
    )
