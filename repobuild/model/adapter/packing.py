"""Which samples are trained, in what order, and how they lie in a batch.

A batch is a list of rows, a row is a list of examples.

    bucketed    one example a row; examples of like length share a batch, so little is
                padding.  No attention mask at all: behind a causal row's end nothing
                looks at the padding, and SDPA takes its fast path.
    packed      several examples a row, best fit, positions starting at 0 for each, by
                which every kind of attention keeps them apart (attention.py); without
                attention mask and with `use_cache=False`.

On two CPU cores (5 M parameters, rank 64, 4,096 tokens a batch) bucketed rows train at
10.1k tokens/s, rows packed to 500 at 8.2k, one packed row of 4,000 at 2.7k with torch's
attention, whose mask grows with the square of the row.  On a GPU packed rows win;
`train` chooses.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from repobuild.model.conversation import Example

if TYPE_CHECKING:
    import torch

Row = list[int]
Batch = list[Row]

# Batches that are sorted together.  More means less padding, and batches that hold one
# kind of answer only.
WINDOW = 16
# Under a tight budget a location is worth most: it is the fact that every other answer
# repeats, and the cheapest one (25 answer tokens).
# Measured: the path of an element is learnt in 14 to 16 exposures (16: 97 to 99 % right
# in a phrasing never trained, 12: 91 %, 8: 63 %).
WEIGHTS = {"code_location": 14.0, "code_explanation": 2.0}


def draw(
    examples: Sequence[Example], epochs: float, most_tokens: int, seed: int
) -> list[list[int]]:
    """The examples of each epoch: all, or as many as the tokens allow, evenly by task.

    An epoch takes up where the one before stopped, so that under a tight budget every
    example is trained once before any is trained twice.
    """
    sizes = [len(example.tokens) for example in examples]
    wanted = int(sum(sizes) * epochs)
    share = min(1.0, most_tokens / wanted) if wanted else 1.0
    queues = _queues(examples, seed)
    result: list[list[int]] = []
    for size in _parts(epochs):
        budget = sum(sizes) * size * share
        chosen = _one_epoch(queues, sizes, budget) if budget < sum(sizes) else None
        order = chosen if chosen is not None else list(range(len(examples)))
        random.Random(f"{seed}.{len(result)}").shuffle(order)
        result.append(order)
    return result


def _parts(epochs: float) -> list[float]:
    """3.5 epochs are three whole ones and a half."""
    whole = int(epochs)
    rest = epochs - whole
    return [1.0] * whole + ([rest] if rest > 1e-9 else [])


def _queues(examples: Sequence[Example], seed: int) -> dict[str, list[int]]:
    queues: dict[str, list[int]] = {}
    for number, example in enumerate(examples):
        queues.setdefault(example.task, []).append(number)
    for task, queue in sorted(queues.items()):
        random.Random(f"{seed}.{task}").shuffle(queue)
    return dict(sorted(queues.items()))


def _one_epoch(
    queues: Mapping[str, list[int]], sizes: Sequence[int], budget: float
) -> list[int]:
    """Take each task's quota from the front of its queue and put it at the back."""
    needs = {task: sum(sizes[i] for i in queue) for task, queue in queues.items()}
    chosen: list[int] = []
    for task, quota in quotas(needs, budget).items():
        queue = queues[task]
        count, used = 0, 0
        while count < len(queue) and used + sizes[queue[count]] <= quota:
            used += sizes[queue[count]]
            count += 1
        chosen += queue[:count]
        queue[:] = queue[count:] + queue[:count]
    return chosen


def quotas(needs: Mapping[str, int], budget: float) -> dict[str, float]:
    """Tokens of each task by weight; what one does not need goes to the others."""
    open_tasks = dict(needs)
    result: dict[str, float] = {}
    while open_tasks:
        weights = {task: WEIGHTS.get(task, 1.0) for task in open_tasks}
        unit = budget / sum(weights.values())
        small = [t for t, need in open_tasks.items() if need <= unit * weights[t]]
        if not small:
            result |= {t: unit * weights[t] for t in open_tasks}
            break
        for task in small:
            result[task] = float(open_tasks.pop(task))
            budget -= result[task]
    return {task: result[task] for task in needs}


# ----------------------------------------------------------------------- batches


def batches(
    lengths: Sequence[int], order: Sequence[int], tokens: int, seed: int
) -> list[Batch]:
    """Bucketed batches of at most `tokens`, padding counted."""
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
    """Rows of at most `row` tokens, each filled best fit, `tokens` to a batch."""
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
    """Tensors (B, T) of one batch; labels of prompts and padding are -100."""
    import torch

    width = max(sum(len(e.tokens) for e in row) for row in rows)
    packed = any(len(row) > 1 for row in rows)
    ids, labels, positions = [], [], []
    for row in rows:
        tokens = [token for e in row for token in e.tokens]
        # A segment's first label would be predicted by the segment before: masked,
        # which it always is, because a prompt is never empty.
        wanted = [label for e in row for label in e.labels]
        places = [place for e in row for place in range(len(e.tokens))]
        rest = width - len(tokens)
        ids.append(tokens + [pad] * rest)
        labels.append(wanted + [-100] * rest)
        positions.append(
            places + (list(range(rest)) if packed else list(range(len(tokens), width)))
        )
    return {
        "input_ids": torch.tensor(ids),
        "labels": torch.tensor(labels),
        "position_ids": torch.tensor(positions),
    }
