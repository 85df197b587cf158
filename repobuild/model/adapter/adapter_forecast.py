"""What the task `adapter` would do, foreseen without any model or sample.

How many samples will change is an estimate, so what hangs on it is one, too; another
recipe, another base and the length of the chain are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from repobuild.engine.explain.forecast import NOTHING, ExpectedWork, ForecastInput
from repobuild.model.adapter import delta as deltas
from repobuild.model.adapter import replay
from repobuild.model.adapter.delta import SampleDelta, StepInput, StepMode
from repobuild.model.adapter.lineage import Row
from repobuild.model.adapter.recipe import Recipe, share_of
from repobuild.model.base import resolve

STARTUP = 10.0  # seconds to import torch, load the model and ask the gate's questions
# What all rounds of a commit cost, in first rounds. Over 117 commits (three seeds of
# tests.benchmarks.experiment) 1.4 at the median and 1.7 at the mean.
ROUNDS = 1.5
TOKENS = 130.0  # of a sample, when no adapter tells


def adapter(prospect: ForecastInput) -> ExpectedWork:
    """Return mode, text and tokens of the next adapter."""
    settings, rows = prospect.settings, prospect.rows
    delta = SampleDelta([], [""] * prospect.changed, [])
    now = StepInput(
        dataset="",
        recipe=Recipe.of(settings).digest,
        base=resolve(settings).digest,
        size=prospect.size,
        rows=rows,
        parent=deltas.nearest_row(rows, prospect.ancestors, prospect.commit),
    )
    decision = deltas.decide(now, delta, settings)
    if decision.mode is StepMode.WAIT:
        return ExpectedWork(StepMode.WAIT.value, NOTHING, 0.0)
    if decision.mode is StepMode.CONTINUE:
        count = f"{prospect.changed:,} changed sample{'s' * (prospect.changed != 1)}"
        text = f"would continue on at most about {count}"
        work = continued(settings, rows.values(), prospect)
        return ExpectedWork(StepMode.CONTINUE.value, text, work, STARTUP)
    text = f"would start from the base model: {decision.reason}"
    work = whole(settings, rows.values(), prospect)
    return ExpectedWork(decision.mode.value, text, work, STARTUP)


def continued(
    settings: Mapping[str, Any], rows: Iterable[Row], prospect: ForecastInput
) -> float:
    """Tokens of a continued run: the changed samples and the replayed ones."""
    fresh, share = prospect.changed, share_of(settings, "replay")
    most, samples = (settings[f"adapter.continue_{n}"] for n in ("epochs", "samples"))
    passes = replay.passes_for(fresh, share, most, samples)
    others = replay.replayed(fresh, passes, share, settings["adapter.least_replay"])
    shown = ROUNDS * (passes * fresh + others)
    return min(float(settings["adapter.max_tokens"]), shown * tokens(rows))


def whole(
    settings: Mapping[str, Any], rows: Iterable[Row], prospect: ForecastInput
) -> float:
    """Tokens of a run from the base model: all samples, as often as the recipe says."""
    shown = prospect.size * float(settings["adapter.epochs"])
    return min(float(settings["adapter.max_tokens"]), shown * tokens(rows))


def tokens(rows: Iterable[Row]) -> float:
    """Tokens of a sample, by the newest adapter that tells."""
    known = [row for row in rows if row.get("samples", {}).get("shown")]
    newest = max(known, key=lambda row: int(row.get("build", 0)), default=None)
    if newest is None:
        return TOKENS
    return float(newest["tokens"] / newest["samples"]["shown"])
