"""Make the rows of a document's sections, and find what introduces its subject.

Shared by the readers of Markdown and of reStructuredText, which find the headings and
the blocks of running text. A section is named by its heading's slug, nested by level:
`README.md::guide.install` is "Install" below "Guide". Its docstring is its first
paragraph, its `name` the slug; the heading as written is in `returns`.

`leads` are the paragraphs that may introduce a project: those before the second heading
and those of sections such as "About". `install` are commands that install something.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from repobuild.code.facts.body_digest import digest
from repobuild.code.facts.element_row import ElementRow, pack_row

_SLUG = re.compile(r"[\W_]+")
_MAX_LEADS = 8
_MAX_LEAD = 1_000  # characters
_ABOUT = re.compile(
    r"\W*(?:about|introduction|intro|overview|description|summary|what(?: is|'s)\b.*"
    r"|synopsis|purpose|(?:项目|功能)?(?:简介|介绍|概述|概览|用途)|关于.{0,20}"
    r"|.{0,20}是什么)\W*",
    re.IGNORECASE,
)
_MAX_INSTALLS = 6
_INSTALL = re.compile(
    r"(?:^[ \t>]*(?:[$#%][ \t]+)?|`)((?:sudo[ ]+)?(?:(?:python3?|py)[ ]+-m[ ]+)?"
    r"(?:pip3?[ ]+install|pipx[ ]+install|uv[ ]+(?:add|pip[ ]+install|tool[ ]+install)"
    r"|conda[ ]+install|npm[ ]+(?:install|i)|yarn[ ]+add|pnpm[ ]+add|cargo[ ]+install"
    r"|cargo[ ]+add|go[ ]+(?:get|install)|brew[ ]+install)[ ]+[^`\n#]{2,80}?)"
    r"[ \t]*(?:`|$|#)",
    re.MULTILINE,
)
_SETUP = re.compile(
    r"(?:^[ \t>]*(?:[$#%][ \t]+)?|`)((?:(?:python3?|py)[ ]+-m[ ]+)?pip3?[ ]+install[ ]+"
    r"(?:-[\w-]+[ ]+)*[\"']?\.(?:\[[\w, -]+\])?[\"']?"
    r"|python3?[ ]+setup\.py[ ]+(?:install|develop)"
    r"|(?:uv[ ]+sync|(?:poetry|pdm)[ ]+install)(?:[ ]+-[^`\n#]{1,60}?)?"
    r"|(?:just|make)[ ]+(?:setup|install|dev|develop|init|bootstrap)[\w-]*)"
    r"[ \t]*(?:`|$|#)",
    re.MULTILINE,
)

# The same in two steps.
_BUILT = re.compile(
    r"^[ \t>]*(?:[$#%][ \t]+)?((?:python3?|py)[ ]+-m[ ]+build)[ \t]*\n"
    r"[ \t>]*(?:[$#%][ \t]+)?((?:(?:python3?|py)[ ]+-m[ ]+)?pip3?[ ]+install[ ]+"
    r"(?:-[\w-]+[ ]+)*[\"']?(?:\./)?dist/[^\s`]+)[ \t]*$",
    re.MULTILINE,
)
# What has to be run before: `pip install -r requirements.txt`.
_NEEDED = re.compile(r"\binstall[ ]+(?:-[\w-]+[ ]+)*(?:-r|--requirement)\b")


@dataclass(slots=True)
class DocumentSection:
    """One heading and the rows below it; rows count from 0."""

    title: str
    level: int
    row: int
    text_row: int  # the first row after the heading
    qual: str = ""
    end_row: int = 0


class TextBlock(NamedTuple):
    """A paragraph or a list with its first row."""

    row: int
    lines: list[str]
    is_paragraph: bool = True


Render = Callable[[TextBlock], str]  # the running text of a block, or ""


def document_facts(
    lines: list[str],
    sections: list[DocumentSection],
    blocks: list[TextBlock],
    render: Render,
    clean: Callable[[str], str],
) -> dict[str, Any]:
    """Return the facts of a document; sections and blocks in the order of their rows.

    `render` gives a block's text as passages quote it, `clean` removes the markup that
    an introduction does without.
    """
    _nest(sections, len(lines))
    before_sections = sections[0].row if sections else len(lines)
    first_text = sections[0].text_row if sections else 0
    intro = _paragraph(blocks, 0, before_sections, render)
    leads = islice(_leads(lines, sections, blocks, clean), _MAX_LEADS)
    installs = (m[1].strip() for m in _INSTALL.finditer("\n".join(lines)))
    return {
        "doc": intro or _paragraph(blocks, first_text, len(lines), render),
        "elements": _rows(sections, lines, blocks, render),
        "leads": list(leads),
        "install": list(dict.fromkeys(islice(installs, _MAX_INSTALLS))),
        "setup": next(_setups("\n".join(lines)), ""),
    }


def _setups(text: str) -> Iterator[str]:
    """Yield the commands that install a checkout, without those that need another.

    Where it takes two, they are two lines.
    """
    matches = [*_SETUP.finditer(text), *_BUILT.finditer(text)]
    for match in sorted(matches, key=lambda one: one.start()):
        before = text[: match.start()].rstrip().rpartition("\n")[2]
        if not _NEEDED.search(before):
            yield "\n".join(map(str.strip, match.groups()))


def _leads(
    lines: list[str],
    sections: list[DocumentSection],
    blocks: list[TextBlock],
    clean: Callable[[str], str],
) -> Iterator[str]:
    """Yield the paragraphs that may introduce what the document is about."""
    rows = [section.row for section in sections]
    for block in blocks:
        number = bisect_left(rows, block.row + 1)  # sections that began before it
        if number > 1 and not _ABOUT.fullmatch(sections[number - 1].title):
            continue
        if block.is_paragraph and (text := clean("\n".join(block.lines)[:_MAX_LEAD])):
            yield text


def _nest(sections: list[DocumentSection], lines: int) -> None:
    """Set each section's qualified name and end; a repeated name is `slug#2`."""
    counts: dict[str, int] = {}
    enclosing: list[DocumentSection] = []
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
    sections: list[DocumentSection],
    lines: list[str],
    blocks: list[TextBlock],
    render: Render,
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
        doc = _paragraph(blocks, section.text_row, min(next_row, end), render)
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


def _paragraph(blocks: list[TextBlock], first: int, end: int, render: Render) -> str:
    """Return the first paragraph of running text that begins between two rows."""
    start = bisect_left(blocks, first, key=lambda block: block.row)
    for block in islice(blocks, start, None):
        if block.row >= end:
            break
        if text := render(block):
            return text
    return ""
