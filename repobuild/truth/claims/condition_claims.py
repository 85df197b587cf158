"""Check the conditions under which a file is said to make a definition."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from repobuild.truth.subject import LocalCheck, Subject
from repobuild.truth.tree.python_reader import PythonDefinition

_ITEM = re.compile(r"\n- `([^`\n]+)`[:：]\s*([^\n]+)")
_PARTS = {"under_if": "condition", "under_else": "denied condition"}
_IMPORTS = (ast.Import, ast.ImportFrom)


class _Branch(NamedTuple):
    """A branch that holds a definition: a claim and the code that it is about."""

    claim: str
    code: str


def _branches(node: ast.AST, wanted: ast.AST) -> Iterator[_Branch]:
    """Yield the branches around a definition, the outermost first."""
    for child in ast.iter_child_nodes(node):
        if child is wanted or not _holds(child, wanted):
            continue
        if isinstance(child, ast.If):
            test = ast.unparse(child.test)
            is_denied = any(
                one is wanted or _holds(one, wanted) for one in child.orelse
            )
            yield _Branch("denied condition" if is_denied else "condition", test)
        elif isinstance(child, ast.ExceptHandler):
            yield _Branch("condition", ast.unparse(child.type) if child.type else "")
        elif isinstance(child, ast.Try) and isinstance(child.body[0], _IMPORTS):
            rest = (*child.body, *child.orelse)
            if any(one is wanted or _holds(one, wanted) for one in rest):
                yield _Branch("tried import", ast.unparse(child.body[0]))
        yield from _branches(child, wanted)


def _holds(node: ast.AST, wanted: ast.AST) -> bool:
    if isinstance(node, ast.stmt | ast.ExceptHandler):
        first, last = node.lineno, node.end_lineno or node.lineno
        return first <= getattr(wanted, "lineno", 0) <= last
    return False


def _bare(text: str) -> str:
    """Return what a head of a block asks for, as `ast.unparse` writes it."""
    test = re.sub(r"^(?:if|elif|except)\b\s*|(?:\s+as \w+)?:$", "", text.strip())
    try:
        return ast.unparse(ast.parse(test))
    except SyntaxError:
        return test


def _check(subject: Subject, one: PythonDefinition, claim: str, text: str) -> str:
    """Return "" where the innermost branches around a definition say so."""
    python = subject.file.python
    known = list(_branches(python.tree, one.node)) if python else []
    if _Branch(claim, _bare(text)) in known:
        return ""
    return f"{one.name} is in the branches {known}"


def _of_subject(claim: str) -> LocalCheck:
    def check(subject: Subject, claimed: str) -> str:
        one = subject.definition
        return _check(subject, one, claim, claimed) if one else ""

    return check


def conditional_methods(subject: Subject, claimed: str) -> str:
    """Check the conditions of the methods of a class."""
    python = subject.file.python
    if python is None:
        return ""
    methods = python.children_by_name(subject.qual)
    items = _ITEM.findall(claimed)
    for name, told in items:
        readings = subject.templates.match_parts([*_PARTS, "under_try"], f"\n\n{told}")
        if name not in methods or not readings:
            return f"{name} is no method, or it cannot be read when it is there"
        problems = [
            _check(subject, methods[name], _PARTS.get(part, "tried import"), text)
            for fields in readings
            for (part, _), text in fields.items()
        ]
        if all(problems):
            return problems[0]
    return "" if items else "it names no method"


CONDITION_CLAIMS: Mapping[str, LocalCheck] = {
    "condition": _of_subject("condition"),
    "denied condition": _of_subject("denied condition"),
    "tried import": _of_subject("tried import"),
    "conditional methods": conditional_methods,
}
