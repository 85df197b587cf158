"""The report as one HTML page that needs nothing else: no script, no font, no network.

`page(report)` is a pure function of what `report.json` holds, so a page can be drawn
again from a stored report.  Everything that comes from the repository or from a model
passes through `escape`; only this package's own markup does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from repobuild.evaluate import plots
from repobuild.evaluate.listing import MODEL_NAMES, NOTHING, listing
from repobuild.evaluate.plots import Bar, Line
from repobuild.evaluate.style import CSS

Report = Mapping[str, Any]

TRACKS = {
    "recall": (
        "Recall",
        "Facts the adapter was trained on, asked in words it was never trained on.",
    ),
    "generalise": (
        "Generalise",
        "Elements of which nothing was trained. What is right here was inferred.",
    ),
}
METRICS = {
    "path_exact": "right file",
    "path_accuracy": "paths named",
    "edit": "similarity",
    "exact": "exact answer",
    "hallucinated": "unknown names",
}
LONGEST_LABEL = 20
MODES = {
    "first": "trained from the base",
    "continue": "continued",
    "rebase": "re-based",
    "reuse": "taken again",
    "wait": "parent kept",
}


def page(report: Report) -> str:
    """The whole document."""
    body = "".join(
        (
            _head(report),
            _held_out(report),
            _tasks(report),
            _training(report),
            _chain(report),
            listing(report),
            _seed(report),
            _foot(report),
        )
    )
    title = escape(f"{report['project']} at {report['commit'][:10]}: repobuild report")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">"
        '<link rel="icon" href="data:,">'
        f"<title>{title}</title><style>{CSS}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


# ------------------------------------------------------------------------- parts


def _head(report: Report) -> str:
    adapter = report["adapter"]
    promoted = adapter["promoted"]
    badge = '<span class="badge">current</span>'
    if not promoted:
        badge = '<span class="badge held">not promoted</span>'
    facts = {
        "commit": _code(report["commit"][:12]),
        "base": _code(report["base"]["name"]),
        "adapter": _code(adapter["object"][:12]),
        "parent": _code(adapter["parent"][:12]) if adapter["parent"] else "none",
        "made": _made(adapter),
        "time": escape(report["test_time"][:16].replace("T", " ")) + " UTC",
    }
    pairs = (f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in facts.items())
    return (
        f"<header><h1>{escape(report['project'])}{badge}</h1>"
        f'<dl class="facts">{"".join(pairs)}</dl>'
        f'<p class="verdict">{_verdict(report)}</p>{_notice(report)}</header>'
    )


def _verdict(report: Report) -> str:
    """The one sentence that a reader takes away, in numbers."""
    recall = report["strict"]["tracks"].get("recall", {})
    share = {
        model: recall[model]["path_exact"]
        for model in ("base", "adapter")
        if "path_exact" in recall.get(model, {})
    }
    if len(share) < 2:
        return "No held-out question asks for a file yet, so there is no score to show."
    ours, base = share["adapter"], share["base"]
    return (
        "Asked where something is, in words it was never trained on, this adapter "
        f"names the right file in <strong>{ours['value']:.0%}</strong> of "
        f"{ours['n']} questions ({ours['low']:.0%} to {ours['high']:.0%}); "
        f"its base model in {base['value']:.0%}."
    )


def _notice(report: Report) -> str:
    if report["adapter"]["promoted"]:
        return ""
    scores = report["adapter"].get("scores") or {}
    why = "its held-out loss is too far above its parent's"
    if "loss" in scores and "parent_loss" in scores:
        why += f" ({scores['loss']:.3f} against {scores['parent_loss']:.3f})"
    return (
        '<p class="notice" role="note"><strong>This adapter was not promoted</strong>: '
        f"{why}. The parent stays current.</p>"
    )


def _made(adapter: Report) -> str:
    """How the adapter came about, and why so."""
    mode = MODES.get(adapter.get("mode", ""), "trained")
    reason = adapter.get("reason")
    return f"{mode} ({escape(reason)})" if reason else mode


def _held_out(report: Report) -> str:
    cards = []
    for name, track in report["strict"]["tracks"].items():
        title, meaning = TRACKS[name]
        models = [model for model in report["strict"]["models"] if model in track]
        groups = {
            label: _bars(track, models, metric)
            for metric, label in METRICS.items()
            if any(metric in track[model] for model in models)
        }
        plot = plots.bars(f"{title}: scores", groups) if groups else NOTHING
        cards.append(
            f'<section class="card"><h3>{title}</h3><p class="soft">{meaning}</p>'
            f"{plot}{_loss_line(track, models)}"
            f"<figcaption>{track['n']} questions. Lines are 95 % intervals. For "
            "unknown names, less is better.</figcaption></section>"
        )
    return (
        f"<h2>Held-out questions</h2><p>{_legend(report)} Every answer is compared "
        "with a fact that was checked against this commit.</p>"
        f'<div class="cards">{"".join(cards)}</div>'
    )


def _bars(track: Report, models: Sequence[str], metric: str) -> list[Bar]:
    found = ((model, track[model].get(metric)) for model in models)
    return [Bar(m, e["value"], e["low"], e["high"]) for m, e in found if e]


def _loss_line(track: Report, models: Sequence[str]) -> str:
    """Loss of every model in one line, and whether the gain over the parent is sure."""
    parts = [
        f'<span class="{model}-ink"><strong>{track[model]["loss"]["value"]:.2f}'
        f"</strong> {MODEL_NAMES[model]}</span>"
        for model in models
        if "loss" in track[model]
    ]
    if not parts:
        return ""
    gap = track["difference"].get("parent", {}).get("loss")
    told = f"; {_certainty(gap)}" if gap else ""
    return f"<p>Loss per token {' · '.join(parts)}{told}.</p>"


def _certainty(gap: Mapping[str, float]) -> str:
    change = f"{gap['value']:+.3f} ({gap['low']:+.3f} to {gap['high']:+.3f})"
    if gap["high"] < 0:
        return f'<span class="right">better than the parent</span>: {change}'
    if gap["low"] > 0:
        return f'<span class="wrong">worse than the parent</span>: {change}'
    return f"no certain difference from the parent: {change}"


def _legend(report: Report) -> str:
    models = report["strict"]["models"]
    marks = {"base": "○", "parent": "◆", "adapter": "●"}
    return (
        " ".join(
            f'<span class="{m}-ink"><span aria-hidden="true">{marks[m]}</span> '
            f"{MODEL_NAMES[m]}</span>"
            for m in models
        )
        + "."
    )


def _tasks(report: Report) -> str:
    cards = []
    for name, track in report["strict"]["tracks"].items():
        rows: dict[str, dict[str, float]] = {}
        for model in report["strict"]["models"]:
            for task, found in track[model]["tasks"].items():
                if "loss" in found:
                    label = task.replace("_", " ").removeprefix("code ")
                    row = rows.setdefault(_short(label), {})
                    row[model] = found["loss"]["value"]
        title = f"{TRACKS[name][0]}: loss by task"
        plot = plots.dumbbells(title, rows) if rows else NOTHING
        cards.append(
            f"<figure><h3>{TRACKS[name][0]}</h3>{plot}"
            f"<figcaption>{track['samples']} samples, drawn evenly by task. "
            "Loss per token: left is better.</figcaption></figure>"
        )
    return f'<h2>Loss by task</h2><div class="cards">{"".join(cards)}</div>'


def _short(label: str) -> str:
    """What fits beside a plot; a repository's own task may have any name."""
    label = {"architecture understanding": "architecture"}.get(label, label)
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def _training(report: Report) -> str:
    history = report["history"]
    if len(history["train"]) < 2:
        return ""
    train = [(float(step), float(loss)) for step, loss in history["train"]]
    held = [(float(step), float(loss)) for step, loss in history["held_out"]]
    series = [
        Line("each step", "adapter", train, style="thin"),
        Line("running mean", "adapter", plots.smoothed(train, 0.7)),
        Line("held out", "ink", held, style="curve dashed", dots=True),
    ]
    plot = plots.lines("Loss while training", series, axis="optimiser step")
    also = " Dashed: held-out samples." if held else ""
    return (
        f'<h2>Training</h2><figure><div class="scroll" tabindex="0">{plot}</div>'
        "<figcaption>Training loss per token, pale, and its running mean."
        f"{also}</figcaption></figure>"
    )


def _chain(report: Report) -> str:
    chain = report["chain"]
    if len(chain) < 2:
        return ""
    held = frozenset(n for n, link in enumerate(chain) if not link["promoted"])
    series = []
    for style, track in (("curve", "recall"), ("curve dashed", "generalise")):
        found = [
            (float(n), _score(link, track, "path_exact"))
            for n, link in enumerate(chain)
        ]
        points = [(x, y) for x, y in found if y is not None]
        series.append(Line(track, "adapter", points, held, style, dots=True))
    labels = [link["commit"][:7] for link in chain]
    plot = plots.lines("Right file over commits", series, percent=True, labels=labels)
    return (
        f'<h2>Chain of commits</h2><figure><div class="scroll" tabindex="0">{plot}'
        "</div><figcaption>Share of questions answered with the right file: recall, "
        "and dashed generalise. A hollow point was not promoted.</figcaption></figure>"
        f"{_chain_table(chain)}"
    )


def _score(link: Report, track: str, metric: str) -> float | None:
    value: float | None = (
        (link.get("headline") or {}).get(track, {}).get("adapter", {}).get(metric)
    )
    return value


def _chain_table(chain: Sequence[Report]) -> str:
    rows = []
    for place, link in enumerate(reversed(chain)):
        cells = [
            _share(_score(link, "recall", "path_exact")),
            _number(_score(link, "recall", "loss")),
            _share(_score(link, "generalise", "path_exact")),
            _number(_score(link, "generalise", "loss")),
        ]
        state = "" if link["promoted"] else ", not promoted"
        rows.append(
            f"<tr{' class=current' if not place else ''}>"
            f'<th scope="row"><code>{escape(link["commit"][:10])}</code></th>'
            f"<td>{_made(link)}{state}</td>"
            + "".join(f'<td class="number">{cell}</td>' for cell in cells)
            + "</tr>"
        )
    heads = ("recall: file", "recall: loss", "generalise: file", "generalise: loss")
    columns = "".join(f'<th scope="col" class="number">{h}</th>' for h in heads)
    return (
        '<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">commit</th>'
        f'<th scope="col">adapter</th>{columns}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _seed(report: Report) -> str:
    names = {
        "base_model": "base",
        "parent_model": "parent",
        "finetuned_model": "this adapter",
    }
    rows = "".join(
        f'<tr><th scope="row">{names[model]}</th>'
        + "".join(
            f'<td class="number">{parts[part]:.1f}</td>'
            for part in ("repo_specific", "code_understanding", "general", "total")
        )
        + "</tr>"
        for model, parts in report["seed"].items()
    )
    heads = ("project knowledge, 60 %", "code, 30 %", "general, 10 %", "total")
    columns = "".join(f'<th scope="col" class="number">{head}</th>' for head in heads)
    return (
        '<h2>Scores of the first comparison reports <span class="tag">easy to game'
        "</span></h2><p>Kept so that reports can be compared. They reward naming the "
        "project, any path, any five names, the word “module” and a code block, and "
        "never check whether a statement is true. Judge by the numbers above.</p>"
        '<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">model</th>'
        f"{columns}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _foot(report: Report) -> str:
    return (
        "<footer><p>Made by repobuild. The same numbers are in <code>report.json</code>"
        f" and <code>{escape(report['comparison'])}</code> beside this page; how an "
        "answer is marked is written in <code>repobuild/evaluate/strict.py</code>.</p>"
        "</footer>"
    )


# ------------------------------------------------------------------------- words


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
