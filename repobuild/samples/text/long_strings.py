"""Take the strings of several lines out of Python source."""

from __future__ import annotations

import re

# Other strings and comments are read as a whole: quotes in them begin no long string.
# One that is not closed runs to the end of its line, or of the source: with no other
# reading to try, the time is linear in the source.
_STRING_OR_COMMENT = re.compile(
    r"(\"\"\"|''')(?:\\.|[^\\])*?(?:\1|\\?\Z)"
    r"|'(?:[^'\\\n]|\\.)*'?|\"(?:[^\"\\\n]|\\.)*\"?|#[^\n]*",
    re.DOTALL,
)


def without_long_strings(source: str) -> str:
    """Return source with only the line breaks of its triple-quoted strings."""
    return _STRING_OR_COMMENT.sub(_keep_short, source)


def _keep_short(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n") if found[1] else found[0]
