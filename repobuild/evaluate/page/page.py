"""The report as one HTML page that needs nothing else: no script, no font, no network.

`page(report)` is a pure function of what `report.json` holds, so a page can be drawn
again from a stored report, also of one that an earlier version wrote.  Everything that
comes from the repository or from a model passes through `escape`; only this package's
own markup does not.

    page.py      the document, its head and its foot
    tracks.py    scores of this adapter           plots.py    rows of bars and dots
    course.py    the chain of commits, training   curves.py   lines and columns
    listing.py   questions with their answers     style.py    the style sheet
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from repobuild.evaluate.page.css import CSS
from repobuild.evaluate.page.history_section import chain_section, training_section
from repobuild.evaluate.page.html_format import (
    Report,
    code,
    describe_origin,
    duration,
    isolated,
    percent,
    scrollable,
)
from repobuild.evaluate.page.question_list import question_list
from repobuild.evaluate.page.score_section import scores_section, task_section

SECTIONS = {
    "scores": "Scores",
    "chain": "Chain",
    "tasks": "Tasks",
    "training": "Training",
    "answers": "Answers",
    "seed": "First reports",
}


def render_page(report: Report) -> str:
    """The whole document."""
    parts = (
        scores_section,
        chain_section,
        task_section,
        training_section,
        question_list,
        _seed,
    )
    body = "".join(part(report) for part in parts)
    title = escape(f"{report['project']} at {report['commit'][:10]}: repobuild report")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">"
        '<link rel="icon" href="data:,">'
        f"<title>{title}</title><style>{CSS}</style></head>"
        f"<body><main>{_head(report)}{_contents(body)}{body}{_foot(report)}</main>"
        "</body></html>\n"
    )


# -------------------------------------------------------------------------- head


def _head(report: Report) -> str:
    adapter = report["adapter"]
    badge = '<span class="badge">current</span>'
    if not adapter["promoted"]:
        badge = '<span class="badge held">not promoted</span>'
    facts = {
        "commit": code(report["commit"][:12]),
        "base": code(report["base"]["name"]),
        "adapter": code(adapter["object"][:12]),
        "parent": code(adapter["parent"][:12]) if adapter["parent"] else "none",
        "made": describe_origin(adapter),
        "time": escape(report["test_time"][:16].replace("T", " ")) + " UTC",
    }
    pairs = (f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in facts.items())
    return (
        f"<header><h1>{isolated(report['project'])}{badge}</h1>"
        f'<dl class="facts">{"".join(pairs)}</dl>'
        f'<p class="verdict">{_verdict(report)}</p>{_notice(adapter)}'
        f'<div class="figures">{"".join(_figures(report))}</div></header>'
    )


def _contents(body: str) -> str:
    """Links to the sections that there are."""
    links = "".join(
        f'<a href="#{name}">{title}</a>'
        for name, title in SECTIONS.items()
        if f'<h2 id="{name}">' in body
    )
    return f'<nav aria-label="Sections">{links}</nav>'


def _verdict(report: Report) -> str:
    """The one sentence that a reader takes away, in numbers."""
    recall = report["strict"]["tracks"].get("recall", {})
    found = {
        model: recall[model]["path_exact"]
        for model in ("base", "adapter")
        if "path_exact" in recall.get(model, {})
    }
    if len(found) < 2:
        return "No held-out question asks for a file yet, so there is no score to show."
    ours, base = found["adapter"], found["base"]
    return (
        "Asked where something is, in words it was never trained on, this adapter "
        f"names the right file in <strong>{ours['value']:.0%}</strong> of "
        f"{ours['n']} questions ({ours['low']:.0%} to {ours['high']:.0%}); "
        f"its base model in {base['value']:.0%}."
    )


def _notice(adapter: Report) -> str:
    if not adapter["promoted"]:
        scores = adapter.get("scores") or {}
        why = "its held-out loss is too far above its parent's"
        if "loss" in scores and "parent_loss" in scores:
            why += f" ({scores['loss']:.3f} against {scores['parent_loss']:.3f})"
        return _note(
            "This adapter was not promoted", f"{why}. The parent stays current."
        )
    if adapter.get("mode") == "rollback":
        return _note(
            "This commit was rolled back",
            f"it uses an earlier adapter, {isolated(adapter['reason'])}. The questions are "
            "those of today.",
        )
    return ""


def _note(what: str, told: str) -> str:
    return f'<p class="notice" role="note"><strong>{what}</strong>: {told}</p>'


def _figures(report: Report) -> Iterator[str]:
    """The few numbers to compare from commit to commit, with those of the others."""
    strict = report["strict"]
    recall = strict["tracks"].get("recall", {})
    yield _figure("all facts right", recall, "right")
    yield _figure("right file", recall, "path_exact")
    yield _figure("old facts still told", strict.get("staleness") or {}, "all")
    general = (strict.get("general") or {}).get("difference", {}).get("base", {})
    if "relative" in general:
        gap = general["relative"]
        interval = f"{gap['low']:+.1%} to {gap['high']:+.1%}"
        yield _tile(f"{gap['value']:+.1%}", "loss on other text", interval)
    last = report["chain"][-1] if report["chain"] else {}
    if last.get("tokens"):
        time = duration(last.get("seconds"))
        yield _tile(f"{last['tokens']:,}", "tokens trained", time and f"in {time}")


def _figure(label: str, part: Mapping[str, Any], metric: str) -> str:
    ours = part.get("adapter", {}).get(metric)
    if not ours:
        return ""
    others = (
        f"{model} {percent(part[model][metric]['value'])}"
        for model in ("parent", "base")
        if metric in part.get(model, {})
    )
    return _tile(percent(ours["value"]), label, ", ".join(others))


def _tile(value: str, label: str, told: str) -> str:
    return (
        f'<div class="tile"><span class="big">{value}</span><span>{label}</span>'
        f'<span class="soft">{told}</span></div>'
    )


# -------------------------------------------------------------------------- foot


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
    table = (
        f'<table><thead><tr><th scope="col">model</th>{columns}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
    return (
        '<h2 id="seed">Scores of the first comparison reports '
        '<span class="tag">easy to game</span></h2>'
        "<p>Kept so that reports can be compared. They reward naming the project, any "
        "path, any five names, the word “module” and a code block, and never check "
        "whether a statement is true. Judge by the numbers above.</p>"
        + scrollable(table, "Scores of the first comparison reports")
    )


def _foot(report: Report) -> str:
    return (
        "<footer><p>Made by repobuild. The same numbers are in <code>report.json</code>"
        f" and {code(report['comparison'])} beside this page; how an answer is marked "
        "is written in <code>evaluate/scoring/strict_score.py</code>.</p></footer>"
    )
