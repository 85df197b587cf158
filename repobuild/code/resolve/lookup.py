"""Compute nested lookups once each, with every term that they depended on.

Two kinds of lookups are not kept, because their result depends on where they were
entered: one that ran into itself (a cycle of imports or of bases), and one that was cut
off by the depth limit. So every file gets the same edges whatever was resolved before
it. A reused lookup counts for the depth it had when it was computed; otherwise an
update would follow a chain further than a full build does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Key = tuple[str, str, str, str]
T = TypeVar("T")
_MAX_DEPTH = 60  # nested lookups; Python's recursion limit allows about twice that


class LookupCache:
    """The lookups of one run; `terms` are those of the file in progress."""

    def __init__(self) -> None:
        self.terms: set[str] = set()
        # key -> (result, terms, height: nested lookups below it)
        self._memo: dict[Key, tuple[Any, frozenset[str], int]] = {}
        self._open: set[Key] = set()
        self._cut = False  # the lookup in progress met a cycle or the depth limit
        self._height = 0  # of the deepest lookup below the one in progress

    def note(self, term: str) -> None:
        """Record that the lookup in progress depends on a term; see modules.py."""
        self.terms.add(term)

    def look(self, key: Key, compute: Callable[[], T]) -> T | None:
        """Return a lookup's result, None where it runs into itself."""
        depth = len(self._open)
        known = self._memo.get(key)
        if known is not None and depth + known[2] < _MAX_DEPTH:
            self.terms |= known[1]
            self._height = max(self._height, known[2] + 1)
            result: T | None = known[0]
            return result
        if key in self._open or depth >= _MAX_DEPTH:
            self._cut = True
            return None
        return self._compute(key, compute)

    def _compute(self, key: Key, compute: Callable[[], T]) -> T:
        outer_terms, outer_cut, outer_height = self.terms, self._cut, self._height
        self.terms, self._cut, self._height = set(), False, 0
        self._open.add(key)
        try:
            result = compute()
        finally:
            self._open.discard(key)
            cut, height, terms = self._cut, self._height, self.terms
            outer_terms |= terms
            self.terms, self._cut = outer_terms, outer_cut or cut
            self._height = max(outer_height, height + 1)
        if not cut:
            self._memo[key] = (result, frozenset(terms), height)
        return result
