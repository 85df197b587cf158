"""Which definitions of one name exist in the same run of a module.

A check of the version, or of TYPE_CHECKING, has the same answer in every Python that is
supported: its other branch is dead. Of two definitions in branches of any other check
one exists; a definition that runs whenever an earlier one does replaces it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tree_sitter import Node

from repobuild.code.facts.syntax import Outline

_OLDEST, _NEWEST = (3, 10, 0, "final", 0), (3, 99, 0, "final", 0)
_MAX_CONDITION = 300  # bytes
_HINTS = (b"version_info", b"TYPE_CHECKING", b"PY2", b"PY3")
_MAIN = re.compile(
    r"""\(?\s*(?:__name__\s*==\s*["']__main__["']|["']__main__["']\s*==\s*__name__)\s*\)?"""
)
_CONSTANTS = {"TYPE_CHECKING": False, "PY2": False, "PY3": True}
_SCOPES = frozenset({"function_definition", "class_definition", "lambda", "module"})

BranchPath = tuple[tuple[int, int], ...]  # (statement, branch), outermost first


class DeadSpan(NamedTuple):
    """The bytes of a branch that never runs."""

    start: int
    end: int
    for_types: bool  # it is there for type checkers, and its imports name types


def dead_spans(outline: Outline) -> list[DeadSpan]:
    """Return the branches of a module that no supported Python runs."""
    if not any(hint in outline.source for hint in _HINTS):
        return []
    spans: list[DeadSpan] = []
    for node in outline.sites.get("branch", ()):
        if node.type == "if_statement":
            spans += _dead_branches(outline, node)
    return spans


def _dead_branches(outline: Outline, statement: Node) -> Iterator[DeadSpan]:
    is_over = for_types = False  # an earlier condition is always true
    for clause in (statement, *statement.children_by_field_name("alternative")):
        condition = clause.child_by_field_name("condition")
        body = clause.child_by_field_name("consequence")
        body = body or clause.child_by_field_name("body")
        if body is None:
            continue
        known = None if condition is None else _truth_of(outline, condition)
        if is_over or known is False:
            text = outline.text(condition) if condition is not None else ""
            for_types = "TYPE_CHECKING" in text
            yield DeadSpan(body.start_byte, body.end_byte, for_types)
        is_over = is_over or known is True


def main_span(outline: Outline) -> tuple[int, int] | None:
    """Return the bytes that run only when a module is run as a program.

    That is the body of `if __name__ == "__main__":` at the top level.
    """
    if b"__main__" not in outline.source:
        return None
    for node in outline.sites.get("branch", ()):
        is_top = node.parent is not None and node.parent.type in ("module", "program")
        condition = node.child_by_field_name("condition")
        body = node.child_by_field_name("consequence")
        if node.type != "if_statement" or not is_top or condition is None or not body:
            continue
        if _MAIN.fullmatch(outline.text(condition)):
            return body.start_byte, body.end_byte
    return None


def branch_path(node: Node) -> BranchPath:
    """Return the branches around a statement, up to the scope that it is in."""
    path: list[tuple[int, int]] = []
    child, parent = node, node.parent
    while parent is not None and parent.type not in _SCOPES:
        if parent.type in ("if_statement", "try_statement", "match_statement"):
            path.append((parent.start_byte, _branch_of(parent, child)))
        elif parent.type == "block" and child.type == "case_clause":
            path.append((parent.start_byte, child.start_byte))
        child, parent = parent, parent.parent
    return tuple(reversed([entry for entry in path if entry[1] >= 0]))


def _branch_of(statement: Node, child: Node) -> int:
    """Return which branch a child of a statement is, -1 what always runs."""
    if child.type in ("finally_clause", "with_clause"):
        return -1
    if statement.type == "match_statement":
        return -1  # its cases are in a block of their own
    if child.type == "block":
        return 0
    # The `else` of a `try` runs after its body, the one of an `if` instead of it.
    if statement.type == "try_statement" and child.type == "else_clause":
        return 0
    return child.start_byte


def surviving(paths: Iterable[BranchPath]) -> list[int]:
    """Return which of several definitions of a name may be the one in the end."""
    alive: list[tuple[int, BranchPath]] = []
    for index, path in enumerate(paths):
        alive = [(one, other) for one, other in alive if other[: len(path)] != path]
        alive.append((index, path))
    return [index for index, _ in alive]


def _truth_of(outline: Outline, condition: Node) -> bool | None:
    """Return whether a condition always holds, None when it may or may not."""
    if condition.end_byte - condition.start_byte > _MAX_CONDITION:
        return None
    try:
        node = ast.parse(outline.text(condition).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    oldest, newest = _truth(node, _OLDEST), _truth(node, _NEWEST)
    return oldest if oldest == newest else None


def _truth(node: ast.expr, version: tuple[Any, ...]) -> bool | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _truth(node.operand, version)
        return None if inner is None else not inner
    if isinstance(node, ast.BoolOp):
        decides = isinstance(node.op, ast.Or)
        parts = [_truth(one, version) for one in node.values]
        if decides in parts:
            return decides
        return None if None in parts else not decides
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _compared(node, version)
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return _CONSTANTS.get(name)


def _compared(node: ast.Compare, version: tuple[Any, ...]) -> bool | None:
    left, right = _value(node.left, version), _value(node.comparators[0], version)
    try:
        match node.ops[0]:
            case ast.Lt():
                return bool(left < right)
            case ast.LtE():
                return bool(left <= right)
            case ast.Gt():
                return bool(left > right)
            case ast.GtE():
                return bool(left >= right)
            case ast.Eq():
                return None if None in (left, right) else bool(left == right)
            case ast.NotEq():
                return None if None in (left, right) else bool(left != right)
    except TypeError:
        pass
    return None


def _value(node: ast.expr, version: tuple[Any, ...]) -> Any:
    """Return a version, a part of it, or what it is compared with; None if neither."""
    if isinstance(node, ast.Attribute) and node.attr in ("major", "minor"):
        inner = _value(node.value, version)
        index = ("major", "minor").index(node.attr)
        return inner[index] if inner is version else None
    if getattr(node, "attr", getattr(node, "id", "")) == "version_info":
        return version
    if isinstance(node, ast.Subscript) and _value(node.value, version) is version:
        try:
            if isinstance(node.slice, ast.Slice) and node.slice.upper is not None:
                return version[: ast.literal_eval(node.slice.upper)]
            return version[ast.literal_eval(node.slice)]
        except (ValueError, TypeError, IndexError):
            return None
    if isinstance(node, ast.Constant | ast.Tuple):
        try:
            return ast.literal_eval(node)
        except ValueError:
            return None
    return None
