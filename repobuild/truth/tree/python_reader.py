"""One Python file as the standard library reads it: by `ast`, and by nothing of ours.

A definition is named as element ids name it (`Class.method`, `outer.inner`, `name#2`
for the second of one name in one scope). Lines count from 1.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

Callable_ = ast.FunctionDef | ast.AsyncFunctionDef
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_HOLDERS = (ast.stmt, ast.excepthandler, ast.match_case)


@dataclass(frozen=True, slots=True)
class PythonParameter:
    """A parameter as written; nodes are None where nothing is written."""

    name: str  # with its stars
    type: ast.expr | None
    default: ast.expr | None
    by_name: bool = False
    by_place: bool = False


@dataclass(frozen=True, slots=True)
class PythonDefinition:
    """A function, method or class."""

    qual: str
    kind: str
    parent: str
    node: Callable_ | ast.ClassDef

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def start(self) -> int:
        return self.node.lineno

    @property
    def end(self) -> int:
        return self.node.end_lineno or self.node.lineno

    @property
    def first(self) -> int:
        """The first decorator's line."""
        return min([d.lineno for d in self.node.decorator_list], default=self.start)

    @property
    def doc(self) -> str:
        return ast.get_docstring(self.node) or ""

    @property
    def decorators(self) -> list[str]:
        return [last_name(d) for d in self.node.decorator_list]

    def parameters(self) -> list[PythonParameter]:
        """All parameters in the order of the source; none of a class."""
        if isinstance(self.node, ast.ClassDef):
            return []
        return list(parameters_of(self.node.args))


class PythonFile:
    """The definitions of one file. Raises `SyntaxError` or `ValueError`."""

    def __init__(self, text: str) -> None:
        self.text = text
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes
            self.tree = ast.parse(text)
        self.definitions: dict[str, PythonDefinition] = {}
        self._counts: dict[str, int] = {}
        self._define(self.tree, "", False)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def doc(self) -> str:
        return ast.get_docstring(self.tree) or ""

    @cached_property
    def imports(self) -> set[str]:
        """Every import statement of the file, as `ast` dumps it."""
        nodes = ast.walk(self.tree)
        kinds = (ast.Import, ast.ImportFrom)
        return {ast.dump(node) for node in nodes if isinstance(node, kinds)}

    def children(self, qual: str) -> list[PythonDefinition]:
        """What stands directly in a definition, or with "" at the top."""
        return [d for d in self.definitions.values() if d.parent == qual]

    def effective(self, parent: str) -> dict[str, PythonDefinition]:
        """The children by name: the first that is no overload stands for its name."""
        found: dict[str, PythonDefinition] = {}
        for one in self.children(parent):
            if "overload" not in one.decorators:
                found.setdefault(one.name, one)
        return found

    def _define(self, node: ast.AST, outer: str, in_class: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, DEFINITIONS):
                self._add(child, outer, in_class)
            elif isinstance(child, _HOLDERS):
                self._define(child, outer, in_class)

    def _add(self, node: Callable_ | ast.ClassDef, outer: str, in_class: bool) -> None:
        qual = f"{outer}.{node.name}" if outer else node.name
        count = self._counts[qual] = self._counts.get(qual, 0) + 1
        if count > 1:
            qual = f"{qual}#{count}"
        is_class = isinstance(node, ast.ClassDef)
        kind = "class" if is_class else "method" if in_class else "function"
        self.definitions[qual] = PythonDefinition(qual, kind, outer, node)
        self._define(node, qual, is_class)


def parameters_of(args: ast.arguments) -> Iterator[PythonParameter]:
    plain = [*args.posonlyargs, *args.args]
    missing = [None] * (len(plain) - len(args.defaults))
    for found, default in zip(plain, [*missing, *args.defaults], strict=True):
        by_place = found in args.posonlyargs
        yield PythonParameter(found.arg, found.annotation, default, by_place=by_place)
    if args.vararg:
        yield PythonParameter("*" + args.vararg.arg, args.vararg.annotation, None)
    for found, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        yield PythonParameter(found.arg, found.annotation, default, by_name=True)
    if args.kwarg:
        yield PythonParameter("**" + args.kwarg.arg, args.kwarg.annotation, None)


def last_name(node: ast.expr) -> str:
    """The last name of `a.b.c`, of `a.b.c(...)` and of `a.b.c[...]`; else ""."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def same(text: str, node: ast.expr | None) -> bool:
    """Whether a text is the expression, up to layout."""
    if node is None:
        return False
    try:
        found = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return False
    return ast.dump(found) == ast.dump(node)
