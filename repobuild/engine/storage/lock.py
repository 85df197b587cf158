"""Let one builder at a time work on a repository, by a kernel lock.

The kernel frees the lock when the process dies, however it dies, so no stale lock
exists. The file's text names the holder, for messages only.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from repobuild.engine.state_files import open_without_links
from repobuild.errors import LockedError

_HOLDER_BYTES = 200


@contextmanager
def hold_lock(
    path: Path,
    holder: str,
    wait: bool,
    report: Callable[[str], None] = lambda text: None,
) -> Iterator[None]:
    """Hold the lock. When it is taken, `report` who has it and wait.

    Raises:
        LockedError: it is taken and `wait` is false.
    """
    descriptor = open_without_links(path, os.O_RDWR | os.O_CREAT)
    try:
        _acquire(descriptor, wait, report)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}, {holder}".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Return whether a process holds the lock.

    Takes it shared, for an instant: who takes it without waiting meanwhile is refused,
    and must try again.
    """
    try:
        descriptor = open_without_links(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _acquire(descriptor: int, wait: bool, report: Callable[[str], None]) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder(descriptor)
        if not wait:
            raise LockedError(
                f"another build holds the lock: {holder}\n"
                "wait for it, or leave out --no-wait"
            ) from None
        report(f"waiting for the lock, held by {holder}")
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _holder(descriptor: int) -> str:
    """Return the lock file's text without characters that upset a terminal."""
    text = os.pread(descriptor, _HOLDER_BYTES, 0).decode("utf-8", "replace")
    return "".join(c for c in text if c.isprintable()) or "unknown"
