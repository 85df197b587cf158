"""One builder per repository, by a kernel lock.

The kernel frees it when the process dies, however it dies; nothing is ever stale. The
file's text says who holds it, for the message only.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from repobuild.errors import LockedError

_HOLDER_BYTES = 200


@contextmanager
def locked(
    path: Path, holder: str, wait: bool, tell: Callable[[str], None]
) -> Iterator[None]:
    """Hold the lock; `tell` in a line who has it when it is taken.

    Raises `LockedError` at once when it is taken and `wait` is false.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(descriptor, wait, tell)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}, {holder}".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, wait: bool, tell: Callable[[str], None]) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder(descriptor)
        if not wait:
            raise LockedError(
                f"another build holds the lock: {holder}\n"
                "wait for it, or leave out --no-wait"
            ) from None
        tell(f"waiting for the lock, held by {holder}")
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _holder(descriptor: int) -> str:
    """Return the file's text, whatever it holds, fit for a terminal."""
    said = os.pread(descriptor, _HOLDER_BYTES, 0).decode("utf-8", "replace")
    return "".join(c for c in said if c.isprintable()) or "unknown"
