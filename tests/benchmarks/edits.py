"""Edits of Python sources, one small commit each, never the same text twice.

An edit takes a file's text and a number and returns the new text. Places are found by
qualified name with `ast`, so that they hold on any version of the edited project.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Change = Callable[[str, int], str]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Edit:
    """`what` is for the reader; `path` is below the repository."""

    what: str
    path: str
    change: Change

    def write(self, place: Path, number: int) -> None:
        """Apply the edit in the work tree."""
        file = place / self.path
        file.write_text(self.change(file.read_text("utf-8"), number), "utf-8")


def body(name: str) -> Change:
    """Insert a statement before the first one of a function's body."""
    return lambda text, number: _before_body(text, name, f"edited = {number}")


def comment(name: str) -> Change:
    """Insert a comment there instead."""
    return lambda text, number: _before_body(text, name, f"# edit {number}")


def docstring(name: str) -> Change:
    """Append a sentence to the first line of a function's docstring."""

    def change(text: str, number: int) -> str:
        lines = text.splitlines(keepends=True)
        first = _found(text, name).body[0].lineno - 1
        quote = lines[first].index('"""') + 3
        lines[first] = f"{lines[first][:quote]}({number}) {lines[first][quote:]}"
        return "".join(lines)

    return change


def signature(name: str) -> Change:
    """Give a function that has no `**` argument one more keyword, with a default."""

    def change(text: str, number: int) -> str:
        lines = text.splitlines(keepends=True)
        line = _found(text, name).lineno - 1
        end = lines[line].rindex(")")
        more = f", edited{number}={number}"
        lines[line] = f"{lines[line][:end]}{more}{lines[line][end:]}"
        return "".join(lines)

    return change


def new_import(module: str) -> Change:
    """Import a module under a new name, before the file's first import."""

    def change(text: str, number: int) -> str:
        nodes = ast.parse(text).body
        first = next(n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom))
        return _inserted(text, first.lineno, f"import {module} as edited{number}")

    return change


def new_function(text: str, number: int) -> str:
    """Append a function."""
    made = f"\n\ndef edited{number}(value):\n    return value + {number}\n"
    return text.rstrip("\n") + "\n" + made


def _before_body(text: str, name: str, statement: str) -> str:
    found = _found(text, name)
    has_docstring = ast.get_docstring(found, clean=False) is not None
    first = found.body[1 if has_docstring and len(found.body) > 1 else 0]
    return _inserted(text, first.lineno, " " * first.col_offset + statement)


def _inserted(text: str, line: int, statement: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join([*lines[: line - 1], f"{statement}\n", *lines[line - 1 :]])


def _found(text: str, name: str) -> Function:
    scope: ast.Module | ast.ClassDef | Function = ast.parse(text)
    for part in name.split("."):
        kinds = ast.ClassDef | Function
        scope = next(
            n for n in scope.body if isinstance(n, kinds) and n.name == part
        )  # fmt: skip
    if isinstance(scope, Function):
        return scope
    raise KeyError(name)
