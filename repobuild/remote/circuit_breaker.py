"""Bound what a remote may cost: time-outs, retries with jitter, and a circuit breaker.

A call runs in a thread of its own and is left alone when its time is over; nothing that
a library does can hold a build. What a call may take grows with the bytes that it
moves: a slow remote is used, one that trickles is not.

The breaker opens, and every later call fails at once, when

    three calls in a row failed, each of them tried four times, or
    what failed took together as long as the time-out, or
    all calls took more than twice the time-out plus what the bytes explain

It stays open until the process ends: a build is short, and asks again the next time.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from typing import Generic, TypeVar

T = TypeVar("T")
S = TypeVar("S")

MIN_RATE = 256 << 10  # bytes a second
_RETRIES = 3
_FAILURES = 3  # calls in a row; many are under way at once, and a server may be busy
_PAUSE = 0.1  # seconds before the first retry, at most; doubled for each further one
_WORKERS = 16
# What is so again when it is tried again.
_FINAL = (FileNotFoundError, PermissionError, NotADirectoryError)


class RemoteDown(Exception):
    """The breaker is open; the text says why."""


@dataclass
class Traffic:
    """What was asked of a remote so far."""

    requests: int = 0
    failed: int = 0
    bytes: int = 0
    waited: float = 0.0  # seconds


@dataclass(frozen=True, slots=True)
class Reply(Generic[S, T]):
    """One result of `each`: a value, or the error in its place."""

    item: S
    value: T | None = None
    error: Exception | None = None


@dataclass
class CircuitBreaker:
    """Makes calls to one remote; safe for threads."""

    timeout: float  # seconds
    traffic: Traffic = field(default_factory=Traffic)
    reason: str = ""  # why it is open; "" while it is not
    _in_a_row: int = 0
    _lost: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _random: random.Random = field(default_factory=random.Random)

    def call(self, work: Callable[[], T], size: int = 0) -> T:
        """Return what a call returns that moves about `size` bytes.

        Raises:
            FileNotFoundError: the remote has no such file.
            RemoteDown: the call failed too often, or the breaker is open.
        """
        began = time.monotonic()
        try:
            return self._call(work, size)
        finally:
            self._account(time.monotonic() - began)

    def each(
        self,
        work: Callable[[S], T],
        items: Iterable[S],
        size: Callable[[S], int] = lambda item: 0,
    ) -> Iterator[Reply[S, T]]:
        """Yield the replies to many calls as they come; ends early when it opens."""
        began = time.monotonic()
        jobs: queue.SimpleQueue[S] = queue.SimpleQueue()
        answers: queue.SimpleQueue[Reply[S, T]] = queue.SimpleQueue()
        count = 0
        for item in items:
            jobs.put(item)
            count += 1

        def serve() -> None:
            while True:
                try:
                    item = jobs.get_nowait()
                except queue.Empty:
                    return
                try:
                    value = self._call(partial(work, item), size(item))
                    answers.put(Reply(item, value))
                except Exception as error:
                    answers.put(Reply(item, error=error))

        for _ in repeat(None, min(_WORKERS, count)):
            threading.Thread(target=serve, daemon=True).start()
        for _ in repeat(None, count):
            answer = answers.get()  # every call ends within its time
            self._account(time.monotonic() - began)
            yield answer
            began = time.monotonic()

    def open(self, reason: str) -> None:
        """Let every later call fail at once."""
        with self._lock:
            self.reason = self.reason or reason

    def call_long(self, work: Callable[[Callable[[int], None]], T], size: int) -> T:
        """Make a call that tells how many bytes it moved, for as long as they come.

        It is made once. Raises as `call` does.
        """
        if self.reason:
            raise RemoteDown(self.reason)
        moved = 0

        def move(count: int) -> None:
            nonlocal moved
            moved += count

        began = time.monotonic()
        try:
            value = _bounded(
                lambda: work(move), lambda: self.timeout + moved / MIN_RATE
            )
        except Exception as error:
            seconds = time.monotonic() - began
            if isinstance(error, FileNotFoundError):
                self._succeeded(0)
                raise
            self._failed(error, seconds, is_last=True)
            raise RemoteDown(self.reason or _describe(error)) from error
        self._succeeded(size)
        self._account(time.monotonic() - began)
        return value

    def _call(self, work: Callable[[], T], size: int) -> T:
        allowed = self.timeout + size / MIN_RATE
        for attempt in range(_RETRIES + 1):
            if self.reason:
                raise RemoteDown(self.reason)
            began = time.monotonic()
            try:
                value = _bounded(work, allowed)
            except FileNotFoundError:
                self._succeeded(0)
                raise
            except Exception as error:
                is_last = attempt == _RETRIES or isinstance(error, _FINAL)
                self._failed(error, time.monotonic() - began, is_last)
                if is_last:
                    raise RemoteDown(self.reason or _describe(error)) from error
            else:
                self._succeeded(size)
                return value
            time.sleep(self._random.uniform(0, _PAUSE * 2**attempt))
        raise AssertionError

    def _succeeded(self, size: int) -> None:
        with self._lock:
            self.traffic.requests += 1
            self.traffic.bytes += size
            self._in_a_row = 0

    def _failed(self, error: Exception, seconds: float, is_last: bool) -> None:
        with self._lock:
            self.traffic.requests += 1
            self.traffic.failed += 1
            self._in_a_row += is_last
            self._lost += seconds
            if (
                self._in_a_row >= _FAILURES
                or self._lost >= self.timeout
                or isinstance(error, _FINAL)
            ):
                self.reason = self.reason or _describe(error)

    def _account(self, seconds: float) -> None:
        with self._lock:
            self.traffic.waited += seconds
            explained = 2 * self.timeout + self.traffic.bytes / MIN_RATE
            if self.traffic.waited > explained:
                self.reason = self.reason or "too slow"


def _bounded(work: Callable[[], T], allowed: float | Callable[[], float]) -> T:
    """Return what a call returns; raise `TimeoutError` and leave it when it is late."""
    box: queue.SimpleQueue[tuple[T | None, Exception | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            box.put((work(), None))
        except Exception as error:
            box.put((None, error))
        except BaseException as error:  # a cancelled task of asyncio
            box.put((None, ConnectionError(repr(error))))

    threading.Thread(target=run, daemon=True).start()
    began = time.monotonic()
    while True:
        seconds = allowed() if callable(allowed) else allowed
        left = began + seconds - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no answer within {seconds:.0f} s")
        try:
            value, error = box.get(
                timeout=min(left, 0.5) if callable(allowed) else left
            )
        except queue.Empty:
            continue
        if error:
            raise error
        return value  # type: ignore[return-value]


def _describe(error: Exception) -> str:
    """Return an error of some library as one short line."""
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
