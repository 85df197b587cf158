"""Pause Python's cyclic garbage collector where it costs time and finds nothing.

Decoding rows makes millions of containers that stay alive and hold no cycles; the
collector goes over all of them again and again. On the standard library it took 40 %
of `graph` and more than half of `contexts`.

Cycles that rules leave are collected before the next rule, once there are many
containers: without it, values of the resolver took a quarter of the memory of the
standard library's build.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_MANY_CONTAINERS = 500_000  # a commit to a large project makes 100,000


@dataclass(slots=True)
class CyclicGc:
    """The collector during one build, or one task of a worker."""

    _left: int = 0  # containers that rules have made since the last collection

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Run without the collector; reference counting frees the rest as usual."""
        if not gc.isenabled():
            yield
            return
        if self._left > _MANY_CONTAINERS:
            gc.unfreeze()
            gc.collect()
            self._left = 0
        gc.disable()
        try:
            yield
        finally:
            self._left += gc.get_count()[0]
            gc.freeze()  # or the next collection would go over all that was decoded
            gc.enable()
