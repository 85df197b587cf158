"""Make an adapter in one forward and one backward pass over a repository's source.

    G_m         the gradient of the mean loss over some source, by the weight m
    dW_m        -rate * U V^T, of the 8 largest singular values of G_m

It is the first step that training would take, with all directions made equally long,
and a LoRA of rank 8. There is nothing to learn but the rate. It stands here as the
cheapest way to make an adapter that certainly comes from the repository: what a
hypernetwork is trained for must be better, or cheaper, than this.

Source: Jordan et al. 2024, "Muon", for the orthogonal step.
"""

from __future__ import annotations

import random
from itertools import islice

import torch
from torch.nn import functional as F

from tests.benchmarks.repository_adapters.lora import (
    TARGETS,
    Bench,
    Change,
    Factors,
    source_documents,
)
from tests.benchmarks.repository_adapters.repositories import Repository

RANK = 8
DOCUMENTS = 12  # of at most 640 tokens, about 4,500 tokens


def gradient_factors(bench: Bench, repository: Repository, seed: int = 1) -> Factors:
    """Return the factors of a step of rate 1: B = -U (out, 8), A = V^T (8, in)."""
    model = bench.model
    weights = {
        f"{name}.weight": module.weight
        for name, module in model.named_modules()
        if name.rpartition(".")[2] in TARGETS
    }
    texts = source_documents(repository)
    random.Random(seed).shuffle(texts)
    for weight in weights.values():
        weight.requires_grad_(True)
    try:
        for text in islice(texts, DOCUMENTS):
            ids = torch.tensor([bench.tokens(text)])
            logits = model(input_ids=ids[:, :-1], use_cache=False).logits.float()
            F.cross_entropy(logits[0], ids[0, 1:]).backward()
        return _leading(weights)
    finally:
        for weight in weights.values():
            weight.requires_grad_(False)
            weight.grad = None


def _leading(weights: dict[str, torch.nn.Parameter]) -> Factors:
    factors = {}
    for name, weight in weights.items():
        assert weight.grad is not None
        u, _, v = torch.svd_lowrank(weight.grad.float(), q=2 * RANK, niter=4)
        factors[f"{name}.A"] = v[:, :RANK].T.contiguous()
        factors[f"{name}.B"] = -u[:, :RANK].contiguous()
    return factors


def at_rate(change: Change, rate: float) -> Change:
    """Return a change times a rate."""
    return {name: rate * tensor for name, tensor in change.items()}
