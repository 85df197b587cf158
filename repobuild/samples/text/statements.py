"""Find where statements end, by brackets and by the ends of lines.

No grammar is used: the code may be a part of a definition, and of any language.
"""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.code.usage.call_example import STRING_OR_COMMENT

LONG_STRINGS = ('"""', "'''")
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


def first_statements(code: str, room: int) -> str:
    """Return the first lines, `room` characters at most, that end with a statement."""
    lines = code.split("\n")
    while lines and len("\n".join(lines)) > room:
        lines.pop()
    while lines and not (lines[-1].strip() and is_whole("\n".join(lines))):
        lines.pop()
    return "\n".join(lines)


def is_whole(code: str) -> bool:
    """Return whether code ends with a statement, and not within one or after a head."""
    if any(code.count(quotes) % 2 for quotes in LONG_STRINGS):
        return False
    bare = STRING_OR_COMMENT.sub("", code).rstrip()
    if sum(map(bare.count, "([")) != sum(map(bare.count, ")]")):
        return False
    if not bare.endswith(_FINISHED) and bare.endswith((*_UNFINISHED, *_HEAD)):
        return False
    return not _is_in_try(bare.split("\n"))


def _is_in_try(lines: list[str]) -> bool:
    """Return whether code ends within a `try` that nothing follows yet."""
    opened: list[int] = []  # indentations
    for line in lines:
        text, indent = line.strip(), len(line) - len(line.lstrip())
        if text.startswith(("except", "finally")):
            opened = [one for one in opened if one < indent]
        elif text:
            if opened and indent <= opened[-1]:
                return True
            if text == "try:":
                opened.append(indent)
    return bool(opened)
