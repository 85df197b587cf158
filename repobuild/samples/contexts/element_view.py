"""A code element as contexts read it: a view on its facts row, nothing computed ahead.

`repobuild.code.facts.element.CodeElement` has the seed's twenty fields filled in;
contexts need half of them, of every element of every changed file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from repobuild.code.facts.element import signature
from repobuild.code.facts.element_row import ElementRow, name_of, parent_of, row_of
from repobuild.engine.contract import Value

_COUNT = re.compile(r"#\d+")


@dataclass(frozen=True, slots=True)
class ParameterView:
    name: str  # with its stars
    type: str
    default: str
    passing: str  # "k" by name only, "/" by place only, else ""


@dataclass(frozen=True, slots=True)
class ElementView:
    path: str
    row: ElementRow
    name: str
    parent: str  # qualified name of what holds it, "" at the top

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
        """A section's heading as written; see repobuild/code/facts/markdown.py."""
        return self.row.returns or self.name

    @property
    def is_async(self) -> bool:
        return "a" in self.row.flags

    @property
    def shown(self) -> str:
        """The qualified name as it is written, without the counts of repeated ones."""
        return shown(self.row.qual)

    @property
    def is_overload(self) -> bool:
        """A stub for type checkers; the definition itself comes after it."""
        return any(d.rpartition(".")[2] == "overload" for d in self.row.decorators)

    def parameters(self) -> Iterator[ParameterView]:
        for entry in self.row.parameters:
            if isinstance(entry, str):
                yield ParameterView(entry, "", "", "")
            else:
                name, kind, type, default = entry
                passing = kind if kind in ("k", "/") else ""
                yield ParameterView(kind.strip("/k") + name, type, default, passing)

    def calls(self) -> Iterator[str]:
        """The names that are called, as written, in order of appearance."""
        for call in self.row.calls:
            yield call[0]


def shown(qual: str) -> str:
    """`Class.method#2` as `Class.method`."""
    return _COUNT.sub("", qual) if "#" in qual else qual


def kinds(facts: Value) -> Iterator[tuple[str, str]]:
    """(qualified name, type) of every element; for names, the rest is not decoded."""
    for item in (facts or {}).get("elements", ()):
        yield item[0], item[1]


def elements(facts: Value, path: str) -> dict[str, ElementView]:
    """The elements of a facts row by qualified name, in source order."""
    found: dict[str, ElementView] = {}
    for item in (facts or {}).get("elements", ()):
        row = row_of(item)
        found[row.qual] = ElementView(path, row, name_of(row.qual), parent_of(row.qual))
    return found
