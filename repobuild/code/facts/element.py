"""One code element, as the seed defines it, read out of a `facts` row.

Elements are stored compactly (`row.py`); everything that follows from what is stored
(keywords, dependencies, the signature) is worked out here, when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from repobuild.code.facts.element_row import (
    Bindings,
    ElementRow,
    bound,
    name_of,
    parent_of,
    row_of,
)
from repobuild.code.scan.source_text import source_of
from repobuild.engine.contract import Value

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_NAMES = re.compile(r"[A-Za-z_][\w.]*")
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
_KEYWORDS = 8


@dataclass(frozen=True, slots=True)
class CodeElement:
    """The seed's CodeElement, with what an exact reference needs beside it.

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
    parent: str  # qualified name of what holds it, "" at the top
    shape: bytes  # digest of name, signature, decorators, docstring, body; no lines
    face: bytes  # the same without the body: what callers can see
    calls: list[tuple[str, list[int]]]  # chain as written (see row.py), lines


def quals(facts: Value) -> list[str]:
    """Return the qualified names of a facts row, in source order."""
    return [item[0] for item in facts.get("elements", ())]


def element(facts: Value, qual: str, path: str = "") -> CodeElement | None:
    """Return the element `qual` of a facts row; `path` fills `filepath` and `id`."""
    types = None
    for item in facts.get("elements", ()):
        if item[0] == qual:
            types = {other[0]: other[1] for other in facts["elements"]}
            return _element(facts, row_of(item), path, types)
    return None


def elements(facts: Value, path: str = "") -> Iterator[CodeElement]:
    """Yield every element of a facts row, in source order."""
    items = facts.get("elements", ())
    types = {item[0]: item[1] for item in items}
    for item in items:
        yield _element(facts, row_of(item), path, types)


def code_of(source: bytes, element: CodeElement) -> str:
    """Return the element's text, decorators included, its own indentation taken off.

    `source` is the blob's bytes. Lines that are less indented than the first (inside
    strings) stay as they are.
    """
    return text_of(source_of(source)[0], element)


def text_of(source: bytes, element: CodeElement) -> str:
    """Return the element's text out of a source that `source_of` gave."""
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
    name, parent = name_of(row.qual), parent_of(row.qual)
    called = [call[0] for call in row.calls]
    imports, dependencies = _uses(facts, row, called)
    return CodeElement(
        id=f"{path}::{row.qual}",
        qualified_name=row.qual,
        type=row.type,
        name=name,
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
        shape=row.shape,
        face=row.face,
        calls=[(call[0], list(call[1:])) for call in row.calls],
    )


def _parameter(entry: Any) -> dict[str, str]:
    if isinstance(entry, str):
        entry = [entry, "", "", ""]
    name, kind, annotation, default = entry
    return {
        "name": name,
        "type": annotation,
        "kind": _KINDS[kind],
        "default": default,
    }


def signature(row: ElementRow) -> str:
    """Return the first line of the definition, without decorators and colon."""
    if row.head:
        return row.head
    name = name_of(row.qual)
    if row.type == "class":
        return f"class {name}({', '.join(row.bases)})" if row.bases else f"class {name}"
    if row.type not in ("function", "method"):
        return name
    returns = f" -> {row.returns}" if row.returns else ""
    start = "async def" if "a" in row.flags else "def"
    return f"{start} {name}({', '.join(_written(row.parameters))}){returns}"


def _written(parameters: Iterable[Any]) -> Iterator[str]:
    """Yield parameters as they are written, with the bare `/` and `*` between them."""
    before = ""
    for entry in parameters:
        name, kind, annotation, default = (
            (entry, "", "", "") if isinstance(entry, str) else entry
        )
        if before == "/" and kind != "/":
            yield "/"
        if kind == "k" and before not in ("k", "*"):
            yield "*"
        text = kind.strip("/k") + name
        if annotation:
            text += f": {annotation}"
        if default:
            text += f" = {default}" if annotation else f"={default}"
        yield text
        before = kind
    if before == "/":
        yield "/"


def keywords(qual: str, doc: str) -> list[str]:
    """Return the words that say what an element is about: its name's first."""
    first = doc.partition("\n\n")[0]
    found: dict[str, None] = {}
    for word in _WORD.findall(qual.replace("_", " ")) + _WORD.findall(first):
        lowered = word.lower()
        if len(lowered) > 2 and lowered not in _COMMON:
            found[lowered] = None
    return list(found)[:_KEYWORDS]


def _uses(
    facts: Value, row: ElementRow, called: list[str]
) -> tuple[list[str], list[str]]:
    """Return the modules, and the names, that an element's text refers to."""
    names: Bindings = facts.get("names", {})
    own = {item[0] for item in facts.get("elements", ()) if "." not in item[0]}
    imports: dict[str, None] = {}
    dependencies: dict[str, None] = {}
    for text in _references(row, called):
        root = text.partition(".")[0]
        bindings = (*bound(row.vars, root), *bound(names, root))
        modules = [entry for entry in bindings if entry[:1] in ("!", "@")]
        for entry in modules:
            imports[entry[1:].partition(":")[0]] = None
        if modules or (root in own and root != name_of(row.qual)):
            dependencies[text if modules else root] = None
    return sorted(imports), sorted(dependencies)


def _references(row: ElementRow, called: list[str]) -> Iterator[str]:
    """Yield the names that calls, annotations, decorators and bases begin with."""
    for name in called:
        yield name.partition("(")[0].partition("[")[0]
    texts = [row.returns, *row.decorators, *row.bases]
    texts += [entry[2] for entry in row.parameters if not isinstance(entry, str)]
    for text in texts:
        yield from _NAMES.findall(text)
