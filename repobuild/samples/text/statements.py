"""Find where statements end, by brackets and by the ends of lines.

No grammar is used: the code may be a part of a definition, and of any language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from repobuild.code.usage.call_example import STRING_OR_COMMENT

LONG_STRINGS = ('"""', "'''")
_QUOTES = "\"'`"
_UNFINISHED = ("\\", ",", "(", "[", "=", "+", "-", ".", "&&", "||")
_HEAD = (":", "{")  # a block has to follow
_FINISHED = ("++", "--", "...")  # `i++`, and the body `...`


def statement_lines(lines: list[str], is_python: bool) -> Iterator[int]:
    """Yield the lines that are a statement, or the head of one, and no part of it."""
    brackets = ("([{", ")]}") if is_python else ("([", ")]")  # blocks have braces
    if any(quotes in line for line in lines for quotes in LONG_STRINGS):
        return
    depth, goes_on = 0, False
    for number, line in enumerate(lines):
        bare = STRING_OR_COMMENT.sub("", line).rstrip()
        opened, closed = (sum(map(bare.count, signs)) for signs in brackets)
        if not depth and not goes_on and opened == closed:
            if not bare.endswith(_UNFINISHED):
                yield number
        depth += opened - closed
        goes_on = bare.endswith(_UNFINISHED)


def is_whole(code: str) -> bool:
    """Return whether code ends with a statement, and not within one or after a head."""
    if any(code.count(quotes) % 2 for quotes in LONG_STRINGS):
        return False
    bare = STRING_OR_COMMENT.sub(_bare, code).rstrip()
    if sum(map(bare.count, "([")) != sum(map(bare.count, ")]")):
        return False
    return bare.endswith(_FINISHED) or not bare.endswith((*_UNFINISHED, *_HEAD))


def _bare(found: re.Match[str]) -> str:
    """Return what stands for a string, and nothing for a comment."""
    return "0" if found[0][0] in _QUOTES else ""
