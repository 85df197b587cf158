"""Retrieval in context: the pieces of the source that are most like a prompt.

Pieces are ranked by BM25 over the words of identifiers.

Source: Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and
Beyond".
"""

from __future__ import annotations

import math
import re
from collections import Counter

from repobuild.model.bundled.corpus import code_documents
from tests.benchmarks.repository_adapters.repositories import Repository
from tests.benchmarks.repository_adapters.tasks import Task, Windows

BEST = 3  # pieces
K1, B = 1.2, 0.75
WORD = re.compile(r"[A-Za-z][a-z]+|[A-Z]+|\d+")


def words(text: str) -> list[str]:
    """Return the words of a text's identifiers, `fetchAll` as two."""
    return [word.lower() for word in WORD.findall(text)]


class Bm25Context:
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

    def pieces(self, windows: Windows, task: Task) -> list[str]:
        """Return the best pieces for a task's prompt, the best first."""
        return self.ranked(windows.prompt(task))[:BEST]

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
