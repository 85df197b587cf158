"""Read the titles of a reStructuredText document, and the text below each."""

from __future__ import annotations

import re

from repobuild.truth.tree.markdown_document import (
    MarkdownSection,
    section_names,
    without_stars,
)

_UNDERLINE = re.compile(r"([^\w\s]|_)\1+[ \t]*")
_LINK = re.compile(r"`([^`<>]+?)(?:\s*<[^`<>]+>)?`__?(?!\w)")
_IMAGES = re.compile(r"(?:[ \t]+\|[\w-]+\|)+[ \t]*\Z")  # by substitution: badges
_FULL_WIDTH = 4  # characters from which a rule may be shorter than its title


class RestDocument:
    """A document's sections in order, named by slug and nested by level."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.text = text
        self.sections: dict[str, MarkdownSection] = {}
        titles = self._titles()
        styles = list(dict.fromkeys(style for *_, style in titles))
        levels = [styles.index(style) + 1 for *_, style in titles]
        names = section_names(
            [(t, n) for (_, _, t, _), n in zip(titles, levels, strict=True)]
        )
        ends = [*(start for start, *_ in titles[1:]), len(self.lines)]
        rows = zip(titles, names, ends, levels, strict=False)
        for (_, after, title, _), qual, end, level in rows:
            body = "\n".join(self.lines[after:end])
            bare = _IMAGES.sub("", title)
            plain = without_stars(_LINK.sub(r"\1", bare)) or title
            self.sections[qual] = MarkdownSection(qual, plain, body, level)

    def _titles(self) -> list[tuple[int, int, str, str]]:
        """Return (first row, row after it, title, style) of each title."""
        found: list[tuple[int, int, str, str]] = []
        free = 0  # the first row after the last title
        for row, line in enumerate(self.lines):
            if row < max(free, 1) or not (rule := _UNDERLINE.fullmatch(line)):
                continue
            title, mark = self.lines[row - 1].rstrip(), rule[1]
            if not title or (row - 1 < free) or _UNDERLINE.fullmatch(title):
                continue
            above = self.lines[row - 2].rstrip() if row - 2 >= free else ""
            has_overline = above == line.rstrip()
            start = row - 2 if has_overline else row - 1
            if not self._begins_block(start, free):
                continue
            is_wide = len(line.rstrip()) >= min(len(title), _FULL_WIDTH)
            is_margin = title[0] not in " \t" and not title.startswith("..")
            if has_overline or (is_wide and is_margin):
                style = mark * 2 if has_overline else mark
                found.append((start, row + 1, title.strip(), style))
                free = row + 1
        return found

    def _begins_block(self, row: int, free: int) -> bool:
        return row == free or not self.lines[row - 1].strip()
