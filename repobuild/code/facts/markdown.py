"""Read Markdown: its headings and its running text (rows: document.py).

The grammar's tree decides what is a paragraph, a comment, a table or front matter. Only
paragraphs and lists that are in no quotation count as text, and of their lines those
that are no badges, tags or links alone. What only a site generator reads is no text.
"""

from __future__ import annotations

import re
from typing import Any

from tree_sitter import Node

from repobuild.code.facts.bounded_parse import parse_source
from repobuild.code.facts.document import DocumentSection, TextBlock, document_facts
from repobuild.code.facts.syntax import load_grammar

# Tags, rules, badges, tables of contents, and lines of nothing but links; once a
# paragraph has begun, lines of links are a part of it.
_NO_TEXT = re.compile(
    r"\s*(?:[#>|<]|```|~~~|[-*_=]{3,}\s*$|!\[|\[!\[|\[[^\]]*\]:|\[\[?_?TOC_?\]"
    r"|\([\w-]+\)=\s*$"  # a target of MyST
    r"|(?P<links>(?:\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])[\s|·,]*)+)$)"
)
# Begins an admonition (MkDocs), a container (Docusaurus, MyST), or a template's tag
# (Jekyll, Hugo, kramdown): the paragraph is theirs.
_ADMONITION = re.compile(r"(?:!!!|\?\?\?\+?|:::+|\{%|\{\{[<%]|\{:)")
_CONTAINER = re.compile(r":::+[ \t]*(\S?)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CLOSING_SIGNS = re.compile(r"(?:^|[ \t]+)#+[ \t]*$")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])?")
_EMPTY_LINK = re.compile(r"\[\s*\](?:\([^)]*\)|\[[^\]]*\])?")
_ANY_LINK = re.compile(r"\[([^\[\]]*)\](?:\([^)]*\)|\[[^\]]*\])|\[\^\w+\]")
_SHORTCUT = re.compile(r"(?<![\w`\]])\[([^\[\]`]{2,})\](?![\w(\[:])")
_URL = re.compile(r"<((?:https?|mailto):[^<>\s]*)>")
_TAG = re.compile(r"</?\w[^<>]*>|:[a-z_]+\d*:(?=\s|$)")
# Chinese has no space around what is emphasised.
_EMPHASIS = re.compile(
    r"(?<![a-zA-Z0-9*_`])(\*{1,3}|_{1,3})(?=\S)([^*_\n]+?)\1(?![a-zA-Z0-9*_`])"
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_MAX_PARAGRAPH = 1_000  # characters
_MAX_SEARCHED = 4_000  # characters of a paragraph that markup is looked for in
_OUTER = ("document", "section")  # what is in no quotation and no list
_TEXT = ("paragraph", "list")


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
    blocks = _text_blocks(root, lines)
    return document_facts(lines, sections, blocks, _running_text, _without_markup)


def _section(node: Node, source: bytes) -> DocumentSection:
    """Return the section of a heading: `# Title`, or a title that is underlined."""
    row = node.start_point.row
    if node.type == "atx_heading":
        marks = node.named_children[0]
        end = source.find(b"\n", marks.end_byte)
        text = source[marks.end_byte : end if end >= 0 else None].decode(
            "utf-8", "replace"
        )
        title = _CLOSING_SIGNS.sub("", text.strip()).strip()
        return DocumentSection(title, marks.end_byte - marks.start_byte, row, row + 1)
    title = " ".join(_plain_text(node.named_children[0], source).split())
    underline = node.named_children[-1]
    level = 1 if underline.type == "setext_h1_underline" else 2
    return DocumentSection(title, level, row, underline.start_point.row + 1)


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


def _text_blocks(root: Node, lines: list[str]) -> list[TextBlock]:
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
            blocks.append(TextBlock(row, text, node.type == "paragraph"))
        for mark in marks:
            container = bool(mark[1])
    return blocks


def _running_text(block: TextBlock) -> str:
    """Return the lines up to a blank one or a badge; leading badges are skipped."""
    text = _COMMENT.sub("", "\n".join(block.lines)[:_MAX_SEARCHED])
    kept: list[str] = []
    for line in text.split("\n"):
        no_text = _NO_TEXT.match(line)
        if line.strip() and (not no_text or (kept and no_text["links"])):
            kept.append(line.strip())
        elif kept:
            break
    return _LINK.sub(r"\1", " ".join(kept))[:_MAX_PARAGRAPH]


def _without_markup(text: str) -> str:
    """Return a paragraph without badges, tags, links' targets and emphasis."""
    text = _COMMENT.sub("", text)
    if _NO_TEXT.match(text) and not text.lstrip().startswith(("[!", "!", "<")):
        return ""
    text = _EMPTY_LINK.sub("", _IMAGE.sub("", text))
    text = _TAG.sub("", _URL.sub(r"\1", text))
    text = _SHORTCUT.sub(r"\1", _ANY_LINK.sub(r"\1", text))
    text = _EMPHASIS.sub(r"\2", " ".join(text.split()))
    return _ESCAPED.sub(r"\1", text).strip(" |·•-")
