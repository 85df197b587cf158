"""Read one Python file with the standard library's `ast` alone.

Definitions have the qualified names that element ids use: `Class.method`,
`outer.inner`, and `name#2` for the second definition of one name in one scope. Lines
count from 1.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from repobuild.truth.tree.dead_branches import dead_statements

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NESTING_NODES = (ast.stmt, ast.excepthandler, ast.match_case)
_EXTENSIONS = (".py", ".pyi")
_ORDINAL = re.compile(r"#\d+")


@dataclass(frozen=True, slots=True)
class PythonParameter:
    """A parameter as written; nodes are None where nothing is written."""

    name: str  # with its stars
    annotation: ast.expr | None
    default: ast.expr | None
    keyword_only: bool = False
    positional_only: bool = False


@dataclass(frozen=True, slots=True)
class PythonDefinition:
    """A function, method or class."""

    qual: str
    kind: str
    parent: str
    node: FunctionNode | ast.ClassDef

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def start(self) -> int:
        """The line of `def` or `class`."""
        return self.node.lineno

    @property
    def end(self) -> int:
        return self.node.end_lineno or self.node.lineno

    @property
    def decorated_start(self) -> int:
        """The line of the first decorator, or `start` when there is none."""
        return min([d.lineno for d in self.node.decorator_list], default=self.start)

    @property
    def doc(self) -> str:
        return ast.get_docstring(self.node) or ""

    @property
    def decorators(self) -> list[str]:
        return [last_name(d) for d in self.node.decorator_list]

    @property
    def is_property(self) -> bool:
        """Whether it is read like an attribute, without a call."""
        return not {"property", "cached_property"}.isdisjoint(self.decorators)

    @property
    def is_coroutine(self) -> bool:
        """Whether a call is awaited: `async def` without a `yield` of its own."""
        if not isinstance(self.node, ast.AsyncFunctionDef):
            return False
        waiting: list[ast.AST] = list(self.node.body)
        while waiting:
            inner = waiting.pop()
            if isinstance(inner, ast.Yield):
                return False
            if not isinstance(inner, (*DEFINITIONS, ast.Lambda)):
                waiting.extend(ast.iter_child_nodes(inner))
        return True

    def parameters(self) -> list[PythonParameter]:
        """Return all parameters in source order; none for a class."""
        if isinstance(self.node, ast.ClassDef):
            return []
        return list(parameters_of(self.node.args))


# Statements of Python 2 that `ast` refuses, which keep their lines when rewritten.
_PYTHON_2 = (
    (re.compile(r"^([ \t]*except[ \t]+[^\n:,]+|[ \t]*except[ \t]*\([^\n:()]+\))"
                r"[ \t]*,[ \t]*(\w+)[ \t]*:", re.M), r"\1 as \2:"),
    (re.compile(r"^([ \t]*)print[ \t]+([^\s=(.][^\n]*)$", re.M), r"\1print(\2)"),
)  # fmt: skip


def parse_source(text: str) -> ast.Module:
    """Parse a source; where that fails, with two statements of Python 2 rewritten."""
    try:
        return ast.parse(text)
    except SyntaxError:
        rewritten = text
        for pattern, new in _PYTHON_2:
            rewritten = pattern.sub(new, rewritten)
        if rewritten == text:
            raise
        return ast.parse(rewritten)


class PythonFile:
    """The definitions of one file.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: `ast` cannot parse it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes
            self.tree = parse_source(text)
        self.definitions: dict[str, PythonDefinition] = {}
        self._counts: dict[str, int] = {}
        self._dead: set[ast.AST] = set()
        self.for_types: set[ast.AST] = set()  # under `if TYPE_CHECKING`
        self._define_children(self.tree, "", False)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def doc(self) -> str:
        return ast.get_docstring(self.tree) or ""

    @cached_property
    def imports(self) -> set[tuple[str, str]]:
        """Every name that the file imports: see `imported_names`."""
        return {one for node in ast.walk(self.tree) for one in imported_names(node)}

    def binds(self, name: str) -> bool:
        """Return whether a name may be one of the module, as it is bound somewhere."""
        bound = {
            one.id
            for one in ast.walk(self.tree)
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
        }
        for _, imported in self.imports:
            bound.add(imported.rpartition(" as ")[2].partition(".")[0])
        return name in bound or "*" in bound or name in self.children_by_name("")

    def children(self, qual: str) -> list[PythonDefinition]:
        """Return the direct children of a definition, or of the module for ""."""
        return [d for d in self.definitions.values() if d.parent == qual]

    def children_by_name(self, qual: str) -> dict[str, PythonDefinition]:
        """Map each child's name to its first definition that is no `@overload`.

        One in a branch that never runs counts when there is no other.
        """
        children = self.children(qual)
        told = [
            one
            for one in children
            if "overload" not in one.decorators and one.node not in self.for_types
        ]
        found: dict[str, PythonDefinition] = {}
        for child in sorted(told, key=lambda one: one.node in self._dead):
            found.setdefault(child.name, child)
        return {one.name: found[one.name] for one in told}

    def is_stub(self, one: PythonDefinition) -> bool:
        """Return whether it never runs: its body is `...`, or for type checkers."""
        return one.node in self._dead or is_empty(one.node)

    def _define_children(self, node: ast.AST, outer: str, in_class: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, DEFINITIONS):
                self._define(child, outer, in_class)
            elif isinstance(child, _NESTING_NODES):
                if isinstance(child, ast.If):
                    dead = list(dead_statements(child))
                    self._dead.update(dead)
                    if _is_for_types(child.test):
                        inner = (one for part in dead for one in ast.walk(part))
                        self.for_types.update(inner)
                self._define_children(child, outer, in_class)

    def _define(
        self, node: FunctionNode | ast.ClassDef, outer: str, in_class: bool
    ) -> None:
        qual = f"{outer}.{node.name}" if outer else node.name
        count = self._counts[qual] = self._counts.get(qual, 0) + 1
        if count > 1:
            qual = f"{qual}#{count}"
        is_class = isinstance(node, ast.ClassDef)
        kind = "class" if is_class else "method" if in_class else "function"
        self.definitions[qual] = PythonDefinition(qual, kind, outer, node)
        self._define_children(node, qual, is_class)


def _is_for_types(test: ast.expr) -> bool:
    """Return whether a condition holds for type checkers alone."""
    if isinstance(test, ast.BoolOp):
        parts = map(_is_for_types, test.values)
        return any(parts) if isinstance(test.op, ast.And) else all(parts)
    return last_name(test) == "TYPE_CHECKING"


def imported_names(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (module with its leading dots, `name as alias`) of an import statement."""
    if isinstance(node, ast.Import):
        yield from (("", ast.unparse(one)) for one in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        yield from ((module, ast.unparse(one)) for one in node.names)


def is_empty(node: ast.AST) -> bool:
    """Return whether a function's body is `...`, after a docstring or without one."""
    body = getattr(node, "body", [])
    last = body[-1] if body and len(body) <= 1 + bool(_has_doc(node)) else None
    value = last.value if isinstance(last, ast.Expr) else None
    return isinstance(value, ast.Constant) and value.value is ...


def _has_doc(node: ast.AST) -> bool:
    return isinstance(node, DEFINITIONS) and ast.get_docstring(node) is not None


def parse_python(path: str, text: str | None) -> PythonFile | None:
    """Return the parsed file, or None where there is no text or no valid Python."""
    if text is None or not path.endswith(_EXTENSIONS):
        return None
    try:
        return PythonFile(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def parameters_of(args: ast.arguments) -> Iterator[PythonParameter]:
    """Yield the parameters in source order, with their defaults."""
    plain = [*args.posonlyargs, *args.args]
    missing = [None] * (len(plain) - len(args.defaults))
    for arg, default in zip(plain, [*missing, *args.defaults], strict=True):
        positional_only = arg in args.posonlyargs
        yield PythonParameter(
            arg.arg, arg.annotation, default, positional_only=positional_only
        )
    if args.vararg:
        yield PythonParameter("*" + args.vararg.arg, args.vararg.annotation, None)
    for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        yield PythonParameter(arg.arg, arg.annotation, default, keyword_only=True)
    if args.kwarg:
        yield PythonParameter("**" + args.kwarg.arg, args.kwarg.annotation, None)


def display_name(qual: str) -> str:
    """Return a qualified name as answers show it: without the ordinals (`#2`)."""
    return _ORDINAL.sub("", qual)


def last_name(node: ast.expr) -> str:
    """Return `c` for `a.b.c`, `a.b.c(...)` and `a.b.c[...]`; "" for the rest."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def is_same_expression(text: str, node: ast.expr | None) -> bool:
    """Return whether a text parses to the expression, whatever its layout."""
    if node is None:
        return False
    try:
        parsed = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return False
    return ast.dump(parsed) == ast.dump(node)
