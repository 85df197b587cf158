"""View a facts row as a code element, with nothing computed ahead.

`repobuild.code.facts.element.CodeElement` fills in the twenty fields that people see in
an export; contexts need half of them, for every element of every changed file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from repobuild.code.facts.element import signature
from repobuild.code.facts.element_row import (
    RETURNED,
    ElementRow,
    bindings_of,
    name_of,
    parent_of,
    row_of,
)
from repobuild.code.resolve.binding_marks import (
    ASSIGNED_CALL,
    ASSIGNED_NAME,
    IMPORTED_NAME,
)
from repobuild.engine.contract import Value
from repobuild.samples.text.conditions import Place

# Decorators that make a method be read like an attribute.
PROPERTIES = ("property", "cached_property", "functools.cached_property")
# Those that decide how a method is called, and run nothing besides.
CALL_DECORATORS = (*PROPERTIES, "staticmethod", "classmethod")
_IMAGE = re.compile(r"\[?!\[[^\]]*\]\([^)]*\)(?:\]\([^)]*\))?")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
# [text][label] of Markdown, and no `a[i][j]`
_REFERENCE = re.compile(r"(?<![\w\])])\[([^\[\]]+)\]\[[^\[\]]*\]")
# `<a name="x">`, but no `List<int>`: only tags that a heading may have.
_TAG = re.compile(
    r"</?(?:a|b|i|u|em|strong|code|kbd|tt|span|font|small|big|sub|sup|center|img|br)"
    r"(?:\s[^<>`]*)?/?>",
    re.IGNORECASE,
)
_STRONG = re.compile(r"\*\*([^\s*](?:[^*]*[^\s*])?)\*\*")
_REST_LINK = re.compile(r"`([^`<>]+?)(?:\s*<[^`<>]+>)?`__?(?!\w)")
# Attributes of a heading: `{: #id}` (kramdown, Python-Markdown), `{#id .class}` (Hugo,
# Pandoc, Docusaurus), `{/* #id */}` (MDX).
_ATTRIBUTES = re.compile(
    r"\s*\\?\{(?:/\*|:)?\s*(?:[#.][\w-]|[\w-]+=|-(?=\s*\}))[^{}\n]*\}\s*$"
)
_BADGES = re.compile(r"(?:\s+\|[\w-]+\|)+\s*$")  # images of reStructuredText
_COUNT = re.compile(r"#\d+")
_MARKDOWN = (".md", ".markdown", ".mdx")
# Names of a first parameter that a call does not pass, without outer underscores.
_RECEIVERS = frozenset("self cls klass mcs mcls metacls this".split())
_SPECIAL = re.compile(r"__\w+__$")
CONSTRUCTORS = ("__init__", "__new__")
PYTHON_SUFFIXES = (".py", ".pyi")


class ParameterView(NamedTuple):
    """One parameter of a definition."""

    name: str  # with its stars
    type: str = ""
    default: str = ""
    passing: str = ""  # "k" keyword only, "/" positional only


class ParameterRow(NamedTuple):
    """An item of a context row's `params`, stored as a list in this order."""

    name: str  # with its stars
    type: str
    default: str
    description: str
    passing: str  # as in ParameterView


@dataclass(frozen=True, slots=True)
class ElementView:
    """One element of a file's facts."""

    path: str
    row: ElementRow
    name: str
    parent: str  # qualified name of the enclosing element, "" at the top level

    @property
    def id(self) -> str:
        return f"{self.path}::{self.row.qual}"

    @property
    def qual(self) -> str:
        return self.row.qual

    @property
    def type(self) -> str:
        return self.row.type

    @property
    def doc(self) -> str:
        return self.row.doc

    @property
    def signature(self) -> str:
        return signature(self.row)

    @property
    def title(self) -> str:
        """A section's heading without images, tags, targets of links and attributes."""
        text = _ATTRIBUTES.sub("", _IMAGE.sub("", self.row.returns))
        if self.path.endswith(_MARKDOWN):
            text = _TAG.sub("", _REFERENCE.sub(r"\1", text))
        else:
            text = _BADGES.sub("", text)
        text = _LINK.sub(r"\1", text).strip()
        text = _STRONG.sub(r"\1", _REST_LINK.sub(r"\1", text))
        return text or self.row.returns or self.name

    @property
    def is_coroutine(self) -> bool:
        """Whether its call is awaited; that of an async generator is not."""
        return "a" in self.row.flags and "g" not in self.row.flags

    @property
    def plain_qual(self) -> str:
        """The qualified name as written, without the counts of repeated definitions."""
        return strip_counts(self.row.qual)

    @property
    def place(self) -> Place:
        return Place(self.parent, self.row.start, self.row.length)

    @property
    def is_dead(self) -> bool:
        """Whether another definition of the name exists instead; see branches.py."""
        return "d" in self.row.flags

    @property
    def is_private(self) -> bool:
        """Whether its name says that it is not for others; `__init__` does not."""
        return self.name.startswith("_") and not _SPECIAL.match(self.name)

    @property
    def is_for_types(self) -> bool:
        """Whether it is under `if TYPE_CHECKING`: at run time there is no such code."""
        return "t" in self.row.flags

    @property
    def is_stub(self) -> bool:
        """Whether its body is `...`, as that of a protocol's method."""
        return "s" in self.row.flags

    @property
    def runs(self) -> bool:
        """Whether it is code that runs, and not only a declaration of some."""
        declares = self.is_stub or self.is_for_types or self.is_overload
        return not (declares or self.is_dead)

    @property
    def takes_self(self) -> bool:
        """Whether it is a function of a module that only a class can make a method."""
        if self.type != "function" or self.parent or not self.row.parameters:
            return False
        is_python = self.path.endswith(PYTHON_SUFFIXES)
        return is_python and next(self.parameters()).name == "self"

    def binds(self, name: str) -> bool:
        """Return whether a class body imports or assigns a function under its name."""
        return any(
            one[:1] in (IMPORTED_NAME, ASSIGNED_NAME)
            and re.split(r"[.:]", one[1:])[-1] == name
            for one in bindings_of(self.row.attrs, name)
        )

    @property
    def is_property(self) -> bool:
        """Whether it is read like an attribute."""
        return any(d in PROPERTIES for d in self.row.decorators)

    @property
    def is_overload(self) -> bool:
        """Return whether it is a stub for type checkers, before the definition."""
        return any(d.rpartition(".")[2] == "overload" for d in self.row.decorators)

    def parameters(self) -> Iterator[ParameterView]:
        for entry in self.row.parameters:
            if isinstance(entry, str):
                yield ParameterView(entry)
            else:
                name, kind, type, default = entry
                passing = kind if kind in ("k", "/") else ""
                yield ParameterView(kind.strip("/k") + name, type, default, passing)

    def arguments(self) -> Iterator[ParameterView]:
        """Yield the parameters that a call passes: all but a method's receiver."""
        for number, one in enumerate(self.parameters()):
            if number or not self._is_receiver(one):
                yield one

    def _is_receiver(self, first: ParameterView) -> bool:
        """Return whether the first parameter is what the method is called on.

        Python passes it to special methods whatever its name. Other methods may be
        helpers of the class body, or of an interface, so there its name decides.
        A function of a module with `self` is written to be a method of some class.
        """
        if self.takes_self:
            return True
        if self.type != "method" or first.default or first.name.startswith("*"):
            return False
        if self.path.endswith(PYTHON_SUFFIXES) and _SPECIAL.match(self.name):
            return True
        is_named_so = first.name.strip("_") in _RECEIVERS
        return is_named_so and "staticmethod" not in self.row.decorators

    def returned_calls(self) -> set[str]:
        """Return the last names of what it calls and returns the result of."""
        return {
            name_of(binding[1:])
            for key in ("return", RETURNED)
            for binding in bindings_of(self.row.vars, key)
            if binding[:1] == ASSIGNED_CALL
        }

    def calls(self) -> Iterator[str]:
        """Yield the names that are called, as written, in order of appearance."""
        for call in self.row.calls:
            yield call[0]


def strip_counts(qual: str) -> str:
    """Return `Class.method` for `Class.method#2`."""
    return _COUNT.sub("", qual) if "#" in qual else qual


def types_of(facts: Value) -> Iterator[tuple[str, str]]:
    """Yield (qualified name, type) of every element, without decoding the rest."""
    for item in (facts or {}).get("elements", ()):
        yield item[0], item[1]


def read_elements(facts: Value, path: str) -> dict[str, ElementView]:
    """Return the elements of a facts row by qualified name, in source order."""
    elements: dict[str, ElementView] = {}
    for item in (facts or {}).get("elements", ()):
        row = row_of(item)
        name, parent = name_of(row.qual), parent_of(row.qual)
        elements[row.qual] = ElementView(path, row, name, parent)
    return elements
