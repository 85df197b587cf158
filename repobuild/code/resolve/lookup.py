"""Lookups within lookups, each computed once, with all that they looked at.

A lookup that ran into itself (a cycle of imports, of bases), or that went too deep, is
not kept, because its result depends on where it was entered; so every file comes out
the same whatever was resolved before it. Reused, a lookup counts for as deep as it was
when it was computed: else an update would follow a chain further than a full build.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Key = tuple[str, str, str, str]
T = TypeVar("T")
_DEPTH = 60  # of lookups within lookups; Python allows about twice that


class LookupCache:
    """What was looked up in one run; `terms` are those of the file in progress."""

    def __init__(self) -> None:
        self.terms: set[str] = set()
        self._memo: dict[Key, tuple[Any, frozenset[str], int]] = {}
        self._open: set[Key] = set()
        self._cut = False  # the lookup in progress ran into itself
        self._height = 0  # of the deepest lookup below the one in progress

    def note(self, term: str) -> None:
        """Note that the lookup in progress depends on a term; see names.py."""
        self.terms.add(term)

    def look(self, key: Key, compute: Callable[[], T]) -> T | None:
        """Return a lookup's result; None where it runs into itself."""
        depth = len(self._open)
        known = self._memo.get(key)
        if known is not None and depth + known[2] < _DEPTH:
            self.terms |= known[1]
            self._height = max(self._height, known[2] + 1)
            result: T | None = known[0]
            return result
        if key in self._open or depth >= _DEPTH:
            self._cut = True
            return None
        return self._computed(key, compute)

    def _computed(self, key: Key, compute: Callable[[], T]) -> T:
        outer_terms, outer_cut, outer_height = self.terms, self._cut, self._height
        self.terms, self._cut, self._height = set(), False, 0
        self._open.add(key)
        try:
            found = compute()
        finally:
            self._open.discard(key)
            cut, height, terms = self._cut, self._height, self.terms
            self.terms, self._cut = outer_terms | terms, outer_cut or cut
            self._height = max(outer_height, height + 1)
        if not cut:
            self._memo[key] = (found, frozenset(terms), height)
        return found
