"""Make the context row of a section of a document."""

from __future__ import annotations

import re

from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.fields.row_parts import Row, without_empty
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.text.summary.first_paragraph import summarise_prose

_README = re.compile(r"readme(?:\.\w+)?$", re.IGNORECASE)
# A linked image of several lines, of which facts leave out the first as a badge.
_REST_OF_IMAGE = re.compile(r"[^\[\]]*\]\([^)\s]*\)\]\(")
_LIST = re.compile(r"\s*(?:[-*+•]|\d{1,2}[.)])\s")  # on one line it is no prose
_SENTENCE_END = re.compile(r"[.!?。！？][)\"'”’）]*$")


def section_row(file: FileContext, element: ElementView) -> Row:
    """Return the row of one section."""
    row: Row = {
        "kind": element.type,
        "id": element.id,
        "project": file.project,
        "label": element.title,
        "shared": True,
        "repeated": file.shares_heading(element),
    }
    if _titles_readme(file, element):
        row["titles_readme"] = True
    text = first_passage(element.doc)
    row["summary"] = text
    row["block"] = file.section_block(element)
    shown = row["block"][1] if row["block"] else ""
    is_shown = file.is_mostly_shown(element, text, shown)
    row["partial"] = not is_shown or not file.is_whole(element, text)
    row["partial"] |= file.begins_with_block(element)
    trail = file.heading_trails[element.qual]
    if trail != element.title:
        row["trail"] = trail
        row["lost"] = not trail
    return without_empty(row)


def _titles_readme(file: FileContext, element: ElementView) -> bool:
    """Return whether a section is all of the README at the top, under its title."""
    is_first = element is next(iter(file.elements.values()))
    return is_first and element.row.complexity == 1 and bool(_README.match(file.path))


def first_passage(paragraph: str) -> str:
    """Return what a section says first; a list, or what announces one, says nothing."""
    text = summarise_prose(paragraph)
    is_announcement = paragraph.rstrip().rstrip(":：").rstrip() == text != paragraph
    is_none = _LIST.match(paragraph) or _REST_OF_IMAGE.match(paragraph)
    return "" if is_none or is_announcement else text


def begins_with_sentences(paragraph: str) -> bool:
    """Return whether a document begins with text, and not with what comes before it."""
    return bool(_SENTENCE_END.search(first_passage(paragraph)))
