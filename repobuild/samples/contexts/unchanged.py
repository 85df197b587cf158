"""Which elements of a changed file still say what they said.

A commit changes one function of a file of a hundred; the other ninety-nine at most
moved. An element's row depends on more than itself, so it is untouched only when

    its file     has the same elements, language and first words
    its holder   and its siblings have the same signatures, docstrings and bases
    it           is the same but for its place, to the byte of its source

and it mentions no name that its file imports by another statement than before.

Edges, sentences of callees and names that are new elsewhere are `affected`'s business:
what it finds is made again, untouched or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from repobuild.code.facts.element_row import ElementRow
from repobuild.code.scan.source_text import source_of
from repobuild.engine.contract import Value, View
from repobuild.samples.contexts.element_view import ElementView

Elements = dict[str, ElementView]
_WORD = re.compile(rb"[A-Za-z_]\w*")
_LENGTH, _CALLS = ElementRow._fields.index("length"), ElementRow._fields.index("calls")


def untouched(
    old: Elements, new: Elements, before: bytes, after: bytes
) -> Iterator[str]:
    """Yield the qualified names whose rows can differ in nothing but their lines.

    `before` and `after` are the sources.
    """
    if _cast(old) != _cast(new):
        return
    other = {q for q, e in new.items() if not _same_row(old[q].row, e.row)}
    loud = {q for q in other if _seen(old[q]) != _seen(new[q])}
    noisy = {new[q].parent for q in loud}
    for qual, element in new.items():
        if qual in other or element.parent in noisy or element.parent in loud:
            continue
        if _text(old[qual], before) == _text(element, after):
            yield qual


def mentioning_none(
    names: set[str], quals: Iterable[str], elements: Elements, text: bytes
) -> Iterator[str]:
    """Yield the elements whose source holds none of the names."""
    words = {name.encode() for name in names}
    for qual in quals:
        if not words or words.isdisjoint(_WORD.findall(_text(elements[qual], text))):
            yield qual


def same_frame(old: Value, new: Value) -> bool:
    """Whether what all rows of a file share is as it was."""
    if not old or not new:
        return False
    return all(old.get(name) == new.get(name) for name in ("language", "doc"))


def source(view: View, row: Value) -> bytes | None:
    """The source that a `files` row names; None when git lacks it by now."""
    if not row:
        return None
    try:
        return source_of(view.blob(row["blob"]))[0]
    except KeyError:
        return None


def _cast(elements: Elements) -> list[tuple[Any, ...]]:
    """Which elements there are, and which of several definitions is told."""
    return [(e.qual, e.type, e.is_overload, bool(e.doc)) for e in elements.values()]


def _seen(element: ElementView) -> tuple[Any, ...]:
    """What an element's siblings and children quote of it."""
    row = element.row
    return element.signature, row.doc, row.bases, row.decorators


def _same_row(old: ElementRow, new: ElementRow) -> bool:
    """Whether two rows differ in nothing but places: lines, bytes, lines of calls."""
    return (
        old.body_digest == new.body_digest
        and old.type == new.type
        and old.lead == new.lead
        and old[_LENGTH:_CALLS] == new[_LENGTH:_CALLS]
        and old[_CALLS + 1 :] == new[_CALLS + 1 :]
        and [call[0] for call in old.calls] == [call[0] for call in new.calls]
    )


def _text(element: ElementView, text: bytes) -> bytes:
    start = text.rfind(b"\n", 0, element.row.start) + 1
    return text[start : element.row.start + element.row.length]
