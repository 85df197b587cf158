"""Render the list of questions with the answer of every model, worst first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from repobuild.evaluate.page.html_format import MODEL_NAMES, NO_DATA, Report

OPEN_QUESTIONS = 3  # the worst are shown unfolded
SHOWN = 40  # questions in sight; the better ones are folded
_LONGEST_LINE = 240  # characters
_MOST_MARKS = 40  # wrong facts that are highlighted in one answer
_ORDER = ("adapter", "parent", "base", "adapter_grounded", "base_grounded")


def question_list(report: Report) -> str:
    worst_first = sorted(report["questions"], key=_rank)
    items = [
        _question(question, is_open=n < OPEN_QUESTIONS)
        for n, question in enumerate(worst_first)
    ]
    better = items[SHOWN:]
    folded = (
        f'<details class="more"><summary>{len(better)} better answers</summary>'
        f"{''.join(better)}</details>"
    )
    return (
        '<h2 id="answers">Answers, worst first</h2><p>The checked answer beside those '
        "of the models. <mark>Marked</mark> is what an answer states and the checked "
        "one does not.</p>"
        f"{''.join(items[:SHOWN]) or NO_DATA}{folded if better else ''}"
    )


def _rank(question: Report) -> tuple[float, float, float, str]:
    """Return the sort key: stale answers, then wrong facts, then bad wording."""
    mark = question["marks"]["adapter"]
    is_wrong = 0 in (mark.get("right"), mark["path_exact"])
    group = 0.0 if mark.get("stale") else 1.0 if is_wrong else 2.0
    facts = mark.get("facts")
    return group, 1.0 if facts is None else facts, mark["edit"], question["id"]


def _question(question: Report, is_open: bool) -> str:
    """Render one question: its first line as the summary, its code and the answers."""
    first_line, _, rest = question["question"].strip().partition("\n")
    if len(first_line) > _LONGEST_LINE:
        first_line = first_line[: _LONGEST_LINE - 1] + "…"
    quoted_code = f'<div class="answers"><div><pre>{escape(rest)}</pre></div></div>'
    tag = f"{question['track']}, {question['task'].replace('_', ' ')}"
    checked = (
        '<div class="of-fact"><span class="tag">checked</span>'
        f"<pre>{escape(question['expected'])}</pre></div>"
    )
    answers = "".join(
        _answer(model, question["answers"][model], question["marks"][model])
        for model in _ORDER
        if model in question["answers"]
    )
    return (
        f'<details class="question"{" open" if is_open else ""}><summary>'
        f'<span class="verdict-of">{_verdict(question["marks"]["adapter"])}</span>'
        f'<span class="question-text"><bdi>{escape(first_line)}</bdi> '
        f'<span class="tag">{escape(tag)}</span></span></summary>'
        f"{quoted_code if rest.strip() else ''}"
        f'<div class="answers">{checked}{answers}</div></details>'
    )


def _verdict(mark: Report) -> str:
    """Render the most important metric of an answer, by a word and by colour."""
    if mark.get("stale"):
        return '<span class="wrong">✗ old fact</span>'
    for metric, word in (("right", "facts"), ("path_exact", "file")):
        if mark.get(metric) is not None:
            style, symbol = ("right", "✓") if mark[metric] else ("wrong", "✗")
            return f'<span class="{style}">{symbol} {word}</span>'
    return f"<span>≈ {mark['edit']:.0%}</span>"


def _answer(model: str, text: str, mark: Report) -> str:
    metrics = [f"{mark['edit']:.0%} alike"]
    if mark.get("rouge_l") is not None:
        metrics.append(f"ROUGE-L {mark['rouge_l']:.2f}, BLEU {mark['bleu']:.2f}")
    if mark.get("facts") is not None:
        metrics.insert(0, f"{mark['facts']:.0%} of the facts")
    shown = '<span class="soft">(nothing)</span>'
    if text.strip():
        shown = highlight_wrong(text, [*mark.get("wrong", ()), *mark["hallucinated"]])
    return (
        f'<div class="of-{model}"><span class="tag"><span class="{model}-ink">'
        f"{MODEL_NAMES[model]}</span>, {', '.join(metrics)}</span>"
        f"<pre>{shown}</pre>{_unknown_names(mark['hallucinated'])}</div>"
    )


def _unknown_names(names: Sequence[str]) -> str:
    if not names:
        return ""
    listed = ", ".join(f"<code>{escape(name)}</code>" for name in names[:8])
    return f'<p class="tag">stands nowhere in the repository: {listed}</p>'


def highlight_wrong(text: str, wrong: Sequence[str]) -> str:
    """Escape a text and mark the wrong parts: whole words, the longest first."""
    words = sorted({w for w in wrong if w.strip()}, key=lambda w: (-len(w), w))
    if not words:
        return escape(text)
    any_word = "|".join(map(re.escape, words[:_MOST_MARKS]))
    pieces = re.split(rf"(?<!\w)({any_word})(?!\w)", text)
    return "".join(
        f"<mark>{escape(piece)}</mark>" if n % 2 else escape(piece)
        for n, piece in enumerate(pieces)
    )
