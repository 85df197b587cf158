"""Our head: a shared adapter of each layer, plus what the repository changes of it.

    dW of layer l, target m  =  B0 A0  +  B_c A_c

    B0 A0   an ordinary LoRA, learned, the same for every repository
    c       the repository's context: its vector, and its files by cross-attention
    z       c with an embedding of l and one of m, through a residual MLP
    A_c     sum over n of a_n(z) A_n            a bank of N bases for each target
    B_c     sum over n of b_n(z) B_n            b(z) = W (z(c) - z(mean repository))

W is zero at first, so that training starts from an ordinary LoRA. The residual of the
mean repository stays zero, so that the shared part cannot hide in it: what the
residual gains is gained by knowing the repository, and can be measured by leaving it
out (`shared`). The published head has neither, and one averaged adapter reproduces it.

With rank 8, 16 bases of rank 8 and a width of 256, Qwen2.5-Coder-1.5B takes at most 20
million parameters, where the published head takes 679 million.

Sources: Code2LoRA (arXiv 2606.06492), whose notes have a bank of bases that scored as
well as the large head; Text-to-LoRA (2506.06105) for layer and module embeddings;
Perceiver (Jaegle et al. 2021) for latent queries over a set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from repobuild.model.hypernet.lora_weights import LoraWeights
from repobuild.model.hypernet.repository_input import RepositoryInput, Whitening
from repobuild.model.hypernet.shapes import ModelShape, TargetShape

HEADS = 4  # of attention
_BASE_STD = 0.02  # of the bank's B


@dataclass(frozen=True, slots=True)
class ResidualSettings:
    """Sizes of the head."""

    rank: int = 8  # of the shared part
    bank_rank: int = 8  # of the residual
    bases: int = 16
    width: int = 256
    latents: int = 8  # queries over the files; 0 = the pooled vector alone
    alpha: float = 2.0  # scale of both products


class ResidualHead(nn.Module):
    """Generate an adapter from a repository's vector and its set of file vectors."""

    def __init__(
        self,
        shape: ModelShape,
        encoded: int,
        settings: ResidualSettings = ResidualSettings(),  # noqa: B008 (frozen)
    ) -> None:
        super().__init__()
        self.shape, self.encoded, self.settings = shape, encoded, settings
        width, targets = settings.width, shape.targets
        self.whiten_vector = Whitening(2 * encoded)
        self.whiten_files = Whitening(encoded)
        self.read_vector = nn.Linear(2 * encoded, width)
        self.read_files = (
            FileSetEncoder(encoded, width, settings.latents)
            if settings.latents
            else None
        )
        self.of_layer = nn.Parameter(torch.randn(shape.layers, width) * 0.1)
        self.of_target = nn.Parameter(torch.randn(len(targets), width) * 0.1)
        self.trunk = ResidualBlock(width)
        self.norm = nn.LayerNorm(width)
        self.mix_a = nn.Linear(width, settings.bases)
        self.mix_b = nn.Linear(width, settings.bases, bias=False)
        nn.init.zeros_(self.mix_b.weight)
        rank, bases = settings.rank, (settings.bases, settings.bank_rank)
        self.shared_a = _parameters(targets, lambda t: _uniform(shape.layers, rank, t))
        self.shared_b = _parameters(
            targets, lambda t: torch.zeros(shape.layers, t.outputs, rank)
        )
        self.bank_a = _parameters(targets, lambda t: _uniform(*bases, t))
        self.bank_b = _parameters(
            targets, lambda t: torch.randn(bases[0], t.outputs, bases[1]) * _BASE_STD
        )

    def fit_whitening(self, inputs: Sequence[RepositoryInput]) -> None:
        """Fit both whitenings on the training repositories, 2 at least."""
        self.whiten_vector.fit(torch.stack([each.vector for each in inputs]))
        self.whiten_files.fit(torch.cat([each.files for each in inputs]))

    # ---------------------------------------------------------------------- context

    def forward(self, repository: RepositoryInput) -> LoraWeights:
        """Return the adapter of a repository."""
        return self.generate(self.context(repository))

    def context(self, repository: RepositoryInput) -> torch.Tensor:
        """Return what the head knows of a repository, (width,)."""
        files = self.whiten_files(repository.files)
        vector = self.whiten_vector(repository.vector)
        return self._context(vector, files, repository.weights)

    def mean_context(self) -> torch.Tensor:
        """Return the context of the mean training repository."""
        white = self.of_layer.new_zeros(3, self.encoded)  # whitened, the mean is zero
        one = white.new_ones(1)
        return self._context(white[:2].flatten(), white[2:], one)

    def _context(
        self, vector: torch.Tensor, files: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        context: torch.Tensor = self.read_vector(vector)
        if self.read_files is not None:
            context = context + self.read_files(files, weights)
        return context

    # --------------------------------------------------------------------- matrices

    def generate(self, context: torch.Tensor) -> LoraWeights:
        """Return the adapter of a context (width,): shared part and residual."""
        z = self._features(context)  # (L, M, width)
        mix_a = self.mix_a(z) / self.settings.bases**0.5  # (L, M, N)
        mix_b = self.mix_b(z - self._features(self.mean_context()))
        a, b = {}, {}
        for number, target in enumerate(self.shape.targets):
            name = target.name
            low = torch.einsum("ln,nri->lri", mix_a[:, number], self.bank_a[name])
            high = torch.einsum("ln,nor->lor", mix_b[:, number], self.bank_b[name])
            a[name] = torch.cat([self.shared_a[name], low], 1)
            b[name] = torch.cat([self.shared_b[name], high], 2)
        return LoraWeights(a, b, self.settings.alpha)

    def shared(self) -> LoraWeights:
        """Return the shared part alone: an ordinary LoRA."""
        return LoraWeights(
            dict(self.shared_a.items()), dict(self.shared_b.items()),
            self.settings.alpha,
        )  # fmt: skip

    def _features(self, context: torch.Tensor) -> torch.Tensor:
        """Return the features of every layer and target, (L, M, width)."""
        places = self.of_layer[:, None] + self.of_target[None]
        features: torch.Tensor = self.norm(self.trunk(context + places))
        return features


class ResidualBlock(nn.Module):
    """x + MLP(LayerNorm(x)), of a width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        changed: torch.Tensor = x + self.down(F.gelu(self.up(self.norm(x))))
        return changed


class FileSetEncoder(nn.Module):
    """Read a set of file vectors by learned queries, in any order of the files.

    A file's weight is added to the scores as its logarithm: without anything learnt,
    the queries read the weighted mean.
    """

    def __init__(self, encoded: int, width: int, latents: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(latents, width) * width**-0.5)
        self.read = nn.Linear(encoded, width)
        self.norm = nn.LayerNorm(width)
        self.to_query = nn.Linear(width, width)
        self.to_key, self.to_value = nn.Linear(width, width), nn.Linear(width, width)
        self.block = ResidualBlock(width)
        self.join = nn.Linear(latents * width, width)

    def forward(self, files: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Map whitened files (F, C) with weights (F,) to (width,)."""
        x = self.norm(self.read(files))
        query, key, value = (
            _by_head(part)
            for part in (self.to_query(self.queries), self.to_key(x), self.to_value(x))
        )  # (heads, K or F, width / heads)
        scores = query @ key.transpose(1, 2) / query.shape[-1] ** 0.5
        shares = torch.softmax(scores + weights.clamp_min(1e-12).log(), -1)
        found = (shares @ value).transpose(0, 1).flatten(1)  # (K, width)
        joined: torch.Tensor = self.join(self.block(found).flatten())
        return joined


def _by_head(x: torch.Tensor) -> torch.Tensor:
    return x.view(len(x), HEADS, -1).transpose(0, 1)


def _parameters(targets: Sequence[TargetShape], make: object) -> nn.ParameterDict:
    assert callable(make)
    return nn.ParameterDict({t.name: nn.Parameter(make(t)) for t in targets})


def _uniform(count: int, rank: int, target: TargetShape) -> torch.Tensor:
    """Return (count, rank, in), as PEFT begins a LoRA's A."""
    bound = target.inputs**-0.5
    return torch.empty(count, rank, target.inputs).uniform_(-bound, bound)
