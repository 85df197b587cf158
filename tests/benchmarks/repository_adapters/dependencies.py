"""Dependency-resolved context: the definitions that a test file imports and uses.

The test file up to a task's target says what it imports. A name of those imports is
followed to its definition in the source, through the packages that export it again:

    from box import Box, make      box/__init__.py -> box/base.py: class Box
    import box.base as b           b.Box -> box/base.py: class Box
    from box.base import           the target is a name of the module: its outline

What is used last comes first. Outlines come before whole definitions, each with those
of a class's bases and of what a function returns. It may know more than a search by the
prompt, because the imports are often above a task's window.

Imports are read from the syntax tree, a statement each, because a text that ends before
its target does not parse as a whole. Nothing is imported.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tests.benchmarks.repository_adapters.outline import Definition
from tests.benchmarks.repository_adapters.repositories import Repository
from tests.benchmarks.repository_adapters.tasks import Task, Windows

IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+[.\w]+[ \t]+import\b[ \t]*"
    r"(?:\([^)]*\)?|(?:[^(\\\n]|\\\n)*)|import[ \t]+[^\n]+)",
    re.MULTILINE,
)
DOTTED = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
MOST_STEPS = 8  # from module to module that export a name again


class Origin(NamedTuple):
    """Where a name is imported from; of a module itself, `name` is empty."""

    module: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """The names of a module, each as it is bound first: a later one is a fallback."""

    names: dict[str, ast.stmt | Origin]
    stars: list[str]  # modules of which all names are imported


class DependencyContext:
    """The definitions of a repository's source, to be found by their imports."""

    def __init__(self, repository: Repository) -> None:
        self.files = {module_name(file.path): file for file in repository.source}
        self.tests = {file.path: file.text for file in repository.tests}
        self.scopes: dict[str, Scope] = {}

    def pieces(self, windows: Windows, task: Task) -> list[str]:
        """Return outlines of what a task's file uses before the target, then sources.

        What is used last is first.
        """
        text = self.tests[task.identity.path][: windows.begins[task.window]]
        text += windows.piece_before(task)
        used: dict[tuple[str, int], Definition] = {}
        for found in self.used(text, task.identity.path):
            for one in (found, *self.related(found)):
                used.setdefault(one.place, one)
        whole = [d for d in used.values() if not isinstance(d.node, ast.Module)]
        return [d.outline() for d in used.values()] + [d.source() for d in whole]

    def used(self, text: str, path: str) -> Iterator[Definition]:
        """Yield the definitions of what a text imports and uses, its last use first."""
        package = package_of(path)
        matches = list(IMPORT.finditer(text))
        if matches and not text[matches[-1].end() :].strip():  # it ends in an import
            module = matches.pop()[0].split()[1]
            for _, origin in imported_names(parsed(f"from {module} import *"), package):
                if found := self.find(Origin(origin.module)):
                    yield found
        imported = {
            name: origin
            for match in matches
            for name, origin in imported_names(parsed(match[0]), package)
        }
        for match in reversed(list(DOTTED.finditer(text))):
            first, *attributes = match[0].split(".")
            if first in imported and (
                found := self.follow(imported[first], attributes)
            ):
                yield found

    def follow(self, origin: Origin, attributes: Sequence[str]) -> Definition | None:
        """Return what `name.attribute` is, for attributes of modules."""
        found = self.find(origin)
        for attribute in attributes:
            if found is None or not isinstance(found.node, ast.Module):
                break
            found = self.find(Origin(module_name(found.file.path), attribute))
        return found

    def find(self, origin: Origin, steps: int = MOST_STEPS) -> Definition | None:
        """Return the definition of what is imported, None outside the source."""
        module, name = origin
        file = self.files.get(module)
        if not name:
            return Definition(file, file.tree) if file else None
        if file and steps:
            scope = self.scope(module)
            bound = scope.names.get(name)
            if isinstance(bound, ast.stmt):
                return Definition(file, bound)
            stars = [Origin(star, name) for star in scope.stars]
            for deeper in [bound] if bound else stars:
                if found := self.find(deeper, steps - 1):
                    return found
        return self.find(Origin(f"{module}.{name}"))  # a submodule, if anything

    def scope(self, module: str) -> Scope:
        """Return the names that a module of the source defines and imports."""
        if module not in self.scopes:
            file = self.files[module]
            package = package_of(file.path)
            scope = self.scopes[module] = Scope({}, [])
            for node in top_level(file.tree.body):
                for name in bound_names(node):
                    scope.names.setdefault(name, node)
                for name, origin in imported_names([node], package):
                    if name == "*":
                        scope.stars.append(origin.module)
                    else:
                        scope.names.setdefault(name, origin)
        return self.scopes[module]

    def related(self, found: Definition) -> Iterator[Definition]:
        """Yield the bases of a class, and what a function says that it returns."""
        match found.node:
            case ast.ClassDef(bases=named):
                pass
            case (
                ast.FunctionDef(returns=ast.expr() as returned)
                | ast.AsyncFunctionDef(returns=ast.expr() as returned)
            ):
                named = [returned]
            case _:
                return
        module = module_name(found.file.path)
        for name in (node for one in named for node in ast.walk(one)):
            if isinstance(name, ast.Name) and (
                other := self.find(Origin(module, name.id))
            ):
                yield other


# ------------------------------------------------------------------- names of modules


def module_name(path: str) -> str:
    """Return the name under which a file is imported."""
    name = path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__")
    return name.replace("/", ".")


def package_of(path: str) -> str:
    """Return the package that relative imports of a file begin at."""
    return module_name(path.rpartition("/")[0])


def parsed(statement: str) -> list[ast.stmt]:
    """Return the syntax tree of a statement, nothing where it does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(textwrap.dedent(statement)).body
    except (SyntaxError, ValueError):
        return []


def top_level(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, also those under `if` and `try`."""
    for node in statements:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from top_level(node.body + node.orelse)
        if isinstance(node, ast.Try):
            yield from top_level(s for h in node.handlers for s in h.body)


def bound_names(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.Assign(targets=targets):
            yield from (t.id for t in targets if isinstance(t, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def imported_names(
    statements: Iterable[ast.stmt], package: str
) -> Iterator[tuple[str, Origin]]:
    """Yield the names that import statements bind, `*` for all of a module."""
    for node in statements:
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    top = alias.name.partition(".")[0]
                    yield (
                        alias.asname or top,
                        Origin(alias.name if alias.asname else top),
                    )
            case ast.ImportFrom(names=aliases):
                module = absolute(node, package)
                for alias in aliases:
                    yield alias.asname or alias.name, Origin(module, alias.name)


def absolute(node: ast.ImportFrom, package: str) -> str:
    """Return the full name of the module that is imported from."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)
