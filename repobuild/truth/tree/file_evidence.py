"""Collect what one file shows about its relations to other files.

A name in a definition's body is evidence of a call. It does not prove that the name
means the claimed element, but a claimed call without it is certainly wrong. Names are
kept in one string (" a b c "), which takes a tenth of the memory of a set.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from repobuild.truth.tree.markdown_document import MarkdownDocument
from repobuild.truth.tree.python_reader import DEFINITIONS, PythonFile, last_name
from repobuild.truth.tree.rest_document import RestDocument

CALL_OF_CALL = "()"  # what `a()()` and `a[0]()` call, which has no name
_LONGEST_DOC = 400  # characters that another sample may quote
_CLASS_ARGUMENT = "cls"
_TYPES = ("Type", "type")
_CONSTRUCTING = ("__new__", "__init__", "__call__")


@dataclass(frozen=True, slots=True)
class DefinitionEvidence:
    """One definition, or with the qualified name "" the module's own code."""

    kind: str
    doc: str = ""
    calls: str = " "  # last names of what it calls
    names: str = " "  # last names of everything it mentions
    bases: tuple[str, ...] = ()

    def uses(self, name: str) -> bool:
        return f" {name} " in self.calls + self.names


class ImportEvidence(NamedTuple):
    """`from .module import name as bound` (level 1), or `import module as bound`."""

    module: str
    level: int
    name: str
    bound: str
    for_types: bool = False  # under `if TYPE_CHECKING`


@dataclass(slots=True)
class FileEvidence:
    """What claims about other files need to know of one file.

    alias_targets  name -> the names in what is bound to it (`b = a()`: b -> a)
    other_names    name -> the names that it is assigned to as it is (`b = a`: a -> b)
    instance_names  name -> the names of its results (`b = a()`, `b: a`: a -> b)
    return_types   function name -> the names in its return type
    """

    path: str
    language: str
    problem: str = ""
    text: str = ""  # only of files that no parser reads
    definitions: dict[str, DefinitionEvidence] = field(default_factory=dict)
    alias_targets: dict[str, str] = field(default_factory=dict)
    other_names: dict[str, str] = field(default_factory=dict)
    instance_names: dict[str, str] = field(default_factory=dict)
    return_types: dict[str, str] = field(default_factory=dict)
    imports: list[ImportEvidence] = field(default_factory=list)

    @property
    def is_text(self) -> bool:
        """Whether its elements are unknown: in another language, or broken."""
        return not self.definitions and self.language not in ("", "manifest")


def python_evidence(path: str, file: PythonFile) -> FileEvidence:
    """Return the evidence of a Python file."""
    module = _definition_evidence("module", file.doc, file.tree)
    evidence = FileEvidence(path, "python", definitions={"": module})
    for one in file.definitions.values():
        bases = one.node.bases if isinstance(one.node, ast.ClassDef) else []
        evidence.definitions[one.qual] = _definition_evidence(
            one.kind, one.doc, one.node, tuple(filter(None, map(last_name, bases)))
        )
        if types := _return_types(one.node):
            known = evidence.return_types.get(one.name, "").split()
            evidence.return_types[one.name] = _packed({*known, *types})
    nodes = list(ast.walk(file.tree))
    evidence.imports = list(_imports(nodes, file.for_types))
    for name, targets in _alias_targets(nodes).items():
        evidence.alias_targets[name] = _packed(targets)
    for name, others in _other_names(nodes).items():
        evidence.other_names[name] = _packed(others)
    for name, others in _instance_names(nodes).items():
        evidence.instance_names[name] = _packed(others)
    return evidence


def document_evidence(
    path: str, language: str, document: MarkdownDocument | RestDocument
) -> FileEvidence:
    """Return the evidence of a document: its sections and how they begin."""
    evidence = FileEvidence(
        path, language, definitions={"": DefinitionEvidence("document")}
    )
    for section in document.sections.values():
        text = " ".join(section.text.split())[:_LONGEST_DOC]
        evidence.definitions[section.qual] = DefinitionEvidence("section", text)
    return evidence


def imports_of(text: str) -> list[ImportEvidence]:
    """Return the imports in a Python text. Raises `SyntaxError`."""
    return list(_imports(ast.walk(ast.parse(text))))


def _packed(names: set[str]) -> str:
    return f" {' '.join(sorted(filter(None, names)))} "


def _definition_evidence(
    kind: str, doc: str, node: ast.AST, bases: tuple[str, ...] = ()
) -> DefinitionEvidence:
    # Applying a decorator calls it.
    calls = {last_name(one) for one in getattr(node, "decorator_list", ())}
    names = set()
    for inner in _own_nodes(node):
        if isinstance(inner, ast.Call):
            calls.add(last_name(inner.func))
            if isinstance(inner.func, ast.Call | ast.Subscript):
                calls.add(CALL_OF_CALL)
        elif isinstance(inner, ast.Name):
            names.add(inner.id)
        elif isinstance(inner, ast.Attribute):
            names.add(inner.attr)
        elif isinstance(inner, ast.ImportFrom) and isinstance(node, ast.ClassDef):
            names.update(one.name for one in inner.names)  # they are its methods
    if _class_argument(node) in calls:
        calls.add(_CLASS_ARGUMENT)
    return DefinitionEvidence(
        kind, doc.strip()[:_LONGEST_DOC], _packed(calls), _packed(names), bases
    )


def _class_argument(node: ast.AST) -> str:
    """Return the name of a class method's first parameter, whatever it is."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return ""
    decorators = [last_name(one) for one in node.decorator_list]
    if "classmethod" not in decorators or not node.args.args:
        return ""
    return node.args.args[0].arg


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every node of a definition except those of nested definitions."""
    waiting = list(ast.iter_child_nodes(node))
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, DEFINITIONS):
            continue
        yield inner
        waiting.extend(ast.iter_child_nodes(inner))


def _return_types(node: ast.AST) -> set[str]:
    """Return the names in a return annotation, and what is returned by its name."""
    annotation = getattr(node, "returns", None)
    names = _names_in(annotation) if annotation is not None else set()
    for inner in _own_nodes(node):
        if not isinstance(inner, ast.Return):
            continue
        value = inner.value
        if isinstance(value, ast.Call) and last_name(value.func) == "partial":
            value = next(iter(value.args), None)
        if isinstance(value, ast.Name):
            names.add(value.id)
        elif isinstance(value, ast.Attribute) and last_name(value.value) != "self":
            names.add(value.attr)  # `return module.function`
    return names


def _imports(
    nodes: Iterable[ast.AST], for_types: Set[ast.AST] = frozenset()
) -> Iterator[ImportEvidence]:
    """Yield every import, also those inside of functions."""
    for node in nodes:
        typed = node in for_types
        if isinstance(node, ast.Import):
            for name in node.names:
                bound = name.asname or name.name
                yield ImportEvidence(name.name, 0, "", bound, typed)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            for name in node.names:
                bound = name.asname or name.name
                yield ImportEvidence(module, node.level, name.name, bound, typed)


def _other_names(nodes: Sequence[ast.AST]) -> dict[str, set[str]]:
    """Map names to those that they are assigned to as they are: `b = a`, `b = x.a`."""
    aliases: dict[str, set[str]] = defaultdict(set)
    for node in nodes:
        for target, bound in _assignments(node):
            for new, value in _plain_assignments(target, bound):
                aliases[last_name(value)].add(last_name(new))
                if last_name(new) in _CONSTRUCTING and isinstance(new, ast.Attribute):
                    aliases[last_name(value)].add(last_name(new.value))
    for node in nodes:
        if not isinstance(node, ast.ClassDef):
            continue
        # `class A: __new__ = make`: a call of A calls `make`.
        for one in node.body:
            for target, bound in _assignments(one):
                if last_name(target) in _CONSTRUCTING:
                    aliases[last_name(bound)].add(node.name)
    for node in nodes:
        for name, annotation in _annotations(node):
            # A call of `kind: type[A]` makes an A.
            if last_name(annotation) in _TYPES and isinstance(
                annotation, ast.Subscript
            ):
                for made in _names_in(annotation.slice):
                    aliases[made].add(name)
    return aliases


def _instance_names(nodes: Sequence[ast.AST]) -> dict[str, set[str]]:
    """Map names to those that the results of calling them get, by value or type."""
    names: dict[str, set[str]] = defaultdict(set)
    for node in nodes:
        for target, bound in _assignments(node):
            if isinstance(bound, ast.Call):
                made, name = last_name(bound.func), last_name(target)
                if made and name:  # `b, c = a()` has none
                    names[made].add(name)
        for name, annotation in _annotations(node):
            for made in _names_in(annotation):
                names[made].add(name)
    return names


def _annotations(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the name of a variable, an attribute or a parameter, and its annotation."""
    if isinstance(node, ast.AnnAssign):
        yield last_name(node.target), node.annotation
    elif isinstance(node, ast.arg) and node.annotation:
        yield node.arg, node.annotation


def _assignments(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield (target, value) of `b = a`, of `b: type = a` and of `(b := a)`."""
    if isinstance(node, ast.Assign):
        yield from ((target, node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value:
        yield node.target, node.value


def _plain_assignments(
    target: ast.expr, value: ast.expr
) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield (target, value) of `b = a`, `b, d = a, c` and `b = partial(a, ...)`.

    Of `b = a if c else d` and of `b = a or d` both are values of b.
    """
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, other in zip(target.elts, value.elts, strict=False):
            yield from _plain_assignments(one, other)
    elif isinstance(value, ast.IfExp):
        for one in (value.body, value.orelse):
            yield from _plain_assignments(target, one)
    elif isinstance(value, ast.BoolOp):
        for one in value.values:
            yield from _plain_assignments(target, one)
    elif isinstance(value, ast.Name | ast.Attribute) and last_name(target):
        yield target, value
    elif isinstance(value, ast.Call) and last_name(value.func) == "partial":
        for first in value.args[:1]:
            yield from _plain_assignments(target, first)


def _alias_targets(nodes: Sequence[ast.AST]) -> dict[str, set[str]]:
    """Map names to the names in what is bound to them.

    Forms: `import a as b`, `b = a`, `b = a()`, `b: a`, `with a() as b`, `for b in a`,
    `f(b=a)`.
    """
    targets: dict[str, set[str]] = defaultdict(set)
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for one in node.names:
                if one.asname:
                    targets[one.asname].add(one.name.rpartition(".")[2])
            continue
        for target, value in _bindings(node):
            for name in _names_in(target):
                targets[name].update(_names_in(value))
    return targets


def _bindings(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Yield (target, value or annotation) of every binding that a node makes."""
    yield from _assignments(node)
    if isinstance(node, ast.AnnAssign):
        yield node.target, node.annotation
    elif isinstance(node, ast.AugAssign):
        yield node.target, node.value
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        yield node.target, node.iter
    elif isinstance(node, ast.withitem) and node.optional_vars:
        yield node.optional_vars, node.context_expr
    elif isinstance(node, ast.arg) and node.annotation:
        yield ast.Name(node.arg), node.annotation
    elif isinstance(node, ast.keyword) and node.arg:
        yield ast.Name(node.arg), node.value


def _names_in(node: ast.AST) -> set[str]:
    """Return the names in an expression, of `a.b` both, and those in string types."""
    names = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            names.add(one.id)
        elif isinstance(one, ast.Attribute):
            names.add(one.attr)
        elif isinstance(one, ast.Constant) and isinstance(one.value, str):
            names.update(_names_in_string(one.value))
    return names


def _names_in_string(text: str) -> set[str]:
    """Return the names in a type that is written as a string; else the first word."""
    if "[" in text and "\n" not in text:
        try:
            return _names_in(ast.parse(text, mode="eval").body)
        except (SyntaxError, ValueError, RecursionError):
            pass
    return set(text.split()[:1])
