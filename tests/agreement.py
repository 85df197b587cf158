"""Our facts of a Python file held against `ast` (and, for complexity, against radon).

`compare` looks at one file and returns a `Tally`: how many elements each field was
looked at, how often it agreed, and every difference. Texts (annotations, defaults,
decorators, bases) agree when they are the source that `ast` points at, or when they
parse to the same tree as `ast` has.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from radon.visitors import ComplexityVisitor

from repobuild.code.facts.element import CodeElement, elements
from repobuild.code.facts.parse import facts_of
from repobuild.code.scan.source_text import source_of

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef
Complexity = Callable[[Definition], int]
FIELDS = (
    "qualified name",
    "kind",
    "start line",
    "first line",
    "end line",
    "parameters and their kinds",
    "annotations of parameters",
    "defaults",
    "return annotation",
    "decorators",
    "bases",
    "async",
    "signature",
    "docstring",
    "complexity",
    "module docstring",
)
_LARGEST = 10_000_000


class Difference(NamedTuple):
    """What `ast` says of an element's field, and what we say."""

    path: str
    qual: str
    field: str
    theirs: str
    ours: str


@dataclass
class Tally:
    """What was compared: `seen` and `agreed` count by field."""

    files: int = 0
    unreadable: int = 0  # files that ast cannot parse
    elements: int = 0
    right: int = 0  # elements without any difference
    seen: Counter[str] = field(default_factory=Counter)
    agreed: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.files += other.files
        self.unreadable += other.unreadable
        self.elements += other.elements
        self.right += other.right
        self.seen.update(other.seen)
        self.agreed.update(other.agreed)
        self.differences += other.differences


class Source:
    """A file as `ast` sees it: bytes of lines, to cut out what a node covers."""

    def __init__(self, blob: bytes) -> None:
        self.lines = source_of(blob)[0].split(b"\n")

    def says(self, node: ast.expr | None, text: str) -> bool:
        """Return whether a text is what a node says; no node, no text."""
        if node is None or not text:
            return node is None and not text
        return self._cut(node) == text.encode() or _tree(text) == ast.dump(node)

    def _cut(self, node: ast.expr) -> bytes:
        if node.end_lineno != node.lineno:
            return b""
        line = self.lines[node.lineno - 1]
        return line[node.col_offset : node.end_col_offset]


@lru_cache(maxsize=10_000)
def _tree(text: str) -> str:
    """Return the dump of an expression's tree, "" of what is no expression."""
    for wrapped in (f"({text})", f"f({text})"):  # a starred annotation needs a call
        try:
            made = ast.parse(wrapped, mode="eval").body
        except (SyntaxError, ValueError):
            continue
        if wrapped[0] == "f" and isinstance(made, ast.Call) and made.args:
            made = made.args[0]
        return ast.dump(made)
    return ""


def radon(node: Definition) -> int:
    """Return radon's complexity of one definition."""
    found = ComplexityVisitor.from_ast(node, off=False)
    if found.functions:
        return int(found.functions[0].complexity)
    return int(found.classes[0].real_complexity)


def compare(path: str, blob: bytes, complexity: Complexity | None = None) -> Tally:
    """Compare one file; without `complexity` that field is left out."""
    tally = Tally(files=1)
    try:
        tree = ast.parse(blob)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tally.unreadable = 1
        return tally
    said = facts_of(blob, "python", _LARGEST)
    doc = ast.get_docstring(tree)
    _note(
        tally, Difference(path, "", "module docstring", doc or "", said.get("doc", ""))
    )
    ours = {found.qualified_name: found for found in elements(said, path)}
    source = Source(blob)
    for qual, in_class, node in definitions(tree):
        found = ours.pop(qual, None)
        lost = Difference(path, qual, "qualified name", qual, qual if found else "")
        checks = [lost]
        if found is not None:
            checks += _checks(path, source, found, in_class, node)
            if complexity is not None:
                counted = complexity(node), found.complexity
                checks.append(_pair(path, qual, "complexity", *counted))
        _count(tally, checks)
    for qual in ours:
        _count(tally, [Difference(path, qual, "qualified name", "", qual)])
    return tally


def definitions(
    tree: ast.AST,
) -> Iterator[tuple[str, bool, Definition]]:
    """Yield (qualified name, whether a class holds it, node) in source order."""
    yield from _definitions(tree, "", False, {})


def _definitions(
    node: ast.AST, outer: str, in_class: bool, seen: dict[str, int]
) -> Iterator[tuple[str, bool, Definition]]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Definition):
            yield from _definitions(child, outer, in_class, seen)
            continue
        qual = outer + child.name
        seen[qual] = seen.get(qual, 0) + 1
        if seen[qual] > 1:
            qual += f"#{seen[qual]}"
        yield qual, in_class, child
        inner = isinstance(child, ast.ClassDef)
        yield from _definitions(child, qual + ".", inner, seen)


def _count(tally: Tally, checks: Iterable[Difference]) -> None:
    tally.elements += 1
    tally.right += all([_note(tally, check) for check in checks])


def _note(tally: Tally, check: Difference) -> bool:
    """Count one comparison; what differs is kept."""
    same = check.theirs == check.ours
    tally.seen[check.field] += 1
    tally.agreed[check.field] += same
    if not same:
        tally.differences.append(check)
    return same


def _pair(path: str, qual: str, name: str, theirs: Any, ours: Any) -> Difference:
    return Difference(path, qual, name, str(theirs), str(ours))


def _checks(
    path: str, source: Source, found: CodeElement, in_class: bool, node: Definition
) -> Iterator[Difference]:
    """Yield every field of an element, as `ast` has it and as we have it."""

    def pair(name: str, theirs: Any, ours: Any) -> Difference:
        return _pair(path, found.qualified_name, name, theirs, ours)

    def texts(name: str, nodes: list[Any], ours: list[str]) -> Difference:
        same = len(nodes) == len(ours) and all(map(source.says, nodes, ours))
        shown = [ast.unparse(node) if node else "" for node in nodes]
        return pair(name, shown, shown if same else ours)

    is_class = isinstance(node, ast.ClassDef)
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
    kind = "class" if is_class else "method" if in_class else "function"
    yield pair("kind", kind, found.type)
    yield pair("start line", node.lineno, found.start_line)
    yield pair("first line", first, found.first_line)
    yield pair("end line", node.end_lineno, found.end_line)
    yield pair("docstring", _clean(ast.get_docstring(node) or ""), found.docstring)
    yield texts("decorators", node.decorator_list, found.decorators)
    if isinstance(node, ast.ClassDef):
        yield texts("bases", node.bases, found.bases)
        return
    theirs, ours = list(parameters(node.args)), found.parameters
    names = [f"{kind} {name}" for name, kind, _, _ in theirs]
    own = [f"{given['kind']} {given['name']}" for given in ours]
    yield pair("parameters and their kinds", names, own)
    given = [one["type"] for one in ours]
    yield texts("annotations of parameters", [one[2] for one in theirs], given)
    yield texts(
        "defaults", [one[3] for one in theirs], [one["default"] for one in ours]
    )
    yield texts("return annotation", [node.returns], [found.return_type])
    yield pair("async", isinstance(node, ast.AsyncFunctionDef), found.is_async)
    yield pair("signature", ast.dump(node.args), _arguments(found.signature))


def _arguments(signature: str) -> str:
    """Return the dump of what a signature's text says of its arguments."""
    try:
        made = ast.parse(signature + ": pass").body[0]
    except SyntaxError:
        return signature
    return ast.dump(made.args) if isinstance(made, Function) else signature


def _clean(text: str) -> str:
    """Return text without the lone surrogates that an escape can write."""
    return text.encode("utf-8", "replace").decode("utf-8")


def parameters(given: ast.arguments) -> Iterator[tuple[str, str, Any, Any]]:
    """Yield (name, kind, annotation, default) in the order of the signature."""
    plain = given.posonlyargs + given.args
    without = len(plain) - len(given.defaults)
    for place, arg in enumerate(plain):
        only = place < len(given.posonlyargs)
        kind = "positional_only" if only else "positional_or_keyword"
        default = given.defaults[place - without] if place >= without else None
        yield arg.arg, kind, arg.annotation, default
    if given.vararg:
        yield given.vararg.arg, "var_positional", given.vararg.annotation, None
    for arg, value in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield arg.arg, "keyword_only", arg.annotation, value
    if given.kwarg:
        yield given.kwarg.arg, "var_keyword", given.kwarg.annotation, None
