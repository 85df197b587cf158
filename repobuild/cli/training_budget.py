"""Read `repobuild --budget`, and tell what a larger budget would teach.

    30m, 2h        minutes or hours of training, converted to tokens by the pace of the
                   newest run that trained here
    500k, 1M, 900  tokens

A run with another budget than before continues an adapter of the same samples only when
the budget is larger (`can_teach_more` in decision.py), so what is proposed is larger.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from repobuild.errors import UsageError
from repobuild.model.teaching.scheduler import STARTUP
from repobuild.resources import program

if TYPE_CHECKING:
    from repobuild.engine.storage.run_history import TableRun

PROPOSED = ("5m", "10m", "20m", "30m", "1h", "2h", "4h", "8h", "16h")
FEWEST_TRAINED = 20  # facts of a run whose tokens a fact say something about others

# As many digits as the largest `adapter.budget` has, 10**12.
_BUDGET = re.compile(r"(\d{1,13}(?:\.\d{1,6})?)(m|h|k|M)?")
_SECONDS = {"m": 60, "h": 3600}
_TOKENS = {"": 1, "k": 1_000, "M": 1_000_000}


def read_budget(text: str, runs: Sequence[TableRun]) -> int:
    """Return the tokens of a budget; `runs` are those of the adapter, newest first.

    Raises `UsageError` as `budget_in_tokens` does.
    """
    return budget_in_tokens(text, tokens_per_second(runs))


def budget_in_tokens(text: str, pace: float) -> int:
    """Return the tokens of a budget, by a pace in tokens a second; 0 = not known.

    Raises `UsageError` for what is no budget, for a time that is over before training
    starts, and for a time without a pace.
    """
    match = _BUDGET.fullmatch(text)
    if match is None or not float(match[1]):
        raise UsageError(
            f'"{text}" is no budget\n'
            "give a time or tokens: --budget 30m, 2h, 500k or 1M"
        )
    amount, unit = float(match[1]), match[2] or ""
    if unit in _TOKENS:
        return max(1, round(amount * _TOKENS[unit]))
    training = amount * _SECONDS[unit] - STARTUP
    if training <= 0:
        raise UsageError(
            f"--budget {text} is over before training starts, which takes about "
            f"{STARTUP:.0f} s\ngive more time, as in --budget 5m, or tokens, as in "
            "--budget 500k"
        )
    if not pace:
        raise UsageError(
            f"--budget {text}: no adapter was trained here yet, so its pace is not "
            "known\ngive tokens, as in --budget 1M, or build once without"
        )
    return max(1, round(training * pace))


def is_time(budget: str) -> bool:
    """Return whether a budget is a time, which needs a past run to become tokens."""
    return budget.endswith(tuple(_SECONDS))


def tokens_per_second(runs: Iterable[TableRun]) -> float:
    """Return the pace of the newest run that trained; 0 without one."""
    for run in runs:
        if run.work and run.seconds:
            startup = STARTUP if run.seconds > 2 * STARTUP else run.seconds / 2
            return run.work / (run.seconds - startup)
    return 0.0


def larger_budget(
    row: Mapping[str, Any],
    rows: Iterable[Mapping[str, Any]],
    runs: Sequence[TableRun],
) -> dict[str, Any]:
    """Return {"budget", "tokens", "facts"}: a budget, and how many facts it teaches.

    {} when all was taught, or nothing tells how many tokens a fact takes.
    """
    coverage = row.get("coverage") or {}
    left = int(coverage.get("facts", 0) - coverage.get("taught", 0))
    each, pace = _tokens_per_fact([row, *rows]), tokens_per_second(runs)
    if left <= 0 or not each or not pace:
        return {}
    for budget in PROPOSED:
        tokens = read_budget(budget, runs)
        if tokens > int(row.get("budget", 0)):
            return {
                "budget": budget,
                "tokens": tokens,
                "facts": min(left, round(tokens / each)),
            }
    return {}


def _tokens_per_fact(rows: Iterable[Mapping[str, Any]]) -> float:
    """Return what a new fact took in the run that taught most of them; 0 for none."""
    taught: list[tuple[int, int]] = []
    for row in rows:
        counts = row.get("samples") or {}
        new = int(counts.get("trained", 0)) - int(counts.get("reviewed", 0))
        if row.get("work") and new >= FEWEST_TRAINED:
            taught.append((new, int(row["tokens"])))
    facts, tokens = max(taught, default=(0, 0))
    return tokens / facts if facts else 0.0


def coverage_line(adapter: Mapping[str, Any]) -> str:
    """Return how much an adapter was taught and what more budget buys; "" unknown."""
    coverage = adapter.get("coverage") or {}
    if not coverage.get("facts"):
        return ""
    facts, taught = coverage["facts"], coverage["taught"]
    mastered = f"{coverage['mastered']:,} mastered"
    if taught >= facts:
        return f"taught all {facts:,} facts, {mastered}"
    line = f"taught {taught:,} of {facts:,} facts, the most used first, {mastered}"
    if not (more := adapter.get("more")):
        return line
    about = _rounded(more["facts"])
    return (
        f"{line}; `{program()} --budget {more['budget']}` teaches about {about:,} more"
    )


def _rounded(count: int) -> int:
    """Round to the two leading digits: it is an estimate."""
    step: int = 10 ** max(0, len(str(count)) - 2)
    return count // step * step
