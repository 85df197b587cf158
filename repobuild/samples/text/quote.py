"""Quote code in a form that does not depend on comments and layout around it.

Comments, blank lines, the docstring and the common indentation are removed; every line
that is left is the source's, byte for byte. Text inside a string is not changed. So an
edit of a comment leaves a context row equal, and a quotation can still be found in the
tree.

`quote_definition` parses one definition by itself. `braces.py` does the same for the
languages whose definitions only parse as part of their file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tree_sitter import Node

from repobuild.code.facts.body_digest import Span
from repobuild.code.facts.bounded_parse import UnparsableError
from repobuild.code.facts.syntax import load_grammar, parse_with_grammar

# Cheap signs that a slice may hold comments or strings: only then is it searched.
_SIGNS = (b"#", b"//", b"/*", b'"""', b"'''", b"`")
_DOCSTRING_TYPES = ("string", "concatenated_string")
_FENCE_LINE = re.compile(r"^ {0,3}```", re.MULTILINE)
_NO_SPAN = (0, 0)
_MOST_UNLIKE = 1  # lines of two methods that are asked about as one


@dataclass(frozen=True, slots=True)
class Quote:
    """A definition in two halves; `body` is without its docstring."""

    head: str
    body: str

    @property
    def lines(self) -> int:
        return self.head.count("\n") + self.body.count("\n") + 2

    @property
    def ends_fence(self) -> bool:
        """Whether a line of the code would end the Markdown fence that it is put in."""
        return _FENCE_LINE.search(f"{self.head}\n{self.body}") is not None


class QuotedSource(NamedTuple):
    """The source of one definition, and the byte spans that need care in it."""

    text: bytes
    removed: list[Span]  # comments and the docstring
    strings: list[Span]  # their lines keep their indentation

    def split_at(self, position: int) -> Quote:
        """Return the cleaned lines before and after a byte position."""
        margin = len(self.text) - len(self.text.lstrip(b" \t"))
        head = self._clean_lines(0, position, margin)
        return Quote(head, self._clean_lines(position, len(self.text), margin))

    def _clean_lines(self, start: int, end: int, margin: int) -> str:
        inside_string = self._rows_inside_strings()
        first_row = self.text.count(b"\n", 0, start)
        lines = []
        for row, line in enumerate(self._cut(start, end).split(b"\n"), first_row):
            if row in inside_string:
                lines.append(line)
            elif line.strip():
                indent = len(line) - len(line.lstrip())
                lines.append(line[min(margin, indent) :].rstrip())
        return b"\n".join(lines).decode("utf-8", "replace")

    def _rows_inside_strings(self) -> set[int]:
        """Return the rows that begin inside a string."""
        rows: set[int] = set()
        for start, end in self.strings:
            breaks = self.text.count(b"\n", start, end)
            if breaks:
                first = self.text.count(b"\n", 0, start)
                rows.update(range(first + 1, first + breaks + 1))
        return rows

    def _cut(self, start: int, end: int) -> bytes:
        """Cut the removed spans out, but keep their line breaks: rows keep numbers."""
        pieces = []
        position = start
        for first, last in sorted(self.removed):
            if first >= position and last <= end and first < last:
                pieces.append(self.text[position:first])
                pieces.append(b"\n" * self.text.count(b"\n", first, last))
                position = last
        pieces.append(self.text[position:end])
        return b"".join(pieces)


def quote_definition(language: str, source: bytes, documented: bool) -> Quote | None:
    """Return the two halves of one definition's source, or None without a body.

    `documented` says that the definition has a docstring, which is then removed.
    """
    try:
        root, hidden = parse_with_grammar(load_grammar(language), source)
    except UnparsableError:
        return None
    body = _body(root)
    if body is None:
        return None
    docstring = _docstring_span(body) if documented else _NO_SPAN
    removed, strings = [docstring], []
    if any(sign in source for sign in _SIGNS):
        start, end = docstring
        sites = load_grammar(language).sites(root)
        removed += [(n.start_byte, n.end_byte) for n in sites.get("comment", ())]
        removed += hidden
        spans = [(n.start_byte, n.end_byte) for n in sites.get("string", ())]
        strings = [span for span in spans if not start <= span[0] < end]
    first = source.rfind(b"\n", 0, body.start_byte) + 1
    if source[first : body.start_byte].strip():  # `def f(): return 1`
        return None
    return QuotedSource(source, removed, strings).split_at(first)


def _body(root: Node) -> Node | None:
    """Return the body of the first definition, decorated or not."""
    for child in root.named_children:
        inner = child.child_by_field_name("definition") or child
        body = inner.child_by_field_name("body")
        if body is not None:
            return body
    return None


def _docstring_span(body: Node) -> Span:
    """Return the bytes of a body's docstring, an empty span when it has none."""
    for statement in body.named_children:
        if statement.type == "comment":
            continue
        inner = statement.named_children
        if len(inner) == 1 and inner[0].type in _DOCSTRING_TYPES:
            return statement.start_byte, statement.end_byte
        break
    return _NO_SPAN


def quoted_lines(quoted: Quote | None) -> list[str]:
    """Return the lines of code as it is shown, [] without a body."""
    return [quoted.head, *quoted.body.split("\n")] if quoted else []


def are_twins(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether the lines of two methods differ in one at most."""
    if len(one) != len(other) or not one:
        return False
    pairs = zip(one, other, strict=True)
    return sum(first != second for first, second in pairs) <= _MOST_UNLIKE
