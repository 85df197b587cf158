"""Find what a class takes and calls when an instance is made, for the export.

A class takes the parameters of its constructor, its own or the nearest inherited one. A
dataclass, a class of attrs and a `NamedTuple` take their fields, those of their bases
first. A class calls what its constructor and its body call.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from repobuild.code.facts.element import CodeElement

Code = Callable[[CodeElement], str]
_LEVELS = 8  # of inheritance
_GENERATORS = frozenset("dataclass attrs define frozen mutable s".split())
_FIELD_CALLS = frozenset("field ib attrib".split())
_OPEN_BASE = "NamedTuple"
_PYTHON = (".py", ".pyi")


class Constructors:
    """The classes of a repository with what makes their instances."""

    def __init__(
        self,
        elements: Mapping[str, CodeElement],
        bases: Mapping[str, list[str]],
        code: Code,
    ) -> None:
        self._elements = elements
        self._bases = bases  # class -> the classes of the repository that it extends
        self._code = code

    def complete(self, element: CodeElement) -> CodeElement:
        """Return a class with its parameters and calls, anything else as it is."""
        if element.type != "class":
            return element
        own = self._constructor(element)
        called = own.called_functions if own else []
        both = list(dict.fromkeys([*called, *element.called_functions]))
        return replace(
            element,
            parameters=self._parameters(element, _LEVELS),
            called_functions=both,
        )

    def _constructor(self, element: CodeElement) -> CodeElement | None:
        """Return the constructor that the class defines, in any language."""
        for name in ("__init__", "constructor", element.name, "__new__"):
            found = self._elements.get(f"{element.id}.{name}")
            if found is not None and found.type == "method":
                return found
        return None

    def _parameters(self, element: CodeElement, levels: int) -> list[dict[str, str]]:
        own = self._constructor(element)
        if own is not None:
            return own.parameters[1:] if _is_bound(own) else own.parameters
        bases = [self._elements[id] for id in self._bases.get(element.id, ())]
        inherited: list[dict[str, str]] = []
        for base in bases if levels else ():
            if inherited := self._parameters(base, levels - 1):
                break
        if not _has_fields(element):
            return inherited
        fields = list(_fields(self._code(element)))
        names = {one["name"] for one in fields}
        return [*(one for one in inherited if one["name"] not in names), *fields]


def _is_bound(constructor: CodeElement) -> bool:
    """Return whether the first parameter is the receiver, whatever its name."""
    rows, path = constructor.parameters, constructor.filepath
    return (
        bool(rows) and path.endswith(_PYTHON) and not rows[0]["kind"].startswith("var")
    )


def _has_fields(element: CodeElement) -> bool:
    """Return whether a Python class gets its constructor from its fields."""
    if not element.filepath.endswith(_PYTHON):
        return False
    decorators = {
        one.partition("(")[0].rpartition(".")[2] for one in element.decorators
    }
    bases = {one.rpartition(".")[2] for one in element.bases}
    return not _GENERATORS.isdisjoint(decorators) or _OPEN_BASE in bases


def _fields(code: str) -> Iterator[dict[str, str]]:
    """Yield the parameters that the fields in a class's own text make."""
    try:
        (node,) = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    if not isinstance(node, ast.ClassDef):
        return
    texts = [ast.unparse(one) for one in node.decorator_list]
    keyword_only = any("kw_only=True" in text for text in texts)
    is_attrs = any("attr" in text or "define" in text for text in texts)
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=type, value=value):
                annotation = ast.unparse(type)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as value):
                annotation = ""
                if not _is_field(value):
                    continue
            case _:
                continue
        if annotation.rpartition(".")[2] == "KW_ONLY":
            keyword_only = True
        elif "ClassVar" not in annotation and _arguments(value).get("init") != "False":
            yield {
                "name": name.lstrip("_") if is_attrs else name,
                "type": annotation.removeprefix("InitVar[").removesuffix("]")
                if annotation.startswith("InitVar[")
                else annotation,
                "kind": "keyword_only" if keyword_only else "positional_or_keyword",
                "default": _default(value),
            }


def _is_field(value: ast.expr | None) -> bool:
    name = ast.unparse(value.func) if isinstance(value, ast.Call) else ""
    return name.rpartition(".")[2] in _FIELD_CALLS


def _arguments(value: ast.expr | None) -> dict[str, str]:
    """Return the keyword arguments of a field's call, as source."""
    if not isinstance(value, ast.Call) or not _is_field(value):
        return {}
    return {one.arg or "": ast.unparse(one.value) for one in value.keywords}


def _default(value: ast.expr | None) -> str:
    if value is None:
        return ""
    if not _is_field(value):
        return ast.unparse(value)
    given = _arguments(value)
    factory = given.get("default_factory") or given.get("factory")
    return f"{factory}()" if factory else given.get("default", "")
