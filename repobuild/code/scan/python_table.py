"""Read which names and modules Python has, and what distributions are imported by.

They are in `configs/languages/python.toml`, and not taken from the interpreter: rows
must not depend on which one runs.
"""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from repobuild.resources import data_folder


@cache
def python_table() -> dict[str, Any]:
    """Return the lists of the language's file."""
    path = data_folder("configs") / "languages" / "python.toml"
    return tomllib.loads(path.read_text("utf-8"))


@cache
def builtin_names() -> frozenset[str]:
    """Return the names that every module has without an import."""
    return frozenset(python_table()["builtins"])


@cache
def builtin_members() -> frozenset[str]:
    """Return the names of methods and attributes of strings, numbers and containers."""
    return frozenset(python_table()["builtin_members"])


@cache
def value_members() -> frozenset[str]:
    """Return the names of methods and attributes of Python's values and exceptions."""
    return builtin_members() | frozenset(python_table()["exception_members"])


@cache
def standard_library() -> frozenset[str]:
    """Return the names of the standard library's modules."""
    return frozenset(python_table()["standard_library"])
