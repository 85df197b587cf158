"""Read reStructuredText by its lines: titles and paragraphs (rows: document.py).

Only what stands at the left margin is text. A directive, a comment, a target or a
substitution ends with the lines that are indented below it, and is no text; neither are
lists, tables, fields, literal blocks, doctests and quotations. Nothing is included or
executed. Each line is looked at once.

A title is a line between two rules, or above one; the n-th style of rules that a
document uses is level n.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from repobuild.code.facts.document import DocumentSection, TextBlock, document_facts

_RULE = re.compile(r"([!-/:-@\[-`{-~])\1+[ \t]*")
_SHORTEST_RULE = 4  # characters; a shorter one has to be as long as its title
_TABLE = re.compile(r"\+[-=+]{2,}|={2,}[ \t]+=")
# Directives and comments, fields, options, lists, line blocks and doctests.
_NO_PARAGRAPH = re.compile(
    r"\.\.(?:\s|$)|__ |:[^\s:][^:\n]*:(?:\s|$)|--?\w[\w-]*(?:[ =]|$)"
    r"|(?:[-*+•]|\(?(?:\d+|#|[a-zA-Z])[.)])(?:\s|$)|\|\s|>>>"
)
_SUBSTITUTION = re.compile(r"(?<!\w)\|[^|\s](?:[^|\n]*[^|\s])?\|(?:__?)?(?!\w)")
_EMPHASIS = re.compile(r"(?<![\w*`])(\*{1,2})(?=[^\s*])([^*\n]+?)(?<=\S)\1(?![\w*`])")
_REFERENCE = re.compile(r"(?<![\w`])([A-Za-z][\w.-]*\w)__?(?![\w`])")
_URL = re.compile(r"[ ]?<(?:https?|mailto):[^<>\s]*>")
_FOOTNOTE = re.compile(r"[ ]?\[(?:#?\w*|\*)\]_(?!\w)")
_MAX_PARAGRAPH = 1_000  # characters


class _Title(NamedTuple):
    text: str
    style: str  # the rule's character, doubled with a rule above
    height: int  # lines, the rules included


def read(source: bytes, language: str) -> dict[str, Any]:
    """Return the facts of a document."""
    lines = source.decode("utf-8", "replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    sections: list[DocumentSection] = []
    blocks: list[TextBlock] = []
    levels: dict[str, int] = {}
    row = 0
    while row < len(lines):
        if title := _title(lines, row):
            level = levels.setdefault(title.style, len(levels) + 1)
            end = row + title.height
            sections.append(DocumentSection(title.text, level, row, end))
            row = end
            continue
        end = _block_end(lines, row)
        if _is_paragraph(lines, row, end):
            blocks.append(TextBlock(row, lines[row:end]))
        is_explicit = lines[row].startswith("..")
        row = _after_indented(lines, end) if is_explicit else end
    return document_facts(lines, sections, blocks, _running_text, _without_markup)


def _title(lines: list[str], row: int) -> _Title | None:
    """Return the title that begins in a row, if one does."""
    rule = _RULE.fullmatch(lines[row])
    following = lines[row + 1 : row + 3]
    if rule and len(following) == 2 and following[0].strip():
        text, under = following[0].strip(), following[1].rstrip()
        if under == lines[row].rstrip() and not _RULE.fullmatch(text):
            return _Title(text, 2 * rule[1], 3)
    text = lines[row].rstrip()
    if rule or not following or not text or text[0] in " \t":
        return None
    below = _RULE.fullmatch(following[0])
    if below is None or _NO_PARAGRAPH.match(text) and text.startswith(".."):
        return None
    width = len(following[0].rstrip())
    is_long = width >= min(_SHORTEST_RULE, len(text))
    return _Title(text, below[1], 2) if is_long else None


def _block_end(lines: list[str], row: int) -> int:
    """Return the row after a block: a blank one, or that of a title."""
    end = row + 1
    if not lines[row].strip():
        return end
    while end < len(lines) and lines[end].strip():
        end += 1
    return end


def _after_indented(lines: list[str], row: int) -> int:
    while row < len(lines) and (not lines[row].strip() or lines[row][0] in " \t"):
        row += 1
    return row


def _is_paragraph(lines: list[str], row: int, end: int) -> bool:
    """Return whether a block is running text at the margin."""
    block = lines[row:end]
    if any(not line.strip() or line[0] in " \t" for line in block):
        return False  # also a definition: a term with indented lines below it
    first = block[0]
    return not (_NO_PARAGRAPH.match(first) or _TABLE.match(first) or _is_rule(first))


def _is_rule(line: str) -> bool:
    return bool(_RULE.fullmatch(line))


def _running_text(block: TextBlock) -> str:
    """Return the text of a paragraph on one line; "" if it is only substitutions."""
    text = " ".join(" ".join(block.lines).split())[:_MAX_PARAGRAPH]
    return text if _SUBSTITUTION.sub("", text).strip(" ,.|") else ""


def _without_markup(text: str) -> str:
    """Return a paragraph without substitutions, references and emphasis.

    Roles, literals and links stay for samples/text/markup.py.
    """
    text = _SUBSTITUTION.sub("", " ".join(text.split()))
    text = _EMPHASIS.sub(r"\2", _FOOTNOTE.sub("", text))
    return "".join(_without_references(text)).strip(" |")


def _without_references(text: str) -> Iterator[str]:
    """Yield the pieces between backticks as they are, others without `name_`."""
    for number, piece in enumerate(text.split("`")):
        if number:
            yield "`"
        text = _REFERENCE.sub(r"\1", _URL.sub("", piece))
        yield piece if number % 2 else text
