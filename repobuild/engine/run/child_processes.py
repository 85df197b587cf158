"""Make the processes that a build starts end with it, however it ends.

The workers of a pool outlive a builder that was killed: they wait for work for another
five minutes. The processes of a training would even continue and write into the folder
that the next build writes into. So each of them checks once a second whether its
builder still runs.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

# The environment variable with the builder's id, for processes that it did not start
# itself.
BUILDER = "REPOBUILD_BUILDER"
_CHECK_SECONDS = 1.0
_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def block_signals() -> Iterator[None]:
    """Let processes that are started inside ignore the signals that end the builder.

    Signals that reach the whole group (Ctrl-C, a closed terminal) are for the builder:
    it ends its workers, while a worker that ends by itself looks like a crash. A
    process inherits which signals are blocked; this process gets them at the end.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def follow_parent(builder: int) -> None:
    """End this process soon after its parent, the process `builder`, has ended."""
    _watch(lambda: os.getppid() == builder)


def end_with_builder() -> None:
    """End this process soon after the builder that the environment names, if any."""
    builder = int(os.environ.get(BUILDER, "0"))
    if builder:
        _watch(lambda: _is_running(builder))


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _watch(is_alive: Callable[[], bool]) -> None:
    def watch() -> None:
        while is_alive():
            time.sleep(_CHECK_SECONDS)
        os._exit(1)

    Thread(target=watch, daemon=True).start()
