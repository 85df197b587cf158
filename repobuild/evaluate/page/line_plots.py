"""Plot values over steps and over commits as inline SVG: lines, and columns for cost.

A plot is drawn for a card of half the page's width, so that its text stays legible
without growing. Over commits, each x is the number of a link of the chain and `names`
has its label; over steps, the x axis has numbers. Each point shows its value as a
tooltip; the plot's label has its values for readers who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from repobuild.evaluate.page.bar_plots import ceiling

WIDTH, HEIGHT = 520.0, 240.0  # SVG units
LEFT, RIGHT, TOP, BOTTOM = 66.0, 34.0, 14.0, 34.0  # margins
LABELS = 6  # names below an axis, at most: more would overlap
MANY = 16  # points, from which on all but the first, the last and hollow ones are small

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PlotLine:
    """One series; `hollow` has the x of the points that are drawn unfilled."""

    name: str
    model: str
    points: Sequence[Point]
    style: str = "curve"
    dots: bool = False
    hollow: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class PlotAxis:
    """The y axis: its range, and the format of its values."""

    low: float
    high: float
    number_format: str = ".3g"

    @classmethod
    def around(cls, values: Sequence[float], number_format: str = ".3g") -> PlotAxis:
        """Span 0 to a round number; symmetric around 0 if a value is negative."""
        top = ceiling(max(map(abs, values), default=1.0))
        low = -top if min(values, default=0.0) < 0 else 0.0
        return cls(low, top, number_format)

    def y(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - part)

    def label(self, value: float) -> str:
        return f"{value:{self.number_format}}"


SHARE = PlotAxis(0.0, 1.0, ".0%")


def line_plot(
    title: str,
    series: Iterable[PlotLine],
    *,
    axis: PlotAxis | None = None,
    names: Sequence[str] = (),
    x_label: str = "",
) -> str:
    """Draw lines over numbers, or over `names`, one for each whole x from 0."""
    drawn = [line for line in series if line.points]
    axis = axis or PlotAxis.around([y for line in drawn for _, y in line.points])
    xs = [x for line in drawn for x, _ in line.points] or [0.0]
    span = (0.0, float(len(names) - 1)) if names else (min(xs), max(xs))
    steps = [axis.low + (axis.high - axis.low) * part / 4 for part in range(5)]
    body = [_grid_line(axis.y(value), axis.label(value)) for value in steps]
    body += _x_axis(span, names, x_label)
    for line in drawn:
        body += _line(line, axis, span, names)
    values = "; ".join(
        f"{line.name} from {axis.label(line.points[0][1])} to "
        f"{axis.label(line.points[-1][1])}"
        for line in drawn
    )
    return _svg(f"{title}. {values}", body)


def column_plot(title: str, values: Sequence[float], names: Sequence[str]) -> str:
    """Draw a column for each value that is not 0, on a logarithmic axis."""
    top = math.ceil(math.log10(max(10.0, *values))) if values else 1
    axis = PlotAxis(0.0, float(top))
    bottom = axis.y(0.0)
    body = [_grid_line(axis.y(n), short_number(10**n)) for n in range(1, top + 1)]
    body += [_grid_line(bottom, "0"), *_x_axis((-0.5, len(values) - 0.5), names, "")]
    space = (WIDTH - LEFT - RIGHT) / max(1, len(values))
    width = min(34.0, space * 0.7)
    for n, value in enumerate(values):
        middle = LEFT + space * (n + 0.5)
        y = axis.y(math.log10(max(1.0, value)))
        body.append(
            f"<g><title>{escape(names[n])}: {value:,.0f}</title>"
            f'<rect class="adapter bar" x="{middle - width / 2:.1f}" y="{y:.1f}" '
            f'width="{width:.1f}" height="{max(0.0, bottom - y):.1f}" rx="2"/></g>'
        )
    total = f"{sum(values):,.0f} in {len(values)} commits"
    label = f"{total}, the last {values[-1]:,.0f}" if values else ""
    return _svg(f"{title}. {label}", body)


def smoothed(points: Sequence[Point], decay: float = 0.9) -> list[Point]:
    """Return the exponential moving average, corrected for its start at zero.

    Source of the correction: Kingma and Ba, "Adam" (2015), section 3.
    """
    mean, weight, result = 0.0, 0.0, []
    for x, y in points:
        mean = decay * mean + (1 - decay) * y
        weight = decay * weight + (1 - decay)
        result.append((x, mean / weight))
    return result


def short_number(count: int) -> str:
    """Format a power of ten for an axis: 100, 10k, 1M."""
    for unit, suffix in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= unit:
            return f"{count // unit}{suffix}"
    return str(count)


# ------------------------------------------------------------------------- pieces


def _x(value: float, span: Point) -> float:
    width = WIDTH - LEFT - RIGHT
    if span[1] <= span[0]:  # a single point is centred
        return LEFT + width / 2
    return LEFT + width * (value - span[0]) / (span[1] - span[0])


def _grid_line(y: float, label: str) -> str:
    path = f"M{LEFT} {y:.1f}H{WIDTH - RIGHT}"
    return f'<path class="grid" d="{path}"/>{_text(LEFT - 7, y + 4, label, "end")}'


def _x_axis(span: Point, names: Sequence[str], label: str) -> list[str]:
    y = HEIGHT - BOTTOM + 20
    if names:
        labelled = range(0, len(names), math.ceil(len(names) / LABELS))
        return [_text(_x(n, span), y, names[n], "middle", " mono") for n in labelled]
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [
        _text(LEFT, y, f"{span[0]:g}"),
        _text(middle, y, label, "middle"),
        _text(WIDTH - RIGHT, y, f"{span[1]:g}", "end"),
    ]


def _line(
    line: PlotLine, axis: PlotAxis, span: Point, names: Sequence[str]
) -> list[str]:
    points = [(_x(x, span), axis.y(y)) for x, y in line.points]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    drawn = [f'<path class="{line.style} {line.model}" fill="none" d="{path}"/>']
    last = len(points) - 1
    for n, (x, y) in enumerate(points if line.dots else ()):
        number, value = line.points[n]
        is_hollow = int(number) in line.hollow
        radius = 2.2 if last >= MANY and 0 < n < last and not is_hollow else 3.8
        style = line.model + (" hollow" if is_hollow else "")
        name = f"{names[int(number)]}, " if names else ""
        hint = escape(f"{name}{line.name}: {axis.label(value)}")
        drawn.append(
            f'<g><title>{hint}</title><circle class="{style}" cx="{x:.1f}" '
            f'cy="{y:.1f}" r="{radius}"/></g>'
        )
    return drawn


def _text(x: float, y: float, text: str, anchor: str = "start", style: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="soft{style}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


def _svg(label: str, body: Iterable[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" '
        f'aria-label="{escape(label, quote=True)}">{"".join(body)}</svg>'
    )
