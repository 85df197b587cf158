"""Plots over steps and over commits, as inline SVG: lines, and columns for cost.

Drawn for a card of half the page's width, so that what is written in them stays legible
without growing. Over commits each x is the number of a link of the chain, and `names`
say which; over steps there is an axis of numbers. Every point tells its value to those
who rest on it, the whole plot to those who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from repobuild.evaluate.page.bar_plots import ceiling

WIDTH, HEIGHT = 520.0, 240.0
LEFT, RIGHT, TOP, BOTTOM = 66.0, 34.0, 14.0, 34.0
LABELS = 6  # names below an axis, at most: more would run into each other
MANY = 16  # points, from which on all but the first, the last and hollow ones are small

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PlotLine:
    """One series; `hollow` are the x of points drawn without filling."""

    name: str
    model: str
    points: Sequence[Point]
    style: str = "curve"
    dots: bool = False
    hollow: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class PlotAxis:
    """How values become heights, and how they are written."""

    low: float
    high: float
    form: str = ".3g"

    @classmethod
    def around(cls, values: Sequence[float], form: str = ".3g") -> PlotAxis:
        """From 0 to a round number; as far below 0 as above it, where values are."""
        top = ceiling(max(map(abs, values), default=1.0))
        return cls(-top if min(values, default=0.0) < 0 else 0.0, top, form)

    def y(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - part)

    def said(self, value: float) -> str:
        return f"{value:{self.form}}"


SHARE = PlotAxis(0.0, 1.0, ".0%")


def line_plot(
    title: str,
    series: Iterable[PlotLine],
    *,
    axis: PlotAxis | None = None,
    names: Sequence[str] = (),
    below: str = "",
) -> str:
    """Lines over numbers, or over `names`, one for each whole x from 0."""
    drawn = [line for line in series if line.points]
    values = [y for line in drawn for _, y in line.points]
    axis = axis or PlotAxis.around(values)
    xs = [x for line in drawn for x, _ in line.points] or [0.0]
    span = (0.0, float(len(names) - 1)) if names else (min(xs), max(xs))
    body = [*_grid(axis), *_foot(span, names, below)]
    for line in drawn:
        body += _line(line, axis, span, names)
    said = "; ".join(
        f"{line.name} from {axis.said(line.points[0][1])} to "
        f"{axis.said(line.points[-1][1])}"
        for line in drawn
    )
    return _svg(title, said, body)


def column_plot(title: str, values: Sequence[float], names: Sequence[str]) -> str:
    """A column for each value, on an axis of powers of ten; none where it is 0."""
    top = math.ceil(math.log10(max(10.0, *values))) if values else 1
    axis = PlotAxis(0.0, float(top))
    body = [_rule(axis.y(n), short_number(10**n)) for n in range(1, top + 1)]
    body += [_rule(axis.y(0.0), "0"), *_foot((-0.5, len(values) - 0.5), names, "")]
    room = (WIDTH - LEFT - RIGHT) / max(1, len(values))
    width = min(34.0, room * 0.7)
    for place, value in enumerate(values):
        middle = LEFT + room * (place + 0.5)
        y = axis.y(math.log10(max(1.0, value)))
        body.append(
            f"<g><title>{escape(names[place])}: {value:,.0f}</title>"
            f'<rect class="adapter bar" x="{middle - width / 2:.1f}" y="{y:.1f}" '
            f'width="{width:.1f}" height="{max(0.0, axis.y(0.0) - y):.1f}" rx="2"/></g>'
        )
    total = f"{sum(values):,.0f} in {len(values)} commits"
    return _svg(title, f"{total}, the last {values[-1]:,.0f}" if values else "", body)


def smoothed(points: Sequence[Point], share: float = 0.9) -> list[Point]:
    """Exponential mean, corrected for its start."""
    mean, weight, result = 0.0, 0.0, []
    for x, y in points:
        mean = share * mean + (1 - share) * y
        weight = share * weight + (1 - share)
        result.append((x, mean / weight))
    return result


def short_number(count: int) -> str:
    """A power of ten as it fits beside an axis: 100, 10k, 1M."""
    for unit, sign in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= unit:
            return f"{count // unit}{sign}"
    return str(count)


# ------------------------------------------------------------------------- pieces


def _x(value: float, span: Point) -> float:
    room = WIDTH - LEFT - RIGHT
    if span[1] <= span[0]:  # one point stands in the middle
        return LEFT + room / 2
    return LEFT + room * (value - span[0]) / (span[1] - span[0])


def _grid(axis: PlotAxis) -> list[str]:
    steps = [axis.low + (axis.high - axis.low) * part / 4 for part in range(5)]
    return [_rule(axis.y(value), axis.said(value)) for value in steps]


def _rule(y: float, text: str) -> str:
    path = f"M{LEFT} {y:.1f}H{WIDTH - RIGHT}"
    return f'<path class="grid" d="{path}"/>{_text(LEFT - 7, y + 4, text, "end")}'


def _foot(span: Point, names: Sequence[str], below: str) -> list[str]:
    y = HEIGHT - BOTTOM + 20
    if names:
        places = range(0, len(names), math.ceil(len(names) / LABELS))
        return [_text(_x(n, span), y, names[n], "middle", " mono") for n in places]
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [
        _text(LEFT, y, f"{span[0]:g}"),
        _text(middle, y, below, "middle"),
        _text(WIDTH - RIGHT, y, f"{span[1]:g}", "end"),
    ]


def _line(
    line: PlotLine, axis: PlotAxis, span: Point, names: Sequence[str]
) -> list[str]:
    spots = [(_x(x, span), axis.y(y)) for x, y in line.points]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
    drawn = [f'<path class="{line.style} {line.model}" fill="none" d="{path}"/>']
    last = len(spots) - 1
    for place, (x, y) in enumerate(spots if line.dots else ()):
        number, value = line.points[place]
        is_hollow = int(number) in line.hollow
        radius = 2.2 if last >= MANY and 0 < place < last and not is_hollow else 3.8
        style = line.model + (" hollow" if is_hollow else "")
        name = f"{names[int(number)]}, " if names else ""
        hint = escape(f"{name}{line.name}: {axis.said(value)}")
        drawn.append(
            f'<g><title>{hint}</title><circle class="{style}" cx="{x:.1f}" '
            f'cy="{y:.1f}" r="{radius}"/></g>'
        )
    return drawn


def _text(x: float, y: float, text: str, anchor: str = "start", more: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="soft{more}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


def _svg(title: str, said: str, body: Iterable[str]) -> str:
    label = escape(f"{title}. {said}", quote=True)
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" '
        f'aria-label="{label}">{"".join(body)}</svg>'
    )
