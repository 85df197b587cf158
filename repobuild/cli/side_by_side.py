"""Draw two texts side by side on a terminal while both grow.

A row is printed for good once neither text can change it. The rows below it, one screen
at most, are drawn again with each piece. So what has scrolled away is right, and
nothing is lost however long the texts get. Chinese characters take two columns. After
each piece the cursor is at the start of a line, so the shell's prompt appears there
however the program ends.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

NARROWEST = 60  # columns of a terminal; below, one text follows the other
BETWEEN = " │ "
_UP_AND_CLEAR = "\x1b[{}F\x1b[J"
_JOINER = "\u200d"  # zero width: joins two emoji into one


@dataclass(slots=True)
class WrappedText:
    """One text as lines of at most `width` columns."""

    width: int
    text: str = ""
    ended: bool = False
    lines: list[str] = field(default_factory=list)

    def add(self, piece: str) -> None:
        self.text += piece
        self.lines = wrap(self.text, self.width)

    @property
    def settled(self) -> int | None:
        """Number of lines that will not change; None for a text that has ended."""
        return None if self.ended else max(0, len(self.lines) - 1)

    def line(self, number: int) -> str:
        return self.lines[number] if number < len(self.lines) else ""


@dataclass(slots=True)
class SideBySide:
    """Two columns on a terminal of this size; `write` receives text and escapes."""

    columns: int
    rows: int
    write: Callable[[str], None]
    texts: tuple[WrappedText, WrappedText] = field(init=False)
    _printed: int = 0  # rows that are final
    _drawn: int = 0  # rows below them that will be drawn again

    def __post_init__(self) -> None:
        width = (self.columns - len(BETWEEN)) // 2
        self.texts = (WrappedText(width), WrappedText(width))

    def title(self, left: str, right: str, style: Callable[[str], str]) -> None:
        width = self.texts[0].width
        titles = (style(pad(truncate(t, width), width)) for t in (left, right))
        self.write(f"{BETWEEN.join(titles)}\n")

    def add(self, side: int, piece: str, ended: bool = False) -> None:
        """Append a piece to the left (0) or right (1) text and draw both."""
        self.texts[side].add(piece)
        self.texts[side].ended |= ended
        self._draw()

    def _draw(self) -> None:
        total = max(len(text.lines) for text in self.texts)
        limits = [text.settled for text in self.texts]
        settled = min((n for n in limits if n is not None), default=total)
        final = [self._row(n) for n in range(self._printed, settled)]
        self._printed = max(self._printed, settled)
        end = min(total, self._printed + self.rows - 2)
        unsettled = [self._row(n) for n in range(self._printed, end)]
        back = _UP_AND_CLEAR.format(self._drawn) if self._drawn else ""
        self._drawn = len(unsettled)
        self.write(back + "".join(f"{row}\n" for row in final + unsettled))

    def _row(self, number: int) -> str:
        left, right = self.texts
        start = pad(left.line(number), left.width)
        return f"{start}{BETWEEN}{right.line(number)}".rstrip()


def wrap(text: str, width: int) -> list[str]:
    """Return lines of at most `width` columns, broken at spaces where possible.

    Appending to the text changes no line but the last.
    """
    return [part for line in text.split("\n") for part in _break_line(line, width)]


def _break_line(line: str, width: int) -> list[str]:
    parts = []
    while display_width(line) > width:
        end = _fitting_length(line, width)
        space = line.rfind(" ", 1, end + 1)
        if space > 0 and line[:space].strip():  # not the indentation
            end = space
        parts.append(line[:end])
        line = line[end:].removeprefix(" ")
    return [*parts, line]


def _fitting_length(line: str, width: int) -> int:
    """Return how many characters fit into `width` columns, at least one."""
    used = 0
    for number, character in enumerate(line):
        used += display_width(character)
        if used > width:
            return max(1, number)
    return len(line)


def display_width(text: str) -> int:
    """Return the columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.combining(character) or character == _JOINER:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def truncate(text: str, width: int) -> str:
    """Return a text of at most `width` columns, with an ellipsis where it was cut."""
    if display_width(text) <= width:
        return text
    return text[: _fitting_length(text, width - 1)] + "…"


def pad(text: str, width: int) -> str:
    """Return a text filled with spaces up to `width` columns."""
    return text + " " * (width - display_width(text))


def printable(text: str) -> str:
    """Return a model's text without control characters, with tabs as spaces."""
    kept = (c for c in text.expandtabs(4) if c == "\n" or not _is_control(c))
    return "".join(kept)


def _is_control(character: str) -> bool:
    # Cf: marks that reverse the direction of text.
    return unicodedata.category(character) in ("Cc", "Cf") and character != _JOINER
