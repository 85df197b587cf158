"""Render the history: scores and cost along the chain of commits, and the training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from statistics import median
from typing import NamedTuple

from repobuild.evaluate.page import line_plots
from repobuild.evaluate.page.html_format import (
    Report,
    decimal,
    describe_origin,
    duration,
    figure,
    percent,
    scrollable,
    signed_percent,
)
from repobuild.evaluate.page.line_plots import SHARE, PlotAxis, PlotLine
from repobuild.evaluate.questions import GENERALISE, RECALL

SHOWN = 12  # rows of the table; older ones are folded
FINE = 0.02  # changes of a loss below this are shown with two digits
FROM_BASE = ("first", "rebase")  # modes that train from the base model

Chain = Sequence[Report]


class Score(NamedTuple):
    """The keys of a score in a link's headline."""

    section: str
    model: str
    metric: str

    def of(self, link: Report) -> float | None:
        headline = link.get("headline") or {}
        scores = headline.get(self.section, {}).get(self.model, {})
        value: float | None = scores.get(self.metric)
        return value


class Column(NamedTuple):
    """A column of scores in the table."""

    score: Score
    format: Callable[[float | None], str]


COLUMNS = {
    "facts": Column(Score(RECALL, "adapter", "right"), percent),
    "file": Column(Score(RECALL, "adapter", "path_exact"), percent),
    "loss": Column(Score(RECALL, "adapter", "loss"), decimal),
    "inferred": Column(Score(GENERALISE, "adapter", "right"), percent),
    "old facts": Column(Score("staleness", "adapter", "all"), percent),
    "elsewhere": Column(Score("general", "adapter", "relative"), signed_percent),
}


def chain_section(report: Report) -> str:
    """Render scores and cost over commits; without plots for a first commit."""
    chain = report["chain"]
    if not chain:
        return ""
    plots = "".join(_plots(chain)) if len(chain) > 1 else ""
    return (
        '<h2 id="chain">Chain of commits</h2>'
        f"<p>{_cost_sentence(chain)}</p>"
        f'<div class="cards">{plots}</div>{_table(chain)}'
    )


def _cost_sentence(chain: Chain) -> str:
    """Return the cost of this commit, and that of continuing against re-training."""
    last = chain[-1]
    tokens = last.get("tokens") or 0
    sentence = "Nothing was trained at this commit."
    if tokens:
        time = f" in {duration(last['seconds'])}" if last.get("seconds") else ""
        sentence = f"This commit trained {tokens:,} tokens{time}."
    from_base = [link["tokens"] for link in chain if link.get("mode") in FROM_BASE]
    continued = [link["tokens"] for link in chain if link.get("mode") == "continue"]
    if not (from_base and continued and from_base[-1]):
        return sentence
    commits = "commit that went" if len(continued) == 1 else "commits that went"
    cost = median(continued)
    return (
        f"{sentence} The {len(continued)} {commits} on from a parent cost {cost:,.0f} "
        f"tokens at the median, {cost / from_base[-1]:.1%} of the {from_base[-1]:,} "
        "that starting from the base model took."
    )


# --------------------------------------------------------------------------- plots


def _plots(chain: Chain) -> list[str]:
    metric, title = "path_exact", "Right file"
    if _has(chain, Score(RECALL, "adapter", "right")):
        metric, title = "right", "All facts right"
    return [
        _recall(chain, title, metric, SHARE),
        _recall(chain, "Loss of held-out answers", "loss", None),
        _staleness(chain),
        _general(chain),
        _cost(chain),
    ]


def _recall(chain: Chain, title: str, metric: str, axis: PlotAxis | None) -> str:
    """Plot a metric of both held-out tracks."""
    series = [
        _line(chain, "base model", Score(RECALL, "base", metric), "thin"),
        _line(chain, GENERALISE, Score(GENERALISE, "adapter", metric), "dash"),
        _line(chain, RECALL, Score(RECALL, "adapter", metric)),
    ]
    if not any(line.points for line in series):
        return ""
    plot = line_plots.line_plot(
        f"{title}, by commit", series, axis=axis, names=_names(chain)
    )
    legend = _line_legend(
        {"curve": RECALL, "dash": GENERALISE, "thin base": "base model"}
    )
    hollow = "" if all(link["promoted"] for link in chain) else "Hollow: not promoted."
    return figure(title, plot, f"{legend} {hollow}")


def _staleness(chain: Chain) -> str:
    line = _line(chain, "old facts still told", Score("staleness", "adapter", "all"))
    if not line.points:
        return ""
    plot = line_plots.line_plot("Staleness", [line], axis=SHARE, names=_names(chain))
    caption = "Of what had changed, the share told as it was before. Less is better."
    return figure("Staleness", plot, caption)


def _general(chain: Chain) -> str:
    line = _line(chain, "against the base", Score("general", "adapter", "relative"))
    if not line.points:
        return ""
    changes = [y for _, y in line.points]
    is_fine = max(map(abs, changes)) < FINE
    axis = PlotAxis.around(changes, "+.2%" if is_fine else "+.1%")
    plot = line_plots.line_plot("General loss", [line], axis=axis, names=_names(chain))
    caption = "Loss on text from elsewhere, against the base model's. Less is better."
    return figure("What else it knows", plot, caption)


def _cost(chain: Chain) -> str:
    tokens = [float(link.get("tokens") or 0) for link in chain]
    if not any(tokens):
        return ""
    plot = line_plots.column_plot("Tokens trained, by commit", tokens, _names(chain))
    return figure("Cost", plot, "Tokens trained at each commit, by powers of ten.")


def _has(chain: Chain, score: Score) -> bool:
    return any(score.of(link) is not None for link in chain)


def _line(chain: Chain, name: str, score: Score, style: str = "curve") -> PlotLine:
    """Make the line of a score over the chain; the base's has no dots."""
    values = [(float(n), score.of(link)) for n, link in enumerate(chain)]
    points = [(x, y) for x, y in values if y is not None]
    hollow = frozenset(n for n, link in enumerate(chain) if not link["promoted"])
    return PlotLine(name, score.model, points, style, score.model != "base", hollow)


def _names(chain: Chain) -> list[str]:
    return [link["commit"][:7] for link in chain]


def _line_legend(names: Mapping[str, str]) -> str:
    """Return a legend of line styles; the style sheet draws the lines."""
    return " ".join(
        f'<span class="key"><i class="{style}" aria-hidden="true"></i>{name}</span>'
        for style, name in names.items()
    )


# --------------------------------------------------------------------------- table


def _table(chain: Chain) -> str:
    """Render the chain as a table, the newest commit first."""
    columns = {name: c for name, c in COLUMNS.items() if _has(chain, c.score)}
    rows = [_row(link, columns, link is chain[-1]) for link in reversed(chain)]
    texts, numbers = ("commit", "adapter", "how"), ("tokens", "time", *columns)
    heads = "".join(f'<th scope="col">{head}</th>' for head in texts) + "".join(
        f'<th scope="col" class="number">{head}</th>' for head in numbers
    )

    def table(part: Sequence[str]) -> str:
        body = f"<tbody>{''.join(part)}</tbody>"
        whole = f"<table><thead><tr>{heads}</tr></thead>{body}</table>"
        return scrollable(whole, "Chain of commits: table")

    if len(rows) <= SHOWN:
        return table(rows)
    return (
        f"{table(rows[:SHOWN])}<details class=more><summary>{len(rows) - SHOWN} "
        f"commits before</summary>{table(rows[SHOWN:])}</details>"
    )


def _row(link: Report, columns: Mapping[str, Column], is_current: bool) -> str:
    tokens = link.get("tokens") or 0
    cells = [
        f"{tokens:,}" if tokens else "",
        duration(link.get("seconds")) if tokens else "",
        *(column.format(column.score.of(link)) for column in columns.values()),
    ]
    state = "" if link["promoted"] else ', <span class="wrong">not promoted</span>'
    return (
        f"<tr{' class=current' if is_current else ''}>"
        f'<th scope="row"><code>{escape(link["commit"][:10])}</code></th>'
        f"<td><code>{escape(link['object'][:10])}</code></td>"
        f"<td class=how>{describe_origin(link)}{state}</td>"
        + "".join(f'<td class="number">{cell}</td>' for cell in cells)
        + "</tr>"
    )


# ----------------------------------------------------------------------- training


def training_section(report: Report) -> str:
    """Render the loss curve of the last training run."""
    history = report["history"]
    if len(history["train"]) < 2:
        return ""
    train = [(float(step), float(loss)) for step, loss in history["train"]]
    held_out = [(float(step), float(loss)) for step, loss in history["held_out"]]
    series = [
        PlotLine("each step", "adapter", train, "thin"),
        PlotLine("running mean", "adapter", line_plots.smoothed(train, 0.7)),
        PlotLine("held out", "ink", held_out, "dash", dots=True),
    ]
    title = "Loss while training"
    plot = line_plots.line_plot(title, series, x_label="optimiser step")
    names = {"thin": "each step", "curve": "running mean"}
    names |= {"dash ink": "held-out samples"} if held_out else {}
    card = figure(title, plot, f"{_line_legend(names)} Loss per token.")
    return f'<h2 id="training">Training</h2><div class="cards">{card}</div>'
