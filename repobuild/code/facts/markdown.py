"""Read documents: a section for every heading, named by its slug, nested by level.

`README.md::guide.install` is the section "Install" below "Guide". A section's docstring
is its first paragraph, its `name` the slug; the heading as written is in `returns`,
which documents do not need otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from repobuild.code.facts.body_digest import digest
from repobuild.code.facts.element_row import ElementRow, pack_row
from repobuild.code.facts.syntax import load_grammar

_SLUG = re.compile(r"[\W_]+")
# Headings, quotes, tables, tags, rules; badges, and lines of nothing but links.
_NO_TEXT = re.compile(
    r"\s*(?:[#>|<]|```|~~~|[-*_=]{3,}\s*$|!\[|\[!\[|\[[^\]]*\]:"
    r"|(?:\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])[\s|·,]*)+$)"
)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MAX_PARAGRAPH = 1_000  # characters


@dataclass(slots=True)
class _Section:
    """One heading and the rows below it; rows count from 0."""

    title: str
    level: int
    row: int
    text_row: int  # the first row after the heading
    qual: str = ""
    end_row: int = 0


def read(source: bytes, language: str) -> dict[str, Any]:
    """Return the facts of a document."""
    lines = source.decode("utf-8", "replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    sections = _sections(source, language)
    _nest(sections, len(lines))
    before_sections = sections[0].row if sections else len(lines)
    intro = _paragraph(lines, _after_front_matter(lines), before_sections)
    first_text = sections[0].text_row if sections else 0
    return {
        "doc": intro or _paragraph(lines, first_text, len(lines)),
        "elements": _rows(sections, lines),
    }


def _after_front_matter(lines: list[str]) -> int:
    """Return the row after the YAML block between two `---`, 0 without one."""
    if lines and lines[0].rstrip() == "---" and "---" in lines[1:]:
        return lines.index("---", 1) + 1
    return 0


def _sections(source: bytes, language: str) -> list[_Section]:
    loaded = load_grammar(language)
    root = loaded.parser.parse(source).root_node
    sections = []
    for _, parts in loaded.definitions(root):
        node = parts["heading"][0]
        text = source[node.start_byte : node.end_byte].decode("utf-8", "replace")
        title, level = _heading(text.strip())
        row = node.start_point.row
        size = text.rstrip("\n").count("\n") + 1
        sections.append(_Section(title, level, row, row + size))
    sections.sort(key=lambda section: section.row)
    return sections


def _heading(text: str) -> tuple[str, int]:
    if text.startswith("#"):
        bare = text.lstrip("#")
        return bare.strip().rstrip("#").strip(), len(text) - len(bare)
    title, _, underline = text.rpartition("\n")
    return " ".join(title.split()), 1 if underline.strip().startswith("=") else 2


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


def _rows(sections: list[_Section], lines: list[str]) -> list[list[Any]]:
    starts = [0]  # byte where each line begins
    for line in lines:
        starts.append(starts[-1] + len(line.encode()) + 1)
    next_rows = [*(section.row for section in sections[1:]), len(lines)]
    rows = []
    for section, next_row in zip(sections, next_rows, strict=False):
        end = section.end_row
        while end > section.text_row and not lines[end - 1].strip():
            end -= 1
        doc = _paragraph(lines, section.text_row, min(next_row, end))
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


def _paragraph(lines: list[str], first: int, end: int) -> str:
    """Return the first paragraph of running text between two rows."""
    paragraph: list[str] = []
    fenced = False
    for line in lines[first:end]:
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced and line.strip() and not _NO_TEXT.match(line):
            paragraph.append(line.strip())
            continue
        if paragraph:
            break
    return _LINK.sub(r"\1", " ".join(paragraph))[:_MAX_PARAGRAPH]
