"""What the context of a test holds beside its name: one of its assertions, cut."""

from __future__ import annotations

from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.contexts.graph_reader import is_test, parted
from repobuild.samples.text.expectation import expectation
from repobuild.samples.text.import_statements import needed

Row = dict[str, Value]

_LONGEST_TEST = 60  # lines, comments and docstring with them


def expected_row(file: FileContext, element: ElementView, most: int) -> Row:
    """What one assertion of a test expects, if the test calls the project.

    `most` bounds the code that is shown, without the imports.
    """
    if not _asserts(file, element):
        return {}
    quoted = file.quote(element)
    found = expectation(f"{quoted.head}\n{quoted.body}", most) if quoted else None
    if found is None:
        return {}
    before, hidden = found
    needs = needed(before, file.imports)  # not what only the hidden part would show
    said = {"fence": file.fence, "before": before, "hidden": hidden}
    return said | {"needs": needs} if needs else said


def _asserts(file: FileContext, element: ElementView) -> bool:
    """Whether to look for an assertion: in a test, which is told, of the project."""
    if not file.test or file.fence != "python" or element.type == "class":
        return False
    lines = element.row.end_line - element.row.start_line
    if lines > _LONGEST_TEST or not element.name.startswith("test"):
        return False
    called = file.around.outgoing(element.id, "calls")
    return any(not is_test(parted(id)[0]) for id in called)
