"""Two growing texts on a terminal: the screen is simulated and read."""

from __future__ import annotations

import random
import re

import pytest

from repobuild.cli.side_by_side import (
    BETWEEN,
    SideBySide,
    display_width,
    printable,
    truncate,
    wrap,
)

CHINESE = "`f` 位于 `pkg/b.py`。它被 `a.py` 中的 `g` 调用，也被测试调用。"


class Screen:
    """A terminal that handles line feeds, cursor up, and clear below."""

    def __init__(self, rows: int) -> None:
        self.lines = [""]
        self.row = 0
        self.rows = rows

    def write(self, text: str) -> None:
        for part in re.split(r"(\x1b\[\d*[A-Z]|\n)", text):
            if part == "\n":
                self.row += 1
                self.lines += [""] * (self.row + 1 - len(self.lines))
            elif part.endswith("F") and part.startswith("\x1b"):
                up = int(part[2:-1])
                assert up < self.rows, "lines that scrolled away cannot be reached"
                self.row -= up
            elif part == "\x1b[J":
                self.lines[self.row :] = [""]
            else:
                self.lines[self.row] += part


def drawn(left: str, right: str, columns: int, rows: int, seed: int = 1) -> list[str]:
    """Return the screen after both texts came in small pieces, in any order."""
    generator = random.Random(seed)
    screen = Screen(rows)
    pair = SideBySide(columns, rows, screen.write)
    rest = [left, right]
    while any(rest):
        side = generator.choice([n for n in (0, 1) if rest[n]])
        length = generator.randint(1, 9)
        piece, rest[side] = rest[side][:length], rest[side][length:]
        pair.add(side, piece, ended=not rest[side])
        assert screen.lines[screen.row] == ""  # where a prompt would be
    return screen.lines[:-1]


CODE = "def f(x):\n    return [\n        x,\n    ]\n\n" + "word " * 60


@pytest.mark.parametrize("columns", [80, 160, 61])
@pytest.mark.parametrize("rows", [24, 5])
@pytest.mark.parametrize("right", ["short", CHINESE * 9, CODE, "x" * 900])
def test_both_texts_are_shown_completely(columns: int, rows: int, right: str) -> None:
    left = CODE * 2
    width = (columns - len(BETWEEN)) // 2
    shown = drawn(left, right, columns, rows)
    assert max(map(display_width, shown)) <= columns
    halves = [line.split(BETWEEN.strip()) for line in shown]
    for half, text in zip(zip(*halves, strict=True), (left, right), strict=True):
        expected = [line.strip() for line in wrap(text, width)]
        found = [line.strip() for line in half]
        assert found[: len(expected)] == expected
        assert not any(found[len(expected) :])


def test_the_order_of_the_pieces_does_not_matter() -> None:
    found = {tuple(drawn(CODE, CHINESE * 5, 80, 10, seed)) for seed in range(5)}
    assert len(found) == 1


def test_indentation_is_kept_and_long_words_are_broken() -> None:
    assert wrap("    return value", 12) == ["    return", "value"]
    assert wrap("    " + "y" * 12, 10) == ["    yyyyyy", "yyyyyy"]
    assert wrap("a b\n\nc", 10) == ["a b", "", "c"]


def test_a_chinese_character_takes_two_columns() -> None:
    assert display_width("位于 a") == 6
    assert [display_width(line) for line in wrap("位" * 7, 5)] == [4, 4, 4, 2]
    assert truncate("位于文件", 5) == "位于…"


def test_a_model_cannot_control_the_terminal() -> None:
    assert printable("a\x1b[31mb\rc\x07\u202ed\n\te") == "a[31mbcd\n    e"
