"""Documents: a section for every heading, named by its slug and nested by its level.

`README.md::guide.install` is the section "Install" below "Guide". A section's docstring
is its first paragraph, its `name` the slug; the heading as written is its only
decorator-like text, kept in `returns`, which documents have no other use for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from repobuild.code.facts.body_digest import digest
from repobuild.code.facts.element_row import ElementRow, packed
from repobuild.code.facts.syntax import grammar

_SLUG = re.compile(r"[\W_]+")
# Headings, quotes, tables, tags, rules; badges, and lines of nothing but links.
_NO_TEXT = re.compile(
    r"\s*(?:[#>|<]|```|~~~|[-*_=]{3,}\s*$|!\[|\[!\[|\[[^\]]*\]:"
    r"|(?:\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])[\s|·,]*)+$)"
)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_LONGEST = 1_000  # characters of a paragraph


@dataclass(slots=True)
class _Section:
    title: str
    level: int
    row: int
    text_row: int
    qual: str = ""
    end_row: int = 0


def read(source: bytes, language: str) -> dict[str, Any]:
    """Return the facts of a document."""
    lines = source.decode("utf-8", "replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    sections = _sections(source, language)
    _nest(sections, len(lines))
    first = sections[0].text_row if sections else 0
    start = _after_front(lines)
    top = _paragraph(lines, start, sections[0].row if sections else len(lines))
    facts: dict[str, Any] = {
        "doc": top or _paragraph(lines, first, len(lines)),
        "elements": _rows(sections, lines),
    }
    return facts


def _after_front(lines: list[str]) -> int:
    """The row behind the document's data, which stands between two `---`."""
    if lines and lines[0].rstrip() == "---" and "---" in lines[1:]:
        return lines.index("---", 1) + 1
    return 0


def _sections(source: bytes, language: str) -> list[_Section]:
    found = grammar(language)
    root = found.parser.parse(source).root_node
    sections = []
    for _, parts in found.definitions(root):
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
    seen: dict[str, int] = {}
    holders: list[_Section] = []
    for section in sections:
        while holders and holders[-1].level >= section.level:
            holders.pop().end_row = section.row
        slug = _SLUG.sub("-", section.title.lower()).strip("-") or "section"
        qual = f"{holders[-1].qual}.{slug}" if holders else slug
        count = seen[qual] = seen.get(qual, 0) + 1
        section.qual = f"{qual}#{count}" if count > 1 else qual
        holders.append(section)
    for section in holders:
        section.end_row = lines


def _rows(sections: list[_Section], lines: list[str]) -> list[list[Any]]:
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()) + 1)
    rows = []
    for place, section in enumerate(sections):
        end = section.end_row
        while end > section.text_row and not lines[end - 1].strip():
            end -= 1
        following = sections[place + 1].row if place + 1 < len(sections) else len(lines)
        doc = _paragraph(lines, section.text_row, min(following, end))
        text = "\n".join(line.rstrip() for line in lines[section.row : end])
        start = starts[section.row]
        rows.append(
            packed(
                ElementRow(
                    qual=section.qual,
                    type="section",
                    start_line=section.row + 1,
                    end_line=max(end, section.row + 1),
                    lead=0,
                    start=start,
                    length=max(starts[end] - 1 - start, 0),
                    shape=digest(text.encode()),
                    face=digest(section.title.encode(), doc.encode()),
                    complexity=section.level,
                    doc=doc,
                    returns=section.title,
                )
            )
        )
    return rows


def _paragraph(lines: list[str], first: int, end: int) -> str:
    """Return the first paragraph of running text between two rows."""
    found: list[str] = []
    fenced = False
    for line in lines[first:end]:
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced and line.strip() and not _NO_TEXT.match(line):
            found.append(line.strip())
            continue
        if found:
            break
    return _LINK.sub(r"\1", " ".join(found))[:_LONGEST]
