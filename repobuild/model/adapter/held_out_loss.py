"""Measure the loss on held-out samples while an adapter is trained.

    when      at `adapter.evaluations` evenly spaced steps, the last step among them, on
              as many samples as cost a fiftieth of the run; in a short run less often
    best      with `adapter.patience`, the LoRA weights of the lowest loss are kept
    stop      with it, training ends after that many measurements without a lower loss

The curve and the best weights are part of a checkpoint. Each process measures a part of
the samples and receives the sum, so that all of them stop at the same step. Without
patience measuring does not touch the weights: the adapter is the same, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from repobuild.model.adapter.packing import bucketed_batches
from repobuild.model.conversation import Example

if TYPE_CHECKING:
    import torch

# Held-out tokens of a run, as a share of its trained ones. Without gradients a token
# takes 0.4 of the time of a trained one (embedded model, one core).
SHARE = 0.04
MIN_SAMPLES = 8  # of a measurement

Rows = list[list[Example]]


class HeldOutBatch(NamedTuple):
    rows: Rows
    counts: bool  # False for a batch that another process measures too


@dataclass(slots=True)
class HeldOutCurve:
    """Measurements so far, and the best weights."""

    points: list[list[float]] = field(default_factory=list)  # [step, loss]
    best: dict[str, torch.Tensor] = field(default_factory=dict)  # empty = not kept

    @property
    def best_step(self) -> int:
        """Step of the lowest loss, the first one of equal losses; 0 without any."""
        return int(min(self.points, key=lambda p: p[1])[0]) if self.points else 0

    def add(self, step: int, loss: float) -> bool:
        """Add a measurement and return whether it is the lowest."""
        self.points.append([float(step), round(loss, 6)])
        return self.best_step == step

    def should_stop(self, patience: int) -> bool:
        """Return whether the last `patience` losses were no better than one before.

        Always False without patience.
        """
        since_best = sum(1 for step, _ in self.points if step > self.best_step)
        return 0 < patience <= since_best


# --------------------------------------------------------------- when, on which samples


def affordable_count(examples: Sequence[Example], trained: int, count: int) -> int:
    """Return how many of `count` measurements a run of `trained` tokens can afford.

    A measurement has `MIN_SAMPLES` at least, and a run one measurement at least.
    """
    least = sum(len(example.tokens) for example in examples[:MIN_SAMPLES])
    return min(count, max(1, int(SHARE * trained / least))) if examples else 0


def affordable_samples(
    examples: Sequence[Example], trained: int, count: int
) -> list[Example]:
    """Return the first samples that `count` measurements can afford."""
    budget = SHARE * trained / max(1, count)
    chosen: list[Example] = []
    for example in examples:
        budget -= len(example.tokens)
        if budget < 0 and len(chosen) >= MIN_SAMPLES:
            break
        chosen.append(example)
    return chosen


def split_by_process(
    examples: Sequence[Example], tokens: int, world: int
) -> list[list[HeldOutBatch]]:
    """Return the batches of each process, of at most `tokens`.

    All processes get the same number of batches, because under ZeRO-3 they must run the
    model together. For that the first batch is repeated and not counted.
    """
    lengths = [len(example.tokens) for example in examples]
    size = max(tokens, max(lengths, default=1))
    numbers = (
        bucketed_batches(lengths, range(len(examples)), size, 0) if examples else []
    )
    once = [
        HeldOutBatch([[examples[i] for i in row] for row in batch], True)
        for batch in numbers
    ]
    missing = -len(once) % world
    repeated = [batch._replace(counts=False) for batch in once[:1] * missing]
    return [[*once, *repeated][rank::world] for rank in range(world)]


# ----------------------------------------------------------------------- measurement


def measure(
    engine: Any,
    own_batches: Sequence[HeldOutBatch],
    to_tensors: Callable[[Rows], dict[str, torch.Tensor]],
) -> float:
    """Return the mean loss per answer token over all processes, in nats.

    Every process must call it.
    """
    import torch

    engine.eval()
    total = torch.zeros(2, dtype=torch.float64)  # summed loss, answer tokens
    with torch.no_grad():
        for rows, counts in own_batches:
            loss = engine(**to_tensors(rows)).answers
            tokens = counts * sum(
                len(e.tokens) - e.answer_start for row in rows for e in row
            )
            total += torch.tensor([loss.item() * tokens, tokens], dtype=torch.float64)
    engine.train()
    total = total.to(loss.device)
    if torch.distributed.is_initialized():
        torch.distributed.all_reduce(total)
    return float(total[0] / total[1])
