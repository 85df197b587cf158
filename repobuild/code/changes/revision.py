"""Read one version of a file, and compare two versions of an element.

Lines are compared as code: without comments, blank lines, docstring, signature and the
lines of nested elements, whose changes are reported as theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any

from repobuild.code.facts.element import signature
from repobuild.code.facts.element_row import (
    ElementRow,
    name_of,
    parameter_of,
    parent_of,
    row_of,
)
from repobuild.code.facts.python.docstring import clean_docstring, string_value
from repobuild.engine.contract import Value

KINDS = ("class", "function", "method")
_COMMENTS = ("#", "//", "/*", "*/", "* ")
_STRING_START = re.compile(r"^[ \t]*[rRuU]?(\"\"\"|'''|\"|')", re.MULTILINE)
_MAX_SHOWN_LINES = 6  # removed and added lines of a body together
_MAX_LINE_LENGTH = 100
_MAX_COMPARED_LINES = 400  # the comparison is quadratic at worst
_MAX_DOC_LENGTH = 160


class Revision:
    """A file's elements as of one blob."""

    def __init__(self, path: str, source: bytes, facts: Value) -> None:
        self.path = path
        self.source = source
        rows = [row_of(item) for item in facts.get("elements", ())]
        self.nested: dict[str, list[ElementRow]] = {}  # by the enclosing name
        for row in rows:
            self.nested.setdefault(parent_of(row.qual), []).append(row)
        self.elements = {
            row.qual: ElementVersion(self, row) for row in rows if row.type in KINDS
        }


@dataclass(frozen=True)
class ElementVersion:
    """One element of a revision."""

    revision: Revision
    row: ElementRow

    @property
    def id(self) -> str:
        return f"{self.revision.path}::{self.row.qual}"

    @property
    def name(self) -> str:
        return name_of(self.row.qual)

    @property
    def signature(self) -> str:
        return signature(self.row)

    @property
    def own_digest(self) -> bytes:
        """Digest that the graph holds while the element stays in this version.

        A class's covers its interface only, because its methods have their own items.
        """
        is_class = self.row.type == "class"
        return self.row.interface_digest if is_class else self.row.body_digest

    @cached_property
    def text(self) -> str:
        """The code, nested elements included, without comments and margin."""
        return "\n".join(line for _, line in _code_lines(self._source_text))

    @cached_property
    def body(self) -> list[str]:
        """The lines of the body that belong to no nested element."""
        first = self.row.start_line - self.row.lead
        nested = {
            number
            for row in self.revision.nested.get(self.row.qual, ())
            for number in range(row.start_line - row.lead, row.end_line + 1)
        }
        text = _without_docstring(self._source_text, self.row.doc)
        lines = [line for n, line in _code_lines(text) if n + first not in nested]
        return lines[_count_head_lines(lines) :]

    @property
    def _source_text(self) -> str:
        start = self.row.start
        text = self.revision.source[start : start + self.row.length]
        return text.decode("utf-8", "replace")


def _code_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (number from 0, line) of the lines that are code, without the margin."""
    margin = len(text) - len(text.lstrip(" \t"))
    for number, line in enumerate(text.split("\n")):
        bare = line.strip()
        if bare and not bare.startswith(_COMMENTS):
            indent = len(line) - len(line.lstrip())
            yield number, line[min(margin, indent) :].rstrip()


def _count_head_lines(lines: list[str]) -> int:
    """Return how many lines the decorators and the signature take."""
    depth, is_decorator = 0, False
    for number, line in enumerate(lines):
        if depth <= 0:  # a decorator may take several lines
            is_decorator = line.startswith("@")
        depth += sum(line.count(c) for c in "([") - sum(line.count(c) for c in ")]")
        if depth <= 0 and not is_decorator:
            return number + 1
    return len(lines)


def _without_docstring(text: str, doc: str) -> str:
    """Return a text with its docstring blanked; line numbers do not change."""
    for start in _STRING_START.finditer(text) if doc else ():
        end = text.find(start[1], start.end()) + len(start[1])
        whole = text[start.start() : end]
        # A decorator's argument may begin a line, too.
        if clean_docstring(string_value(whole.strip())) == doc:
            return text[: start.start()] + "\n" * whole.count("\n") + text[end:]
    return text


def difference(old: ElementVersion, new: ElementVersion) -> dict[str, Any]:
    """Return an element's own differences between two versions, {} without any."""
    before, after = old.row, new.row
    if (before.body_digest, before.interface_digest) == (
        after.body_digest,
        after.interface_digest,
    ):
        return {}
    if _is_overload(before) or _is_overload(after):
        return {}  # the definition itself comes after its overloads, as `name#2`
    parts: dict[str, Any] = {}
    if old.signature != new.signature:
        parts["signature"] = [old.signature, new.signature]
        parts["parameters"] = _parameter_changes(before, after)
    if before.doc != after.doc:
        parts["doc"] = [_first_line(before.doc), _first_line(after.doc)]
    if after.type != "class" and before.body_digest != after.body_digest:
        parts.update(_body_changes(old.body, new.body))
    return {**parts, "shape": new.own_digest} if parts else {}


def _is_overload(row: ElementRow) -> bool:
    return any(text.rpartition(".")[2] == "overload" for text in row.decorators)


def _first_line(doc: str) -> str:
    return doc.strip().partition("\n")[0][:_MAX_DOC_LENGTH]


def _parameter_changes(old: ElementRow, new: ElementRow) -> dict[str, Any]:
    before, after = _defaults(old), _defaults(new)
    return {
        "added": [name for name in after if name not in before],
        "removed": [name for name in before if name not in after],
        "default": [
            [name, before[name], after[name]]
            for name in after
            if name in before and before[name] != after[name]
        ],
    }


def _defaults(row: ElementRow) -> dict[str, str]:
    """Return the default of each parameter, stars included; "" without one."""
    parameters = [parameter_of(entry) for entry in row.parameters]
    return {one.kind.strip("/k") + one.name: one.default for one in parameters}


def _body_changes(old: list[str], new: list[str]) -> dict[str, Any]:
    if old == new:
        return {}
    if max(len(old), len(new)) > _MAX_COMPARED_LINES:
        return {"body": [len(old), len(new)]}
    removed: list[str] = []
    added: list[str] = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            removed += old[a:b]
            added += new[c:d]
    is_short = len(removed) + len(added) <= _MAX_SHOWN_LINES
    if is_short and all(len(line) <= _MAX_LINE_LENGTH for line in removed + added):
        return {"body": [removed, added]}
    return {"body": [len(removed), len(added)]}
