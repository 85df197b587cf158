"""One version of a file, and how an element differs between two of them.

Lines are compared as code: without comments, blank lines, docstring, signature and what
nested elements hold, which is told of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any

from repobuild.code.facts.element import signature
from repobuild.code.facts.element_row import ElementRow, name_of, parent_of, row_of
from repobuild.code.facts.python.docstring import cleaned, literal
from repobuild.engine.contract import Value

KINDS = ("class", "function", "method")
_COMMENTS = ("#", "//", "/*", "*/", "* ")
_OPENING = re.compile(r"^[ \t]*[rRuU]?(\"\"\"|'''|\"|')", re.MULTILINE)
_SHOWN_LINES = 6  # of a body, that went and came
_LONGEST_LINE = 100
_MOST_LINES = 400  # compared; quadratic at worst
_LONGEST_DOC = 160


class Revision:
    """A file's elements as of one blob."""

    def __init__(self, path: str, source: bytes, facts: Value) -> None:
        self.path = path
        self.source = source
        rows = [row_of(item) for item in facts.get("elements", ())]
        self.inner: dict[str, list[ElementRow]] = {}
        for row in rows:
            self.inner.setdefault(parent_of(row.qual), []).append(row)
        self.parts = {
            row.qual: ElementVersion(self, row) for row in rows if row.type in KINDS
        }


@dataclass(frozen=True)
class ElementVersion:
    """One element of a version."""

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
    def shape(self) -> bytes:
        """What must be in the graph if this is how the element still is: a class's own
        part, without its methods, whose changes are theirs."""
        return self.row.face if self.row.type == "class" else self.row.shape

    @cached_property
    def text(self) -> str:
        """Its code and that of nested elements, without comments and margin."""
        return "\n".join(line for _, line in self._lines(self._raw))

    @cached_property
    def body(self) -> list[str]:
        """The lines of its body that are its own."""
        first = self.row.start_line - self.row.lead
        inner = self.revision.inner.get(self.row.qual, ())
        nested = {
            number
            for row in inner
            for number in range(row.start_line - row.lead, row.end_line + 1)
        }
        text = _undocumented(self._raw, self.row.doc)
        lines = [t for n, t in self._lines(text) if n + first not in nested]
        return lines[_head(lines) :]

    @property
    def _raw(self) -> str:
        start = self.row.start
        text = self.revision.source[start : start + self.row.length]
        return text.decode("utf-8", "replace")

    def _lines(self, text: str) -> Iterator[tuple[int, str]]:
        margin = len(text) - len(text.lstrip(" \t"))
        for number, line in enumerate(text.split("\n")):
            bare = line.strip()
            if bare and not bare.startswith(_COMMENTS):
                indent = len(line) - len(line.lstrip())
                yield number, line[min(margin, indent) :].rstrip()


def _head(lines: list[str]) -> int:
    """Return how many lines decorators and signature take."""
    depth = 0
    for number, line in enumerate(lines):
        depth += sum(line.count(c) for c in "([") - sum(line.count(c) for c in ")]")
        if depth <= 0 and not line.startswith("@"):
            return number + 1
    return len(lines)


def _undocumented(text: str, doc: str) -> str:
    """Return a text without its docstring; its lines stay where they are."""
    for opening in _OPENING.finditer(text) if doc else ():
        end = text.find(opening[1], opening.end()) + len(opening[1])
        whole = text[opening.start() : end]
        # A decorator's argument may stand at the beginning of a line, too.
        if cleaned(literal(whole.strip())) == doc:
            return text[: opening.start()] + "\n" * whole.count("\n") + text[end:]
    return text


def changed(old: ElementVersion, new: ElementVersion) -> dict[str, Any]:
    """Return what differs between two versions of an element; nothing when nothing of
    its own does."""
    if (old.row.shape, old.row.face) == (new.row.shape, new.row.face):
        return {}
    if _is_stub(old.row) or _is_stub(new.row):
        return {}  # the definition itself comes after its overloads, as `name#2`
    found: dict[str, Any] = {}
    if old.signature != new.signature:
        found["signature"] = [old.signature, new.signature]
        found["parameters"] = _parameters(old.row, new.row)
    if old.row.doc != new.row.doc:
        found["doc"] = [_first(old.row.doc), _first(new.row.doc)]
    if new.row.type != "class" and old.row.shape != new.row.shape:
        found.update(_body(old.body, new.body))
    return {**found, "shape": new.shape} if found else {}


def _is_stub(row: ElementRow) -> bool:
    return any(text.rpartition(".")[2] == "overload" for text in row.decorators)


def _first(doc: str) -> str:
    return doc.strip().partition("\n")[0][:_LONGEST_DOC]


def _parameters(old: ElementRow, new: ElementRow) -> dict[str, Any]:
    was, now = _named(old), _named(new)
    return {
        "added": [name for name in now if name not in was],
        "removed": [name for name in was if name not in now],
        "default": [
            [name, was[name], now[name]]
            for name in now
            if name in was and was[name] != now[name]
        ],
    }


def _named(row: ElementRow) -> dict[str, str]:
    """Return the default of each parameter, "" without one."""
    found = {}
    for entry in row.parameters:
        name, kind, _, default = (
            (entry, "", "", "") if isinstance(entry, str) else entry
        )
        found[kind.strip("/k") + name] = default
    return found


def _body(old: list[str], new: list[str]) -> dict[str, Any]:
    if old == new:
        return {}
    if max(len(old), len(new)) > _MOST_LINES:
        return {"body": [len(old), len(new)]}
    went: list[str] = []
    came: list[str] = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            went += old[a:b]
            came += new[c:d]
    shown = len(went) + len(came) <= _SHOWN_LINES
    if shown and all(len(line) <= _LONGEST_LINE for line in went + came):
        return {"body": [went, came]}
    return {"body": [len(went), len(came)]}
