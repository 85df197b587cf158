"""Small plots as inline SVG.

Only what the page needs: bars with intervals, a dumbbell per row, and lines.  Colours
come from the page's classes (`base`, `parent`, `adapter`), so both colour schemes work.
Every plot has a title and a description for readers who do not see it; the numbers also
stand in the plot as text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 480.0
WIDE = 1000.0
LABEL = 118.0  # room for row labels
VALUE = 52.0  # room for values right of the bars

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Bar:
    """One model's share, 0 to 1, with its interval."""

    model: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Line:
    """One series; `hollow` are the positions of points drawn without filling."""

    name: str
    model: str
    points: Sequence[Point]
    hollow: frozenset[int] = frozenset()
    style: str = "curve"
    dots: bool = False


def bars(title: str, groups: Mapping[str, Sequence[Bar]]) -> str:
    """Horizontal bars from 0 to 100 %, one group of models for each metric."""
    room = WIDTH - LABEL - VALUE
    body: list[str] = []
    y = 8.0
    for label, group in groups.items():
        middle = y + 9.0 * len(group) + 4
        body.append(_text(0, middle, label))
        for bar in group:
            body += _bar(bar, y, room)
            y += 18
        y += 14
    ticks = [_tick(LABEL + room * share, y, f"{share:.0%}") for share in (0, 0.5, 1)]
    said = "; ".join(
        f"{label}: " + ", ".join(f"{b.model} {b.value:.0%}" for b in group)
        for label, group in groups.items()
    )
    return _svg(title, said, WIDTH, y + 18, [*ticks, *body])


def _bar(bar: Bar, y: float, room: float) -> list[str]:
    x, end = LABEL, LABEL + room * bar.value
    low, high = LABEL + room * bar.low, LABEL + room * bar.high
    length = max(end - x, 1.5)  # a zero must be seen as measured
    hint = f"{bar.model}: {bar.value:.1%} ({bar.low:.0%} to {bar.high:.0%})"
    return [
        f'<g><title>{escape(hint)}</title><rect class="bar {bar.model}" x="{x:.1f}" '
        f'y="{y + 1:.1f}" width="{length:.1f}" height="13" rx="2"/>'
        f'<path class="whisker" d="M{low:.1f} {y + 7.5:.1f}H{high:.1f}"/></g>',
        _text(WIDTH, y + 12, f"{bar.value:.0%}", bar.model, "end"),
    ]


def dumbbells(title: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    """One row a task: where each model's loss lies; left is better."""
    top = _ceiling(max((v for row in rows.values() for v in row.values()), default=1.0))
    room = WIDTH - LABEL - 58
    body: list[str] = []
    y = 16.0
    for label, row in rows.items():
        xs = {model: LABEL + 44 + room * value / top for model, value in row.items()}
        body.append(_text(0, y + 4, label))
        if xs:
            ends = f"M{min(xs.values()):.1f} {y}H{max(xs.values()):.1f}"
            body.append(f'<path class="link" d="{ends}"/>')
        body += [_dot(model, x, y, f"{row[model]:.2f}") for model, x in xs.items()]
        y += 27
    ticks = [
        _tick(LABEL + 44 + room * share, y - 6, f"{top * share:g}")
        for share in (0, 0.5, 1)
    ]
    said = "; ".join(
        f"{label}: " + ", ".join(f"{m} {v:.2f}" for m, v in row.items())
        for label, row in rows.items()
    )
    return _svg(title, said, WIDTH, y + 14, [*ticks, *body])


def _dot(model: str, x: float, y: float, value: str) -> str:
    """A ring for the base, a diamond for the parent, a disc for the adapter."""
    shape = {
        "base": f'<circle class="base hollow" cx="{x:.1f}" cy="{y:.1f}" r="5"/>',
        "parent": f'<path class="parent" d="M{x:.1f} {y - 8:.1f}l8 8l-8 8l-8-8z"/>',
    }.get(model, f'<circle class="{model}" cx="{x:.1f}" cy="{y:.1f}" r="5.5"/>')
    return f"<g><title>{escape(model)}: {value}</title>{shape}</g>"


def lines(
    title: str,
    series: Iterable[Line],
    *,
    percent: bool = False,
    labels: Sequence[str] = (),
    axis: str = "",
) -> str:
    """Lines over a number axis, or over `labels`, one for each whole x from 0."""
    drawn = [line for line in series if line.points]
    frame = _Frame.around(drawn, percent, labels)
    body = [*frame.grid(percent), *frame.foot(labels, axis)]
    for line in drawn:
        body += _line(line, frame)
    said = "; ".join(
        f"{line.name} from {line.points[0][1]:.3g} to {line.points[-1][1]:.3g}"
        for line in drawn
    )
    return _svg(title, said, WIDE, frame.height, body)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where data lands on the drawing."""

    x_low: float
    x_high: float
    y_high: float
    left: float = 46.0
    right: float = 30.0
    top: float = 12.0
    bottom: float = 44.0
    height: float = 270.0

    @classmethod
    def around(
        cls, series: Sequence[Line], percent: bool, labels: Sequence[str]
    ) -> _Frame:
        xs = [x for line in series for x, _ in line.points] or [0.0]
        ys = [y for line in series for _, y in line.points] or [1.0]
        high = max(*xs, len(labels) - 1)
        return cls(min(xs), high, 1.0 if percent else _ceiling(max(ys)))

    def x(self, value: float) -> float:
        room = WIDE - self.left - self.right
        span = self.x_high - self.x_low
        if not span:  # one commit stands in the middle
            return self.left + room / 2
        return self.left + room * (value - self.x_low) / span

    def y(self, value: float) -> float:
        room = self.height - self.top - self.bottom
        return self.top + room * (1 - value / self.y_high)

    def grid(self, percent: bool) -> list[str]:
        drawn = []
        for share in (0, 0.25, 0.5, 0.75, 1):
            value = self.y_high * share
            y = self.y(value)
            text = f"{value:.0%}" if percent else f"{value:.3g}"
            right = WIDE - self.right
            path = f"M{self.left} {y:.1f}H{right}"
            drawn.append(f'<path class="grid" d="{path}"/>')
            drawn.append(_text(self.left - 8, y + 4, text, "soft", "end"))
        return drawn

    def foot(self, labels: Sequence[str], axis: str) -> list[str]:
        y = self.height - self.bottom + 20
        if labels:
            step = math.ceil(len(labels) / 12)  # more would run into each other
            places = [(n, labels[n]) for n in range(0, len(labels), step)]
            return [_text(self.x(n), y, t, "soft mono", "middle") for n, t in places]
        drawn = [
            _text(self.left, y, f"{self.x_low:g}", "soft"),
            _text(WIDE - self.right, y, f"{self.x_high:g}", "soft", "end"),
        ]
        middle = (self.left + WIDE - self.right) / 2
        return [*drawn, _text(middle, y, axis, "soft", "middle")]


def _line(line: Line, frame: _Frame) -> list[str]:
    spots = [(frame.x(x), frame.y(y)) for x, y in line.points]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
    drawn = [f'<path class="{line.style} {line.model}" fill="none" d="{path}"/>']
    if line.dots:
        for place, (x, y) in enumerate(spots):
            style = line.model + (" hollow" if place in line.hollow else "")
            drawn.append(f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
    return drawn


def smoothed(points: Sequence[Point], share: float = 0.9) -> list[Point]:
    """Exponential mean, corrected for its start."""
    mean, weight, result = 0.0, 0.0, []
    for x, y in points:
        mean = share * mean + (1 - share) * y
        weight = share * weight + (1 - share)
        result.append((x, mean / weight))
    return result


def _ceiling(value: float) -> float:
    """The next round number: 1, 2, 2.5, 4, 5 or 8 times a power of ten."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    unit: float = 10.0 ** math.floor(math.log10(value))
    return next(unit * f for f in (1, 2, 2.5, 4, 5, 8, 10) if unit * f >= value)


def _tick(x: float, y: float, text: str) -> str:
    line = f'<path class="grid" d="M{x:.1f} 4V{y:.1f}"/>'
    return line + _text(x, y + 15, text, "soft", "middle")


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


def _svg(
    title: str, said: str, width: float, height: float, body: Iterable[str]
) -> str:
    label = escape(f"{title}. {said}", quote=True)
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'aria-label="{label}">{"".join(body)}</svg>'
    )
