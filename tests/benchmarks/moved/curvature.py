"""Move weights where retained answers do not notice.

Of every LoRA factor two covariances are measured on retained samples: of what goes in,
and of the gradient of what comes out, for answers drawn from the model itself (the
Fisher information in Kronecker factors: Martens and Grosse 2015; used against
forgetting by Ritter et al. 2018). A step U is then taken as L U R, where L and R shrink
the directions that retained samples use: (1 + C / (share * mean)) ** -1/2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional as F

from repobuild.model.adapter.packing import bucketed_batches, collate

if TYPE_CHECKING:
    from repobuild.model.conversation import Example
    from tests.benchmarks.moved.learner import Learner

INPUTS, OUTPUTS = 0.03, 0.01  # shares of the mean curvature


@dataclass(frozen=True, slots=True)
class Curvature:
    """Left and right factors by the name of a weight."""

    left: dict[str, torch.Tensor]
    right: dict[str, torch.Tensor]

    def inward(self, name: str, gradient: torch.Tensor) -> torch.Tensor:
        return self.left[name] @ gradient @ self.right[name]

    outward = inward  # both factors are symmetric


def curvature(learner: Learner, retained: Sequence[Example]) -> Curvature:
    """Measure on these samples; costs as much as training on them once."""
    inputs: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    hooks = []
    for name, module in learner.factors():
        hooks.append(module.register_forward_pre_hook(_input(inputs, name)))
        hooks.append(module.register_full_backward_hook(_output(outputs, name)))
    lengths = [len(example.tokens) for example in retained]
    for batch in bucketed_batches(lengths, range(len(retained)), 1024, 0):
        rows = [[retained[number] for number in row] for row in batch]
        logits, _ = learner.logits(collate(rows, learner.pad))
        drawn = torch.distributions.Categorical(logits=logits.detach()).sample()
        F.cross_entropy(logits, drawn, reduction="sum").backward()
        learner.model.zero_grad()
    for hook in hooks:
        hook.remove()
    return Curvature(
        {name: _shrink(c, OUTPUTS) for name, c in outputs.items()},
        {name: _shrink(c, INPUTS) for name, c in inputs.items()},
    )


def _input(found: dict[str, Any], name: str) -> Any:
    def hook(module: Any, given: tuple[torch.Tensor, ...]) -> None:
        found[name] = found.get(name, 0) + _covariance(given[0])

    return hook


def _output(found: dict[str, Any], name: str) -> Any:
    def hook(module: Any, inner: Any, outer: tuple[torch.Tensor, ...]) -> None:
        found[name] = found.get(name, 0) + _covariance(outer[0])

    return hook


def _covariance(rows: torch.Tensor) -> torch.Tensor:
    flat = rows.detach().float().reshape(-1, rows.shape[-1])
    return flat.T @ flat


def _shrink(covariance: torch.Tensor, share: float) -> torch.Tensor:
    values, vectors = torch.linalg.eigh(covariance.double())
    values = values.clamp(min=0)
    scale = (1 + values / (share * values.mean())).rsqrt()
    return ((vectors * scale) @ vectors.T).float()
