"""Derive `CodePattern`s from facts and graph.

    class_implementation      a class with a docstring
    function_implementation   a function or method with a docstring that others call
    function_usage            the call of it with the highest confidence
    module_interaction        a module that at least two others import from

Snippets are quoted from the sources. The order is that of the ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from repobuild.code.facts.element import CodeElement

_SNIPPET_LINES = 40
_MAX_CALLERS = 5
Code = Callable[[CodeElement], str]


@dataclass(frozen=True, slots=True)
class CodePattern:
    """One example of how the code is written or used; related elements are ids."""

    pattern_type: str
    description: str
    code_snippet: str
    context: str
    related_elements: list[str]


def patterns(
    elements: Mapping[str, CodeElement],
    callers: Mapping[str, list[tuple[str, float]]],
    importers: Mapping[str, list[str]],
    code: Code,
) -> Iterator[CodePattern]:
    """Yield every pattern; `callers` and `importers` hold ids and paths, sorted."""
    for id in sorted(elements):
        element = elements[id]
        if element.type == "class" and element.docstring:
            yield _implementation(element, "class", [id], code)
        elif element.type in ("function", "method") and element.docstring:
            calls = callers.get(id, [])
            if calls:
                related = [id, *(caller for caller, _ in calls[:_MAX_CALLERS])]
                yield _implementation(element, "function", related, code)
                yield from _usage(element, calls, elements, code)
    for path in sorted(importers):
        if len(importers[path]) >= 2:
            yield _interaction(path, importers[path], elements)


def _implementation(
    element: CodeElement, kind: str, related: list[str], code: Code
) -> CodePattern:
    first_line = element.docstring.partition("\n")[0]
    return CodePattern(
        pattern_type=f"{kind}_implementation",
        description=f"Implementation of {element.type} {element.qualified_name}",
        code_snippet=_cut(code(element)),
        context=f"File: {element.filepath}\nDoc: {first_line}",
        related_elements=related,
    )


def _usage(
    element: CodeElement,
    calls: Iterable[tuple[str, float]],
    elements: Mapping[str, CodeElement],
    code: Code,
) -> Iterator[CodePattern]:
    best, _ = min(calls, key=lambda entry: (-entry[1], entry[0]))
    caller = elements.get(best)
    if caller is None or caller.type == "class":
        return
    yield CodePattern(
        pattern_type="function_usage",
        description=f"{caller.qualified_name} uses {element.qualified_name}",
        code_snippet=_cut(code(caller)),
        context=f"File: {caller.filepath}\nCalls: {element.id}",
        related_elements=[element.id, best],
    )


def _interaction(
    path: str, importers: list[str], elements: Mapping[str, CodeElement]
) -> CodePattern:
    used = "\n".join(f"{importer} imports {path}" for importer in importers)
    related = sorted(id for id in elements if id.startswith(path + "::"))
    return CodePattern(
        pattern_type="module_interaction",
        description=f"{len(importers)} modules import {path}",
        code_snippet=_cut(used),
        context=f"File: {path}",
        related_elements=[id for id in related if "." not in id.partition("::")[2]],
    )


def _cut(text: str) -> str:
    lines = text.split("\n")
    if len(lines) <= _SNIPPET_LINES:
        return text
    return "\n".join([*lines[:_SNIPPET_LINES], "..."])
