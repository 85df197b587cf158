"""Find the branches of an `if` that no supported version of Python runs.

A condition is judged by evaluating it for an old and a future version, where nothing
but the version, TYPE_CHECKING and numbers may occur in it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

_VERSIONS = ((3, 10, 0), (3, 99, 0))
_NAMES = {"TYPE_CHECKING": False, "PY2": False, "PY3": True}


def dead_statements(node: ast.If) -> Iterator[ast.stmt]:
    """Yield the statements of the branch that never runs, if there is one."""
    answers = {_answer(node.test, version) for version in _VERSIONS}
    if answers == {True}:
        yield from node.orelse
    elif answers == {False}:
        yield from node.body


def _answer(test: ast.expr, version: tuple[int, ...]) -> bool | None:
    try:
        return bool(_evaluate(test, version))
    except (TypeError, ValueError, IndexError, RecursionError):
        return None


def _evaluate(node: ast.expr, version: tuple[int, ...]) -> object:
    """Return a value by hand, as no code of the tree is ever run.

    Raises:
        ValueError: something else occurs in the expression.
    """
    name = getattr(node, "attr", getattr(node, "id", ""))
    if name in _NAMES:
        return _NAMES[name]
    if name == "version_info":
        return version
    match node:
        case ast.Attribute(value=inner, attr="major" | "minor"):
            parts = _evaluate(inner, version)
            if parts is not version:
                raise ValueError("not a version")
            return version[name == "minor"]
        case ast.Constant(value=int(number)):
            return number
        case ast.Tuple(elts=items):
            return tuple(_evaluate(item, version) for item in items)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return not _evaluate(inner, version)
        case ast.BoolOp(op=ast.And(), values=parts_):
            return all([_evaluate(one, version) for one in parts_])
        case ast.BoolOp(values=parts_):
            return any([_evaluate(one, version) for one in parts_])
        case ast.Subscript(value=inner, slice=ast.Constant(value=int(index))):
            if _evaluate(inner, version) is version:
                return version[index]
        case ast.Subscript(
            value=inner,
            slice=ast.Slice(
                lower=None, upper=ast.Constant(value=int(index)), step=None
            ),
        ):
            if _evaluate(inner, version) is version:
                return version[:index]
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compare(op, _evaluate(left, version), _evaluate(right, version))
    raise ValueError("something else than a version")


def _compare(op: ast.cmpop, left: object, right: object) -> bool:
    if type(left) is not type(right):
        raise ValueError("not to be compared")
    sides = (left, right)
    is_less = sorted(sides) == list(sides) and left != right  # type: ignore[type-var]
    match op:
        case ast.Lt():
            return is_less
        case ast.LtE():
            return is_less or left == right
        case ast.Gt():
            return not is_less and left != right
        case ast.GtE():
            return not is_less
        case ast.Eq():
            return left == right
        case ast.NotEq():
            return left != right
    raise ValueError("not a comparison of numbers")
