"""Render one adapter's scores: held-out tracks, staleness, general text, tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from repobuild.evaluate.comparison import GROUNDED
from repobuild.evaluate.page import bar_plots
from repobuild.evaluate.page.bar_plots import PlotBar
from repobuild.evaluate.page.html_format import (
    MODEL_NAMES,
    NO_DATA,
    TRACKS,
    Report,
    figure,
    isolated,
    legend,
)

METRICS = {
    "right": "all facts right",
    "facts": "facts right",
    "path_exact": "right file",
    "exact": "exact answer",
    "edit": "similarity",
    "rouge_l": "ROUGE-L",
    "bleu": "BLEU",
    "wrong": "wrong facts",
    "hallucinated": "unknown names",
}
KINDS = {
    "all": "all",
    "moved": "of what moved",
    "removed": "of what was removed",
    "changed": "of changed signatures",
}
LONGEST_LABEL = 22  # characters beside a plot


def scores_section(report: Report) -> str:
    section = report["strict"]
    cards = [_track(section, name) for name in section["tracks"]]
    cards += [_own(section), _staleness(section), _general(section)]
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
    grounded = [model for model in GROUNDED.values() if model in track]
    groups = _bar_groups(track, [*models, *grounded], METRICS)
    if grounded:
        meaning += f" With facts looked up before the question: {legend(grounded)}"
    plot = bar_plots.bar_plot(f"{title}: scores", groups) if groups else NO_DATA
    less = (
        "wrong facts and unknown names" if "wrong facts" in groups else "unknown names"
    )
    return figure(
        title,
        _paragraph(meaning) + plot + _loss(track, models),
        f"{track['n']} questions. Of {less}, less is better.",
    )


def _own(section: Report) -> str:
    """Render the project's own questions; most reports have none."""
    part = section.get("own") or {}
    if not part.get("n"):
        return ""
    models = [model for model in section["models"] if part.get(model)]
    groups = _bar_groups(part, models, {"files": "reference files", **METRICS})
    content = _paragraph("Questions of your own, against your reference answers.")
    content += bar_plots.bar_plot("Own questions: scores", groups)
    judge = part.get("judge") or {}
    for other, found in judge.get("against", {}).items():
        content += (
            f"<p>{isolated(judge['model'])} prefers this adapter to the {other} "
            f"in {found['wins']} of {found['n']}, the {other} in "
            f"{found['losses']}; {found['ties']} ties, {found['unjudged']} not judged."
            "</p>"
        )
    if judge.get("problem"):
        content += _paragraph(escape(judge["problem"]))
    return figure("Own questions", content, f"{part['n']} questions.")


def _staleness(section: Report) -> str:
    """Render the questions about recent changes; older reports have none."""
    part = section.get("staleness") or {}
    if not part.get("n"):
        return ""
    models = [model for model in section["models"] if part.get(model)]
    groups = _bar_groups(part, models, KINDS)
    groups |= _bar_groups(part, models, {"right": "answered as it is now"})
    meaning = (
        "What the last commits moved, removed or changed: how often an answer still "
        "tells how it was."
    )
    return figure(
        "Staleness",
        _paragraph(meaning)
        + bar_plots.bar_plot("Staleness: old facts still told", groups),
        f"{part['n']} questions. Of old facts, less is better.",
    )


def _general(section: Report) -> str:
    """Render the loss on text from outside the repository."""
    part = section.get("general") or {}
    models = [model for model in section["models"] if part.get(model)]
    if not models:
        return ""
    meaning = (
        "Loss on pieces of Python's standard library. Where it grows, the adapter "
        "forgets what its base model knew."
    )
    content = _paragraph(meaning) + _loss(part, models)
    gap = part.get("difference", {}).get("base", {}).get("relative")
    if gap:
        content += (
            f"<p><strong>{gap['value']:+.1%}</strong> against the base "
            f"({gap['low']:+.1%} to {gap['high']:+.1%}).</p>"
        )
    return figure(
        "What else it knows", content, f"{part['n']} pieces of text. Less is better."
    )


def task_section(report: Report) -> str:
    models = report["strict"]["models"]
    cards = []
    for name, track in report["strict"]["tracks"].items():
        losses: dict[str, dict[str, float]] = {}
        for model in models:
            for task, scores in track[model]["tasks"].items():
                if "loss" in scores:
                    row = losses.setdefault(_task_label(task), {})
                    row[model] = scores["loss"]["value"]
        title = TRACKS[name][0]
        plot = NO_DATA
        if losses:
            plot = bar_plots.dumbbell_plot(f"{title}: loss by task", losses)
        caption = f"{track['samples']} samples, drawn evenly. Left is better."
        cards.append(figure(title, plot, caption))
    return (
        f'<h2 id="tasks">Loss by task</h2><p>{legend(models)}</p>'
        f'<div class="cards">{"".join(cards)}</div>'
    )


# ------------------------------------------------------------------------- pieces


def _bar_groups(
    part: Report, models: Sequence[str], metrics: Mapping[str, str]
) -> dict[str, list[PlotBar]]:
    """Return the bars of each metric, by its label."""
    groups: dict[str, list[PlotBar]] = {}
    for metric, label in metrics.items():
        for model in models:
            interval = part[model].get(metric)
            if interval:
                value, low, high = (interval[n] for n in ("value", "low", "high"))
                groups.setdefault(label, []).append(PlotBar(model, value, low, high))
    return groups


def _loss(part: Report, models: Sequence[str]) -> str:
    """Render every model's loss, and whether the gain over the parent is certain."""
    losses = [
        f'<span class="{model}-ink"><strong>{part[model]["loss"]["value"]:.2f}'
        f"</strong> {MODEL_NAMES[model]}</span>"
        for model in models
        if "loss" in part[model]
    ]
    if not losses:
        return ""
    gap = part["difference"].get("parent", {}).get("loss")
    comparison = f"; {_certainty(gap)}" if gap else ""
    return f"<p>Loss per token {' · '.join(losses)}{comparison}.</p>"


def _certainty(gap: Mapping[str, float]) -> str:
    change = f"{gap['value']:+.3f} ({gap['low']:+.3f} to {gap['high']:+.3f})"
    if gap["high"] < 0:
        return f'<span class="right">better than the parent</span>: {change}'
    if gap["low"] > 0:
        return f'<span class="wrong">worse than the parent</span>: {change}'
    return f"no certain difference from the parent: {change}"


def _task_label(task: str) -> str:
    """Shorten a task's name; a repository's own task may have any name."""
    label = task.replace("_", " ").removeprefix("code ")
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def _paragraph(text: str) -> str:
    return f'<p class="soft">{text}</p>'
