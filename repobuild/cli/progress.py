"""Show on stderr what a verb is doing, for how long already, and how long it will take.

On a terminal it is one bar, of the innermost step; elsewhere lines, which a log file
keeps. A step that takes more than a second is named within two, though it counts
nothing: a thread looks twice a second. Steps lie within each other (a table, then the
training of its adapter, then the gate); the innermost one is what is being done.

    adapter: loading the base, 2 s so far
    training: 9,889 of 120,000, about 3 min left, 0 of 83 facts, loss 0.956
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from repobuild.cli.output import clear_before_printing, print_message
from repobuild.plain_text import escape_line

if TYPE_CHECKING:
    from repobuild.engine.contract import ShowProgress

NAMED_AFTER = 1.0  # seconds, with those of a tick at most two
SILENT = 1.5  # seconds without a line, of steps that are shorter than a second
REPEATED_AFTER = 5.0  # seconds between two lines of one step
TICK = 0.5
_MOST_POINTS = 200  # of a step's history
_AT_ONCE = 0.1  # seconds between updates that count as one
_BAR = "{l_bar}{bar:10}| {elapsed}{postfix}"  # fits 80 columns with a note
_BAR_WITHOUT_TOTAL = "{desc} {elapsed}{postfix}"

Clock = Callable[[], float]


@dataclass(slots=True)
class TimeLeft:
    """Estimate the time left from the pace of the last half of the time so far.

    The first update sets the start: what was done before it, by a run that is resumed,
    took no time here, and loading took time without doing anything. Updates that come
    at once are one: workers hand in what they did since, and no time passes between.
    """

    total: int
    clock: Clock = time.monotonic
    done: int = 0
    _points: deque[tuple[float, int]] = field(default_factory=deque)  # time, done
    _updates: int = 0
    _updated: float = 0.0
    _began: float = 0.0

    def advance(self, count: int) -> None:
        """Take an update: more is done now."""
        now = self.clock()
        self.done += count
        if not self._points:
            self._updates, self._began, self._updated = 1, now, now
            self._points.append((now, self.done))
        if now - self._updated < _AT_ONCE:
            if self._points[-1][0] == self._updated:
                self._points[-1] = (self._updated, self.done)
            return
        self._updates, self._updated = self._updates + 1, now
        elapsed = now - self._began
        if now - self._points[-1][0] >= elapsed / _MOST_POINTS:
            self._points.append((now, self.done))
        while len(self._points) > 2 and self._points[1][0] <= now - elapsed / 2:
            self._points.popleft()

    @property
    def seconds(self) -> float | None:
        """Return the seconds left; None before the third update, or without a total."""
        if self._updates < 3 or self.total <= 0:
            return None
        then, before = self._points[0]
        if self.done <= before:
            return None
        now = self.clock()
        pace = (now - then) / (self.done - before)
        return pace * max(self.total - self.done, 0)


def duration(seconds: float) -> str:
    """Return a duration in the unit that suits it: `40 s`, `3 min`, `2.5 h`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


@dataclass(slots=True, eq=False)
class Step:
    """Something that is being done, with what is known of it."""

    shown: ProgressLog
    label: str
    left: TimeLeft
    began: float
    text: str = ""  # a note of the step's own
    is_said: bool = False

    def advance(self, count: int = 1) -> None:
        self.left.advance(count)
        self.shown.tick()

    def expect(self, total: int) -> None:
        self.left.total = total

    def note(self, text: str) -> None:
        self.text = text

    @property
    def notes(self) -> str:
        """Return the time left and the note, each after a comma."""
        left = self.left.seconds
        parts = [f"about {duration(left)} left"] if left is not None else []
        return "".join(f", {escape_line(t)}" for t in [*parts, self.text] if t)

    def line(self, now: float) -> str:
        """Return what a log says of the step."""
        if not self.left.total:
            return f"{self.label}: {duration(now - self.began)} so far{self.notes}"
        done = f"{self.left.done:,} of {self.left.total:,}"
        return f"{self.label}: {done}{self.notes}"


class ProgressLog:
    """Lines for a log: each step within two seconds, then every few seconds."""

    def __init__(
        self, tell: Callable[[str], None] = print_message, clock: Clock = time.monotonic
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._steps: list[Step] = []
        self._said = clock()  # when the last line was written
        self._lock = threading.Lock()  # the steps and the line, against the thread

    @contextmanager
    def step(self, label: str, total: int) -> Iterator[Step]:
        """Show a step while the block runs."""
        step = Step(self, label, TimeLeft(total, self._clock), self._clock())
        with self._lock:
            if not self._steps:
                self._said = self._clock()
            self._steps.append(step)
            self._opened(step)
        try:
            yield step
        finally:
            with self._lock:
                self._steps.remove(step)
                self._closed(step)

    @property
    def is_idle(self) -> bool:
        return not self._steps

    def tick(self) -> None:
        """Write a line when one is due. Called by the steps, and twice a second."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            now = self._clock()
            step = self._steps[-1] if self._steps else None
            if step is None:
                return
            silent = now - self._said
            named = min(silent, now - step.began) >= NAMED_AFTER
            if silent >= REPEATED_AFTER if step.is_said else named or silent >= SILENT:
                step.is_said, self._said = True, now
                self._show(step, now)
        finally:
            self._lock.release()

    def _show(self, step: Step, now: float) -> None:
        self._tell(step.line(now))

    def _opened(self, step: Step) -> None:
        """Let a terminal show the step at once. Runs under the lock."""

    def _closed(self, step: Step) -> None:
        """After a line about a part, name the whole again. Runs under the lock."""
        if self._steps and step.is_said:
            self._steps[-1].is_said = False


class ProgressBars(ProgressLog):
    """One bar on a terminal, of the innermost step."""

    _bar: Any = None

    def _closed(self, step: Step) -> None:
        self._clear()
        if self._steps:
            self._opened(self._steps[-1])

    def _opened(self, step: Step) -> None:
        from tqdm import tqdm

        self._clear()
        total = step.left.total
        self._bar = tqdm(
            total=total or None,
            initial=step.left.done,
            desc=f"{escape_line(step.label):>9}",
            leave=False,
            bar_format=_BAR if total else _BAR_WITHOUT_TOTAL,
        )
        self._bar.start_t -= self._clock() - step.began
        clear_before_printing(self._bar.clear)

    def tick(self) -> None:
        if not self._lock.acquire(blocking=False):
            return
        try:
            now = self._clock()
            if self._bar is not None and self._steps and now - self._said >= 0.1:
                self._said = now
                self._show(self._steps[-1], now)
        finally:
            self._lock.release()

    def _show(self, step: Step, now: float) -> None:
        bar = self._bar
        bar.total = step.left.total or None
        bar.n = step.left.done
        bar.set_postfix_str(step.notes.removeprefix(", "), refresh=False)
        bar.refresh()

    def _clear(self) -> None:
        if self._bar is not None:
            clear_before_printing(None)
            self._bar.close()
            self._bar = None


def progress_for(quiet: bool) -> ShowProgress:
    """Return the kind of progress that suits stderr; a silent one for `quiet`."""
    from repobuild.checkout import silent

    if quiet:
        return silent
    draws = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    return _watched(ProgressBars() if draws else ProgressLog())


def _watched(log: ProgressLog) -> ShowProgress:
    """Return the steps of a log, with a thread that looks while one is under way."""

    @contextmanager
    def show(label: str, total: int) -> Iterator[Step]:
        is_first = log.is_idle
        ended = threading.Event()
        with log.step(label, total) as step:
            if is_first:
                threading.Thread(target=_tick, args=(log, ended), daemon=True).start()
            try:
                yield step
            finally:
                ended.set()

    return show


def _tick(log: ProgressLog, ended: threading.Event) -> None:
    while not ended.wait(TICK):
        log.tick()
