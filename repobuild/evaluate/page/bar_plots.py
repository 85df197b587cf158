"""Plot one adapter's scores as rows of HTML: they wrap, print and fit on a phone.

Colours come from the page's classes (`base`, `parent`, `adapter`), so both colour
schemes work; each model also has its own shape. For readers who do not see it, a plot
is one image whose label has all of its numbers.
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
    """Draw bars from 0 to 100 %, one group of models for each metric."""
    rows = (
        f'<div class="group"><span class="label">{escape(label)}</span><div>'
        f"{''.join(map(_bar, bars))}</div></div>"
        for label, bars in groups.items()
    )
    numbers = "; ".join(
        f"{label}: " + ", ".join(f"{b.model} {b.value:.0%}" for b in bars)
        for label, bars in groups.items()
    )
    return _image("bars", f"{title}. {numbers}", "".join(rows))


def _bar(bar: PlotBar) -> str:
    model = bar.model
    hint = f"{model}: {bar.value:.1%} ({bar.low:.0%} to {bar.high:.0%})"
    return (
        f'<div class="bar-row" title="{escape(hint)}"><span class="track">'
        f'<i class="bar {model}" style="width:{_percent(bar.value)}"></i>'
        f'<i class="whisker" style="left:{_percent(bar.low)};'
        f'width:{_percent(bar.high - bar.low)}"></i></span>'
        f'<span class="{model}-ink value">{MODEL_SYMBOLS[model]} {bar.value:.0%}</span>'
        "</div>"
    )


def dumbbell_plot(title: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    """Draw one row a task with each model's loss as a dot; left is better."""
    top = ceiling(max((v for row in rows.values() for v in row.values()), default=1.0))
    drawn = "".join(_dumbbell(label, row, top) for label, row in rows.items())
    ticks = "".join(f"<span>{top * part:g}</span>" for part in (0, 0.5, 1))
    axis = f'<div class="group"><span></span><div class="axis">{ticks}</div></div>'
    numbers = "; ".join(
        f"{label}: " + ", ".join(f"{m} {v:.2f}" for m, v in row.items())
        for label, row in rows.items()
    )
    return _image("dumbbells", f"{title}. {numbers}", drawn + axis)


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
    """Return the next round number: 1, 2, 2.5, 4, 5 or 8 times a power of ten."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    unit: float = 10.0 ** math.floor(math.log10(value))
    return next(unit * f for f in (1, 2, 2.5, 4, 5, 8, 10) if unit * f >= value)


def _percent(part: float) -> str:
    return f"{min(1.0, max(0.0, part)):.2%}"


def _image(style: str, label: str, content: str) -> str:
    return (
        f'<div class="{style}" role="img" aria-label="{escape(label, quote=True)}">'
        f"{content}</div>"
    )
