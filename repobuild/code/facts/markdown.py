"""Read documents: a section for every heading, named by its slug, nested by level.

`README.md::guide.install` is the section "Install" below "Guide". A section's docstring
is its first paragraph, its `name` the slug; the heading as written is in `returns`,
which documents do not need otherwise.

The grammar's tree decides what is a paragraph, a comment, a table or front matter. Only
paragraphs and lists that are in no quotation count as text, and of their lines those
that are no badges, tags or links alone. What only a site generator reads is no text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from tree_sitter import Node

from repobuild.code.facts.body_digest import digest
from repobuild.code.facts.bounded_parse import parse_source
from repobuild.code.facts.element_row import ElementRow, pack_row
from repobuild.code.facts.syntax import load_grammar

_SLUG = re.compile(r"[\W_]+")
# Tags, rules, badges, tables of contents, and lines of nothing but links.
_NO_TEXT = re.compile(
    r"\s*(?:[#>|<]|```|~~~|[-*_=]{3,}\s*$|!\[|\[!\[|\[[^\]]*\]:|\[\[?_?TOC_?\]"
    r"|(?:\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])[\s|·,]*)+$)"
)
# Begins an admonition (MkDocs), a container (Docusaurus, MyST), or a template's tag
# (Jekyll, Hugo, kramdown): the paragraph is theirs.
_ADMONITION = re.compile(r"(?:!!!|\?\?\?\+?|:::+|\{%|\{\{[<%]|\{:)")
_CONTAINER = re.compile(r":::+[ \t]*(\S?)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CLOSING_SIGNS = re.compile(r"(?:^|[ \t]+)#+[ \t]*$")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MAX_PARAGRAPH = 1_000  # characters
_MAX_SEARCHED = 4_000  # characters of a paragraph that markup is looked for in
_OUTER = ("document", "section")  # what is in no quotation and no list
_TEXT = ("paragraph", "list")


@dataclass(slots=True)
class _Section:
    """One heading and the rows below it; rows count from 0."""

    title: str
    level: int
    row: int
    text_row: int  # the first row after the heading
    qual: str = ""
    end_row: int = 0


class _TextBlock(NamedTuple):
    """A paragraph or a list with its first row."""

    row: int
    lines: list[str]


def read(source: bytes, language: str) -> dict[str, Any]:
    """Return the facts of a document."""
    lines = source.decode("utf-8", "replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    loaded = load_grammar(language)
    root = parse_source(loaded.parser, source)
    headings = (parts["heading"][0] for _, parts in loaded.definitions(root))
    sections = [_section(node, source) for node in headings]
    sections.sort(key=lambda section: section.row)
    _nest(sections, len(lines))
    blocks = _text_blocks(root, lines)
    before_sections = sections[0].row if sections else len(lines)
    first_text = sections[0].text_row if sections else 0
    intro = _paragraph(blocks, 0, before_sections)
    return {
        "doc": intro or _paragraph(blocks, first_text, len(lines)),
        "elements": _rows(sections, lines, blocks),
    }


def _section(node: Node, source: bytes) -> _Section:
    """Return the section of a heading: `# Title`, or a title that is underlined."""
    row = node.start_point.row
    if node.type == "atx_heading":
        marks = node.named_children[0]
        end = source.find(b"\n", marks.end_byte)
        text = source[marks.end_byte : end if end >= 0 else None].decode(
            "utf-8", "replace"
        )
        title = _CLOSING_SIGNS.sub("", text.strip()).strip()
        return _Section(title, marks.end_byte - marks.start_byte, row, row + 1)
    title = " ".join(_plain_text(node.named_children[0], source).split())
    underline = node.named_children[-1]
    level = 1 if underline.type == "setext_h1_underline" else 2
    return _Section(title, level, row, underline.start_point.row + 1)


def _plain_text(node: Node, source: bytes) -> str:
    """Return a node's text without the signs of the quotation that it is in."""
    pieces, start = [], node.start_byte
    for inner in node.named_children:
        for mark in (inner, *inner.named_children):
            if mark.type == "block_continuation":
                pieces.append(source[start : mark.start_byte])
                start = mark.end_byte
    pieces.append(source[start : node.end_byte])
    return b"".join(pieces).decode("utf-8", "replace")


def _text_blocks(root: Node, lines: list[str]) -> list[_TextBlock]:
    """Return the paragraphs and lists in no quotation, without admonitions."""
    nodes: list[Node] = []
    stack = [root]
    while stack:
        for node in stack.pop().named_children:
            if node.type in _OUTER:
                stack.append(node)
            elif node.type in _TEXT:
                nodes.append(node)
    blocks = []
    container = False  # between ":::note" and ":::"
    for node in sorted(nodes, key=lambda node: node.start_byte):
        row, end = node.start_point.row, node.end_point
        text = lines[row : end.row + (end.column > 0)]
        marks = [mark for line in text if (mark := _CONTAINER.match(line.strip()))]
        if not container and not _ADMONITION.match(text[0].lstrip() if text else ""):
            blocks.append(_TextBlock(row, text))
        for mark in marks:
            container = bool(mark[1])
    return blocks


def _nest(sections: list[_Section], lines: int) -> None:
    """Set each section's qualified name and end; a repeated name is `slug#2`."""
    counts: dict[str, int] = {}
    enclosing: list[_Section] = []
    for section in sections:
        while enclosing and enclosing[-1].level >= section.level:
            enclosing.pop().end_row = section.row
        slug = _SLUG.sub("-", section.title.lower()).strip("-") or "section"
        qual = f"{enclosing[-1].qual}.{slug}" if enclosing else slug
        count = counts[qual] = counts.get(qual, 0) + 1
        section.qual = f"{qual}#{count}" if count > 1 else qual
        enclosing.append(section)
    for section in enclosing:
        section.end_row = lines


def _rows(
    sections: list[_Section], lines: list[str], blocks: list[_TextBlock]
) -> list[list[Any]]:
    starts = [0]  # byte where each line begins
    for line in lines:
        starts.append(starts[-1] + len(line.encode()) + 1)
    next_rows = [*(section.row for section in sections[1:]), len(lines)]
    rows = []
    for section, next_row in zip(sections, next_rows, strict=False):
        end = section.end_row
        while end > section.text_row and not lines[end - 1].strip():
            end -= 1
        doc = _paragraph(blocks, section.text_row, min(next_row, end))
        text = "\n".join(line.rstrip() for line in lines[section.row : end])
        start = starts[section.row]
        element = ElementRow(
            qual=section.qual,
            type="section",
            start_line=section.row + 1,
            end_line=max(end, section.row + 1),
            lead=0,
            start=start,
            length=max(starts[end] - 1 - start, 0),
            body_digest=digest(text.encode()),
            interface_digest=digest(section.title.encode(), doc.encode()),
            complexity=section.level,
            doc=doc,
            returns=section.title,
        )
        rows.append(pack_row(element))
    return rows


def _paragraph(blocks: list[_TextBlock], first: int, end: int) -> str:
    """Return the first paragraph of running text that begins between two rows."""
    start = bisect_left(blocks, first, key=lambda block: block.row)
    for block in islice(blocks, start, None):
        if block.row >= end:
            break
        if text := _running_text(block):
            return text
    return ""


def _running_text(block: _TextBlock) -> str:
    """Return the lines up to a blank one or a badge; leading badges are skipped."""
    text = _COMMENT.sub("", "\n".join(block.lines)[:_MAX_SEARCHED])
    kept: list[str] = []
    for line in text.split("\n"):
        if line.strip() and not _NO_TEXT.match(line):
            kept.append(line.strip())
        elif kept:
            break
    return _LINK.sub(r"\1", " ".join(kept))[:_MAX_PARAGRAPH]
