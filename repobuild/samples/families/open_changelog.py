"""Find whether a change log has a section for the next release, and records siblings.

The commits of a shallow clone, or of a release's archive, show no habit: there the text
of the log is all that says that new code is entered in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from repobuild.samples.families.registration import mentions

# The log of the whole project, in the order in which they are looked for.
ROOT_CHANGELOGS = tuple(
    f"{folder}{stem}{suffix}"
    for folder in ("", "docs/")
    for stem in ("CHANGELOG", "CHANGES", "HISTORY", "NEWS", "changelog", "changes")
    for suffix in (".md", ".rst", ".txt")
)
_SEARCHED = 80  # lines from the top
_NEXT = re.compile(
    r"(?i)\bunreleased\b|\bnot (?:yet )?released\b|\bto be released\b|\bforthcoming\b"
    r"|\bnext (?:version|release)\b|\bin (?:development|progress)\b|\bupcoming\b"
)
_RELEASE = re.compile(r"\d+\.\d+|\d{4}-\d{2}-\d{2}")
_MARKED = re.compile(r"\s{0,3}#{1,4}\s")
_UNDERLINE = re.compile(r"\s*([=\-~^*+#\"'`])\1{2,}\s*$")


def recorded_names(path: str, text: str, names: set[str]) -> set[str]:
    """Return the names in a log whose first section is that of the next release.

    There are none in a log without such a section.
    """
    heading = next(filter(_is_of_release, _headings(text)), "")
    if not _NEXT.search(heading):
        return set()
    return {one.name for one in mentions(path, text, names, {}, set())}


def _is_of_release(heading: str) -> bool:
    return bool(_NEXT.search(heading) or _RELEASE.search(heading))


def _headings(text: str) -> Iterator[str]:
    """Yield the headings near the top, those above a rule among them."""
    lines = list(islice(text.splitlines(), _SEARCHED))
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if line.strip() and (_MARKED.match(line) or _UNDERLINE.match(below)):
            yield line
