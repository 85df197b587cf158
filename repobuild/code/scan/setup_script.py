"""Read what a setup.py declares in literals, without running it.

The keywords of `setup(...)` are taken where they are literals, or names that the module
assigns a literal to; those of `**name` from all tables that the name is set to, also in
branches. Everything else (a call, a file that is read) says nothing.
"""

from __future__ import annotations

import ast
import configparser
from typing import Any

from repobuild.code.scan.manifest import (
    console_scripts,
    packages_of_extra,
    requirements,
)

_MAX_BYTES = 200_000
_MARKS = (b"setuptools", b"distutils", b"numpy.distutils")
_TEXTS = {
    "name": "name",
    "description": "description",
    "version": "version",
    "license": "licence",
    "python_requires": "python",
}


def read_setup_script(source: bytes) -> dict[str, Any]:
    """Return the fields of manifest.py that the source declares, {} for other code."""
    if b"setup(" not in source or not any(mark in source for mark in _MARKS):
        return {}
    if len(source) > _MAX_BYTES:
        return {}
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    literals: dict[str, Any] = {"__doc__": ast.get_docstring(tree)}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                literals[name] = _literal(value, literals)
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and _is_setup(call.func):
            keywords = {
                one.arg: _literal(one.value, literals)
                for one in call.keywords
                if one.arg
            }
            for one in call.keywords:
                if one.arg is None and isinstance(one.value, ast.Name):
                    keywords = _tables(tree, one.value.id, literals) | keywords
            names = {one.arg for one in call.keywords}
            is_open = None in names or "install_requires" in names
            return {**_declared(keywords), "complete": not is_open}
    return {}


def _tables(tree: ast.Module, name: str, literals: dict[str, Any]) -> dict[str, Any]:
    """Return what `**name` may hold: all tables that the variable is set to."""
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=one)], value=ast.Dict()) if (
                one == name
            ):
                found |= _literal(node.value, literals)
    return found


def _is_setup(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else ""
    return (function.id if isinstance(function, ast.Name) else name) == "setup"


def _literal(node: ast.expr, literals: dict[str, Any]) -> Any:
    """Return a literal's value, None for an expression that is none."""
    if isinstance(node, ast.Name):
        return literals.get(node.id)
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        known = [(k, v) for k, v in pairs if isinstance(k, ast.Constant)]
        return {k.value: _literal(v, literals) for k, v in known}
    if isinstance(node, ast.List | ast.Tuple):
        return _items(node.elts, literals)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        # Extras gather others: `all = ["a"] + docs`.
        sides = [_literal(one, literals) for one in (node.left, node.right)]
        return (
            sides[0] + sides[1] if all(isinstance(one, list) for one in sides) else None
        )
    return node.value if isinstance(node, ast.Constant) else None


def _items(nodes: list[ast.expr], literals: dict[str, Any]) -> list[Any] | None:
    """Return the values of a list, None where one that it spreads is not known."""
    values: list[Any] = []
    for node in nodes:
        if not isinstance(node, ast.Starred):
            values.append(_literal(node, literals))
        elif isinstance(spread := _literal(node.value, literals), list):
            values += spread
        else:
            return None
    return values


def _declared(keywords: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        field: " ".join(keywords[keyword].split())
        for keyword, field in _TEXTS.items()
        if isinstance(keywords.get(keyword), str)
    }
    extras = {
        str(name): packages_of_extra(_lines(lines))
        for name, lines in _table(keywords.get("extras_require")).items()
        if isinstance(name, str) and not name.startswith(":")
    }
    return {
        **fields,
        "kind": "python",
        "dependencies": requirements(_lines(keywords.get("install_requires"))),
        "extras": {name: names for name, names in extras.items() if names},
        "scripts": console_scripts(_entry_points(keywords.get("entry_points"))),
    }


def _entry_points(value: Any) -> dict[str, Any]:
    """Return {group: lines} of a table, or of a string in the form of an INI file."""
    if not isinstance(value, str):
        return _table(value)
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # case matters
    try:
        parser.read_string("\n".join(line.strip() for line in value.splitlines()))
    except configparser.Error:
        return {}
    return {
        group: [f"{name}={target}" for name, target in parser.items(group)]
        for group in parser.sections()
    }


def _lines(value: Any) -> list[str]:
    lines = value.splitlines() if isinstance(value, str) else value
    return [one for one in lines or () if isinstance(one, str)]


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
