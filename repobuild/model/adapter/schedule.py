"""Compute the learning rate along a training run.

    peak        the recipe's `learning_rate`; a continued adapter takes a share of it
    warm-up     linear, over the first `warmup` of the planned tokens
    decay       half a cosine, down to `FINAL_SHARE` of the peak at the last planned
    token restart     a run that is not done by then takes another cosine as long, and
    so on

The number of steps is not known beforehand, so the rate goes by tokens. It depends on
nothing else, so a resumed run continues it exactly. Without restarts the facts of a
small repository that needed longer than planned were learnt at a tenth of the rate.

Source: Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm
Restarts".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from repobuild.model.adapter.recipe import Recipe

FINAL_SHARE = 0.1  # of the peak rate, at the last planned token
FIRST_SHARE = 0.02  # of the peak rate, in the first step


def peak_rate(recipe: Recipe, settings: Mapping[str, Any], continues: bool) -> float:
    """Return the highest learning rate of a run on the base, or on a parent adapter."""
    share = float(settings["adapter.continue_rate"]) if continues else 1.0
    return recipe.learning_rate * share


def rate_at(progress: float, warmup: float) -> float:
    """Return the share of the peak rate; `progress` counts the planned tokens as 1."""
    if progress < warmup:
        return FIRST_SHARE + (1 - FIRST_SHARE) * progress / warmup
    start = warmup if progress < 1 else 0.0
    part = (progress % 1.0 - start) / (1.0 - start)
    cosine = 0.5 * (1 + math.cos(math.pi * part))
    return FINAL_SHARE + (1 - FINAL_SHARE) * cosine
