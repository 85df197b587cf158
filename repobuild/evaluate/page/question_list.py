"""The page's list of questions, each with the answer of every model, worst first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from repobuild.evaluate.page.html_format import MODEL_NAMES, NO_DATA

OPEN_QUESTIONS = 3  # the worst are shown unfolded
SHOWN = 40  # questions in sight; the better ones are folded
_LONGEST_LINE = 240
_NEEDLES = 40  # wrong facts that are marked in one answer, at most
_ORDER = ("adapter", "parent", "base")

Report = Mapping[str, Any]


def question_list(report: Report) -> str:
    ordered = sorted(report["questions"], key=_badness)
    items = [
        _question(question, unfolded=place < OPEN_QUESTIONS)
        for place, question in enumerate(ordered)
    ]
    return (
        '<h2 id="answers">Answers, worst first</h2><p>The checked answer beside those '
        "of the models. <mark>Marked</mark> is what an answer states and the checked "
        "one does not.</p>"
        f"{''.join(items[:SHOWN]) or NO_DATA}{_rest(items[SHOWN:])}"
    )


def _rest(items: Sequence[str]) -> str:
    if not items:
        return ""
    return (
        f'<details class="more"><summary>{len(items)} better answers</summary>'
        f"{''.join(items)}</details>"
    )


def _badness(question: Report) -> tuple[float, float, float, str]:
    """What is believed though it changed, then a wrong fact, then bad wording."""
    mark = question["marks"]["adapter"]
    wrong = 0 in (mark.get("right"), mark["path_exact"])
    grade = 0.0 if mark.get("stale") else 1.0 if wrong else 2.0
    facts = mark.get("facts")
    return grade, 1.0 if facts is None else facts, mark["edit"], question["id"]


def _question(question: Report, unfolded: bool) -> str:
    mark = question["marks"]["adapter"]
    verdict = _verdict(mark)
    tag = f"{question['track']}, {question['task'].replace('_', ' ')}"
    models = [model for model in _ORDER if model in question["answers"]]
    answers = "".join(
        _answer(model, question["answers"][model], question["marks"][model])
        for model in models
    )
    return (
        f'<details class="question"{" open" if unfolded else ""}><summary>'
        f'<span class="verdict-of">{verdict}</span><span '
        f'class="question-text"><bdi>{escape(_first_line(question["question"]))}</bdi> '
        f'<span class="tag">{escape(tag)}</span></span></summary>{_quoted(question)}'
        f'<div class="answers">{_checked(question["expected"])}{answers}</div>'
        "</details>"
    )


def _verdict(mark: Report) -> str:
    """What is most telling of an answer, in a word and by colour."""
    if mark.get("stale"):
        return '<span class="wrong">✗ old fact</span>'
    for name in ("right", "path_exact"):
        if mark.get(name) is not None:
            style, sign = ("right", "✓") if mark[name] else ("wrong", "✗")
            what = "facts" if name == "right" else "file"
            return f'<span class="{style}">{sign} {what}</span>'
    return f"<span>≈ {mark['edit']:.0%}</span>"


def _first_line(text: str) -> str:
    line = text.strip().split("\n", 1)[0]
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"


def _quoted(question: Report) -> str:
    """The code that a question quotes, below its first line."""
    _, _, rest = question["question"].strip().partition("\n")
    if not rest.strip():
        return ""
    return f'<div class="answers"><div><pre>{escape(rest)}</pre></div></div>'


def _checked(text: str) -> str:
    return (
        f'<div class="of-fact"><span class="tag">checked</span>'
        f"<pre>{escape(text)}</pre></div>"
    )


def _answer(model: str, text: str, mark: Report) -> str:
    wrong = [*mark.get("wrong", ()), *mark["hallucinated"]]
    shown = (
        highlight_wrong(text, wrong)
        if text.strip()
        else '<span class="soft">(nothing)</span>'
    )
    return (
        f'<div class="of-{model}"><span class="tag"><span class="{model}-ink">'
        f"{MODEL_NAMES[model]}</span>, {_grades(mark)}</span>"
        f"<pre>{shown}</pre>{_unknown(mark['hallucinated'])}</div>"
    )


def _grades(mark: Report) -> str:
    said = [f"{mark['edit']:.0%} alike"]
    if mark.get("facts") is not None:
        said.insert(0, f"{mark['facts']:.0%} of the facts")
    return ", ".join(said)


def _unknown(names: Sequence[str]) -> str:
    if not names:
        return ""
    listed = ", ".join(f"<code>{escape(name)}</code>" for name in names[:8])
    return f'<p class="tag">stands nowhere in the repository: {listed}</p>'


def highlight_wrong(text: str, wrong: Sequence[str]) -> str:
    """Escape a text, with what is wrong in it marked: whole words, longest first."""
    needles = sorted({w for w in wrong if w.strip()}, key=lambda w: (-len(w), w))
    if not needles:
        return escape(text)
    either = "|".join(map(re.escape, needles[:_NEEDLES]))
    pieces = re.split(rf"(?<!\w)({either})(?!\w)", text)
    return "".join(
        f"<mark>{escape(piece)}</mark>" if place % 2 else escape(piece)
        for place, piece in enumerate(pieces)
    )
