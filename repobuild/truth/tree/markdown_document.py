"""A Markdown document: its headings, and the text below each, read line by line."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_SLUG = re.compile(r"[\W_]+")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_PLAIN = re.compile(r" {0,3}[^\s>#|=-]")


@dataclass(frozen=True, slots=True)
class MarkdownSection:
    qual: str
    title: str
    text: str  # from the heading to the next, links shown by their text


class MarkdownDocument:
    """A document's sections in order, named by slug and nested by level."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.text = _LINK.sub(r"\1", text)
        self.sections: dict[str, MarkdownSection] = {}
        found = list(_headings(self.lines))
        counts: dict[str, int] = {}
        holders: list[tuple[int, str]] = []
        starts = [row for row, *_ in found]
        for number, (row, size, level, title) in enumerate(found, 1):
            end = starts[number] if number < len(found) else len(self.lines)
            while holders and holders[-1][0] >= level:
                holders.pop()
            slug = _SLUG.sub("-", title.lower()).strip("-") or "section"
            qual = f"{holders[-1][1]}.{slug}" if holders else slug
            count = counts[qual] = counts.get(qual, 0) + 1
            qual = f"{qual}#{count}" if count > 1 else qual
            holders.append((level, qual))
            body = _LINK.sub(r"\1", "\n".join(self.lines[row + size : end]))
            self.sections[qual] = MarkdownSection(qual, title, body)


def _headings(lines: list[str]) -> list[tuple[int, int, int, str]]:
    """(row, lines of the heading, level, title) of every heading outside of fences."""
    found = []
    fence = ""
    for row, line in enumerate(lines[_front(lines) :], _front(lines)):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) else fence
        elif mark:
            fence = mark[1]
        elif heading := _HEADING.fullmatch(line):
            found.append((row, 1, len(heading[1]), (heading[2] or "").strip()))
        elif row and (under := _UNDERLINE.fullmatch(line)):
            first = _paragraph_start(lines, row)
            if first < row:
                title = " ".join(" ".join(lines[first:row]).split())
                level = 1 if under[1][0] == "=" else 2
                found.append((first, row - first + 1, level, title))
    return found


def _front(lines: list[str]) -> int:
    """How many lines of metadata a document begins with."""
    if lines[0].rstrip() != "---":
        return 0
    ends = (row for row, line in enumerate(lines[1:], 2) if line.rstrip() == "---")
    return next(ends, 0)


def _paragraph_start(lines: list[str], row: int) -> int:
    """The first row of the paragraph that ends above a row."""
    first = row
    while first and _PLAIN.match(lines[first - 1]):
        first -= 1
    return first
