"""Count the tokens of a repository's identifiers: cheap knowledge of it, no model.

    frequencies (V,)   the share of each token among the tokens of defined names; a name
                       counts once for each place that defines it
    logit bias (V,)    strength * log((f + e) / (mean f of training repositories + e))

The bias is a baseline: knowledge of which names there are, without when to say them.
The frequencies are also what a linear generator reads, and what says which repository
is nearest to another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import torch

from tests.benchmarks.repository_adapters.lora import Bench
from tests.benchmarks.repository_adapters.repositories import (
    Repository,
    defined_names,
)

SMALL = 1e-4  # e: about one token in ten thousand


def frequencies(bench: Bench, repository: Repository) -> torch.Tensor:
    """Return the share of each token in the names that the source defines, (V,)."""
    names = Counter(
        name for file in repository.source for name in defined_names(file.tree)
    )
    counts = torch.zeros(bench.model.config.vocab_size)
    for name, times in names.items():
        # After a dot and after a blank a name is cut into different tokens.
        for text in (f".{name}", f" {name}"):
            ids = torch.tensor(bench.tokens(text))
            counts.index_add_(0, ids, torch.full((len(ids),), float(times)))
    return counts / counts.sum().clamp_min(1)


def logit_bias(
    found: torch.Tensor, mean: torch.Tensor, strength: float
) -> torch.Tensor:
    """Return what is added to the logits, (V,)."""
    return strength * ((found + SMALL) / (mean + SMALL)).log()


def features(found: torch.Tensor) -> torch.Tensor:
    """Return frequencies in the form that is compared: their square roots.

    The inner product of two such vectors is the Bhattacharyya coefficient.
    """
    return found.sqrt()


def nearest(name: str, of: Mapping[str, torch.Tensor], among: Sequence[str]) -> str:
    """Return the other repository with the most similar identifiers.

    Each vector is taken relative to the mean, else common words decide.
    """
    mean = torch.stack([of[other] for other in among]).mean(0)
    mine = of[name] - mean

    def similarity(other: str) -> float:
        return float(torch.cosine_similarity(mine, of[other] - mean, dim=0))

    return max((other for other in among if other != name), key=similarity)
