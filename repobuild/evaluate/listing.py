"""The page's list of questions, each with the answer of every model, worst first."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

MODEL_NAMES = {"base": "base", "parent": "parent", "adapter": "this adapter"}
NOTHING = '<p class="soft">Nothing to show yet.</p>'
OPEN_QUESTIONS = 3  # the worst are shown unfolded

Report = Mapping[str, Any]


def listing(report: Report) -> str:
    ordered = sorted(report["questions"], key=_badness)
    items = "".join(
        _question(question, unfolded=place < OPEN_QUESTIONS)
        for place, question in enumerate(ordered)
    )
    return (
        "<h2>Answers, worst first</h2><p>Similarity of this adapter's answer with the "
        "checked one, and whether it names the right file.</p>"
        f"{items or NOTHING}"
    )


def _badness(question: Report) -> tuple[float, float, str]:
    """A wrong file is worse than any wording."""
    mark = question["marks"]["adapter"]
    wrong = 0.0 if mark["path_exact"] == 0 else 1.0
    return wrong, mark["edit"], question["id"]


def _question(question: Report, unfolded: bool) -> str:
    mark = question["marks"]["adapter"]
    path = {0: ("wrong", "✗ file"), 1: ("right", "✓ file")}.get(mark["path_exact"])
    told = f'<span class="{path[0]}">{path[1]}</span>' if path else "<span></span>"
    tag = f"{question['track']}, {question['task'].replace('_', ' ')}"
    answers = "".join(
        _answer(MODEL_NAMES[model], f"of-{model}", text, question["marks"][model])
        for model, text in question["answers"].items()
    )
    return (
        f'<details class="question"{" open" if unfolded else ""}><summary>'
        f'<span class="share">{mark["edit"]:.0%}</span>{told}<span '
        f'class="question-text">{escape(_first_line(question["question"]))} '
        f'<span class="tag">{escape(tag)}</span></span></summary>{_rest(question)}'
        f'<div class="answers">'
        f"{_answer('checked', 'of-fact', question['expected'], None)}{answers}</div>"
        "</details>"
    )


def _first_line(text: str) -> str:
    line = text.strip().split("\n", 1)[0]
    return line if len(line) <= 240 else line[:239] + "…"


def _rest(question: Report) -> str:
    """The code that a question quotes, below its first line."""
    _, _, rest = question["question"].strip().partition("\n")
    if not rest.strip():
        return ""
    return f'<div class="answers"><div><pre>{escape(rest)}</pre></div></div>'


def _answer(label: str, style: str, text: str, mark: Report | None) -> str:
    unknown = mark["hallucinated"] if mark else []
    score = f", {mark['edit']:.0%}" if mark else ""
    names = ", ".join(f"<code>{escape(name)}</code>" for name in unknown[:8])
    more = f'<p class="tag">unknown names: {names}</p>' if names else ""
    shown = escape(text) if text.strip() else '<span class="soft">(nothing)</span>'
    return (
        f'<div class="{style}"><span class="tag">{label}{score}</span>'
        f"<pre>{shown}</pre>{more}</div>"
    )
