"""What two changed rows have in common: how likely one is behind the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from repobuild.engine.explain.diff import Difference

STRONG = 8  # the same thing changed from the same to the same
_SHARED = 4  # a text that came or went in both
_FILE = 2
_SHORTEST = 4  # characters of a text that two rows do not share by chance


@dataclass(frozen=True, slots=True)
class Similarity:
    """By what a changed row is known."""

    key: str
    file: str
    pairs: frozenset[tuple[str, str]]  # from and to of every changed field
    texts: frozenset[str]

    @classmethod
    def of(cls, key: str, leaves: Sequence[Difference]) -> Similarity:
        pairs = frozenset((repr(leaf.old), repr(leaf.new)) for leaf in leaves)
        return cls(key, _file(key), pairs, _texts(leaves))

    def like(self, cause: Similarity) -> int:
        """Return how likely `cause` is behind this; 0 = nothing in common."""
        score = STRONG * (not self.pairs.isdisjoint(cause.pairs))
        score += _SHARED * (not self.texts.isdisjoint(cause.texts))
        score += _FILE * (cause.file == self.file)
        score += any(cause.key in text for text in self.texts)
        return score + (cause.key == self.key)


def _file(key: str) -> str:
    """Return what a key is about: what stands before its first mark."""
    return key.partition("::")[0].partition("#")[0].partition("@")[0]


def _texts(leaves: Sequence[Difference]) -> frozenset[str]:
    """Return the texts that came or went, those in lists included."""
    found: set[str] = set()
    waiting: list[Any] = [value for leaf in leaves for value in (leaf.old, leaf.new)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and len(value) >= _SHORTEST:
            found.add(value)
    return frozenset(found)
