"""The `@lines` rows of `contexts`: where an element stands, and what in it where.

    kind, id, label, shared, project, start, end     of every element that is told
    fence
    calls       [[line, callee, text of the line], ...], of one function in three
    members     [[name, start, end], ...], of classes that inherit from the project's
    bases, callers, overrides, tests, container      the first of the element's own row

Line numbers are here and nowhere else: an edit above changes these rows and the samples
that quote lines, and no others. All lines are the element's own: that a neighbour moved
changes nothing here.
"""

from __future__ import annotations

from zlib import crc32

from repobuild.engine.contract import Value
from repobuild.samples.contexts.display_names import NAMED
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.contexts.graph_reader import parted

Row = dict[str, Value]

LINES = "@lines"

_NAMES = ("label", "shared", "project")
_CITED = {"bases": 1, "callers": 3, "overrides": 1, "tests": 2}
_TRACED = 3  # one function in so many: a trace is as long as all else of the row
_CALLS = 4
_LONGEST_LINE = 100
_MEMBERS = 6


def quotes_lines(sample: str) -> bool:
    """Whether the sample of a dataset key is made from such a row."""
    return sample.rpartition("#")[0].endswith(LINES)


def lines_row(file: FileContext, element: ElementView, row: Row) -> Row | None:
    """Where an element stands; `row` is what it says, see portrait.py."""
    if row.get("brief") or element.type not in NAMED:
        return None
    lines = {"start": element.row.start_line, "end": element.row.end_line}
    named = {name: row[name] for name in _NAMES if name in row}
    return {"kind": "lines", "id": element.id, **named, **lines} | _seen(
        file, element, row
    )


def _seen(file: FileContext, element: ElementView, row: Row) -> Row:
    """What a reasoning trace cites, where there is enough for one."""
    found: Row = {}
    if element.type == "class" and row.get("bases"):
        found = {"members": _members(file, element)}
    elif crc32(element.id.encode()) % _TRACED == 0 and row.get("callees"):
        found = {"calls": _calls(file, element, row["callees"])}
    if not any(found.values()):
        return {}
    cited = {name: row[name][:n] for name, n in _CITED.items() if row.get(name)}
    more = [name for name, n in _CITED.items() if len(row.get(name) or ()) > n]
    holder = {"container": row["container"]} if row.get("container") else {}
    said = {"more": more} if more else {}
    return {"fence": file.fence, **found, **cited, **holder, **said}


def _calls(
    file: FileContext, element: ElementView, callees: list[str]
) -> list[list[Value]]:
    """The callees at the line of their first call, in the order of the lines."""
    first: dict[str, int] = {}
    for name, line, *_ in element.row.calls:
        first.setdefault(name.rpartition(".")[2], line)
    found = []
    for id in callees:
        line = first.get(parted(id)[1].rpartition(".")[2])
        text = file.line(line) if line else ""
        if text and len(text) <= _LONGEST_LINE:
            found.append([line, id, text])
    return sorted(found)[:_CALLS]


def _members(file: FileContext, element: ElementView) -> list[list[Value]]:
    methods = (e for e in file.children(element.qual) if e.type == "method")
    told = [e for e in methods if file.told(e)]
    return [[e.name, e.row.start_line, e.row.end_line] for e in told[:_MEMBERS]]
