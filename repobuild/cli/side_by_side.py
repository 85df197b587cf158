"""Two texts that grow at the same time, beside each other on a terminal.

A row is printed for good once neither text can change it; what is below, one screen at
most, is drawn anew with each piece. So what has scrolled away is right, and nothing is
lost however long the texts get. Chinese characters take two columns. After each piece
the cursor is at the start of a line: whatever ends the program, the shell's prompt is
in its place.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

NARROWEST = 60  # columns of a terminal; below, one text follows the other
BETWEEN = " │ "
_UP_AND_CLEAR = "\x1b[{}F\x1b[J"


@dataclass(slots=True)
class WrappedText:
    """One of them: lines of at most `width` columns."""

    width: int
    text: str = ""
    ended: bool = False
    lines: list[str] = field(default_factory=list)

    def add(self, piece: str) -> None:
        self.text += piece
        self.lines = wrap(self.text, self.width)

    @property
    def settled(self) -> int | None:
        """Lines that will not change; None when that is all, whatever their number."""
        return None if self.ended else max(0, len(self.lines) - 1)

    def line(self, number: int) -> str:
        return self.lines[number] if number < len(self.lines) else ""


@dataclass(slots=True)
class SideBySide:
    """Draws both; `write` takes text for the terminal."""

    columns: int
    rows: int
    write: Callable[[str], None]
    texts: tuple[WrappedText, WrappedText] = field(init=False)
    _printed: int = 0  # rows that stay
    _drawn: int = 0  # rows that will be drawn anew

    def __post_init__(self) -> None:
        width = (self.columns - len(BETWEEN)) // 2
        self.texts = (WrappedText(width), WrappedText(width))

    def title(self, left: str, right: str, style: Callable[[str], str]) -> None:
        width = self.texts[0].width
        head = BETWEEN.join(
            style(pad(truncate(t, width), width)) for t in (left, right)
        )
        self.write(f"{head}\n")

    def add(self, side: int, piece: str, ended: bool = False) -> None:
        self.texts[side].add(piece)
        self.texts[side].ended |= ended
        self._draw()

    def _draw(self) -> None:
        total = max(len(text.lines) for text in self.texts)
        limits = [text.settled for text in self.texts]
        settled = min((n for n in limits if n is not None), default=total)
        above = [self._row(n) for n in range(self._printed, settled)]
        self._printed = max(self._printed, settled)
        end = min(total, self._printed + self.rows - 2)
        below = [self._row(n) for n in range(self._printed, end)]
        back = _UP_AND_CLEAR.format(self._drawn) if self._drawn else ""
        self._drawn = len(below)
        self.write(back + "".join(f"{row}\n" for row in above + below))

    def _row(self, number: int) -> str:
        left, right = self.texts
        start = pad(left.line(number), left.width)
        return f"{start}{BETWEEN}{right.line(number)}".rstrip()


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken at blanks where there are any.

    With a longer text all lines but the last stay as they are.
    """
    return [part for line in text.split("\n") for part in _broken(line, width)]


def _broken(line: str, width: int) -> list[str]:
    parts = []
    while display_width(line) > width:
        end = _fitting(line, width)
        blank = line.rfind(" ", 1, end + 1)
        if blank > 0 and line[:blank].strip():  # not the indentation
            end = blank
        parts.append(line[:end])
        line = line[end:].removeprefix(" ")
    return [*parts, line]


def _fitting(line: str, width: int) -> int:
    """How many characters fit; one at least."""
    taken = 0
    for number, sign in enumerate(line):
        taken += display_width(sign)
        if taken > width:
            return max(1, number)
    return len(line)


def display_width(text: str) -> int:
    """Columns that a text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(sign: str) -> int:
    if unicodedata.combining(sign) or sign == "\u200d":
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def truncate(text: str, width: int) -> str:
    if display_width(text) <= width:
        return text
    return text[: _fitting(text, width - 1)] + "…"


def pad(text: str, width: int) -> str:
    return text + " " * (width - display_width(text))


def printable(text: str) -> str:
    """What a model says, as it may be printed: no control sequences, tabs as blanks."""
    kept = (s for s in text.expandtabs(4) if s == "\n" or not _is_control(s))
    return "".join(kept)


def _is_control(sign: str) -> bool:
    # Cf: marks that turn the direction of text around.
    return unicodedata.category(sign) in ("Cc", "Cf") and sign != "\u200d"
