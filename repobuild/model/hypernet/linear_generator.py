"""Generate an adapter without deep training: a linear map from vector to adapters.

    training adapters dW_1 .. dW_n, with their Gram matrix G of inner products
    PCA       of the centred dW, by the eigenvectors of G: exact, whatever the factors
    ridge     from whitened features of a repository to the first k scores
    adapter   sum over i of w_i dW_i, where the weights w sum to 1

So a generated adapter is a weighted sum of trained ones, of rank n r. Nothing is
learnt but the ridge, which has one number to choose. It is the baseline that a deep
network must beat, and what there is data for with a few dozen repositories.

Source: eigenfaces, by inner products (Sirovich and Kirby 1987); kernel ridge regression
(Saunders et al. 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from repobuild.model.hypernet.lora_weights import (
    LoraWeights,
    concatenate,
    inner_product,
)
from repobuild.model.hypernet.repository_input import RepositoryInput
from repobuild.model.hypernet.shapes import ModelShape


def gram_matrix(adapters: Sequence[LoraWeights]) -> torch.Tensor:
    """Return the inner products of the weight changes of adapters, (n, n) float64."""
    size = len(adapters)
    gram = torch.zeros(size, size, dtype=torch.float64)
    for i in range(size):
        for j in range(i + 1):
            gram[i, j] = gram[j, i] = inner_product(adapters[i], adapters[j])
    return gram


@dataclass(frozen=True, slots=True)
class LinearGenerator:
    """A fitted map from features (D,) to weights over the training adapters (n,)."""

    mean: torch.Tensor  # (D,)
    std: torch.Tensor  # (D,)
    features: torch.Tensor  # (n, D), whitened
    dual: torch.Tensor  # (n, n): from similarities to weights, less 1 / n

    @classmethod
    def fit(
        cls,
        features: torch.Tensor,
        gram: torch.Tensor,
        components: int = 8,
        ridge: float = 1.0,
    ) -> LinearGenerator:
        """Fit features (n, D) to adapters with a Gram matrix (n, n).

        `ridge` is in units of the mean squared length of a whitened feature vector.
        """
        mean, std = features.double().mean(0), features.double().std(0).clamp_min(1e-6)
        white = (features.double() - mean) / std  # (n, D)
        size = len(gram)
        centre = torch.eye(size, dtype=torch.float64) - 1 / size
        values, vectors = torch.linalg.eigh(centre @ gram.double() @ centre)
        kept = vectors[:, -min(components, size - 1) :]  # (n, k), the largest last
        # scores Z = U sqrt(S), weights of a score vector z: U S^-1/2 z. Both together:
        projection = kept @ kept.T
        similar = white @ white.T / white.shape[1]
        penalty = ridge * similar.diagonal().mean()
        inverse = torch.linalg.inv(similar + penalty * torch.eye(size))
        return cls(mean, std, white, projection @ inverse)

    def weights(self, features: torch.Tensor) -> torch.Tensor:
        """Return the weight of each training adapter; they sum to 1."""
        white = (features.double() - self.mean) / self.std
        similar = self.features @ white / white.shape[0]
        found = self.dual @ similar
        return found - found.mean() + 1 / len(found)

    def generate(
        self, features: torch.Tensor, adapters: Sequence[LoraWeights]
    ) -> LoraWeights:
        """Return the adapter of a repository with these features."""
        return concatenate(
            list(zip(self.weights(features).tolist(), adapters, strict=True))
        )


class LinearHead(nn.Module):
    """A fitted generator with its adapters, as the head of a hypernetwork's folder.

    The features are the repository vector. It has buffers and nothing to train.
    """

    def __init__(self, shape: ModelShape, inputs: int, count: int, rank: int) -> None:
        super().__init__()
        self.shape = shape
        wide: dict[str, Any] = {"dtype": torch.float64}
        for name, size in (("mean", (inputs,)), ("std", (inputs,))):
            self.register_buffer(name, torch.zeros(*size, **wide))
        self.register_buffer("features", torch.zeros(count, inputs, **wide))
        self.register_buffer("dual", torch.zeros(count, count, **wide))
        for target in shape.targets:
            sizes = (count, shape.layers, rank)
            low = torch.zeros(*sizes, target.inputs)
            high = torch.zeros(count, shape.layers, target.outputs, rank)
            self.register_buffer(f"{target.name}_a", low)
            self.register_buffer(f"{target.name}_b", high)

    @classmethod
    def of(
        cls,
        shape: ModelShape,
        generator: LinearGenerator,
        adapters: Sequence[LoraWeights],
    ) -> LinearHead:
        """Return a head that holds a fitted generator and its training adapters."""
        count, inputs = generator.features.shape
        head = cls(shape, inputs, count, adapters[0].rank)
        values = {name: getattr(generator, name) for name in _FITTED}
        for name in adapters[0].a:
            values[f"{name}_a"] = torch.stack([lora.a[name] for lora in adapters])
            scaled = [lora.b[name] * lora.scale for lora in adapters]
            values[f"{name}_b"] = torch.stack(scaled)
        head.load_state_dict(values)
        return head

    def forward(self, repository: RepositoryInput) -> LoraWeights:
        """Return the adapter of a repository: a weighted sum of the trained ones."""
        held: Any = dict(self.named_buffers())
        generator = LinearGenerator(*(held[name] for name in _FITTED))
        names = [target.name for target in self.shape.targets]
        adapters = [
            LoraWeights(
                {name: held[f"{name}_a"][i] for name in names},
                {name: held[f"{name}_b"][i] for name in names},
            )
            for i in range(len(held["dual"]))
        ]
        return generator.generate(repository.vector, adapters)


_FITTED = ("mean", "std", "features", "dual")
