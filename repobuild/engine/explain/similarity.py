"""Score how likely one changed row caused another, by what they have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from repobuild.engine.explain.diff import Difference

STRONG = 8  # a field changed from and to the same values
_SHARED_TEXT = 4  # a text was added or removed in both
_SAME_FILE = 2
_MIN_TEXT = 4  # characters; two rows share a shorter text by chance


@dataclass(frozen=True, slots=True)
class Similarity:
    """The features of a changed row that are compared."""

    key: str
    file: str
    pairs: frozenset[tuple[str, str]]  # old and new value of every changed field
    texts: frozenset[str]

    @classmethod
    def of(cls, key: str, leaves: Sequence[Difference]) -> Similarity:
        pairs = frozenset((repr(leaf.old), repr(leaf.new)) for leaf in leaves)
        return cls(key, _file(key), pairs, _texts(leaves))

    def score(self, cause: Similarity) -> int:
        """Return how likely `cause` caused this; 0 = nothing in common."""
        score = STRONG * (not self.pairs.isdisjoint(cause.pairs))
        score += _SHARED_TEXT * (not self.texts.isdisjoint(cause.texts))
        score += _SAME_FILE * (cause.file == self.file)
        score += any(cause.key in text for text in self.texts)
        return score + (cause.key == self.key)


def _file(key: str) -> str:
    """Return the file of a key: the part before its first separator."""
    return key.partition("::")[0].partition("#")[0].partition("@")[0]


def _texts(leaves: Sequence[Difference]) -> frozenset[str]:
    """Return the texts that were added or removed, also inside of lists."""
    texts: set[str] = set()
    waiting: list[Any] = [value for leaf in leaves for value in (leaf.old, leaf.new)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and len(value) >= _MIN_TEXT:
            texts.add(value)
    return frozenset(texts)
