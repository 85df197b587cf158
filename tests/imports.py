"""The package's imports as its source shows them: what the house tests look at."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "repobuild"


@cache
def modules() -> dict[str, Path]:
    """Return every module of the package by dotted name; a folder is its `__init__`."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(p for p in parts if p != "__init__")] = path
    return found


@cache
def syntax(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def imports(module: str) -> frozenset[str]:
    """Return the modules of ours that a module imports, late and for types included."""
    known = modules()
    names: list[str] = []
    for node in ast.walk(syntax(known[module])):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"relative import in {module}"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                names.append(whole if whole in known else str(node.module))
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return frozenset(n for n in names if n in known and n not in (module, "repobuild"))


def room_of(module: str) -> str:
    """Return the folder directly below the package, or the top-level module."""
    return module.split(".")[1] if "." in module else "__init__"


def cycles() -> list[list[str]]:
    """Return groups of modules that import each other (strongly connected ones)."""
    reach = {module: set(_reachable(module)) for module in modules()}
    groups = {
        tuple(sorted(other for other in reach[m] if m in reach[other])) for m in reach
    }
    return sorted(list(group) for group in groups if group)


def _reachable(start: str) -> Iterator[str]:
    seen: set[str] = set()
    waiting = [*imports(start)]
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            yield module
            waiting += imports(module)


def public_classes() -> Iterator[tuple[str, str]]:
    """Yield (module, name) of the classes at a module's top level."""
    for module, path in modules().items():
        for node in syntax(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield module, node.name


def functions() -> Iterator[tuple[str, str, int]]:
    """Yield (module, name, lines) of all functions and methods."""
    for module, path in modules().items():
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield module, node.name, (node.end_lineno or 0) - node.lineno + 1
