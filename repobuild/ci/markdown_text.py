"""Write text of a repository into Markdown, where it can only be read.

    code("a`b")     ``a`b``

Everything that is not ours is a code span: its fence is longer than any run of
backticks inside, so nothing inside ends it. There, Markdown, HTML, comments, `@names`,
`#1` and addresses are plain text, on GitHub and on GitLab. Line breaks and control
characters are shown as Python escapes, so that a text ends no span and no list item.
A code span of ours never stands in a table, where `|` would end its cell.
"""

from __future__ import annotations

import os
import re

from repobuild.plain_text import escape_line

_RUN = re.compile("`+")
_CUT = "…"


def code(text: str, limit: int = 200) -> str:
    """Return a code span with a text, cut to `limit` characters."""
    text = escape_line(text).replace("\r", "\\r").replace("\t", " ")
    if len(text) > limit:
        text = text[: limit - 1] + _CUT
    if not text.strip():
        return "(empty)"
    longest = max((len(run) for run in _RUN.findall(text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def differing(old: str, new: str, limit: int = 200) -> tuple[str, str]:
    """Return two texts as code spans that show where they differ.

    What both begin with is cut, where the difference would lie beyond the limit.
    """
    same = len(os.path.commonprefix([old, new]))
    start = max(0, same - limit // 4) if same > limit // 2 else 0
    if start:
        return code(_CUT + old[start:], limit), code(_CUT + new[start:], limit)
    return code(old, limit), code(new, limit)
