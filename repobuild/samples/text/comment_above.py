"""Read the comment directly above a Python definition, when it says what it is for.

No purpose are: a heading between rules (`# ---- names ----`) or of a group, code that
is commented out, directives to tools, and notes about work to be done.
"""

from __future__ import annotations

import re

_MOST_LINES = 20
_FEWEST_WORDS = 4
_COMMENT_MARKS = (b"//", b"--", b"# ")  # of other languages, too
_RULE = re.compile(rb"^\s*#\s*[-=#*~]{3,}|[-=#*~]{4,}\s*$")
_DIRECTIVE = re.compile(
    r"(?:noqa|type:|pragma|pylint|fmt:|flake8|mypy|isort|ruff|nosec|todo|fixme|xxx|hack"
    r"|!|-\*-|%%|region|endregion|copyright|spdx)",
    re.IGNORECASE,
)
# "linked list manipulation methods." heads all of them.
_GROUP = re.compile(
    r"(?i)\b(?:methods|functions|helpers|utilities|utils|classes|properties|accessors"
    r"|operators|overrides|callbacks|constants)\W*$"
)
_MOST_GROUP_WORDS = 5
_CODE = re.compile(
    r"^(?:def|class|import|from|return|if|for|@)\b.*[:)]?$|[=;{}]|->|\)$"
)


def lines_above(source: bytes, start: int) -> list[bytes]:
    """Return the comment lines directly above the line that begins at a byte."""
    lines: list[bytes] = []
    end = start - 1
    while end > 0 and len(lines) < _MOST_LINES:
        first = source.rfind(b"\n", 0, end) + 1
        line = source[first:end]
        if not line.lstrip().startswith(b"#"):
            break
        lines.append(line)
        end = first - 1
    return lines[::-1]


def is_below_comment(source: bytes, start: int) -> bool:
    """Return whether what comes before a definition of any language is a comment."""
    end = len(source[:start].rstrip())
    line = source[source.rfind(b"\n", 0, end) + 1 : end].lstrip()
    return line.endswith(b"*/") or line.startswith(_COMMENT_MARKS)


def comment_above(source: bytes, start: int) -> str:
    """Return the comment's text on lines of its own, "" when it is no purpose."""
    lines = lines_above(source, start)
    if not lines or len(lines) >= _MOST_LINES or any(map(_RULE.search, lines)):
        return ""
    text = "\n".join(
        line.decode("utf-8", "replace").strip().lstrip("#:").strip() for line in lines
    )
    if _DIRECTIVE.match(text) or any(map(_CODE.search, text.split("\n"))):
        return ""
    count = len(text.split())
    if count <= _MOST_GROUP_WORDS and _GROUP.search(text):
        return ""
    return text if count >= _FEWEST_WORDS else ""
