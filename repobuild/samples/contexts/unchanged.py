"""Find the elements of a changed file whose own rows cannot differ.

A commit changes one function of a file of a hundred; the other ninety-nine at most
moved. An element's row depends on more than the element, so it is unchanged only when

    its file     has the same elements, language and docstring
    its parent   and its siblings have the same signatures, docstrings and bases
    it           is the same but for its position, to the byte of its source and, when
                 it has no docstring, of the comment above it; the condition under which
                 its file defines it is the same

and it mentions no name that its file now imports by another statement.

Edges, first sentences of callees and names in other files are the concern of
affected.py: what it finds is computed again, unchanged or not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from repobuild.code.facts.element_row import (
    IDENTIFIER,
    ElementRow,
    name_of,
    normal_form,
)
from repobuild.code.scan.source_text import source_of
from repobuild.engine.contract import Value, View
from repobuild.git.snapshot import is_regular
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.text.comment_above import is_below_comment, lines_above
from repobuild.samples.text.conditions import conditions_of
from repobuild.samples.text.quote import are_twins, quote_definition, quoted_lines
from repobuild.samples.text.summary.module_purpose import module_summary

Elements = dict[str, ElementView]  # by qualified name
_WORD = re.compile(IDENTIFIER)
_LENGTH, _CALLS = ElementRow._fields.index("length"), ElementRow._fields.index("calls")


def unchanged_elements(
    old: Elements, new: Elements, old_source: bytes, new_source: bytes
) -> Iterator[str]:
    """Yield the qualified names of elements that at most have other line numbers."""
    if _definitions(old) != _definitions(new):
        return
    changed = {q for q, e in new.items() if not _is_same_row(old[q].row, e.row)}
    # Changed in a part that the rows of siblings and children quote.
    visible = {q for q in changed if _quoted_part(old[q]) != _quoted_part(new[q])}
    parents = {new[q].parent for q in visible}
    old_conditions = conditions_of((e.place for e in old.values()), old_source)
    new_conditions = conditions_of((e.place for e in new.values()), new_source)
    for qual, element in new.items():
        before = old_conditions.get(_first_line(old[qual]))
        if before != new_conditions.get(_first_line(element)):
            continue
        if qual in changed or element.parent in parents or element.parent in visible:
            continue
        if qual in parents:
            continue  # it quotes the docstrings of its members
        if _code(old[qual], old_source) != _code(element, new_source):
            continue
        if element.doc or _comment(old[qual], old_source) == _comment(
            element, new_source
        ):
            yield qual


def without_mentions(
    names: set[str], quals: Iterable[str], elements: Elements, source: bytes
) -> Iterator[str]:
    """Yield the elements whose source mentions none of the names, nor is within one."""
    for qual in quals:
        if qual.partition(".")[0].partition("#")[0] in names:
            continue
        code = normal_form(_code(elements[qual], source).decode("utf-8", "replace"))
        if not names or names.isdisjoint(_WORD.findall(code)):
            yield qual


def changed_twins(
    same: Collection[str],
    language: str,
    old: tuple[Elements, bytes],
    new: tuple[Elements, bytes],
) -> Iterator[str]:
    """Yield the unchanged methods of which a twin changed, came or went.

    Only Python's code is compared: of another language, each namesake may be one.
    """
    changed: dict[str, list[list[str]]] = {}
    for elements, source in (old, new):
        for qual in elements.keys() - set(same):
            if elements[qual].type == "method":
                lines = _lines_of(elements, qual, source, language)
                changed.setdefault(name_of(qual), []).append(lines)
    elements, source = new
    for qual in same:
        others = changed.get(name_of(qual), ())
        if not others or elements[qual].type != "method":
            continue
        own = _lines_of(elements, qual, source, language)
        if language != "python" or any(are_twins(own, other) for other in others):
            yield qual


def has_same_header(path: str, old: Value, new: Value) -> bool:
    """Return whether a file's facts agree in what the rows of all its elements use.

    A class that comes or goes may decide whether the module's docstring is believed.
    """
    if not old or not new:
        return False
    if any(old.get(name) != new.get(name) for name in ("language", "doc")):
        return False
    return module_summary(path, old) == module_summary(path, new)


def read_source(view: View, row: Value) -> bytes | None:
    """Return the source that a `files` row names.

    Returns None for a link or a submodule, and when git no longer has it.
    """
    if not row or not is_regular(row["mode"]):
        return None
    try:
        return source_of(view.blob(row["blob"]))[0]
    except KeyError:
        return None


def _definitions(elements: Elements) -> list[tuple[Any, ...]]:
    """Return what decides which elements exist, and which of them have rows."""
    return [
        (e.qual, e.type, e.is_overload, e.is_dead, e.is_for_types, bool(e.doc))
        for e in elements.values()
    ]


def _quoted_part(element: ElementView) -> tuple[Any, ...]:
    """Return what the rows of an element's siblings and children quote of it."""
    row = element.row
    return element.signature, row.doc, row.bases, row.decorators


def _is_same_row(old: ElementRow, new: ElementRow) -> bool:
    """Return whether rows differ in positions only: lines, bytes, lines of calls."""
    return (
        old.body_digest == new.body_digest
        and old.type == new.type
        and old.lead == new.lead
        and old[_LENGTH:_CALLS] == new[_LENGTH:_CALLS]
        and old[_CALLS + 1 :] == new[_CALLS + 1 :]
        and [call[0] for call in old.calls] == [call[0] for call in new.calls]
    )


def _comment(element: ElementView, source: bytes) -> tuple[list[bytes], bool]:
    """Return the comment above an element; see samples/text/comment_above.py."""
    start = element.row.start
    return lines_above(source, start), is_below_comment(source, start)


def _first_line(element: ElementView) -> int:
    return element.row.start_line - element.row.lead


def _code(element: ElementView, source: bytes) -> bytes:
    """Return an element's source, in whole lines."""
    start = source.rfind(b"\n", 0, element.row.start) + 1
    return source[start : element.row.start + element.row.length]


def _lines_of(elements: Elements, qual: str, source: bytes, language: str) -> list[str]:
    if language != "python":
        return []
    element = elements[qual]
    start = source.rfind(b"\n", 0, element.row.start) + 1
    code = source[start : element.row.start + element.row.length]
    return quoted_lines(quote_definition(language, code, bool(element.doc)))
