"""Quote a definition's code as samples do, by `ast` and `tokenize`.

A quotation has no comments, blank lines or docstring, and the indentation of the whole
is removed. The contents of strings stay as they are.
"""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass, field
from typing import NamedTuple

from repobuild.truth.tree.python_reader import PythonDefinition, PythonFile


@dataclass(slots=True)
class SourceLayout:
    """Where a file's comments begin, and which lines begin inside a string."""

    comments: dict[int, int] = field(default_factory=dict)  # line -> column
    inside_string: set[int] = field(default_factory=set)


class _Span(NamedTuple):
    line: int
    column: int  # in UTF-8 bytes, as `ast` counts
    end_line: int
    end_column: int


def source_layout(text: str) -> SourceLayout:
    """Return the layout of a file.

    Raises:
        tokenize.TokenError, SyntaxError: the text cannot be split into tokens.
    """
    layout = SourceLayout()
    opened: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if token.type == tokenize.COMMENT:
            layout.comments[token.start[0]] = token.start[1]
        elif token.type == tokenize.STRING:
            layout.inside_string.update(range(token.start[0] + 1, token.end[0] + 1))
        elif kind == "FSTRING_START":
            opened.append(token.start[0])
        elif kind == "FSTRING_END":
            layout.inside_string.update(range(opened.pop() + 1, token.end[0] + 1))
    return layout


def quotation(
    file: PythonFile, definition: PythonDefinition, layout: SourceLayout
) -> list[str]:
    """Return the lines of a definition's quotation."""
    docstring = _docstring(definition)
    raw = file.lines[definition.decorated_start - 1 : definition.end]
    margin = len(raw[0]) - len(raw[0].lstrip())
    lines = []
    for row, line in enumerate(raw, definition.decorated_start):
        in_docstring = docstring and docstring.line < row <= docstring.end_line
        if row in layout.inside_string and not in_docstring:
            lines.append(line)
            continue
        text = _stripped(line, row, docstring, layout)
        if text.strip():
            lines.append(text[min(margin, len(text) - len(text.lstrip())) :].rstrip())
    return lines


def head_line_count(
    file: PythonFile, definition: PythonDefinition, layout: SourceLayout
) -> int:
    """Return how many lines of the quotation precede the body."""
    first = definition.node.body[0]
    decorators = getattr(first, "decorator_list", [])
    start = min([first.lineno, *(d.lineno for d in decorators)])
    rows = range(definition.decorated_start, start)
    return sum(
        bool(_stripped(file.lines[row - 1], row, None, layout).strip()) for row in rows
    )


def _docstring(definition: PythonDefinition) -> _Span | None:
    if not definition.doc:
        return None
    node = definition.node.body[0]
    value = node.value if isinstance(node, ast.Expr) else node
    last, column = value.end_lineno or 0, value.end_col_offset or 0
    return _Span(node.lineno, node.col_offset, last, column)


def _stripped(
    line: str, row: int, docstring: _Span | None, layout: SourceLayout
) -> str:
    """Return the line without its comment and without any part of a docstring."""
    data = line.encode()
    if row in layout.comments:
        data = line[: layout.comments[row]].encode()
    if docstring and docstring.line <= row <= docstring.end_line:
        start = docstring.column if row == docstring.line else 0
        end = docstring.end_column if row == docstring.end_line else len(data)
        data = data[:start] + data[end:]
    return data.decode()
