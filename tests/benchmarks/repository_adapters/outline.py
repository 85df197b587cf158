"""Show a definition as source text: whole, or only what it offers to others.

function    its first lines, up to the colon
class       its first lines, and those of its fields and public methods
module      the first lines of its definitions, values and own imports
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from repobuild.model.bundled.corpus import SourceFile
from repobuild.model.bundled.tokenizer import FILE_SEP

Function = ast.FunctionDef | ast.AsyncFunctionDef
LONGEST_VALUE = 3  # lines; of longer ones only the first is shown


@dataclass(frozen=True, slots=True)
class Definition:
    """A function, class or value of a file, or the file as a module."""

    file: SourceFile
    node: ast.stmt | ast.Module

    @property
    def place(self) -> tuple[str, int]:
        """The path and the line, 0 for a module."""
        return self.file.path, getattr(self.node, "lineno", 0)

    def outline(self) -> str:
        """Return what others see of it, after the file token and its path."""
        return _piece(self.file, _outline(self.node, self.file.text.split("\n")))

    def source(self) -> str:
        """Return the whole of it, in the same form."""
        return _piece(self.file, _whole(self.node, self.file.text.split("\n")))


def _piece(file: SourceFile, lines: Iterator[str]) -> str:
    return f"{FILE_SEP}{file.path}\n" + "".join(f"{line}\n" for line in lines)


def _whole(node: ast.stmt | ast.Module, lines: list[str]) -> Iterator[str]:
    if isinstance(node, ast.Module):
        yield from lines
        return
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(d.lineno for d in decorators)])
    yield from lines[first - 1 : node.end_lineno]


def _outline(node: ast.stmt | ast.Module, lines: list[str]) -> Iterator[str]:
    match node:
        case ast.Module():
            for statement in node.body:
                yield from _member(statement, lines)
        case ast.ClassDef():
            yield from _head(node, lines)
            for statement in node.body:
                yield from _member(statement, lines)
        case _:
            yield from _member(node, lines)


def _member(node: ast.stmt, lines: list[str]) -> Iterator[str]:
    """Yield the lines that a part of a class or module has in its outline."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            if not node.name.startswith("_") or node.name == "__init__":
                yield from _head(node, lines)
        case ast.Assign() | ast.AnnAssign() | ast.ImportFrom():
            assert node.end_lineno is not None
            end = node.end_lineno
            is_long = end - node.lineno >= LONGEST_VALUE
            if is_long and not isinstance(node, ast.ImportFrom):
                end = node.lineno
            yield from lines[node.lineno - 1 : end]


def _head(node: Function | ast.ClassDef, lines: list[str]) -> Iterator[str]:
    """Yield the lines of a definition before its body."""
    first = node.body[0]
    begin = min(
        [first.lineno, *(d.lineno for d in getattr(first, "decorator_list", []))]
    )
    yield from lines[node.lineno - 1 : max(begin - 1, node.lineno)]
