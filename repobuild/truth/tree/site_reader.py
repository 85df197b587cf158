"""Count the names in the places of a file that a plan calls registrations.

Python is read by `ast`; of other files every word counts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from repobuild.truth.tree.python_reader import DEFINITIONS, PythonFile, last_name

_WORD = re.compile(r"[^\W\d]\w*")


def words_of(text: str) -> set[str]:
    return set(_WORD.findall(text))


def names_in_place(file: PythonFile, step: str, where: str) -> set[str]:
    """Return the names that a place holds; `step` is the part of the plan's step."""
    names: set[str] = set()
    for node in _places(file, step, where):
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name):
                names.add(inner.id)
            elif isinstance(inner, ast.Attribute):
                names.add(inner.attr)
            elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                names |= words_of(inner.value)
            elif isinstance(inner, ast.alias):
                names |= words_of(f"{inner.name} {inner.asname or ''}")
            elif isinstance(inner, ast.ImportFrom) and inner.module:
                names |= words_of(inner.module)  # a module may be the sibling
            elif isinstance(inner, ast.keyword) and inner.arg:
                names.add(inner.arg)
            elif isinstance(inner, ast.arg):
                names.add(inner.arg)
    return names


def listed_items(file: PythonFile, where: str) -> list[str]:
    """Return the last names of the items of a list or tuple that a name is given."""
    inner, where = _in_class(file, where)
    for node in (found for one in inner for found in ast.walk(one)):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        if where in map(ast.unparse, targets):
            value = getattr(node, "value", None)
            items = value.elts if isinstance(value, ast.List | ast.Tuple) else []
            return [_item_name(one) for one in items]
    return []


def _item_name(node: ast.expr) -> str:
    while isinstance(node, ast.List | ast.Tuple) and node.elts:
        node = node.elts[0]
    if isinstance(node, ast.Constant):
        return str(node.value).rpartition(".")[2]
    return last_name(node)


def _in_class(file: PythonFile, where: str) -> tuple[list[ast.stmt], str]:
    """Return the statements of the class that a name has before it, and its rest.

    Without a class these are the statements of the file.
    """
    owner, _, rest = where.rpartition(".")
    one = file.definitions.get(owner)
    if one is None or not isinstance(one.node, ast.ClassDef):
        return file.tree.body, where
    return one.node.body, rest


def _places(file: PythonFile, step: str, where: str) -> Iterator[ast.AST]:
    if step.startswith("plan_function") or step == "plan_raise":
        for one in file.definitions.values():
            if re.sub(r"#\d+", "", one.qual) == where:
                inner = ast.walk(one.node) if step == "plan_raise" else [one.node]
                yield from (
                    node
                    for node in inner
                    if step != "plan_raise" or isinstance(node, ast.Raise)
                )
        return
    body = file.tree.body  # a call through a class stands anywhere: `Kind.add(A)`
    if step != "plan_call":
        body, where = _in_class(file, where)
    for node in (found for one in body for found in ast.walk(one)):
        if step == "plan_raise_in":
            if isinstance(node, ast.Raise):
                yield node
        elif step == "plan_reexport":
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield node
        elif step == "plan_call":
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(where):
                yield node
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if step == "plan_instance" or where in map(ast.unparse, targets):
                yield node


def class_attributes(file: PythonFile, qual: str) -> set[str]:
    """Return the names that a class body assigns."""
    one = file.definitions.get(qual)
    names: set[str] = set()
    for node in one.node.body if one else ():
        if isinstance(node, DEFINITIONS):
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.Assign):
                names |= {t.id for t in inner.targets if isinstance(t, ast.Name)}
            elif isinstance(inner, ast.AnnAssign) and inner.value is not None:
                if isinstance(inner.target, ast.Name):
                    names.add(inner.target.id)
    return names


def leaves_open(file: PythonFile, qual: str) -> bool:
    """Return whether a method is abstract, or only raises NotImplementedError."""
    one = file.definitions.get(qual)
    if one is None:
        return False
    if "abstractmethod" in one.decorators:
        return True
    body = [
        node
        for node in one.node.body
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    only = body[0] if len(body) == 1 else None
    raised = only.exc if isinstance(only, ast.Raise) else None
    return raised is not None and "NotImplementedError" in ast.unparse(raised)


def code_of(file: PythonFile, qual: str) -> str:
    """Return the lines of a definition, "" where there is none."""
    one = file.definitions.get(qual)
    return "\n".join(file.lines[one.start - 1 : one.end]) if one else ""


def imported_modules(file: PythonFile) -> set[str]:
    """Return the last names of all that a file imports, and of what it imports from."""
    found: set[str] = set()
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {one.name.rpartition(".")[2] for one in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.rpartition(".")[2])
    return found
