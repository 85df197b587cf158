"""Write a file's source without its bodies, from its row of facts.

    Python           imports, `__all__`, decorators, signatures, the first line of
                     each docstring, `...`
    documents        their headings
    other languages  the package, and each signature with a pair of braces

The analysis reads a skeleton like any source, so that what it lost is known
(round_trip.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from repobuild.code.facts.element import signature
from repobuild.code.facts.element_row import ElementRow, parent_of, row_of
from repobuild.engine.contract import Value

_INDENT = "    "
_RULES = "=-~^\"'`+*#:._"  # of titles in reStructuredText, by level
_LONGEST = 200  # characters of a docstring's first line

Rows = Mapping[str, list[ElementRow]]  # by the qualified name of what holds them


def skeleton(facts: Mapping[str, Value]) -> str:
    """Return the skeleton of a file; "" for one without elements or imports."""
    inner: dict[str, list[ElementRow]] = defaultdict(list)
    for item in facts.get("elements", ()):
        row = row_of(item)
        inner[parent_of(row.qual)].append(row)
    match facts.get("language", ""):
        case "python":
            lines = [*_python_head(facts), *_python(inner, "", "")]
        case "markdown":
            lines = [f"{'#' * d} {text}\n" for d, text in _headings(inner, "", 1)]
        case "restructuredtext":
            lines = [_title(d, text) for d, text in _headings(inner, "", 1)]
        case _:
            package = facts.get("package", "")
            lines = [f"package {package}", ""] if package else []
            lines += _braces(inner, "", "")
    return "\n".join(lines) + "\n" if lines else ""


def first_line(doc: str) -> str:
    """Return the first line of a docstring."""
    return doc.strip().partition("\n")[0].strip()[:_LONGEST]


def _python_head(facts: Mapping[str, Value]) -> Iterator[str]:
    if doc := first_line(facts.get("doc", "")):
        yield _quoted(doc)
    for _, module, name, alias in facts.get("imports", ()):
        renamed = f" as {alias}" if alias else ""
        yield (
            f"from {module} import {name}{renamed}"
            if name
            else (f"import {module}{renamed}")
        )
    if names := facts.get("all"):
        yield f"__all__ = {list(names)!r}"


def _python(inner: Rows, parent: str, indent: str) -> Iterator[str]:
    for row in inner.get(parent, ()):
        yield ""
        for decorator in row.decorators:
            yield f"{indent}{decorator if decorator[:1] == '@' else '@' + decorator}"
        yield f"{indent}{signature(row)}:"
        deeper = indent + _INDENT
        if doc := first_line(row.doc):
            yield deeper + _quoted(doc)
        yield from _python(inner, row.qual, deeper)
        yield f"{deeper}..."


def _quoted(doc: str) -> str:
    text = doc.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""{text} """' if text.endswith('"') else f'"""{text}"""'


def _headings(inner: Rows, parent: str, depth: int) -> Iterator[tuple[int, str]]:
    for row in inner.get(parent, ()):
        yield depth, row.returns
        yield from _headings(inner, row.qual, depth + 1)


def _title(depth: int, text: str) -> str:
    rule = _RULES[min(depth, len(_RULES)) - 1] * max(4, 2 * len(text))
    return f"{text}\n{rule}\n"


def _braces(inner: Rows, parent: str, indent: str) -> Iterator[str]:
    for row in inner.get(parent, ()):
        yield f"{indent}{signature(row)} {{"
        yield from _braces(inner, row.qual, indent + _INDENT)
        yield f"{indent}}}"
