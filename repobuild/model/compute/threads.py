"""How many threads train fastest just now.

A step of 512 tokens through a small model is some thousand short parallel regions. On
two idle cores two threads train 6.6k tokens/s and one 4.6k; when another process takes
one of the cores, two threads wait for each other most of the time (2.2k, and 0.1k with
libgomp's default spinning), and one still does 4.4k. So both are tried for a few steps,
the faster one is kept for a while, and then both are tried again.

The products of two threads are those of one, bit for bit, on the machines we tested
(the work is split over rows and columns, never over a sum); a test keeps watch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

TRIED = 5  # steps; the first one after a change does not count
KEPT = 150


@dataclass(slots=True)
class ThreadTuner:
    """Told of every step, it sets the number of threads for the next one."""

    choices: Sequence[int]
    use: Callable[[int], None]
    clock: Callable[[], float] = time.perf_counter
    trial: int = 0  # which choice is on trial; len(choices) = the best one is kept
    steps: int = 0  # since the last change
    tokens: int = 0
    began: float = 0.0
    speeds: list[float] = field(default_factory=list)

    def step(self, tokens: int) -> None:
        """One step of so many tokens is done."""
        if len(self.choices) < 2:
            return
        self.steps += 1
        if self.steps == 1:
            self.began, self.tokens = self.clock(), 0
            return
        self.tokens += tokens
        if self.trial == len(self.choices):
            if self.steps > KEPT:
                self._try(0)
        elif self.steps == TRIED:
            self.speeds.append(self.tokens / max(1e-9, self.clock() - self.began))
            self._try(self.trial + 1)

    def _try(self, trial: int) -> None:
        self.trial, self.steps = trial, 0
        if trial < len(self.choices):
            self.use(self.choices[trial])
            return
        best = max(range(len(self.choices)), key=self.speeds.__getitem__)
        self.use(self.choices[best])
        self.speeds.clear()


def thread_tuner(
    threads: int, processes: int, use: Callable[[int], None]
) -> ThreadTuner:
    """All threads or one; in several processes their number stays as it is."""
    alone = processes == 1 and threads > 1
    return ThreadTuner((threads, 1) if alone else (threads,), use)
