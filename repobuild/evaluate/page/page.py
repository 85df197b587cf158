"""Render the report as one HTML page without scripts, fonts or network access.

`render_page(report)` is a pure function of the content of `report.json`, so a page can
be drawn again from a stored report, also from one that an earlier version wrote. All
text from the repository or from a model passes through `escape`; only this package's
own markup does not.

    page.py              the document, its head and its foot
    score_section.py     this adapter's scores       bar_plots.py    bars and dots
    history_section.py   chain of commits, training  line_plots.py   lines and columns
    question_list.py     questions and answers       html_format.py  numbers and names
    css.py               the style sheet
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
from repobuild.evaluate.questions import RECALL
from repobuild.evaluate.report_summary import summary_lines

SECTIONS = {
    "scores": "Scores",
    "chain": "Chain",
    "tasks": "Tasks",
    "training": "Training",
    "answers": "Answers",
    "seed": "First reports",
}


def render_page(report: Report) -> str:
    """Return the whole document."""
    body = (
        scores_section(report)
        + chain_section(report)
        + task_section(report)
        + training_section(report)
        + question_list(report)
        + _first_report_scores(report)
    )
    title = escape(f"{report['project']} at {report['commit'][:10]}: repobuild report")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
        "form-action 'none'\">"
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
        f'<p class="verdict">{_verdict(report)}</p>{_notice(adapter)}{_summary(report)}'
        f'<div class="figures">{"".join(_tiles(report))}</div></header>'
    )


def _summary(report: Report) -> str:
    """Render what it was taught and knows of it, a line each; "" of older reports."""
    lines = [f"<li>{escape(line)}</li>" for line in summary_lines(report)]
    return f'<ul class="summary">{"".join(lines)}</ul>' if lines else ""


def _contents(body: str) -> str:
    """Render links to the sections in the body."""
    links = "".join(
        f'<a href="#{name}">{title}</a>'
        for name, title in SECTIONS.items()
        if f'<h2 id="{name}">' in body
    )
    return f'<nav aria-label="Sections">{links}</nav>'


def _verdict(report: Report) -> str:
    """Return the main result in one sentence."""
    recall = report["strict"]["tracks"].get(RECALL, {})
    ours = recall.get("adapter", {}).get("path_exact")
    base = recall.get("base", {}).get("path_exact")
    if ours is None or base is None:
        return "No held-out question asks for a file yet, so there is no score to show."
    return (
        "Asked where something is, in words it was never trained on, this adapter "
        f"names the right file in <strong>{ours['value']:.0%}</strong> of "
        f"{ours['n']} questions ({ours['low']:.0%} to {ours['high']:.0%}); "
        f"its base model in {base['value']:.0%}."
    )


def _notice(adapter: Report) -> str:
    """Render a warning if the adapter was not promoted, or is an earlier one."""
    if not adapter["promoted"]:
        scores = adapter.get("scores") or {}
        reason = "its held-out loss is too far above its parent's"
        if "loss" in scores and "parent_loss" in scores:
            reason += f" ({scores['loss']:.3f} against {scores['parent_loss']:.3f})"
        what = "This adapter was not promoted"
        details = f"{reason}. The parent stays current."
    elif adapter.get("mode") == "rollback":
        what = "This commit was rolled back"
        details = (
            f"it uses an earlier adapter, {isolated(adapter['reason'])}. The "
            "questions are those of today."
        )
    else:
        return ""
    return f'<p class="notice" role="note"><strong>{what}</strong>: {details}</p>'


def _tiles(report: Report) -> Iterator[str]:
    """Yield the few numbers to compare from commit to commit."""
    strict = report["strict"]
    recall = strict["tracks"].get(RECALL, {})
    yield _score_tile("all facts right", recall, "right")
    yield _score_tile("right file", recall, "path_exact")
    yield _score_tile("old facts still told", strict.get("staleness") or {}, "all")
    general = (strict.get("general") or {}).get("difference", {}).get("base", {})
    if "relative" in general:
        gap = general["relative"]
        interval = f"{gap['low']:+.1%} to {gap['high']:+.1%}"
        yield _tile(f"{gap['value']:+.1%}", "loss on other text", interval)
    last = report["chain"][-1] if report["chain"] else {}
    if last.get("tokens"):
        time = duration(last.get("seconds"))
        yield _tile(f"{last['tokens']:,}", "tokens trained", time and f"in {time}")


def _score_tile(label: str, part: Mapping[str, Any], metric: str) -> str:
    ours = part.get("adapter", {}).get(metric)
    if not ours:
        return ""
    others = (
        f"{model} {percent(part[model][metric]['value'])}"
        for model in ("parent", "base")
        if metric in part.get(model, {})
    )
    return _tile(percent(ours["value"]), label, ", ".join(others))


def _tile(value: str, label: str, details: str) -> str:
    return (
        f'<div class="tile"><span class="big">{value}</span><span>{label}</span>'
        f'<span class="soft">{details}</span></div>'
    )


# -------------------------------------------------------------------------- foot


def _first_report_scores(report: Report) -> str:
    names = {
        "base_model": "base",
        "parent_model": "parent",
        "finetuned_model": "this adapter",
    }
    columns = {
        "repo_specific": "project knowledge, 60 %",
        "code_understanding": "code, 30 %",
        "general": "general, 10 %",
        "total": "total",
    }
    heads = "".join(
        f'<th scope="col" class="number">{head}</th>' for head in columns.values()
    )
    rows = "".join(
        f'<tr><th scope="row">{names[model]}</th>'
        + "".join(f'<td class="number">{scores[part]:.1f}</td>' for part in columns)
        + "</tr>"
        for model, scores in report["seed"].items()
    )
    table = (
        f'<table><thead><tr><th scope="col">model</th>{heads}</tr></thead>'
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
