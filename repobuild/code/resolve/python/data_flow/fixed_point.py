"""Solve equations between sets: the least sets that contain what each equation adds.

A variable is a set that a function computes from other variables. Where they depend on
each other in a circle (functions that pass each other on), each is computed again when
one that it read has grown, until none grows. All functions are monotone, so the result
is the same in whatever order they run, and whatever was asked first; it is kept for the
whole run. Only what is asked for is computed, and what that reads.

Variables have levels, from 0 (`NAMED`) on. One reads those of its own level as far as
they have grown, and those of lower levels as they are in the end, so it may treat the
latter in ways that are not monotone.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any, TypeVar

from repobuild.code.resolve.lookup import LookupCache

NAMED = 0
# Variables of one level that are computed within each other; others wait. Each level
# has as many, and Python ends at a thousand calls within each other.
_MAX_DEPTH = 8
T = TypeVar("T")


class Variable:
    """One set, with what its last computation read."""

    __slots__ = ("compute", "level", "reads", "readers", "terms", "value", "waits")

    def __init__(self, level: int, compute: Callable[[], Any], empty: Any) -> None:
        self.level = level
        self.compute = compute
        self.value = empty
        self.reads: set[Variable] = set()
        self.readers: set[Variable] | None = set()  # None: it cannot grow any more
        self.terms: frozenset[str] = frozenset()
        self.waits = False


class FixedPoint:
    """The variables of one run, solved as far as they were asked for."""

    def __init__(self, lookups: LookupCache) -> None:
        self._lookups = lookups
        self._variables: dict[tuple[Any, ...], Variable] = {}
        self._waiting: defaultdict[int, deque[Variable]] = defaultdict(deque)
        self._unsolved: defaultdict[int, list[Variable]] = defaultdict(list)
        self._current: Variable | None = None
        self._depth = 0
        self._asked: set[Variable] = set()  # by the file in progress

    def begin_file(self) -> None:
        """Start collecting the terms of another file."""
        self._asked = set()

    def terms(self) -> set[str]:
        """Return the terms (modules.py) that what the file asked for depends on."""
        found: set[str] = set()
        seen = set(self._asked)
        waiting = list(seen)
        while waiting:
            variable = waiting.pop()
            found |= variable.terms
            for one in variable.reads:
                if one not in seen:
                    seen.add(one)
                    waiting.append(one)
        return found

    def read(
        self, level: int, key: tuple[Any, ...], compute: Callable[[], T], empty: T
    ) -> T:
        """Return a variable's value; within its own level it may still grow."""
        current = self._current
        variable = self._variables.get(key)
        is_lower = current is None or current.level != level
        if variable is None:
            variable = self._variables[key] = Variable(level, compute, empty)
            self._unsolved[level].append(variable)
            if is_lower or self._depth < _MAX_DEPTH:
                self._compute(variable)
            else:
                variable.waits = True
                self._waiting[level].append(variable)
            if is_lower:
                self._solve(level)
        if current is None:
            self._asked.add(variable)
        else:
            current.reads.add(variable)
            if not is_lower and variable.readers is not None:
                variable.readers.add(current)
        value: T = variable.value
        return value

    def _solve(self, level: int) -> None:
        """Compute again what has read something that grew, until nothing grows."""
        waiting = self._waiting[level]
        while waiting:
            self._compute(waiting.popleft())
        for variable in self._unsolved[level]:
            variable.readers = None
        self._unsolved[level].clear()

    def _compute(self, variable: Variable) -> None:
        outer, outer_terms = self._current, self._lookups.terms
        variable.waits = False
        variable.reads = set()
        self._current, self._lookups.terms = variable, set()
        self._depth += 1
        try:
            value = variable.compute()
        finally:
            self._depth -= 1
            variable.terms = frozenset(self._lookups.terms)
            self._current, self._lookups.terms = outer, outer_terms
        if value == variable.value:
            return
        variable.value = value
        for reader in variable.readers or ():
            if not reader.waits:
                reader.waits = True
                self._waiting[variable.level].append(reader)
