"""Predict what the task `adapter` would do, without a model and without samples.

The number of changed samples is an estimate, and so is what depends on it. Whether the
recipe, the base or the length of the chain forces a new start is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from repobuild.engine.explain.forecast import NO_WORK, ExpectedWork, ForecastInput
from repobuild.model.adapter.decision import (
    SampleDelta,
    StepDecision,
    StepInput,
    StepMode,
    decide,
    find_parent_row,
)
from repobuild.model.adapter.lineage import Row
from repobuild.model.adapter.recipe import LORA, Recipe, read_share
from repobuild.model.base import resolve_base
from repobuild.model.teaching.lesson import LEAST_BUDGET
from repobuild.model.teaching.scheduler import EXPECTED_TIMES, FIRST_TIMES, STARTUP

SAMPLES_OF_A_FACT = 2.2  # in click and in this repository
SAMPLE_TOKENS = 60.0  # of a sample, while no adapter has a measured figure


def adapter(prospect: ForecastInput) -> ExpectedWork:
    """Return mode, text and work (tokens) of the next adapter."""
    settings, rows = prospect.settings, prospect.rows
    if settings["adapter.strategy"] != LORA:
        text = "would generate it, without training"
        return ExpectedWork(StepMode.GENERATE.value, text, 0.0, STARTUP)
    delta = SampleDelta([], [""] * prospect.changed, [])
    parent = find_parent_row(rows, prospect.ancestors, prospect.commit)
    newest = rows.get(prospect.commit, parent)
    now = StepInput(
        dataset=newest["dataset"] if newest and not prospect.changed else "",
        recipe=Recipe.of(settings).digest,
        base=resolve_base(settings).digest,
        size=prospect.size,
        rows=rows,
        parent=parent,
        budget=int(settings["adapter.budget"]),
    )
    decision = decide(now, delta, settings)
    if decision.mode in (StepMode.REUSE, StepMode.WAIT):
        return ExpectedWork(decision.mode.value, NO_WORK, 0.0)
    if decision.mode is StepMode.CONTINUE and not prospect.changed:
        left = facts_not_begun(decision)
        text = f"would continue on {left:,} fact{'s' * (left != 1)} not begun"
        work = tokens_of_facts(left, settings, rows.values(), FIRST_TIMES)
    elif decision.mode is StepMode.CONTINUE:
        count = f"{prospect.changed:,} changed sample{'s' * (prospect.changed != 1)}"
        text = f"would continue on at most about {count}"
        facts = prospect.changed / SAMPLES_OF_A_FACT
        work = tokens_of_facts(facts, settings, rows.values())
    else:
        text = f"would start from the base model: {decision.reason}"
        work = first_build_tokens(settings, rows.values(), prospect)
    return ExpectedWork(decision.mode.value, text, work, STARTUP)


def facts_not_begun(decision: StepDecision) -> int:
    """Return how many facts the adapter that is continued left to a larger budget."""
    coverage = decision.row["coverage"] if decision.row else {"facts": 0, "taught": 0}
    return int(coverage["facts"] - coverage["taught"])


def tokens_of_facts(
    facts: float,
    settings: Mapping[str, Any],
    rows: Iterable[Row],
    times: int = EXPECTED_TIMES,
) -> float:
    """Estimate the tokens of a continued adapter: these facts, and reviews."""
    trained = times * facts / (1 - read_share(settings, "review"))
    tokens = max(float(LEAST_BUDGET), trained * sample_tokens(rows))
    return min(float(settings["adapter.budget"]), tokens)


def first_build_tokens(
    settings: Mapping[str, Any], rows: Iterable[Row], prospect: ForecastInput
) -> float:
    """Estimate the tokens of a run on the base model: all facts, until mastered."""
    trained = FIRST_TIMES * prospect.size / SAMPLES_OF_A_FACT
    return min(float(settings["adapter.budget"]), trained * sample_tokens(rows))


def sample_tokens(rows: Iterable[Row]) -> float:
    """Return the mean tokens of a sample in the newest adapter that counted them."""
    known = [row for row in rows if row.get("samples", {}).get("shown")]
    newest = max(known, key=lambda row: int(row.get("build", 0)), default=None)
    if newest is None:
        return SAMPLE_TOKENS
    return float(newest["tokens"] / newest["samples"]["shown"])
