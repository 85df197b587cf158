"""Cut one assertion of a test for its context row."""

from __future__ import annotations

import re

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import split_id
from repobuild.code.scan.file_roles import is_test
from repobuild.samples.contexts.display_names import NAMED_TYPES
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.fields.row_parts import Row
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.text.expectation import hide_expectation
from repobuild.samples.text.import_statements import needed_imports

_LONGEST_TEST = 60  # lines, comments and docstring included
_FIXTURE = re.compile(r"\bself\.(?!assert)\w+\b(?!\()")
_WORD = re.compile(r"\w+")
_VALUE = re.compile(r"['\"\d]")  # that nobody can derive from names


def assertion_fields(file: FileContext, element: ElementView, most: int) -> Row:
    """Return one assertion of a test, cut; empty when the test does not qualify.

    `most` bounds the characters of code that are shown, without the imports.
    """
    called = _called_names(file, element)
    if not called:
        return {}
    quoted = file.quote(element)
    if quoted is None or quoted.ends_fence:
        return {}
    cut = hide_expectation(f"{quoted.head}\n{quoted.body}", most, called)
    if cut is None or (_VALUE.search(cut.hidden) and _rests_on_others(file, element)):
        return {}
    row: Row = {"fence": file.language, "before": cut.before, "hidden": cut.hidden}
    # Imports that only the hidden part needs would show it.
    needs = needed_imports(cut.before, file.imports)
    return row | {"needs": needs} if needs else row


def _rests_on_others(file: FileContext, element: ElementView) -> bool:
    """Return whether a test uses functions, classes or values of its own file.

    The question shows the test alone, so their values cannot be known.
    """
    helpers = {
        one.name
        for one in file.children("")
        if one.type in NAMED_TYPES and not one.name.lower().startswith("test")
    }
    helpers |= file.assigned_names
    code = file.code(element)
    if _FIXTURE.search(code):
        return True  # what its class has set up before
    return bool(helpers) and not helpers.isdisjoint(_WORD.findall(code))


def _called_names(file: FileContext, element: ElementView) -> set[str]:
    """Return the names of the code outside of tests that a Python test calls.

    There are none in what is no test function, or a long one.
    """
    if not file.is_test or file.language != "python" or element.type == "class":
        return set()
    lines = element.row.end_line - element.row.start_line
    if lines > _LONGEST_TEST or not element.name.startswith("test"):
        return set()
    targets = map(split_id, file.reader.outgoing(element.id, "calls"))
    return {name_of(qual) for path, qual in targets if not is_test(path)}
