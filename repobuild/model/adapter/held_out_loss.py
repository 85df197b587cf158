"""Loss on held-out samples while an adapter is trained.

    measured   at `adapter.evaluations` evenly spaced steps, the last one among them, on
               as many samples as cost a fiftieth of the run; in a short run less often
    kept       with `adapter.patience`: the LoRA weights of the lowest loss so far
    stopped    with it, after so many measurements in a row without a lower one

Points and kept weights are part of a checkpoint. The samples are shared out to the
processes and every process gets the sum, so all of them stop at the same step. Without
patience nothing of this touches the weights: the adapter is the same, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from repobuild.model.adapter.packing import batches
from repobuild.model.conversation import Example

# Held-out tokens of a run, as a share of its trained ones. Without gradients a token
# takes 0.4 of the time of a trained one (embedded model, one core).
SHARE = 0.04
LEAST = 8  # samples of a measurement

Tensors = dict[str, torch.Tensor]
Rows = list[list[Example]]
Share = list[tuple[Rows, bool]]  # batches, and whether they count


@dataclass(slots=True)
class HeldOutCurve:
    """What was measured so far."""

    points: list[list[float]] = field(default_factory=list)  # [step, loss]
    best: Tensors = field(default_factory=dict)  # of the lowest; empty = not wanted

    @property
    def kept(self) -> int:
        """The step of the lowest loss, the first one of equals; 0 before any."""
        return int(min(self.points, key=lambda p: p[1])[0]) if self.points else 0

    def add(self, step: int, loss: float) -> bool:
        """Note a loss; whether it is the lowest."""
        self.points.append([float(step), round(loss, 6)])
        return self.kept == step

    def stopped(self, patience: int) -> bool:
        """Whether the last `patience` measurements were all no better than one before.

        False without patience.
        """
        since = sum(1 for step, _ in self.points if step > self.kept)
        return 0 < patience <= since


def due(steps: int, count: int) -> frozenset[int]:
    """The steps after which the loss is measured."""
    return frozenset(math.ceil(steps * k / count) for k in range(1, count + 1))


def times(examples: Sequence[Example], trained: int, count: int) -> int:
    """How often a run of `trained` tokens can afford the least of measurements."""
    least = sum(len(example.tokens) for example in examples[:LEAST])
    return min(count, max(1, int(SHARE * trained / least))) if examples else 0


def fitting(examples: Sequence[Example], trained: int, count: int) -> list[Example]:
    """As many as `count` measurements of a run of `trained` tokens allow."""
    budget = SHARE * trained / max(1, count)
    chosen: list[Example] = []
    for example in examples:
        budget -= len(example.tokens)
        if budget < 0 and len(chosen) >= LEAST:
            break
        chosen.append(example)
    return chosen


def shares(examples: Sequence[Example], tokens: int, world: int) -> list[Share]:
    """Batches for each process; as many for each, so some are there twice, uncounted.

    Under ZeRO-3 all processes must go through the model together.
    """
    lengths = [len(example.tokens) for example in examples]
    size = max(tokens, max(lengths, default=1))
    found = batches(lengths, range(len(examples)), size, 0) if examples else []
    once = [([[examples[i] for i in row] for row in batch], True) for batch in found]
    twice = [(rows, False) for rows, _ in once[:1] * (-len(once) % world)]
    return [[*once, *twice][rank::world] for rank in range(world)]


def measure(
    engine: Any, share: Share, tensors: Callable[[Rows], dict[str, torch.Tensor]]
) -> float:
    """Mean loss per answer token over all processes; each must call it."""
    engine.eval()
    total = torch.zeros(2, dtype=torch.float64)
    with torch.no_grad():
        for rows, counts in share:
            loss = engine(**tensors(rows)).loss
            tokens = counts * sum(len(e.tokens) - e.answer for row in rows for e in row)
            total += torch.tensor([loss.item() * tokens, tokens], dtype=torch.float64)
    engine.train()
    total = total.to(loss.device)
    if torch.distributed.is_initialized():
        torch.distributed.all_reduce(total)
    return float(total[0] / total[1])
