"""Compute the three scores of the first comparison reports, in their form.

These scores are easy to game: they reward the project's name, a path, any five names,
the word "module" and a code block, and never check whether a statement is true. An
answer of nothing but keywords scores 100 of 100 in total
(tests/evaluate/test_first_scores.py). They are kept because reports of different
projects are compared by them. `strict_score.py` measures what is true.

The form defines no rule for general ability, only its three parts: fluent language,
complete answer, correct format. `general` makes these countable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WEIGHTS = {"repo_specific": 0.6, "code_understanding": 0.3, "general": 0.1}
ARCHITECTURE = ("模块", "module", "架构", "architecture", "core", "cli", "api")
EXPLAINING = ("功能", "作用", "实现")
SENTENCE_ENDS = (".", "。", "!", "！", "?", "？", "```", ":", "：")


@dataclass(frozen=True, slots=True)
class ScoredElement:
    """A function, class or method, by the two texts that the scores search for."""

    name: str
    filepath: str


@dataclass(frozen=True, slots=True)
class FirstScores:
    """The three scores of one response, each from 0 to 100."""

    repo_specific: float
    code_understanding: float
    general: float

    @property
    def total(self) -> float:
        parts = (self.repo_specific, self.code_understanding, self.general)
        weighted = zip(parts, WEIGHTS.values(), strict=True)
        return round(sum(part * weight for part, weight in weighted), 1)

    def to_dict(self) -> dict[str, float]:
        parts = {name: float(getattr(self, name)) for name in WEIGHTS}
        return {**parts, "total": self.total}


def score_response(
    response: str, project_name: str, elements: Sequence[ScoredElement]
) -> FirstScores:
    return FirstScores(
        repo_specific=repo_specific(response, project_name, elements),
        code_understanding=code_understanding(response),
        general=general(response),
    )


def repo_specific(
    response: str, project_name: str, elements: Sequence[ScoredElement]
) -> float:
    """Give points for the project's name, a path, names, code and architecture."""
    score = 30.0 if project_name in response else 0.0
    if any(element.filepath in response for element in elements):
        score += 20
    mentioned = sum(element.name in response for element in elements)
    score += min(mentioned * 5, 20)
    if "```python" in response:
        score += 15
    if any(term in response.lower() for term in ARCHITECTURE):
        score += 15
    return min(score, 100.0)


def code_understanding(response: str) -> float:
    """Give points for a long explanation, parameters, a return value and code."""
    lower = response.lower()
    score = 0.0
    if len(response) > 100 and any(word in response for word in EXPLAINING):
        score += 40
    score += 15 if "参数" in response or "parameter" in lower else 0
    score += 15 if "返回" in response or "return" in lower else 0
    score += 30 if "```" in response else 0
    return min(score, 100.0)


def general(response: str) -> float:
    """Give 40 points for few repeated lines, 30 for an end, 30 for closed fences."""
    text = response.strip()
    if not text:
        return 0.0
    lines = [line for line in text.splitlines() if line.strip()]
    score = 40.0 * len(set(lines)) / len(lines)
    score += 30 if len(text) >= 20 and text.endswith(SENTENCE_ENDS) else 0
    score += 30 if text.count("```") % 2 == 0 else 0
    return round(score, 1)


def mean(values: Sequence[float]) -> float:
    """Return the mean to one decimal, as the first reports do; 0 if there are none."""
    return round(sum(values) / len(values), 1) if values else 0.0
