"""What one file shows of its relations: the face that other files are held against.

A name that stands in a body is evidence of a call, no proof that it means the element
that we say; but an edge without it is wrong for sure. Names are kept in strings
(" a b c "), which take a tenth of what sets take.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from repobuild.truth.claims.prose_match import collapsed
from repobuild.truth.tree.markdown_document import MarkdownDocument
from repobuild.truth.tree.python_reader import DEFINITIONS, PythonFile, last_name

_DOC = 400  # characters that a neighbour may quote
CALLED = "()"  # a call of what a call gave
_CLASS = "cls"
_MAKERS = ("__new__", "__init__", "__call__")


@dataclass(frozen=True, slots=True)
class DefinitionEvidence:
    """One definition, or with the qualified name "" the file's own code."""

    kind: str
    doc: str = ""
    calls: str = " "  # last names of what is called
    names: str = " "  # last names of all that is named
    bases: tuple[str, ...] = ()


class ImportEvidence(NamedTuple):
    """`from .module import name as bound` (level 1), or `import module as bound`."""

    module: str
    level: int
    name: str
    bound: str


@dataclass(slots=True)
class FileEvidence:
    """A file, as the claims about other files need it."""

    path: str
    language: str
    problem: str = ""
    text: str = ""  # of files that no parser of ours reads
    marks: dict[str, DefinitionEvidence] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)  # name -> names that it is
    renamed: dict[str, str] = field(default_factory=dict)  # name -> its other names
    returned: dict[str, str] = field(default_factory=dict)  # function -> names of type
    imports: list[ImportEvidence] = field(default_factory=list)
    bound: str = " "  # names that the module binds

    def has(self, name: str) -> bool:
        return f" {name} " in self.bound


def python_evidence(path: str, file: PythonFile) -> FileEvidence:
    """Return what a Python file shows."""
    face = FileEvidence(
        path, "python", marks={"": _mark("module", file.doc, file.tree)}
    )
    for one in file.definitions.values():
        bases = one.node.bases if isinstance(one.node, ast.ClassDef) else []
        names = tuple(filter(None, map(last_name, bases)))
        face.marks[one.qual] = _mark(one.kind, one.doc, one.node, names)
    face.imports = list(_imports(file.tree))
    face.aliases = {name: _joined(to) for name, to in _aliases(file.tree).items()}
    for one in file.definitions.values():
        if given := _given(one.node):
            known = {*face.returned.get(one.name, "").split(), *given}
            face.returned[one.name] = _joined(known)
    face.renamed = {name: _joined(to) for name, to in _renamed(file.tree).items()}
    face.bound = _joined(_bound(file.tree))
    return face


def document_evidence(path: str, language: str, file: MarkdownDocument) -> FileEvidence:
    face = FileEvidence(path, language, marks={"": DefinitionEvidence("document")})
    for one in file.sections.values():
        face.marks[one.qual] = DefinitionEvidence("section", collapsed(one.text)[:_DOC])
    return face


def _given(node: ast.AST) -> set[str]:
    """The names in a return type, and of what is returned as it is."""
    type_ = getattr(node, "returns", None)
    found = _leaves(type_) if type_ is not None else set()
    for one in _own(node):
        if isinstance(one, ast.Return) and isinstance(one.value, ast.Name):
            found.add(one.value.id)
    return found


def _mark(
    kind: str, doc: str, node: ast.AST, bases: tuple[str, ...] = ()
) -> DefinitionEvidence:
    calls, names = set(), set()
    for one in getattr(node, "decorator_list", ()):
        calls.add(last_name(one))  # a decorator is called
    for found in _own(node):
        if isinstance(found, ast.Call):
            calls.add(last_name(found.func))
            if isinstance(found.func, ast.Call | ast.Subscript):
                calls.add(CALLED)
        elif isinstance(found, ast.Name):
            names.add(found.id)
        elif isinstance(found, ast.Attribute):
            names.add(found.attr)
    if _receiver(node) in calls:
        calls.add(_CLASS)
    return DefinitionEvidence(
        kind, doc.strip()[:_DOC], _joined(calls), _joined(names), bases
    )


def _receiver(node: ast.AST) -> str:
    """What a class method calls its class."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return ""
    named = [last_name(one) for one in node.decorator_list]
    return node.args.args[0].arg if "classmethod" in named and node.args.args else ""


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Everything in a definition but what is in definitions within it."""
    waiting = list(ast.iter_child_nodes(node))
    while waiting:
        found = waiting.pop()
        if isinstance(found, DEFINITIONS):
            continue
        yield found
        waiting.extend(ast.iter_child_nodes(found))


def _joined(names: set[str]) -> str:
    return f" {' '.join(sorted(filter(None, names)))} "


def imported(text: str) -> list[ImportEvidence]:
    return list(_imports(ast.parse(text)))


def _imports(tree: ast.Module) -> Iterator[ImportEvidence]:
    """Every import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield ImportEvidence(name.name, 0, "", name.asname or name.name)
        elif isinstance(node, ast.ImportFrom):
            for name in node.names:
                bound = name.asname or name.name
                yield ImportEvidence(node.module or "", node.level, name.name, bound)


def _renamed(tree: ast.Module) -> dict[str, set[str]]:
    """Names that are given another one as they are: `b = a`, `b = x.a`."""
    found: dict[str, set[str]] = defaultdict(set)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            for new, value in _pairs(target, node.value):
                found[last_name(value)].add(last_name(new))
                if last_name(new) in _MAKERS and isinstance(new, ast.Attribute):
                    found[last_name(value)].add(last_name(new.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for name in _maker(node):
                found[name].add(node.name)
    return found


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What is assigned as it is to what: `b = a`, and `b, d = a, c` twice."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, other in zip(target.elts, value.elts, strict=False):
            yield from _pairs(one, other)
    elif isinstance(value, ast.Name | ast.Attribute) and last_name(target):
        yield target, value
    elif isinstance(value, ast.Call) and last_name(value.func) == "partial":
        for first in value.args[:1]:
            yield from _pairs(target, first)


def _maker(node: ast.ClassDef) -> Iterator[str]:
    """What a class is made by: `class A: __new__ = make`."""
    for one in node.body:
        if isinstance(one, ast.Assign) and last_name(one.targets[0]) in _MAKERS:
            yield last_name(one.value)


def _aliases(tree: ast.Module) -> dict[str, set[str]]:
    """Other names: `import a as b`, `b = a`, `b = a()`, `b: a`, `with a() as b`."""
    found: dict[str, set[str]] = defaultdict(set)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for one in node.names:
                if one.asname:
                    found[one.asname].add(one.name.rpartition(".")[2])
            continue
        for target, value in _assigned(node):
            for name in _leaves(target):
                found[name].update(_leaves(value))
    return found


def _assigned(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    if isinstance(node, ast.Assign):
        yield from ((target, node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr | ast.AugAssign):
        if node.value:
            yield node.target, node.value
        if isinstance(node, ast.AnnAssign):
            yield node.target, node.annotation
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        yield node.target, node.iter
    elif isinstance(node, ast.withitem) and node.optional_vars:
        yield node.optional_vars, node.context_expr
    elif isinstance(node, ast.arg) and node.annotation:
        yield ast.Name(node.arg), node.annotation
    elif isinstance(node, ast.keyword) and node.arg:
        yield ast.Name(node.arg), node.value


def _leaves(node: ast.AST) -> set[str]:
    """The names in an expression; of `a.b` both."""
    found = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            found.add(one.id)
        elif isinstance(one, ast.Attribute):
            found.add(one.attr)
        elif isinstance(one, ast.Constant) and isinstance(one.value, str):
            found.update(one.value.split()[:1])
    return found


def _bound(tree: ast.Module) -> set[str]:
    """The names that a module's own code binds."""
    found = set()
    for node in _own(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for name in node.names:
                found.add((name.asname or name.name).partition(".")[0])
    return found
