"""The experiment's plot: what a commit costs, and what is known for it.

Two panels over one axis, tokens of a commit as a share of full retraining's (powers of
ten): new facts right, and retained facts right. A dot is a strategy, its whisker the
95 % interval, its letter leads to the legend. One SVG file, white on any page.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

PANEL, HEIGHT, LEFT, TOP, LINE = 400.0, 300.0, 52.0, 34.0, 18.0
PLOT_WIDTH, PLOT_HEIGHT = PANEL - LEFT - 16, HEIGHT - TOP - 44
LEAST, MOST = 0.001, 1.0  # of full retraining's tokens; what costs nothing is at LEAST
COLOURS = (
    "#0b6e99", "#8c8c8c", "#b23a48", "#d98e04", "#5b8e7d",
    "#7b4ea3", "#4c6fbf", "#a0522d", "#2f2f2f",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """A share with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Dot:
    """One strategy: its cost, and a mark for each panel."""

    name: str
    cost: float  # of full retraining
    marks: Sequence[Mark | None]


def svg(dots: Sequence[Dot], titles: Sequence[str]) -> str:
    """The whole picture."""
    width = PANEL * len(titles)
    height = HEIGHT + LINE * math.ceil(len(dots) / 3) + 8
    body = [f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>']
    for place, title in enumerate(titles):
        body += _panel(place, title, dots)
    body += _legend(dots, width)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} '
        f'{height:.0f}" font-family="sans-serif" font-size="12" role="img">'
        f"{''.join(body)}</svg>\n"
    )


def _panel(place: int, title: str, dots: Sequence[Dot]) -> Iterator[str]:
    left = PANEL * place + LEFT
    yield _text(left, 18, title, weight="bold")
    for part in range(5):
        y = _y(part / 4)
        yield f'<path stroke="#ddd" d="M{left} {y:.1f}h{PLOT_WIDTH}"/>'
        yield _text(left - 6, y + 4, f"{part / 4:.0%}", "end")
    for power in range(int(math.log10(LEAST)), 1):
        x = left + _x(10.0**power)
        yield f'<path stroke="#eee" d="M{x:.1f} {TOP}v{PLOT_HEIGHT}"/>'
        yield _text(x, HEIGHT - 26, f"{10.0**power:.1%}".replace(".0%", "%"), "middle")
    yield _text(
        left + PLOT_WIDTH / 2, HEIGHT - 8, "tokens of full retraining", "middle"
    )
    for number, dot in enumerate(dots):
        if (mark := dot.marks[place]) is not None:
            yield from _dot(left + _x(dot.cost), number, dot.name, mark)


def _dot(x: float, number: int, name: str, mark: Mark) -> Iterator[str]:
    colour = COLOURS[number % len(COLOURS)]
    low, high = _y(mark.low), _y(mark.high)
    yield f'<path stroke="{colour}" d="M{x:.1f} {low:.1f}V{high:.1f}"/>'
    yield (
        f'<circle cx="{x:.1f}" cy="{_y(mark.value):.1f}" r="4.5" fill="{colour}">'
        f"<title>{escape(name)}: {mark.value:.1%}</title></circle>"
    )
    yield _text(x + 7, _y(mark.value) + 4, _letter(number), colour=colour)


def _legend(dots: Sequence[Dot], width: float) -> Iterator[str]:
    for number, dot in enumerate(dots):
        row, column = divmod(number, 3)
        x, y = 16 + column * (width - 16) / 3, HEIGHT + 10 + row * LINE
        said = f"{_letter(number)}  {dot.name}"
        yield _text(x, y, said, colour=COLOURS[number % len(COLOURS)])


def _letter(number: int) -> str:
    return chr(ord("a") + number)


def _x(cost: float) -> float:
    part = math.log10(min(MOST, max(LEAST, cost)) / LEAST) / math.log10(MOST / LEAST)
    return part * PLOT_WIDTH


def _y(share: float) -> float:
    return TOP + (1 - share) * PLOT_HEIGHT


def _text(
    x: float, y: float, said: str, anchor: str = "start", weight: str = "normal",
    colour: str = "#333",
) -> str:  # fmt: skip
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
        f'font-weight="{weight}">{escape(said)}</text>'
    )
