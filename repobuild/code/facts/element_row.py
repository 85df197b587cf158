"""Define how an element is stored: a list in `ElementRow` order, empty tail cut off.

A parameter is `[name, kind, type, default]` (`Parameter`), or the plain name when the
rest is empty. Kinds are those of `inspect`, shortened:

    ""  positional or keyword    "/"  positional only    "k"  keyword only
    "*" var positional           "**" var keyword

Calls are `[name as written, line, line, ...]`, one entry a name, in order of
appearance. Call names are chains: `f`, `a.b.c`, `super().m`, `make().run`, `x[].f`; `?`
is an expression without a name (`(a or b)()`), `''` a string literal.

Reads are dotted chains that begin with `self`, `cls`, or a name that the module imports
or defines (`self.a`, `mod.LIMIT`, `Color.RED`), or such a name alone where it is not
called (`except Late`, `{"a": parse}`), sorted. An attribute of `self` that the class
itself assigns is left out: no element has its name.

A binding is a string that shows what a name was last bound to:

    "#qual"       a definition of this file       "!a.b"      the module a.b
    "|qual"       instead of the one before, in another branch
    "@.m:name"    from .m import name             "=a.b"      assigned from a name
    "(a.b"        assigned from a call            ":T"        annotated as T
    "&1"          lambda 1 of its scope           "%1:0:f"    its parameter 0, called f
    "$qual:=a"    as the function `qual` binds it
    ""            something else

The chains of bindings have four more segments than those of calls: `[]` an element by
its index or key, `*` an element by iteration, `!` the result of `await`, `~` the target
of `with`. Names with keys are elements of a container (`d[a]`), `&1` is what lambda 1
returns.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, NamedTuple

Binding = str
Bindings = dict[str, Binding | list[Binding]]


class ElementRow(NamedTuple):
    """One element; `vars` holds only names that its calls begin with.

    The two digests are called `shape` and `face` in graph rows and exports.
    """

    qual: str
    type: str
    start_line: int
    end_line: int
    lead: int  # lines from the first decorator to start_line
    start: int  # byte of the first line's first character
    length: int  # bytes up to the end of the last line
    body_digest: bytes  # of the whole element, body included, without its layout
    interface_digest: bytes  # of what callers see: all but the body
    complexity: int = 1
    doc: str = ""
    parameters: list[Any] = []
    returns: str = ""
    decorators: list[str] = []
    bases: list[str] = []
    calls: list[list[Any]] = []
    vars: Bindings = {}
    attrs: Bindings = {}
    # "a" async, "g" such a generator, "d" never exists (branches.py), "t" is there for
    # type checkers only, "s" a stub: its body is `...`
    flags: str = ""
    head: str = ""  # the signature; of Python only where it has type parameters
    reads: list[str] = []  # names and chains that it reads and does not call
    flow: list[list[str]] = []  # where values go; see python/flow.py


class Parameter(NamedTuple):
    """One entry of `ElementRow.parameters`."""

    name: str
    kind: str = ""
    type: str = ""
    default: str = ""


# A name in a text that only holds names; `\w` alone lacks the marks that languages such
# as Hindi write within words. A text of other kinds needs str.isidentifier as well. The
# classes are written by the ASCII signs that they lack: one of all signs beyond ASCII
# is slow to compile.
NAME_SIGN = r"[^\x00-/:-@\[-^`{-\x7f]"
IDENTIFIER = rf"[^\x00-@\[-^`{{-\x7f]{NAME_SIGN}*"
DOTTED_NAME = rf"{IDENTIFIER}(?:\.{IDENTIFIER})*"
# A decorator, as written, that makes a function one of pytest's fixtures.
FIXTURE = re.compile(r"(?:pytest\.|pytest_asyncio\.)?fixture(?=\(|$)")
# Names in `vars` that no variable has, either: what a function returns, and what a
# generator yields, in its own scope.
RETURNED, YIELDED = "return*", "yield*"
_ITEM_OF_ELEMENT = re.compile(r"^(elements\[.*?\])\[(\d+)\]")
_DEFAULTS = tuple(ElementRow._field_defaults.get(name) for name in ElementRow._fields)
_REQUIRED = len(ElementRow._fields) - len(ElementRow._field_defaults)


def row_of(item: list[Any]) -> ElementRow:
    """Return the element with its cut tail filled in."""
    return ElementRow(*item, *_DEFAULTS[len(item) :])


def pack_row(row: ElementRow) -> list[Any]:
    """Return the row as it is stored."""
    items = list(row)
    while len(items) > _REQUIRED and items[-1] == _DEFAULTS[len(items) - 1]:
        items.pop()
    return items


def parameter_of(entry: str | list[str]) -> Parameter:
    """Return a stored parameter with its empty parts filled in."""
    return Parameter(entry) if isinstance(entry, str) else Parameter(*entry)


def parameter_name(entry: str | list[str]) -> str:
    """Return a stored parameter's name; cheaper than `parameter_of`."""
    return entry if isinstance(entry, str) else entry[0]


def label(path: str) -> str:
    """Return a path within a facts row with the field's name: `elements[f].doc`."""
    return _ITEM_OF_ELEMENT.sub(
        lambda match: f"{match[1]}.{ElementRow._fields[int(match[2])]}", path
    )


def normal_form(text: str) -> str:
    """Return Python's form of the names in a text: it compares them after NFKC."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def parent_of(qual: str) -> str:
    """Return the qualified name of the enclosing element, "" at the top."""
    return qual.rpartition(".")[0]


def name_of(qual: str) -> str:
    """Return the bare name: `a.b#2` is `b`, JavaScript's `A.#b#2` is `#b`."""
    name = qual.rpartition(".")[2]
    return name[:1] + name[1:].partition("#")[0]


def without_type_arguments(base: str) -> str:
    """Return the class that a base names as written: `a.B` of `a.B[int]`."""
    return base.partition("[")[0].strip()


def bindings_of(bindings: Bindings, name: str) -> tuple[Binding, ...]:
    """Return the bindings of a name, in source order."""
    value = bindings.get(name)
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
