"""Compute the learning rate of every step of a training run.

    peak        the recipe's `learning_rate`; a continued adapter takes a share of it
    warm-up     linear, over the first `warmup` of the steps
    decay       half a cosine, down to `FINAL_SHARE` of the peak at the last step

The schedule depends on the step and on the length of the whole run only, so that a
resumed run continues it exactly.

Source: cosine annealing (Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient Descent
with Warm Restarts"), here without restarts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from repobuild.model.adapter.recipe import Recipe

FINAL_SHARE = 0.1  # of the peak rate, at the last step


def peak_rate(recipe: Recipe, settings: Mapping[str, Any], continues: bool) -> float:
    """Return the highest learning rate of a run on the base, or on a parent adapter."""
    share = float(settings["adapter.continue_rate"]) if continues else 1.0
    return recipe.learning_rate * share


def rate_at(step: int, steps: int, warmup: float) -> float:
    """Return the share of the peak rate at a step, counted from 0."""
    warmup_steps = max(1, math.ceil(steps * warmup))
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = (step - warmup_steps) / max(1, steps - warmup_steps)
    cosine = 0.5 * (1 + math.cos(math.pi * progress))
    return FINAL_SHARE + (1 - FINAL_SHARE) * cosine
