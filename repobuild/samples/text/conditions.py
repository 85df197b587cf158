"""Find the conditions under which a Python file makes its definitions.

    if sys.version_info >= (3, 13):
        def formatException(self, ei): ...

There is no such method elsewhere, so that whoever tells of it has to say so. Of nested
conditions the innermost is found. Branches for type checkers and for a file that is run
as a program are none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from repobuild.samples.text.long_strings import without_long_strings

IF, ELSE, TRY = "if", "else", "try"
_LONGEST = 100  # characters of a condition that is told
_MOST_LINES = 8  # of the head of a block
_LINE = re.compile(
    r"^(?P<indent>[ \t]*)(?P<word>@|(?:async[ \t]+)?def\b|class\b|if\b|elif\b|else\b"
    r"|try\b|except\b|finally\b|for\b|while\b|with\b|async\b|match\b|case\b)[^\n]*",
    re.MULTILINE,
)
_COMMENT = re.compile(r"[ \t]*#[^\n'\"]*$")
_IMPORT = re.compile(
    r"(?:\s*#[^\n]*\n)*\s*((?:import|from) [^\n(#;\\]*?)[ \t]*(?:#[^\n]*)?(?=\n|$)"
)
_TRANSPARENT = ("TYPE_CHECKING", "__name__")
_DEFINES = ("@", "def", "class")


class Condition(NamedTuple):
    """The head of the block that makes a definition, and which branch of it does."""

    branch: (
        str  # IF: in the block of this head; ELSE: in the other; TRY: where it works
    )
    text: str  # "if os.name == 'nt':", "except ImportError:", "import yaml"


class _Block(NamedTuple):
    indent: int
    defines: bool  # it is that of a function or a class
    condition: Condition | None


class Place(NamedTuple):
    """Where a definition is: the one that it is in, and the bytes that it takes."""

    parent: str
    start: int
    length: int


def conditions_of(places: Iterable[Place], source: bytes) -> dict[int, Condition]:
    """Return the conditions of a file's definitions, where some are further in.

    Where all that are in one place have one indentation, the file has no conditions,
    or all of a class have one: that is rare, and reading each file is not free.
    """
    levels: dict[str, set[bytes]] = defaultdict(set, {"": {b""}})
    for parent, first, length in places:
        start = source.rfind(b"\n", 0, first) + 1
        head = source[start : first + length]
        levels[parent].add(head[: len(head) - len(head.lstrip())])
    if all(len(one) == 1 for one in levels.values()):
        return {}
    return conditions(source.decode("utf-8", "replace"))


def conditions(source: str) -> dict[int, Condition]:
    """Return the condition of each definition that has one, by its first line."""
    found: dict[int, Condition] = {}
    text = without_long_strings(source)
    blocks: list[_Block] = []
    heads: dict[int, Condition | None] = {}  # that an `else` at an indentation denies
    number, position = 1, 0
    for line in _LINE.finditer(text):
        number += text.count("\n", position, line.start())
        position = line.start()
        indent = len(line["indent"].expandtabs())
        blocks = [one for one in blocks if one.indent < indent]
        word = line["word"].split()[-1]
        if word in _DEFINES:
            if condition := _innermost(blocks):
                found[number] = condition
        if word == "@":
            continue
        condition = _condition(word, text, line.start(), heads.get(indent))
        if word != "except":  # after it comes the `else` of the `try`
            heads[indent] = condition
        blocks.append(_Block(indent, word in _DEFINES, condition))
    return found


def _innermost(blocks: list[_Block]) -> Condition | None:
    """Return the condition of what is made now, or of the class that it is in."""
    known = (one.condition for one in reversed(blocks) if one.condition is not None)
    return next(known, None)


def _condition(
    word: str, text: str, start: int, before: Condition | None
) -> Condition | None:
    """Return the condition of the block whose head begins at `start`.

    `before` is that of the block before it, which an `else` belongs to.
    """
    if word in ("if", "elif", "except"):
        head = _head(text, start)
        if any(one in head for one in _TRANSPARENT):
            return None
        return Condition(IF, head if len(head) <= _LONGEST else "")
    if word == "else" and before is not None:
        return Condition(ELSE, before.text) if before.branch == IF else before
    if word == "try":
        below = _IMPORT.match(text, text.find("\n", start) + 1)
        return Condition(TRY, below[1]) if below else None
    return None


def _head(text: str, start: int) -> str:
    """Return the head of a block on one line."""
    lines: list[str] = []
    for line in text[start : start + 4 * _LONGEST].split("\n")[:_MOST_LINES]:
        lines.append(_COMMENT.sub("", line).strip())
        if lines[-1].endswith(":"):
            break
    return " ".join(lines)
