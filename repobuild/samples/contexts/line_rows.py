"""Make the `@lines` rows of `contexts`: the line numbers of an element and in it.

    kind, id, label, shared, project, start, end     of every element that has a row
    fence
    calls       [[line, callee, text of the line], ...], of one function in three
    members     [[name, start, end], ...], of classes that inherit from the project's
    bases, callers, overrides, tests, container      the first of the element's own row

No other row holds a line number: an edit above an element changes these rows and the
samples that quote lines, and no others. All lines are the element's own: the row does
not change when a neighbour moves.
"""

from __future__ import annotations

from zlib import crc32

from repobuild.code.graph.graph import split_id
from repobuild.engine.contract import Value
from repobuild.samples.contexts.display_names import NAMED_TYPES
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.file_context import FileContext

Row = dict[str, Value]

LINES = "@lines"

_IDENTITY = ("label", "shared", "project")
_CITED = {"bases": 1, "callers": 3, "overrides": 1, "tests": 2}  # ids of each list
_TRACED = 3  # one function in three: a trace is as long as the rest of the row
_CALLS = 4
_LONGEST_LINE = 100  # characters
_MEMBERS = 6


def quotes_lines(sample: str) -> bool:
    """Return whether the sample of a dataset key is made from such a row."""
    return sample.rpartition("#")[0].endswith(LINES)


def lines_row(file: FileContext, element: ElementView, row: Row) -> Row | None:
    """Return the lines of an element; `row` is its own row, see context_rows.py."""
    if row.get("brief") or element.type not in NAMED_TYPES:
        return None
    return {
        "kind": "lines",
        "id": element.id,
        **{name: row[name] for name in _IDENTITY if name in row},
        "start": element.row.start_line,
        "end": element.row.end_line,
        **_trace(file, element, row),
    }


def _trace(file: FileContext, element: ElementView, row: Row) -> Row:
    """Return what a reasoning trace cites; empty when that is too little for one."""
    steps: Row = {}
    if element.type == "class" and row.get("bases"):
        steps = {"members": _members(file, element)}
    elif crc32(element.id.encode()) % _TRACED == 0 and row.get("callees"):
        steps = {"calls": _calls(file, element, row["callees"])}
    if not any(steps.values()):
        return {}
    trace = {"fence": file.language, **steps}
    trace |= {name: row[name][:n] for name, n in _CITED.items() if row.get(name)}
    if row.get("container"):
        trace["container"] = row["container"]
    more = [name for name, n in _CITED.items() if len(row.get(name) or ()) > n]
    return trace | {"more": more} if more else trace


def _calls(
    file: FileContext, element: ElementView, callees: list[str]
) -> list[list[Value]]:
    """Return [line, callee, text] of first calls, in the order of the lines."""
    first: dict[str, int] = {}
    for name, line, *_ in element.row.calls:
        first.setdefault(name.rpartition(".")[2], line)
    calls = []
    for id in callees:
        line = first.get(split_id(id)[1].rpartition(".")[2])
        text = file.line(line) if line else ""
        if text and len(text) <= _LONGEST_LINE:
            calls.append([line, id, text])
    return sorted(calls)[:_CALLS]


def _members(file: FileContext, element: ElementView) -> list[list[Value]]:
    """Return [name, start, end] of a class's first methods."""
    methods = (e for e in file.children(element.qual) if e.type == "method")
    listed = [e for e in methods if file.has_row(e)][:_MEMBERS]
    return [[e.name, e.row.start_line, e.row.end_line] for e in listed]
