"""Measure tasks with pieces of the repository's source before the prompt.

    bm25.py            the pieces most like the prompt
    dependencies.py    the definitions that the test file imports and uses
    graph_search.py    what a search of the repository's graph finds, and what that uses

What finds the pieces is given the test file up to a task's target, never the target or
what follows, so that each task has a context of its own. All have the same budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from tests.benchmarks.repository_adapters.lora import Bench, Exam
from tests.benchmarks.repository_adapters.tasks import Task, Windows

CONTEXT = 384  # tokens of pieces
PROMPT = 384  # last tokens of a prompt


class Context(Protocol):
    """A way to find pieces of one repository's source."""

    def pieces(self, windows: Windows, task: Task) -> list[str]:
        """Return pieces for a task, the best first."""
        ...


def context_tokens(bench: Bench, pieces: Sequence[str]) -> list[int]:
    """Return the tokens of pieces, the best piece last; the worst one is cut."""
    ids: list[int] = []
    for text in pieces:
        ids = bench.tokens(text) + ids
        if len(ids) >= CONTEXT:
            break
    return ids[-CONTEXT:]


@torch.no_grad()
def losses_in_context(
    bench: Bench, exam: Exam, context: Context
) -> NDArray[np.float64]:
    """Return the loss of each task's counted tokens after its context."""
    result = np.zeros(len(exam.tasks))
    for number, (window, counted) in enumerate(exam.places):
        pieces = context.pieces(exam.windows, exam.tasks[number])
        before = context_tokens(bench, pieces)
        ids = exam.ids[window]
        begin = max(0, counted[0] - PROMPT)
        row = torch.cat([torch.tensor(before, dtype=torch.long), ids[begin:]])
        at = torch.tensor(counted) + len(before) - begin
        row = row[: int(at.max()) + 1]
        hidden = bench.model.model(input_ids=row[None], use_cache=False)[0][0]
        logits = bench.model.lm_head(hidden[at - 1]).float()
        result[number] = float(F.cross_entropy(logits, row[at]))
    return result
