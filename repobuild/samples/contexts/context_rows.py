"""Make the rows of `contexts` for elements: what samples may quote of one of them.

Empty fields are left out. So are path and name, which the id contains, and a label that
equals the bare name. `variable` says that another module has a variable of the name.
`under` is the condition under which its file defines it (text/conditions.py).
`languages` are those of the project's documents, unless that is English alone. `shared`
says that another element may have the same label, `repeated` that another one has the
same purpose or heading, `thin` that a purpose says little more than the name, `twin`
that another class of the file has the same code, but for a line at most; `trail` is
what tells a section from others of its document, `lost` that nothing does. Lists of
other elements hold ids, sorted by path and name, at most 16, of a file's own at most
24; `more` names the lists that were cut, `totals` gives the lengths of some of these,
`open` names those that may miss some, `open_callers` the few files that may have the
callers which are missing. Only the id and first sentence of another element are quoted,
so that a change of one context changes few of its neighbours.

A row with `brief` describes a test, a benchmark, a setup script or a function within a
function: it gives the location and no details, because these would outnumber what users
ask about. A test may have `before`, `hidden` and `needs`: one of its assertions, cut by
text/expectation.py.

`element_row` combines these groups of fields: the element's own (`_own_fields`), its
neighbours' ids (neighbour_fields.py), what is certain without a docstring
(explained.py), a real call of it (`example`: [path, code], usage_reader.py), or whether
a document calls something of its name (`called_in_documents`), and its code
(code_fields.py). Rows of files and sections are in file_fields.py and
section_fields.py.
"""

from __future__ import annotations

import re

from repobuild.samples.contexts.display_names import NAMED_TYPES
from repobuild.samples.contexts.docstring_uses import adds_little
from repobuild.samples.contexts.element_view import (
    CONSTRUCTORS,
    ElementView,
    strip_counts,
)
from repobuild.samples.contexts.explained import (
    explained_fields,
    reaches_beyond,
    stale_name,
    without_absent_calls,
    without_absent_constants,
)
from repobuild.samples.contexts.fields.class_fields import (
    class_fields,
    foreign_base_fields,
    has_foreign_base,
    has_renamed_base,
    is_dispatched_by_base,
    is_protocol,
)
from repobuild.samples.contexts.fields.code_fields import (
    code_fields,
    short_class,
    short_code,
)
from repobuild.samples.contexts.fields.neighbour_fields import neighbour_fields
from repobuild.samples.contexts.fields.parameter_fields import (
    parameter_rows,
    refuses_all_defaults,
    undeclared_parameters,
)
from repobuild.samples.contexts.fields.row_parts import MOST, Row, without_empty
from repobuild.samples.contexts.fields.section_fields import section_row
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.contexts.usage_reader import CalledAs
from repobuild.samples.text.deprecation import is_deprecated
from repobuild.samples.text.docstring_parts import parse_docstring
from repobuild.samples.text.quote import Quote
from repobuild.samples.text.refusals import does_nothing, only_raises
from repobuild.samples.text.summary.purpose import summarise

_LONGEST_SIGNATURE = 300  # characters
_AWAITABLE = re.compile(r"Await|Corout|Future|Task|Deferred")
# What a `return` calls, "" where it returns anything else.
_RETURN = re.compile(r"^[ \t]+return\b(?:[ \t]+(?:\w+\.)*(\w+)\()?", re.MULTILINE)


def element_row(
    file: FileContext, element: ElementView, quoted: Quote | None
) -> Row | None:
    """Return the row of one element, None for one without a row."""
    if not file.has_row(element):
        return None
    if element.type == "section":
        return section_row(file, element)
    if element.type not in NAMED_TYPES:
        return None
    row = _identity(file, element)
    if file.is_location_only(element):
        return row | {"brief": True}
    row.update(_own_fields(file, element))
    row.update(_binding_fields(file, element))
    is_only = file.names.has_own_name(element, file.name_counts)
    neighbours = neighbour_fields(file, element, is_only)
    if row.get("stub") and row["returns"] and neighbours["overrides"]:
        # It narrows types for checkers: what it overrides is what runs.
        neighbours |= {"overrides": [], "overridden": []}
    row.update(neighbours)
    if element.type == "class":
        if has_renamed_base(element, row):
            row["bases"] = []  # what made the name may give another class, or none
        row.update(foreign_base_fields(element, row))
    elif row["callers"] or row["readers"]:
        row.update(_reach_fields(file, element, is_only))
    if not row["summary"]:
        row.update(explained_fields(file, element, row, is_only))
    else:
        row["repeated"] = file.shares_purpose(element)
    called = CalledAs(is_only, bool(row["bound_to"]), _is_awaited(element, row))
    if real := file.usage.example(element, called):
        row["example"] = list(real)
    else:
        row["called_in_documents"] = file.usage.is_called_in_documents(element.name)
    row["thin"] = adds_little(element, row["summary"])
    if quoted:
        row.update(code_fields(file, element, quoted))
    elif not row["summary"] or row["thin"]:
        row["short"] = short_code(file, element)
    if element.type == "class" and not row["summary"]:
        row["short"] = short_class(file, element)
    return without_empty(row)


def _reach_fields(file: FileContext, element: ElementView, is_only: bool) -> Row:
    """Return whether a function that is used has other users, or uses itself."""
    # Of a public one whose name others have some callers are not resolved.
    is_shared = not is_only and not element.name.startswith("_")
    return {
        "beyond": is_shared or reaches_beyond(file, element),
        "recursive": element.id in file.reader.outgoing(element.id, "calls"),
    }


def _binding_fields(file: FileContext, element: ElementView) -> Row:
    """Return what an assignment or a class body makes of a function of a module."""
    bound_to = file.reader.binding_classes(element)
    return {
        "other_names": file.other_names(element),
        "bound_to": bound_to[:MOST],
        "unbound": element.takes_self and not bound_to,
    }


def _identity(file: FileContext, element: ElementView) -> Row:
    """Return who it is; path and bare name follow from the id (tasks/facts.py)."""
    label, is_unique = file.names.label(element, file.name_counts)
    row: Row = {"kind": element.type, "id": element.id, "project": file.project}
    if label != element.name:
        row["label"] = label
    if not is_unique:
        row["shared"] = True
    if file.is_variable_elsewhere(element):
        row["variable"] = True
    return row


def _own_fields(file: FileContext, element: ElementView) -> Row:
    """Return what facts know of the element itself and of its container."""
    docstring = parse_docstring(element.doc)
    signature = element.signature
    is_described = bool(docstring.parameters or docstring.returns)
    is_described &= element.name not in CONSTRUCTORS
    row: Row = {
        "fence": file.language,
        "summary": file.purpose(element, docstring.summary, is_described),
        "returns": element.row.returns,
        "returns_text": docstring.returns,
        "warning": docstring.warning,
        "decorators": list(element.row.decorators),
        "async": element.is_coroutine,
        "stub": element.is_stub and element.type != "class",
        "module_summary": file.summary,
        "settable": bool(file.setters(element)),
        "deprecated": file.is_deprecated,
    }
    if file.language == "python" and element.type != "class":
        row |= _python_fields(file, element, row, docstring.parameters)
    if len(signature) <= _LONGEST_SIGNATURE:
        row["signature"] = signature
    row["params"] = parameter_rows(element, docstring.parameters)
    row |= _container_fields(file, element)
    if element.type == "class":
        row["under"] = list(file.condition(element) or ())
        row.update(class_fields(file, element))
        row["deprecated"] |= file.is_deprecated or is_deprecated("", element.doc, ())
    return row


def _is_awaited(element: ElementView, row: Row) -> bool | None:
    """Return whether a call of an element is awaited, None where nobody knows."""
    is_plain = element.type in ("function", "method") and row["fence"] == "python"
    if not is_plain or row.get("perhaps_async") or row["decorators"]:
        return None
    if not row["async"] and _AWAITABLE.search(row["returns"] or ""):
        return None
    return bool(row["async"])


def _container_fields(file: FileContext, element: ElementView) -> Row:
    """Return what is known of the class of a method, or of what else it belongs to."""
    container = file.elements.get(element.parent)
    # JavaScript's `a.f = function` has none that is a class, Go's may be elsewhere.
    if container is None or container.type != "class":
        # An object, or a type that another file declares: no class of this file.
        is_method = element.type == "method"
        return {"owner": strip_counts(element.parent)} if is_method else {}
    row: Row = {
        "container": container.plain_qual,
        "container_summary": (
            "" if file.is_copied(container) else summarise(container.doc)
        ),
        "sole": file.method_counts[element.name] == 1,
        "only_class": file.class_count == 1,
        "of_foreign": has_foreign_base(file, container)
        or is_dispatched_by_base(file, element),
        "protocol": is_protocol(container),
    }
    if container.row.end_line >= element.row.end_line:
        # A method of Go, Rust or C++ is not written within its type.
        row["container_signature"] = container.signature
    return row


def _python_fields(
    file: FileContext, element: ElementView, row: Row, texts: dict[str, str]
) -> Row:
    """Return what a function's own code says of it, and of its docstring."""
    code = file.code(element)
    deprecated = is_deprecated(code, element.doc, element.row.decorators)
    fields: Row = {
        "refuses": only_raises(file.own_bytes(element)),
        "refuses_defaults": refuses_all_defaults(file, element),
        "empty": not _is_of_protocol(file, element)
        and does_nothing(file.own_bytes(element), element.row.decorators),
        "deprecated": row["deprecated"] or deprecated,
        "undeclared": undeclared_parameters(element, texts),
        "under": list(file.condition(element) or ()),
    }
    reader = file.reader
    if not element.is_coroutine and reader.returned_coroutines(element):
        # Whoever calls it awaits what it returns, where it returns nothing else.
        known = reader.returned_coroutines(element, levels=1)
        is_whole = all(one in known for one in _RETURN.findall(code))
        fields |= {"async": is_whole, "perhaps_async": not is_whole}
    summary = without_absent_calls(row["summary"], element, code)
    summary = without_absent_constants(summary, file)
    stale = stale_name(summary, element, code)
    return fields | ({"stale": stale, "summary": ""} if stale else {"summary": summary})


def _is_of_protocol(file: FileContext, element: ElementView) -> bool:
    """Return whether others implement a method, whatever stands in its body."""
    owner = file.elements.get(element.parent)
    return owner is not None and is_protocol(owner)
