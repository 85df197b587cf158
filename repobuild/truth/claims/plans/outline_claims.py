"""Check the outline of a class: its heads and settings are those of the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from repobuild.truth.tree.python_reader import (
    PythonDefinition,
    PythonFile,
    display_name,
)

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def check_outline(file: PythonFile, qual: str, text: str) -> str:
    """Return "" when a text has the heads of a class and of all its methods."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return "it is no Python"
    found = [one for one in file.definitions.values() if display_name(one.qual) == qual]
    if len(body) != 1 or not isinstance(body[0], ast.ClassDef):
        return "it is no class"
    problems = [_check_class(file, one, body[0]) for one in found]
    return min(problems, key=bool) if problems else f"there is no {qual}"


def _check_class(file: PythonFile, one: PythonDefinition, shown: ast.ClassDef) -> str:
    if not isinstance(one.node, ast.ClassDef) or _class_head(shown) != _class_head(
        one.node
    ):
        return "its head is another one"
    known = {ast.dump(node) for node in one.node.body}
    known |= set(_heads(one.node))
    for node in shown.body:
        if isinstance(node, _FUNCTIONS) and not _is_empty(node):
            return f"{node.name} has a body"
        text = _head(node) if isinstance(node, _FUNCTIONS) else ast.dump(node)
        if text not in known:
            return f"it has no {ast.unparse(node)}"
    lost = set(_heads(one.node)) - set(_heads(shown))
    return f"{len(lost)} methods are left out" if lost else ""


def _class_head(node: ast.ClassDef) -> list[str]:
    parts = [*node.decorator_list, *node.bases]
    return [node.name, *map(ast.dump, parts)]


def _heads(node: ast.ClassDef) -> Iterator[str]:
    yield from (_head(one) for one in node.body if isinstance(one, _FUNCTIONS))


def _head(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return what a function is called with and by, without its body."""
    returned = [node.returns] if node.returns else []
    parts = [*node.decorator_list, node.args, *returned]
    return repr([type(node).__name__, node.name, *map(ast.dump, parts)])


def _is_empty(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return [ast.unparse(one) for one in node.body] == ["..."]
