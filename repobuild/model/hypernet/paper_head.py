"""The published head: one pair of matrices for each kind of layer, shared by all.

    h   = GELU(W2 GELU(W1 x + b1) + b2),  then  sqrt(H) h / |h|       x (2C,), H = 1024
    A_m = tanh(reshape(HA_m h + bA_m, [r, in]))  * clamp(exp(sA_m), 1e-5, 0.3)
    B_m = tanh(reshape(HB_m h + bB_m, [out, r])) * clamp(exp(sB_m), 1e-5, 0.3)

It exists to be compared with: for Qwen2.5-Coder-1.5B it has 679,090,190 parameters, as
the published checkpoint, for 659,456 outputs. `normalise` is what the release does to
its input; `whitened` is the cure of its collapse (repository_input.py).

Source: Code2LoRA (arXiv 2606.06492), with the initialisation of the released code.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from repobuild.model.hypernet.lora_weights import LoraWeights
from repobuild.model.hypernet.repository_input import RepositoryInput, Whitening
from repobuild.model.hypernet.shapes import ModelShape

SCALE_AT_START = -3.5  # exp of it is 0.0302
_LEAST_SCALE, _LARGEST_SCALE = 1e-5, 0.3


class PaperHead(nn.Module):
    """Generate an adapter from one repository vector."""

    def __init__(
        self,
        shape: ModelShape,
        inputs: int,
        hidden: int = 1024,
        rank: int = 16,
        alpha: int = 32,
        whitened: bool = False,
    ) -> None:
        super().__init__()
        self.shape, self.rank, self.scale = shape, rank, alpha / rank
        self.whitening = Whitening(inputs) if whitened else None
        self.first = nn.Linear(inputs, hidden)
        self.second = nn.Linear(hidden, hidden)
        names = [target.name for target in shape.targets]
        self.a = nn.ModuleDict(
            {t.name: nn.Linear(hidden, rank * t.inputs) for t in shape.targets}
        )
        self.b = nn.ModuleDict(
            {t.name: nn.Linear(hidden, rank * t.outputs) for t in shape.targets}
        )
        self.scale_a = nn.ParameterDict({n: _scale_parameter() for n in names})
        self.scale_b = nn.ParameterDict({n: _scale_parameter() for n in names})

    def fit_whitening(self, inputs: list[RepositoryInput]) -> None:
        """Fit the whitening on the training repositories, if there is one."""
        if self.whitening is not None:
            self.whitening.fit(torch.stack([each.vector for each in inputs]))

    def forward(self, repository: RepositoryInput) -> LoraWeights:
        """Return the adapter of a repository."""
        if self.whitening is not None:
            return self.generate(self.whitening(repository.vector))
        return self.generate(F.normalize(repository.vector.float(), dim=0))

    def generate(self, context: torch.Tensor) -> LoraWeights:
        """Return the adapter of a context (inputs,), such as `CommitGRU` gives."""
        h = F.gelu(self.second(F.gelu(self.first(context))))
        h = F.normalize(h, dim=0) * h.shape[0] ** 0.5
        a, b = {}, {}
        for name, inputs, outputs in self.shape.targets:
            low = _bounded(self.a[name](h), self.scale_a[name])
            high = _bounded(self.b[name](h), self.scale_b[name])
            layers = self.shape.layers
            a[name] = low.view(1, self.rank, inputs).expand(layers, -1, -1)
            b[name] = high.view(1, outputs, self.rank).expand(layers, -1, -1)
        return LoraWeights(a, b, self.scale)


def _scale_parameter() -> nn.Parameter:
    return nn.Parameter(torch.tensor(SCALE_AT_START))


def _bounded(x: torch.Tensor, scale: Any) -> torch.Tensor:
    bounded: torch.Tensor = torch.tanh(x) * scale.exp().clamp(
        _LEAST_SCALE, _LARGEST_SCALE
    )
    return bounded
