"""Code as samples quote it: in a form that comments and layout around it do not change.

Comments, blank lines and the docstring go, the indentation of the whole goes; every
line that stays is the source's, byte for byte. What lies inside a string is left alone.
So a comment edit leaves a context as it was, and a quotation can still be found in the
tree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tree_sitter import Node

from repobuild.code.facts.syntax import grammar

# Cheap signs that a slice needs its strings and comments looked up by the grammar.
_SIGNS = (b"#", b"//", b"/*", b'"""', b"'''", b"`")
_DOCSTRING = ("string", "concatenated_string")


@dataclass(frozen=True, slots=True)
class Quote:
    """A definition in two halves; `body` is without its docstring."""

    head: str
    body: str

    @property
    def lines(self) -> int:
        return self.head.count("\n") + self.body.count("\n") + 2


def quote(language: str, source: bytes, documented: bool) -> Quote | None:
    """Return the two halves of one definition's source, or None without a body."""
    root = grammar(language).parser.parse(source).root_node
    body = _body(root)
    if body is None:
        return None
    drop, keep = [_docstring(body) if documented else (0, 0)], []
    if any(sign in source for sign in _SIGNS):
        start, end = drop[0]
        sites = grammar(language).sites(root)
        drop += [(n.start_byte, n.end_byte) for n in sites.get("comment", ())]
        strings = [(n.start_byte, n.end_byte) for n in sites.get("string", ())]
        keep = [span for span in strings if not start <= span[0] < end]
    margin = len(source) - len(source.lstrip(b" \t"))
    first = source.rfind(b"\n", 0, body.start_byte) + 1
    if source[first : body.start_byte].strip():  # `def f(): return 1`
        return None
    head = plain(source, 0, first, margin, drop, keep)
    return Quote(head, plain(source, first, len(source), margin, drop, keep))


def _body(root: Node) -> Node | None:
    """The body of the first definition, inside its decorators if it has some."""
    for child in root.named_children:
        inner = child.child_by_field_name("definition") or child
        body = inner.child_by_field_name("body")
        if body is not None:
            return body
    return None


def _docstring(body: Node) -> tuple[int, int]:
    for statement in body.named_children:
        if statement.type == "comment":
            continue
        inner = statement.named_children
        if len(inner) == 1 and inner[0].type in _DOCSTRING:
            return statement.start_byte, statement.end_byte
        break
    return 0, 0


def plain(
    source: bytes,
    start: int,
    end: int,
    margin: int,
    drop: Iterable[tuple[int, int]],
    keep: Iterable[tuple[int, int]],
) -> str:
    """The lines of a span, without what is dropped and without its margin."""
    inside = _rows_inside(source, keep)
    row = source.count(b"\n", 0, start)
    text = _without(source, start, end, drop)
    lines = []
    for number, line in enumerate(text.split(b"\n"), row):
        if number in inside:
            lines.append(line)
        elif line.strip():
            lines.append(line[min(margin, len(line) - len(line.lstrip())) :].rstrip())
    return b"\n".join(lines).decode("utf-8", "replace")


def _rows_inside(source: bytes, strings: Iterable[tuple[int, int]]) -> set[int]:
    """Rows that begin inside a string."""
    rows: set[int] = set()
    for start, end in strings:
        breaks = source.count(b"\n", start, end)
        if breaks:
            first = source.count(b"\n", 0, start)
            rows.update(range(first + 1, first + breaks + 1))
    return rows


def _without(
    source: bytes, start: int, end: int, drop: Iterable[tuple[int, int]]
) -> bytes:
    """Cut spans out, but not their line breaks: rows keep their numbers."""
    pieces = []
    place = start
    for first, last in sorted(drop):
        if first >= place and last <= end and first < last:
            pieces.append(source[place:first])
            pieces.append(b"\n" * source.count(b"\n", first, last))
            place = last
    pieces.append(source[place:end])
    return b"".join(pieces)
