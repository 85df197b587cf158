"""Processes that a build starts end with it, however it ends.

A pool's workers outlive a builder that was killed: they wait for work for another five
minutes. The processes of a training would even go on, and write into the folder that
the next build writes into. So each of them looks once a second whether its builder is
still there.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

BUILDER = "REPOBUILD_BUILDER"  # names the builder to processes it did not start itself
_SECONDS = 1.0
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def follow_parent(builder: int) -> None:
    """End this process soon after its parent, the process `builder`, has ended."""
    _watch(lambda: os.getppid() == builder)


@contextmanager
def unheard() -> Iterator[None]:
    """Let processes that are started inside not hear what ends the builder.

    Signals that come to the whole group (Ctrl-C, a closed terminal) are the builder's:
    it ends its workers, while a worker that ends by itself looks like a crash. A
    process inherits which signals are blocked; here they are delivered at the end.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_builder() -> None:
    """End this process soon after the builder that the environment names, if any."""
    builder = int(os.environ.get(BUILDER, "0"))
    if builder:
        _watch(lambda: _is_there(builder))


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _watch(there: Callable[[], bool]) -> None:
    def watch() -> None:
        while there():
            time.sleep(_SECONDS)
        os._exit(1)

    Thread(target=watch, daemon=True).start()
