"""The page's history: the chain of commits with scores and cost, and the training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from statistics import median

from repobuild.evaluate.page import line_plots
from repobuild.evaluate.page.html_format import (
    Report,
    decimal,
    describe_origin,
    duration,
    percent,
    scrollable,
    signed_percent,
)
from repobuild.evaluate.page.line_plots import SHARE, PlotAxis, PlotLine

SHOWN = 12  # rows of the table; the older ones are folded
FINE = 0.02  # changes of a loss below this are told with two digits
TRAINED = ("first", "rebase")  # modes that start from the base model

Chain = Sequence[Report]
Score = Callable[[Report], float | None]

COLUMNS = {
    "facts": ("recall", "right", percent),
    "file": ("recall", "path_exact", percent),
    "loss": ("recall", "loss", decimal),
    "inferred": ("generalise", "right", percent),
    "old facts": ("staleness", "all", percent),
    "elsewhere": ("general", "relative", signed_percent),
}


def chain_section(report: Report) -> str:
    """Scores and cost over commits; of a first commit only its line."""
    links = report["chain"]
    if not links:
        return ""
    plots = "".join(_plots(links)) if len(links) > 1 else ""
    return (
        '<h2 id="chain">Chain of commits</h2>'
        f"<p>{_spent(links)}</p>"
        f'<div class="cards">{plots}</div>{_table(links)}'
    )


def _plots(links: Chain) -> list[str]:
    what = "right" if _has(links, "recall", "right") else "path_exact"
    word = "all facts right" if what == "right" else "right file"
    return [
        _plot(links, word.capitalize(), what, SHARE),
        _plot(links, "Loss of held-out answers", "loss", None),
        _staleness(links),
        _general(links),
        _cost(links),
    ]


def _plot(links: Chain, title: str, metric: str, axis: PlotAxis | None) -> str:
    series = [
        _line(links, "base model", "base", ("recall", "base", metric), "thin", False),
        _line(
            links, "generalise", "adapter", ("generalise", "adapter", metric), "dash"
        ),
        _line(links, "recall", "adapter", ("recall", "adapter", metric)),
    ]
    if not any(line.points for line in series):
        return ""
    drawn = line_plots.line_plot(
        f"{title}, by commit", series, axis=axis, names=_names(links)
    )
    keys = (("curve", "recall"), ("dash", "generalise"), ("thin base", "base model"))
    hollow = "" if all(link["promoted"] for link in links) else "Hollow: not promoted."
    return _figure(title, drawn, f"{_keys(*keys)} {hollow}")


def _staleness(links: Chain) -> str:
    where = ("staleness", "adapter", "all")
    line = _line(links, "old facts still told", "adapter", where)
    if not line.points:
        return ""
    drawn = line_plots.line_plot("Staleness", [line], axis=SHARE, names=_names(links))
    foot = "Of what had changed, the share told as it was before. Less is better."
    return _figure("Staleness", drawn, foot)


def _general(links: Chain) -> str:
    line = _line(
        links, "against the base", "adapter", ("general", "adapter", "relative")
    )
    if not line.points:
        return ""
    changes = [y for _, y in line.points]
    fine = max(map(abs, changes)) < FINE
    axis = PlotAxis.around(changes, "+.2%" if fine else "+.1%")
    drawn = line_plots.line_plot("General loss", [line], axis=axis, names=_names(links))
    foot = "Loss on text from elsewhere, against the base model's. Less is better."
    return _figure("What else it knows", drawn, foot)


def _cost(links: Chain) -> str:
    spent = [float(link.get("tokens") or 0) for link in links]
    if not any(spent):
        return ""
    drawn = line_plots.column_plot("Tokens trained, by commit", spent, _names(links))
    return _figure("Cost", drawn, "Tokens trained at each commit, by powers of ten.")


def _spent(links: Chain) -> str:
    """What this commit cost, and what going on costs beside starting anew."""
    last = links[-1]
    tokens = last.get("tokens") or 0
    time = f" in {duration(last['seconds'])}" if tokens and last.get("seconds") else ""
    said = f"This commit trained {tokens:,} tokens{time}." if tokens else (
        "Nothing was trained at this commit."
    )  # fmt: skip
    anew = [link["tokens"] for link in links if link.get("mode") in TRAINED]
    on = [link["tokens"] for link in links if link.get("mode") == "continue"]
    if not (anew and on and anew[-1]):
        return said
    part = median(on) / anew[-1]
    times = "commit that went" if len(on) == 1 else "commits that went"
    return (
        f"{said} The {len(on)} {times} on from a parent cost {median(on):,.0f} tokens "
        f"at the median, {part:.1%} of the {anew[-1]:,} that starting from the base "
        "model took."
    )


# ------------------------------------------------------------------------- pieces


def _score(link: Report, section: str, model: str, metric: str) -> float | None:
    value: float | None = (
        (link.get("headline") or {}).get(section, {}).get(model, {}).get(metric)
    )
    return value


def _has(links: Chain, section: str, metric: str) -> bool:
    return any(_score(link, section, "adapter", metric) is not None for link in links)


def _line(
    links: Chain,
    name: str,
    model: str,
    where: tuple[str, str, str],
    style: str = "curve",
    dots: bool = True,
) -> PlotLine:
    found = [(float(n), _score(link, *where)) for n, link in enumerate(links)]
    points = [(x, y) for x, y in found if y is not None]
    hollow = frozenset(n for n, link in enumerate(links) if not link["promoted"])
    return PlotLine(name, model, points, style, dots, hollow)


def _names(links: Chain) -> list[str]:
    return [link["commit"][:7] for link in links]


def _keys(*keys: tuple[str, str]) -> str:
    """Samples of the lines, with what they are; drawn by the style sheet."""
    return " ".join(
        f'<span class="key"><i class="{style}" aria-hidden="true"></i>{name}</span>'
        for style, name in keys
    )


def _figure(title: str, drawn: str, foot: str) -> str:
    return f"<figure><h3>{title}</h3>{drawn}<figcaption>{foot}</figcaption></figure>"


def _table(links: Chain) -> str:
    shown = {
        label: column
        for label, column in COLUMNS.items()
        if _has(links, column[0], column[1])
    }
    rows = [_row(link, shown, link is links[-1]) for link in reversed(links)]
    heads = ("commit", "adapter", "how", "tokens", "time", *shown)
    plain = 3
    columns = "".join(
        f'<th scope="col"{_number(place >= plain)}>{head}</th>'
        for place, head in enumerate(heads)
    )

    def table(part: Sequence[str]) -> str:
        body = f"<tbody>{''.join(part)}</tbody>"
        whole = f"<table><thead><tr>{columns}</tr></thead>{body}</table>"
        return scrollable(whole, "Chain of commits: table")

    if len(rows) <= SHOWN:
        return table(rows)
    older = table(rows[SHOWN:])
    count = len(rows) - SHOWN
    return (
        f"{table(rows[:SHOWN])}<details class=more><summary>{count} commits before"
        + (f"</summary>{older}</details>")
    )


def _row(link: Report, columns: Report, is_current: bool) -> str:
    scores = (
        form(_score(link, section, "adapter", metric))
        for section, metric, form in columns.values()
    )
    tokens = link.get("tokens") or 0
    cells = [
        f"{tokens:,}" if tokens else "",
        duration(link.get("seconds")) if tokens else "",
    ]
    state = "" if link["promoted"] else ', <span class="wrong">not promoted</span>'
    return (
        f"<tr{' class=current' if is_current else ''}>"
        f'<th scope="row"><code>{escape(link["commit"][:10])}</code></th>'
        f"<td><code>{escape(link['object'][:10])}</code></td>"
        f"<td class=how>{describe_origin(link)}{state}</td>"
        + "".join(f"<td{_number(True)}>{cell}</td>" for cell in [*cells, *scores])
        + "</tr>"
    )


def _number(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


# ----------------------------------------------------------------------- training


def training_section(report: Report) -> str:
    history = report["history"]
    if len(history["train"]) < 2:
        return ""
    train = [(float(step), float(loss)) for step, loss in history["train"]]
    held = [(float(step), float(loss)) for step, loss in history["held_out"]]
    series = [
        PlotLine("each step", "adapter", train, "thin"),
        PlotLine("running mean", "adapter", line_plots.smoothed(train, 0.7)),
        PlotLine("held out", "ink", held, "dash", dots=True),
    ]
    drawn = line_plots.line_plot("Loss while training", series, below="optimiser step")
    keys = [("thin", "each step"), ("curve", "running mean")]
    keys += [("dash ink", "held-out samples")] if held else []
    figure = _figure("Loss while training", drawn, f"{_keys(*keys)} Loss per token.")
    return f'<h2 id="training">Training</h2><div class="cards">{figure}</div>'
