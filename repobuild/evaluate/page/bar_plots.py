"""Plots of one adapter, as rows of HTML: they wrap, print and stay legible on a phone.

Colours come from the page's classes (`base`, `parent`, `adapter`), so both colour
schemes work; each model also has a shape of its own. A plot is one image for readers
who do not see it: its label says all of its numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from repobuild.evaluate.page.html_format import MODEL_SYMBOLS


@dataclass(frozen=True, slots=True)
class PlotBar:
    """One model's share, 0 to 1, with its interval."""

    model: str
    value: float
    low: float
    high: float


def bar_plot(title: str, groups: Mapping[str, Sequence[PlotBar]]) -> str:
    """Bars from 0 to 100 %, one group of models for each metric."""
    rows = (
        f'<div class="group"><span class="label">{escape(label)}</span><div>'
        f"{''.join(map(_bar, group))}</div></div>"
        for label, group in groups.items()
    )
    said = "; ".join(
        f"{label}: " + ", ".join(f"{b.model} {b.value:.0%}" for b in group)
        for label, group in groups.items()
    )
    return _plot("bars", title, said, "".join(rows))


def _bar(bar: PlotBar) -> str:
    hint = f"{bar.model}: {bar.value:.1%} ({bar.low:.0%} to {bar.high:.0%})"
    return (
        f'<div class="bar-row" title="{escape(hint)}"><span class="track">'
        f'<i class="bar {bar.model}" style="width:{_percent(bar.value)}"></i>'
        f'<i class="whisker" style="left:{_percent(bar.low)};'
        f'width:{_percent(bar.high - bar.low)}"></i></span>'
        f'<span class="{bar.model}-ink value">{MODEL_SYMBOLS[bar.model]} {bar.value:.0%}</span>'
        "</div>"
    )


def dumbbell_plot(title: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    """One row a task: where each model's loss lies; left is better."""
    top = ceiling(max((v for row in rows.values() for v in row.values()), default=1.0))
    drawn = "".join(_dumbbell(label, row, top) for label, row in rows.items())
    ticks = "".join(f"<span>{top * part:g}</span>" for part in (0, 0.5, 1))
    axis = f'<div class="group"><span></span><div class="axis">{ticks}</div></div>'
    said = "; ".join(
        f"{label}: " + ", ".join(f"{m} {v:.2f}" for m, v in row.items())
        for label, row in rows.items()
    )
    return _plot("dumbbells", title, said, drawn + axis)


def _dumbbell(label: str, row: Mapping[str, float], top: float) -> str:
    low, high = min(row.values(), default=0.0), max(row.values(), default=0.0)
    dots = "".join(
        f'<i class="dot {model}" style="left:{_percent(value / top)}" '
        f'title="{escape(model)}: {value:.2f}"></i>'
        for model, value in row.items()
    )
    link = f"left:{_percent(low / top)};width:{_percent((high - low) / top)}"
    return (
        f'<div class="group"><span class="label">{escape(label)}</span>'
        f'<span class="track"><i class="link" style="{link}"></i>{dots}</span></div>'
    )


def ceiling(value: float) -> float:
    """The next round number: 1, 2, 2.5, 4, 5 or 8 times a power of ten."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    unit: float = 10.0 ** math.floor(math.log10(value))
    return next(unit * f for f in (1, 2, 2.5, 4, 5, 8, 10) if unit * f >= value)


def _percent(part: float) -> str:
    return f"{min(1.0, max(0.0, part)):.2%}"


def _plot(style: str, title: str, said: str, inner: str) -> str:
    label = escape(f"{title}. {said}", quote=True)
    return f'<div class="{style}" role="img" aria-label="{label}">{inner}</div>'
