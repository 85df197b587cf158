"""List the neighbours of an element in the graph for its context row.

Each list may miss some: `open` names those that do (open_lists.py), `more` those that
were cut (row_parts.py). Who uses the element is in users.py, what it calls in
callees.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import filterfalse

from repobuild.code.graph.graph import split_id
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.fields.callees import (
    callees_of,
    constructor_of,
    property_reads,
)
from repobuild.samples.contexts.fields.element_tests import is_named_after
from repobuild.samples.contexts.fields.import_choices import (
    files_that_choose,
    gets_by_choice,
    without_choices,
)
from repobuild.samples.contexts.fields.open_lists import (
    TEST_LISTS,
    has_unresolved_calls,
    open_callers,
    open_lists,
    uses_operators,
)
from repobuild.samples.contexts.fields.row_parts import MOST, Row, cut_lists
from repobuild.samples.contexts.fields.users import (
    Users,
    is_caller,
    is_reader,
    users_of,
)
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.contexts.graph_reader import element_id

_USER_LISTS = ["callers", "readers", *TEST_LISTS]


def neighbour_fields(file: FileContext, element: ElementView, is_only: bool) -> Row:
    """Return the ids of an element's neighbours, and which lists may miss some.

    `is_only` says that no other element has its name.
    """
    reader, id = file.reader, element.id
    choosing = files_that_choose(id, reader)
    users = users_of(file, element, is_only)
    if choosing:
        is_by_choice = partial(gets_by_choice, id=id, choosing=choosing, reader=reader)
        users = Users(*(list(filterfalse(is_by_choice, one)) for one in users))
    tests = list(users.tests)
    is_tested = is_only and bool(tests) and is_named_after(tests[0], element)
    callees = callees_of(file, element)
    certain = without_choices(element, callees, reader)
    row = cut_lists(
        MOST,
        callers=(one for one in users.callers if is_caller(one, element)),
        readers=(one for one in users.readers if is_reader(one, element)),
        callees=certain,
        property_reads=property_reads(file, element),
        bases=reader.outgoing(id, "inherits"),
        subclasses=reader.incoming(id, "inherits", tests=False),
        overrides=_overridden_method(file, element),
        overridden=_overriding_methods(file, element),
        tests=tests if is_tested else [],
        users_in_tests=[] if is_tested or element.type == "class" else tests,
    )
    sentences = [(callee, reader.sentence(callee)) for callee in row["callees"]]
    row["open"] = open_lists(file, element, row["callees"], is_only)
    chosen = ["callees"] * (certain != callees) + _USER_LISTS * bool(choosing)
    if chosen:
        row["open"] = list(dict.fromkeys([*row["open"], *chosen]))
    row["open_callers"] = open_callers(file, element)
    row["open_calls"] = any(
        has_unresolved_calls(one, reader) or uses_operators(file, one, row["callees"])
        for one in (element, constructor_of(file, element))
        if one is not None
    )
    row["callee_summaries"] = {callee: text for callee, text in sentences if text}
    return row


def _overriding_methods(file: FileContext, element: ElementView) -> Iterator[str]:
    """Yield the methods of subclasses that override this one."""
    if element.type != "method" or element.name.startswith("__"):
        return
    for subclass in file.nearest_subclasses(element.parent):
        id = f"{subclass}.{element.name}"
        path = split_id(subclass)[0]
        if file.names.has_name(path, element.name) and file.reader.runs(id):
            yield id


def _overridden_method(file: FileContext, element: ElementView) -> list[str]:
    """Return the nearest method that this one overrides, or nothing."""
    if element.type != "method" or element.name.startswith("__"):
        return []
    for base in file.reader.ancestors(element_id(file.path, element.parent)):
        inherited = f"{base}.{element.name}"
        if file.reader.runs(inherited):
            return [inherited]
    return []
