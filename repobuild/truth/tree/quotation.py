"""A definition's code as samples quote it, worked out by `ast` and `tokenize`.

Comments, blank lines and the docstring go, so does the indentation of the whole. What
lies inside a string stays as it is.
"""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass, field

from repobuild.truth.tree.python_reader import PythonDefinition, PythonFile


@dataclass(slots=True)
class SourceLayout:
    """Where a file's comments begin, and which lines begin within a string."""

    comments: dict[int, int] = field(default_factory=dict)  # line -> column
    inside: set[int] = field(default_factory=set)


def layout(text: str) -> SourceLayout:
    """Read the layout of a file; raises `tokenize.TokenError` or `SyntaxError`."""
    found = SourceLayout()
    opened: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if token.type == tokenize.COMMENT:
            found.comments[token.start[0]] = token.start[1]
        elif token.type == tokenize.STRING:
            found.inside.update(range(token.start[0] + 1, token.end[0] + 1))
        elif kind == "FSTRING_START":
            opened.append(token.start[0])
        elif kind == "FSTRING_END":
            found.inside.update(range(opened.pop() + 1, token.end[0] + 1))
    return found


def quotation(
    file: PythonFile, about: PythonDefinition, found: SourceLayout
) -> list[str]:
    """The lines that a quotation of the definition has."""
    dropped = _docstring(about)
    raw = file.lines[about.first - 1 : about.end]
    margin = len(raw[0]) - len(raw[0].lstrip())
    lines = []
    for row, line in enumerate(raw, about.first):
        if row in found.inside and not (dropped and dropped[0] < row <= dropped[2]):
            lines.append(line)
            continue
        text = _without(line, row, dropped, found)
        if text.strip():
            lines.append(text[min(margin, len(text) - len(text.lstrip())) :].rstrip())
    return lines


def head_lines(about: PythonDefinition, found: SourceLayout, file: PythonFile) -> int:
    """How many lines of the quotation stand before the body."""
    first = about.node.body[0]
    decorators = getattr(first, "decorator_list", [])
    start = min([first.lineno, *(d.lineno for d in decorators)])
    rows = range(about.first, start)
    return sum(
        bool(_without(file.lines[row - 1], row, None, found).strip()) for row in rows
    )


Span = tuple[int, int, int, int]  # line, column, last line, last column


def _docstring(about: PythonDefinition) -> Span | None:
    if not about.doc:
        return None
    node = about.node.body[0]
    value = node.value if isinstance(node, ast.Expr) else node
    last, column = value.end_lineno or 0, value.end_col_offset or 0
    return node.lineno, node.col_offset, last, column


def _without(line: str, row: int, dropped: Span | None, found: SourceLayout) -> str:
    """The line without comment and docstring; columns of `ast` count UTF-8 bytes."""
    data = line.encode()
    if row in found.comments:
        data = line[: found.comments[row]].encode()
    if dropped and dropped[0] <= row <= dropped[2]:
        start = dropped[1] if row == dropped[0] else 0
        end = dropped[3] if row == dropped[2] else len(data)
        data = data[:start] + data[end:]
    return data.decode()
