"""The page's scores of one adapter: held-out tracks, staleness, general text, tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from repobuild.evaluate.page import bar_plots
from repobuild.evaluate.page.bar_plots import PlotBar
from repobuild.evaluate.page.html_format import (
    MODEL_NAMES,
    NO_DATA,
    TRACKS,
    Report,
    legend,
)

METRICS = {
    "right": "all facts right",
    "facts": "facts right",
    "path_exact": "right file",
    "exact": "exact answer",
    "edit": "similarity",
    "wrong": "wrong facts",
    "hallucinated": "unknown names",
}
KINDS = {
    "all": "all",
    "moved": "of what moved",
    "removed": "of what was removed",
    "changed": "of changed signatures",
}
LONGEST_LABEL = 22


def scores_section(report: Report) -> str:
    section = report["strict"]
    cards = [_track(section, name) for name in section["tracks"]]
    cards += [_staleness(section), _general(section)]
    return (
        '<h2 id="scores">Held-out questions</h2>'
        f"<p>{legend(section['models'])} Every answer is compared with facts that were "
        "checked against this commit. Lines are 95 % intervals.</p>"
        f'<div class="cards">{"".join(cards)}</div>'
    )


def _track(section: Report, name: str) -> str:
    title, meaning = TRACKS[name]
    track = section["tracks"][name]
    models = [model for model in section["models"] if model in track]
    groups = _groups(track, models, METRICS)
    plot = bar_plots.bar_plot(f"{title}: scores", groups) if groups else NO_DATA
    less = (
        "wrong facts and unknown names" if "wrong facts" in groups else "unknown names"
    )
    return _card(
        title,
        meaning,
        plot + _loss(track, models),
        f"{track['n']} questions. Of {less}, less is better.",
    )


def _groups(
    part: Report, models: Sequence[str], metrics: Mapping[str, str]
) -> dict[str, list[PlotBar]]:
    found: dict[str, list[PlotBar]] = {}
    for metric, label in metrics.items():
        for model in models:
            estimate = part[model].get(metric)
            if estimate:
                value, low, high = (estimate[n] for n in ("value", "low", "high"))
                found.setdefault(label, []).append(PlotBar(model, value, low, high))
    return found


def _loss(part: Report, models: Sequence[str]) -> str:
    """Loss of every model in one line, and whether the gain over the parent is sure."""
    parts = [
        f'<span class="{model}-ink"><strong>{part[model]["loss"]["value"]:.2f}'
        f"</strong> {MODEL_NAMES[model]}</span>"
        for model in models
        if "loss" in part[model]
    ]
    if not parts:
        return ""
    gap = part["difference"].get("parent", {}).get("loss")
    told = f"; {_certainty(gap)}" if gap else ""
    return f"<p>Loss per token {' · '.join(parts)}{told}.</p>"


def _certainty(gap: Mapping[str, float]) -> str:
    change = f"{gap['value']:+.3f} ({gap['low']:+.3f} to {gap['high']:+.3f})"
    if gap["high"] < 0:
        return f'<span class="right">better than the parent</span>: {change}'
    if gap["low"] > 0:
        return f'<span class="wrong">worse than the parent</span>: {change}'
    return f"no certain difference from the parent: {change}"


def _staleness(section: Report) -> str:
    """What changed in the last commits, asked anew; older reports did not ask."""
    part = section.get("staleness") or {}
    if not part.get("n"):
        return ""
    models = [model for model in section["models"] if part.get(model)]
    groups = _groups(part, models, KINDS)
    groups |= _groups(part, models, {"right": "answered as it is now"})
    return _card(
        "Staleness",
        "What the last commits moved, removed or changed: how often an answer still "
        "tells how it was.",
        bar_plots.bar_plot("Staleness: old facts still told", groups),
        f"{part['n']} questions. Of old facts, less is better.",
    )


def _general(section: Report) -> str:
    """Loss on text that has nothing to do with the repository."""
    part = section.get("general") or {}
    models = [model for model in section["models"] if part.get(model)]
    if not models:
        return ""
    relative = part.get("difference", {}).get("base", {}).get("relative")
    told = _relative(relative) if relative else ""
    return _card(
        "What else it knows",
        "Loss on pieces of Python's standard library. Where it grows, the adapter "
        "forgets what its base model knew.",
        _loss(part, models) + told,
        f"{part['n']} pieces of text. Less is better.",
    )


def _relative(gap: Mapping[str, float]) -> str:
    interval = f"{gap['low']:+.1%} to {gap['high']:+.1%}"
    return f"<p><strong>{gap['value']:+.1%}</strong> against the base ({interval}).</p>"


def task_section(report: Report) -> str:
    cards = []
    for name, track in report["strict"]["tracks"].items():
        rows: dict[str, dict[str, float]] = {}
        for model in report["strict"]["models"]:
            for task, found in track[model]["tasks"].items():
                if "loss" in found:
                    row = rows.setdefault(_short(task.replace("_", " ")), {})
                    row[model] = found["loss"]["value"]
        title = TRACKS[name][0]
        plot = (
            bar_plots.dumbbell_plot(f"{title}: loss by task", rows) if rows else NO_DATA
        )
        foot = f"{track['samples']} samples, drawn evenly. Left is better."
        cards.append(_card(title, "", plot, foot))
    return (
        f'<h2 id="tasks">Loss by task</h2><p>{legend(report["strict"]["models"])}</p>'
        f'<div class="cards">{"".join(cards)}</div>'
    )


def _short(label: str) -> str:
    """What fits beside a plot; a repository's own task may have any name."""
    label = label.removeprefix("code ")
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def _card(title: str, meaning: str, inner: str, foot: str) -> str:
    told = f'<p class="soft">{meaning}</p>' if meaning else ""
    return (
        f"<figure><h3>{title}</h3>{told}{inner}<figcaption>{foot}</figcaption></figure>"
    )
