"""What Python itself has is a list of ours: rows are the same on every interpreter."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path

import repobuild
from repobuild.code.scan.python_table import (
    builtin_members,
    builtin_names,
    value_members,
)

ROOMS = ("code", "samples")  # which make rows


def test_the_lists_hold_what_this_interpreter_has() -> None:
    named = {name for name in dir(builtins) if name != "_"}  # of an interactive one
    assert named <= builtin_names()
    types = (str, bytes, list, dict, set, tuple, int, float)
    assert {name for one in types for name in dir(one)} <= builtin_members()
    assert {*dir(BaseException)} <= value_members()


def test_no_row_is_made_of_what_the_interpreter_has() -> None:
    """A cache that two versions of Python share would hold rows of both."""
    root = Path(repobuild.__file__).parent
    files = [path for room in ROOMS for path in (root / room).rglob("*.py")]
    assert len(files) > 100
    assert {str(path.relative_to(root)) for path in files if any(_asks(path))} == set()


def _asks(path: Path) -> Iterator[bool]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield any(name.name == "builtins" for name in node.names)
        elif isinstance(node, ast.Attribute):
            yield node.attr in ("stdlib_module_names", "builtin_module_names")
        elif isinstance(node, ast.Name):
            yield node.id == "dir"
