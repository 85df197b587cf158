"""Expand a stored row into a `CodeElement` with everything that follows from it.

Rows are stored compactly (element_row.py); keywords, dependencies and the signature are
derived on demand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from repobuild.code.facts.element_row import (
    DOTTED_NAME,
    Bindings,
    ElementRow,
    bindings_of,
    name_of,
    parameter_of,
    parent_of,
    row_of,
)
from repobuild.code.scan.source_text import source_of
from repobuild.engine.contract import Value

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_NAMES = re.compile(DOTTED_NAME)
_KINDS = {
    "": "positional_or_keyword",
    "/": "positional_only",
    "*": "var_positional",
    "k": "keyword_only",
    "**": "var_keyword",
}
_COMMON = frozenset(
    "the and for with from this that not are was will has have its which when then than"
    " into onto over each all any one two can may must should would could does none"
    " true false self cls args kwargs return returns given using used use new get set"
    " only but also other same such see note init def class str int bool list dict"
    "".split()
)
_MAX_KEYWORDS = 8


@dataclass(frozen=True, slots=True)
class CodeElement:
    """An element with its derived fields.

    Lines count from 1 and are those of `ast`: `start_line` is the `def` or `class`
    line, `first_line` the first decorator's (equal to `start_line` without decorators).
    """

    id: str  # path::qualified.name
    qualified_name: str
    type: str  # function, method, class; section in documents
    name: str
    filepath: str
    start_line: int
    end_line: int
    code: str  # "" until `with_code`
    docstring: str  # equal to ast.get_docstring; a section's first paragraph
    dependencies: list[str]
    complexity: int
    business_context: str
    imports: list[str]
    called_functions: list[str]
    parent_class: str
    decorators: list[str]
    parameters: list[dict[str, str]]  # name, type, kind, default
    return_type: str
    first_line: int
    start_byte: int  # of the first line, decorators included
    end_byte: int  # of the last line, without its newline
    bases: list[str]
    is_async: bool
    signature: str  # "def f(a, b=1) -> int" or "class A(B)", on one line
    parent: str  # qualified name of the enclosing element, "" at the top
    body_digest: bytes  # of name, signature, decorators, docstring, body; no lines
    interface_digest: bytes  # the same without the body: what callers see
    calls: list[tuple[str, list[int]]]  # chain as written (element_row.py), lines


def quals(facts: Value) -> list[str]:
    """Return the qualified names of a facts row, in source order."""
    return [row.qual for row in _rows(facts)]


def element(facts: Value, qual: str, path: str = "") -> CodeElement | None:
    """Return the element `qual` of a facts row; `path` fills `filepath` and `id`."""
    rows = _rows(facts)
    row = next((row for row in rows if row.qual == qual), None)
    if row is None:
        return None
    return _element(facts, row, path, {other.qual: other.type for other in rows})


def elements(facts: Value, path: str = "") -> Iterator[CodeElement]:
    """Yield every element of a facts row, in source order."""
    rows = _rows(facts)
    types = {row.qual: row.type for row in rows}
    for row in rows:
        yield _element(facts, row, path, types)


def _rows(facts: Value) -> list[ElementRow]:
    return [row_of(item) for item in facts.get("elements", ())]


def code_of(source: bytes, element: CodeElement) -> str:
    """Return the element's text, decorators included, its own indentation taken off.

    `source` is the blob's bytes. Lines that are less indented than the first (inside
    strings) stay as they are.
    """
    return text_of(source_of(source)[0], element)


def text_of(source: bytes, element: CodeElement) -> str:
    """Return the element's text from a source that `source_of` decoded."""
    text = source[element.start_byte : element.end_byte].decode("utf-8")
    indent = text[: len(text) - len(text.lstrip())]
    if not indent or "\n" in indent:
        return text
    return "\n".join(line.removeprefix(indent) for line in text.split("\n"))


def with_code(source: bytes, element: CodeElement) -> CodeElement:
    """Return the element with its `code` filled in from the blob's bytes."""
    return replace(element, code=code_of(source, element))


def _element(
    facts: Value, row: ElementRow, path: str, types: dict[str, str]
) -> CodeElement:
    parent = parent_of(row.qual)
    called = [name for name, *_ in row.calls]
    imports, dependencies = _uses(facts, row, called)
    return CodeElement(
        id=f"{path}::{row.qual}",
        qualified_name=row.qual,
        type=row.type,
        name=name_of(row.qual),
        filepath=path,
        start_line=row.start_line,
        end_line=row.end_line,
        code="",
        docstring=row.doc,
        dependencies=dependencies,
        complexity=row.complexity,
        business_context=", ".join(keywords(row.qual, row.doc)),
        imports=imports,
        called_functions=[name for name in called if "?" not in name],
        parent_class=parent if types.get(parent) == "class" else "",
        decorators=list(row.decorators),
        parameters=[_parameter(entry) for entry in row.parameters],
        return_type=row.returns,
        first_line=row.start_line - row.lead,
        start_byte=row.start,
        end_byte=row.start + row.length,
        bases=list(row.bases),
        is_async="a" in row.flags,
        signature=signature(row),
        parent=parent,
        body_digest=row.body_digest,
        interface_digest=row.interface_digest,
        calls=[(name, lines) for name, *lines in row.calls],
    )


def _parameter(entry: str | list[str]) -> dict[str, str]:
    name, kind, annotation, default = parameter_of(entry)
    return {
        "name": name,
        "type": annotation,
        "kind": _KINDS[kind],
        "default": default,
    }


def signature(row: ElementRow, generics: str = "") -> str:
    """Return the first line of the definition, without decorators and colon.

    `generics` are its type parameters, in brackets.
    """
    if row.head:
        return row.head
    name = name_of(row.qual) + generics
    if row.type == "class":
        return f"class {name}({', '.join(row.bases)})" if row.bases else f"class {name}"
    if row.type not in ("function", "method"):
        return name
    returns = f" -> {row.returns}" if row.returns else ""
    start = "async def" if "a" in row.flags else "def"
    parameters = ", ".join(_render_parameters(row.parameters))
    return f"{start} {name}({parameters}){returns}"


def _render_parameters(parameters: Iterable[Any]) -> Iterator[str]:
    """Yield parameters as Python source, with the bare `/` and `*` between them."""
    previous_kind = ""
    for entry in parameters:
        name, kind, annotation, default = parameter_of(entry)
        if previous_kind == "/" and kind != "/":
            yield "/"
        if kind == "k" and previous_kind not in ("k", "*"):
            yield "*"
        text = kind.strip("/k") + name
        if annotation:
            text += f": {annotation}"
        if default:
            text += f" = {default}" if annotation else f"={default}"
        yield text
        previous_kind = kind
    if previous_kind == "/":
        yield "/"


def keywords(qual: str, doc: str) -> list[str]:
    """Return the words that describe an element, those of its name first."""
    paragraph = doc.partition("\n\n")[0]
    words = _WORD.findall(qual.replace("_", " ")) + _WORD.findall(paragraph)
    lowered = (word.lower() for word in words)
    kept = [word for word in lowered if len(word) > 2 and word not in _COMMON]
    return list(dict.fromkeys(kept))[:_MAX_KEYWORDS]


def _uses(
    facts: Value, row: ElementRow, called: list[str]
) -> tuple[list[str], list[str]]:
    """Return the modules and the names that an element's text refers to, sorted."""
    names: Bindings = facts.get("names", {})
    top_level = {qual for qual, *_ in facts.get("elements", ()) if "." not in qual}
    imports: set[str] = set()
    dependencies: set[str] = set()
    for text in _references(row, called):
        root = text.partition(".")[0]
        bindings = (*bindings_of(row.vars, root), *bindings_of(names, root))
        imported = [one[1:] for one in bindings if one[:1] in ("!", "@")]
        imports.update(module.partition(":")[0] for module in imported)
        if imported:
            dependencies.add(text)
        elif root in top_level and root != name_of(row.qual):
            dependencies.add(root)
    return sorted(imports), sorted(dependencies)


def _references(row: ElementRow, called: list[str]) -> Iterator[str]:
    """Yield the names that calls, annotations, decorators and bases begin with."""
    for name in called:
        yield name.partition("(")[0].partition("[")[0]
    texts = [row.returns, *row.decorators, *row.bases]
    texts += [entry[2] for entry in row.parameters if not isinstance(entry, str)]
    for text in texts:
        yield from _NAMES.findall(text)
