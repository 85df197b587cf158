"""Arrange the examples of a pass in batches.

    bucketed_batches, packed_batches    the batches of one pass
    collate                             one batch as tensors (B, T)

A batch is a list of rows, a row is a list of example numbers.

    bucketed    one example a row; examples of similar length share a batch, so that
                little is padding. There is no attention mask: in a causal model no
                token attends to the padding after it, and SDPA takes its fast path.
    packed      several examples a row, best fit. Positions restart at 0 for each, by
                which every kind of attention keeps them apart (compute/attention.py);
                there is no attention mask, and `use_cache=False`.

On two CPU cores (5 M parameters, rank 64, 4,096 tokens a batch) bucketed rows train at
10.1k tokens/s, rows packed to 500 at 8.2k, and one packed row of 4,000 at 2.7k with
torch's attention, whose mask grows with the square of the row. On a GPU packed rows are
faster; `adapter.packing = "auto"` chooses by device (training_run.py).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from repobuild.model.conversation import Example

if TYPE_CHECKING:
    import torch

Row = list[int]
Batch = list[Row]

# Batches whose examples are sorted together. A larger window has less padding, but its
# batches hold one kind of answer only.
WINDOW = 16

# --------------------------------------------------------------------------- batches


def bucketed_batches(
    lengths: Sequence[int], order: Sequence[int], tokens: int, seed: int
) -> list[Batch]:
    """Return bucketed batches of at most `tokens`, padding included."""
    result: list[Batch] = []
    for window in _windows(lengths, order, WINDOW * tokens):
        batch: Batch = []
        for number in sorted(window, key=lambda i: (lengths[i], i)):
            if batch and lengths[number] * (len(batch) + 1) > tokens:
                result.append(batch)
                batch = []
            batch.append([number])
        result.append(batch)
    random.Random(f"{seed}.batches").shuffle(result)
    return result


def packed_batches(
    lengths: Sequence[int], order: Sequence[int], tokens: int, row: int, seed: int
) -> list[Batch]:
    """Return batches of `tokens`; each row has at most `row`, filled best fit."""
    result: list[Batch] = []
    for window in _windows(lengths, order, WINDOW * tokens):
        rows: list[Row] = []
        space: list[int] = []
        for number in sorted(window, key=lambda i: (-lengths[i], i)):
            fits = [i for i, free in enumerate(space) if free >= lengths[number]]
            best = min(fits, key=space.__getitem__, default=len(rows))
            if best == len(rows):
                rows.append([])
                space.append(row)
            rows[best].append(number)
            space[best] -= lengths[number]
        random.Random(f"{seed}.rows.{len(result)}").shuffle(rows)
        size = max(1, tokens // row)
        result += [rows[i : i + size] for i in range(0, len(rows), size)]
    random.Random(f"{seed}.batches").shuffle(result)
    return result


def _windows(
    lengths: Sequence[int], order: Sequence[int], tokens: int
) -> Iterable[list[int]]:
    """Cut the order into windows of about `tokens`."""
    window: list[int] = []
    used = 0
    for number in order:
        window.append(number)
        used += lengths[number]
        if used >= tokens:
            yield window
            window, used = [], 0
    if window:
        yield window


def collate(rows: Sequence[Sequence[Example]], pad: int) -> dict[str, torch.Tensor]:
    """Return the tensors (B, T) of a batch; labels of prompts and padding are -100."""
    import torch

    width = max(sum(len(e.tokens) for e in row) for row in rows)
    packed = any(len(row) > 1 for row in rows)
    ids, labels, positions = [], [], []
    for row in rows:
        tokens = [token for e in row for token in e.tokens]
        # The example before in the row would predict an example's first label. That
        # label is always masked, because a prompt is never empty.
        row_labels = [label for e in row for label in e.labels]
        row_positions = [position for e in row for position in range(len(e.tokens))]
        padding = width - len(tokens)
        ids.append(tokens + [pad] * padding)
        labels.append(row_labels + [-100] * padding)
        start = 0 if packed else len(tokens)
        positions.append(row_positions + list(range(start, start + padding)))
    return {
        "input_ids": torch.tensor(ids),
        "labels": torch.tensor(labels),
        "position_ids": torch.tensor(positions),
    }
