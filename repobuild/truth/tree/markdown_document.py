"""Read the headings of a Markdown document, and the text below each, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*")
# `<br>` begins HTML, which ends at a blank line.
_TAG_ALONE = re.compile(r" {0,3}</?[A-Za-z][\w-]*(?:\s[^<>]*)?/?>\s*")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_SLUG = re.compile(r"[\W_]+")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_REFERENCE = re.compile(r"(?<![\w\])])\[([^\[\]]+)\]\[[^\[\]]*\]")  # no `a[i][j]`
_INLINE_TAGS = frozenset(
    "a b i u em strong code kbd tt span font small big sub sup center img br".split()
)
_ANY_TAG = re.compile(r"</?([A-Za-z]\w*)(?:\s[^<>`]*)?/?>")
_STRONG = re.compile(r"\*\*([^\s*](?:[^*]*[^\s*])?)\*\*")
# What a renderer reads at the end of a heading and does not show: `{: #id .class}`.
_ATTRIBUTES = re.compile(
    r"[ \t]*\\?\{[:/]?\*?[ \t]*(?:[#.][\w-]|[\w-]+=|-[ \t]*\})[^{}]*\}?[ \t]*\Z"
)
_BADGE = re.compile(r"\[!\[[^\]]*\]\([^)]*\)\]\([^)]*\)|!\[[^\]]*\]\([^)]*\)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_QUOTED = re.compile(r"\A(?: {0,3}> ?)+")
_ITEM = re.compile(r"\A {0,3}(?:[-*+]|\d{1,9}[.)])[ \t]+(?=#)")
# How a block of HTML begins, and what its last line has; "" ends it at a blank line.
_HTML_BLOCKS = (
    (re.compile(r" {0,3}<!--"), "-->"),
    (re.compile(r" {0,3}<pre[\s>]", re.I), "</pre>"),
    (re.compile(r" {0,3}<script[\s>]", re.I), "</script>"),
    (re.compile(r" {0,3}<style[\s>]", re.I), "</style>"),
    (re.compile(r" {0,3}<\?"), "?>"),
    (
        re.compile(
            r" {0,3}</?(?:address|article|aside|blockquote|body|center|details|dialog"
            r"|dd|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|head|header|hr"
            r"|html|iframe|li|link|main|menu|nav|ol|p|section|summary|table|tbody|td"
            r"|tfoot|th|thead|title|tr|ul)(?:\s|/?>|$)",
            re.I,
        ),
        "",
    ),
)
_PLAIN = re.compile(r" {0,3}[^\s>#|=-]")


class _Heading(NamedTuple):
    row: int  # of its first line, from 0
    line_count: int  # an underlined heading has two lines or more
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class MarkdownSection:
    qual: str
    title: str
    text: str  # from the heading to the next one, links reduced to their text
    level: int  # 1 for `#`


class MarkdownDocument:
    """A document's sections in order, named by slug and nested by level."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.text = _LINK.sub(r"\1", _COMMENT.sub("", text))
        self.sections: dict[str, MarkdownSection] = {}
        headings = list(_headings(self.lines))
        ends = [*(heading.row for heading in headings[1:]), len(self.lines)]
        names = section_names([(one.title, one.level) for one in headings])
        for heading, qual, end in zip(headings, names, ends, strict=False):
            body = "\n".join(self.lines[heading.row + heading.line_count : end])
            self.sections[qual] = MarkdownSection(
                qual,
                _plain_title(heading.title) or heading.title,
                _LINK.sub(r"\1", _COMMENT.sub("", body)),
                heading.level,
            )


def _plain_title(title: str) -> str:
    """Return a heading without badges, tags, attributes, links' targets, bold type."""
    title = _ATTRIBUTES.sub("", _BADGE.sub("", title))
    title = _ANY_TAG.sub(_without_inline_tag, _REFERENCE.sub(r"\1", title))
    return without_stars(_LINK.sub(r"\1", title).strip())


def _without_inline_tag(tag: re.Match[str]) -> str:
    return "" if tag[1].lower() in _INLINE_TAGS else tag[0]


def without_stars(title: str) -> str:
    """Return a heading without what makes words of it bold."""
    return _STRONG.sub(r"\1", title)


def section_names(headings: Sequence[tuple[str, int]]) -> list[str]:
    """Return the qualified names of headings, each a title with its level."""
    counts: dict[str, int] = {}
    parents: list[tuple[int, str]] = []  # (level, qual) of the enclosing sections
    names = []
    for title, level in headings:
        while parents and parents[-1][0] >= level:
            parents.pop()
        slug = _SLUG.sub("-", title.lower()).strip("-") or "section"
        qual = f"{parents[-1][1]}.{slug}" if parents else slug
        count = counts[qual] = counts.get(qual, 0) + 1
        names.append(f"{qual}#{count}" if count > 1 else qual)
        parents.append((level, names[-1]))
    return names


def _headings(lines: list[str]) -> Iterator[_Heading]:
    """Yield every heading outside of fenced code, HTML and comments."""
    fence = ""
    html: str | None = None  # what ends the open block of HTML
    start = _metadata_lines(lines)
    lines = [_QUOTED.sub("", line) for line in lines]
    for row, line in enumerate(lines[start:], start):
        mark = _FENCE.match(line)
        if fence:
            # What follows opening marks, a language, cannot follow those that close.
            closes = (
                mark and mark[1].startswith(fence) and not line[mark.end() :].strip()
            )
            fence = "" if closes else fence
            continue
        if html is None:
            html = next((end for begin, end in _HTML_BLOCKS if begin.match(line)), None)
        if html is not None:
            is_end = html in line.lower() if html else not line.strip()
            html = None if is_end else html
            continue
        line = _ITEM.sub("", line)
        if mark:
            fence = mark[1]
        elif heading := _HEADING.fullmatch(line):
            yield _Heading(row, 1, len(heading[1]), (heading[2] or "").strip())
        elif row and (underline := _UNDERLINE.fullmatch(line)):
            first = _paragraph_start(lines, row)
            if first < row and not _TAG_ALONE.fullmatch(lines[first]):
                title = " ".join(" ".join(lines[first:row]).split())
                level = 1 if underline[1][0] == "=" else 2
                yield _Heading(first, row - first + 1, level, title)


def _metadata_lines(lines: list[str]) -> int:
    """Return how many lines of front matter the document begins with."""
    mark = lines[0].rstrip()
    if mark not in ("---", "+++"):
        return 0
    ends = (row for row, line in enumerate(lines[1:], 2) if line.rstrip() == mark)
    return next(ends, 0)


def _paragraph_start(lines: list[str], row: int) -> int:
    """Return the first row of the paragraph that ends above a row."""
    first = row
    while first and _PLAIN.match(lines[first - 1]):
        first -= 1
    return first
