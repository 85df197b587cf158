"""Pause Python's cyclic garbage collector where it costs time and finds nothing.

Decoding rows makes millions of containers that stay alive and hold no cycles; the
collector goes over all of them again and again. On the standard library it took 40 %
of `graph` and more than half of `contexts`.

What a rule leaves behind in cycles is collected before the next rule, once it is much:
values of the resolver are a quarter of the memory of the standard library's build.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_MANY_OBJECTS = 500_000  # of containers; a commit to a large project leaves 100,000


@contextmanager
def paused_gc() -> Iterator[None]:
    """Run without the cyclic collector; reference counting frees the rest as usual."""
    if not gc.isenabled():
        yield
        return
    # Counting containers takes a millisecond, counting blocks of memory none.
    is_much = sys.getallocatedblocks() > _MANY_OBJECTS
    if is_much and gc.get_freeze_count() > _MANY_OBJECTS:
        gc.unfreeze()
        gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # or the next collection would go over all that was decoded
        gc.enable()
