"""An element in a facts row: a list in the order of `ElementRow`, empty tail cut off.

Names of parameters without anything else are plain strings; others are
`[name, kind, type, default]`, with these kinds (those of `inspect`, shortened):

    ""  positional or keyword    "/"  positional only    "k"  keyword only
    "*" var positional           "**" var keyword

Calls are `[name as written, line, line, ...]`, one entry a name, in order of
appearance. Call names are chains: `f`, `a.b.c`, `super().m`, `make().run`, `x[].f`; `?`
stands for what has no name (`(a or b)()`), `''` for a string literal.

A binding says what a name was last made of, as written:

    "#qual"       a definition of this file       "!a.b"      the module a.b
    "@.m:name"    from .m import name             "=a.b"      assigned from a name
    "(a.b"        assigned from a call            ":T"        annotated as T
    ""            something else

The chains of bindings have four more segments than those of calls: `[]` an element by
its index or key, `*` by iteration, `!` what is awaited, `~` what `with` gives.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

Binding = str
Bindings = dict[str, Binding | list[Binding]]


class ElementRow(NamedTuple):
    """One element; `vars` holds only names that its calls begin with."""

    qual: str
    type: str
    start_line: int
    end_line: int
    lead: int  # lines from the first decorator to start_line
    start: int  # byte of the first line's first character
    length: int  # bytes up to the end of the last line
    shape: bytes
    face: bytes
    complexity: int = 1
    doc: str = ""
    parameters: list[Any] = []
    returns: str = ""
    decorators: list[str] = []
    bases: list[str] = []
    calls: list[list[Any]] = []
    vars: Bindings = {}
    attrs: Bindings = {}
    flags: str = ""  # "a" async
    head: str = ""  # the signature as written, where it is not Python's


_PLACE = re.compile(r"^(elements\[.*?\])\[(\d+)\]")
_DEFAULTS = tuple(ElementRow._field_defaults.get(name) for name in ElementRow._fields)


def row_of(item: list[Any]) -> ElementRow:
    """Return the element with its cut tail filled in."""
    return ElementRow(*item, *_DEFAULTS[len(item) :])


def packed(row: ElementRow) -> list[Any]:
    """Return the row as it is stored."""
    items = list(row)
    while len(items) > 9 and items[-1] == _DEFAULTS[len(items) - 1]:
        items.pop()
    return items


def label(name: str) -> str:
    """Return the name of a place in a facts row for people: `elements[f].doc`."""
    return _PLACE.sub(lambda m: f"{m[1]}.{ElementRow._fields[int(m[2])]}", name)


def parent_of(qual: str) -> str:
    """Return the qualified name of what holds an element, "" at the top."""
    return qual.rpartition(".")[0]


def name_of(qual: str) -> str:
    """Return the bare name: `a.b#2` is `b`."""
    return qual.rpartition(".")[2].partition("#")[0]


def bound(bindings: Bindings, name: str) -> tuple[Binding, ...]:
    """Return what a name is bound to, in source order."""
    found = bindings.get(name)
    if found is None:
        return ()
    return (found,) if isinstance(found, str) else tuple(found)
