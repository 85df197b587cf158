"""Turn file vectors into what a hypernetwork reads: one vector, and a weighted set.

    weight of a file      softmax(score / 0.15); a score is high for a file that differs
                          from the mean file, is long, near the root, in src/ or core/,
                          or a README, and low for __init__.py and constants
    vector (2C)           [0.6 * weighted mean ; 1.4 * maximum] of the file vectors
    files (F, C)          the vectors of the most important files
    whitened              (x - mean) / std, by dimension, over the training repositories

Whitening decides whether a hypernetwork can see a repository at all. Pooled vectors of
different repositories have a cosine of 0.74; entered as they are into a linear layer
whose bias outweighs them, they leave it with 0.989. Whitened, with 0.12. The published
network omits it, and its adapters of 51 repositories have a cosine of 0.998.

No vector comes from a test file: what is asked about a repository is in its tests.

Source: Code2LoRA (arXiv 2606.06492), static snapshot, for scores and pooling.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

import torch
from torch.nn import functional as F

MOST_FILES = 400  # that the set holds; the vector pools all
_TEMPERATURE = 0.15
_MEAN_SHARE, _MAX_SHARE = 0.6, 1.4
_LEAST_STD = 1e-4
_PLAIN_FILES = frozenset({"__init__", "setup", "conf", "version", "constant"})
_CORE_FOLDERS = frozenset({"src", "core", "lib"})
_GUIDES = ("README", "CONTRIBUTING")


class FileVector(NamedTuple):
    """A file's mean hidden state, and what decides its weight."""

    path: str
    vector: torch.Tensor  # (C,)
    tokens: int
    lines: int


@dataclass(frozen=True, slots=True)
class RepositoryInput:
    """What a head is given of one repository."""

    vector: torch.Tensor  # (2C,)
    files: torch.Tensor  # (F, C), the most important first
    weights: torch.Tensor  # (F,), they sum to 1

    def to(self, device: torch.device | str) -> RepositoryInput:
        """Return it on a device."""
        return RepositoryInput(
            self.vector.to(device), self.files.to(device), self.weights.to(device)
        )


def pool(files: Sequence[FileVector]) -> RepositoryInput:
    """Pool the vectors of a repository's files, by their importance.

    Raises `ValueError` without any file.
    """
    if not files:
        raise ValueError("a repository without a source file has no vector")
    # Sums depend on the order of the files, so that it must not depend on the caller.
    files = sorted(files, key=lambda file: file.path)
    vectors = torch.stack([file.vector.float() for file in files])  # (F, C)
    weights = importance(files, vectors)
    mean = (weights[:, None] * vectors).sum(0)
    vector = torch.cat([_MEAN_SHARE * mean, _MAX_SHARE * vectors.amax(0)])
    first = torch.sort(weights, descending=True, stable=True).indices[:MOST_FILES]
    kept = weights[first]
    return RepositoryInput(vector, vectors[first], kept / kept.sum())


def importance(files: Sequence[FileVector], vectors: torch.Tensor) -> torch.Tensor:
    """Return the weight of each file, (F,); they sum to 1."""
    unit = F.normalize(vectors, dim=1)
    differs = 1 - F.cosine_similarity(vectors, unit.mean(0)[None])
    sizes = torch.tensor([math.log1p(file.tokens) for file in files])
    spread = sizes.max() - sizes.min()
    long = (sizes - sizes.min()) / spread if spread else torch.zeros(len(files))
    fixed = torch.tensor([_fixed_score(file.path, file.lines) for file in files])
    return torch.softmax((differs + 0.3 * long + fixed) / _TEMPERATURE, 0)


def _fixed_score(path: str, lines: int) -> float:
    """Return the part of a score that the path and the number of lines decide."""
    parts = PurePosixPath(path)
    depth = len(parts.parts) - 1
    score = {0: 0.2, 1: 0.1}.get(depth, 0.0)
    if parts.stem.removesuffix("s") in _PLAIN_FILES or parts.stem.startswith("typing"):
        score -= 0.25
    if parts.name.startswith(_GUIDES) or _CORE_FOLDERS & set(parts.parts[:-1]):
        score += 0.15
    return score + 0.15 * math.log(min(lines / 20, 1) + 1e-6)


class Whitening(torch.nn.Module):
    """Standardise each dimension by the mean and deviation of training repositories.

    Its tensors are buffers: they are stored with the weights and never trained. Until
    `fit` it changes nothing.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("std", torch.ones(size))

    def fit(self, rows: torch.Tensor) -> None:
        """Take mean and deviation of rows (N, size), of which there are at least 2."""
        self.mean.copy_(rows.float().mean(0))
        self.std.copy_(rows.float().std(0).clamp_min(_LEAST_STD))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        white: torch.Tensor = (x.float() - self.mean) / self.std
        return white
