"""Retrieval in context: the pieces of the source most like a prompt, before it.

Pieces are ranked by BM25 over the words of identifiers. The query is a task's prompt,
never its target, so that each task has a context of its own.

Source: Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and
Beyond".
"""

from __future__ import annotations

import math
import re
from collections import Counter

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from repobuild.model.bundled.corpus import code_documents
from tests.benchmarks.repository_adapters.lora import Bench, Exam
from tests.benchmarks.repository_adapters.repositories import Repository

CONTEXT = 384  # tokens of retrieved pieces
PROMPT = 384  # last tokens of a prompt
K1, B = 1.2, 0.75
WORD = re.compile(r"[A-Za-z][a-z]+|[A-Z]+|\d+")


def words(text: str) -> list[str]:
    """Return the words of a text's identifiers, `fetchAll` as two."""
    return [word.lower() for word in WORD.findall(text)]


class Pieces:
    """The pieces of a repository's source, to be searched."""

    def __init__(self, repository: Repository) -> None:
        files = repository.source
        self.texts = [text for file in files for text in code_documents(file)]
        self.counts = [Counter(words(text)) for text in self.texts]
        self.lengths = [sum(count.values()) for count in self.counts]
        self.mean = sum(self.lengths) / max(1, len(self.lengths))
        present = Counter(word for count in self.counts for word in count)
        size = len(self.texts)
        self.weights = {
            word: math.log(1 + (size - n + 0.5) / (n + 0.5))
            for word, n in present.items()
        }

    def ranked(self, query: str) -> list[str]:
        """Return the pieces, the best first."""
        asked = set(words(query))
        scores = []
        for count, length in zip(self.counts, self.lengths, strict=True):
            norm = K1 * (1 - B + B * length / self.mean)
            shared = asked & count.keys()
            scores.append(
                sum(
                    self.weights[w] * count[w] * (K1 + 1) / (count[w] + norm)
                    for w in sorted(shared)
                )
            )
        order = sorted(range(len(scores)), key=lambda n: (-scores[n], n))
        return [self.texts[n] for n in order]


@torch.no_grad()
def losses_in_context(
    bench: Bench, exam: Exam, repository: Repository
) -> NDArray[np.float64]:
    """Return the loss of each task's counted tokens after its retrieved context."""
    pieces = Pieces(repository)
    result = np.zeros(len(exam.tasks))
    for number, (window, counted) in enumerate(exam.places):
        task = exam.tasks[number]
        best = pieces.ranked(exam.windows.prompt(task))[:3]
        context = [i for text in reversed(best) for i in bench.tokens(text)][-CONTEXT:]
        ids = exam.ids[window]
        begin = max(0, counted[0] - PROMPT)
        row = torch.cat([torch.tensor(context, dtype=torch.long), ids[begin:]])
        at = torch.tensor(counted) + len(context) - begin
        row = row[: int(at.max()) + 1]
        hidden = bench.model.model(input_ids=row[None], use_cache=False)[0][0]
        logits = bench.model.lm_head(hidden[at - 1]).float()
        result[number] = float(F.cross_entropy(logits, row[at]))
    return result
