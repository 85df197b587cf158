"""Choose the number of threads that trains fastest at the moment.

The plain way takes one thread per core. A step of 512 tokens through a small model is
about a thousand short parallel regions. On two idle cores two threads train 6.6k
tokens/s and one thread 4.6k; when another process takes one of the cores, two threads
mostly wait for each other (2.2k, and 0.1k with libgomp's default spinning) while one
still trains 4.4k. So the tuner tries each choice for a few steps, keeps the faster one
for a while, then tries again.

On the machines that we tested, two threads give the same products as one, bit for bit:
the work is split over rows and columns, never over a sum. tests/model/test_attention.py
checks it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

TRIAL_STEPS = 5  # the first step after a change is not timed
KEEP_STEPS = 150


@dataclass(slots=True)
class ThreadTuner:
    """Measure tokens/s after every step and set the number of threads for the next."""

    choices: Sequence[int]
    set_threads: Callable[[int], None]
    clock: Callable[[], float] = time.perf_counter  # seconds
    trial: int = 0  # index of the choice on trial; len(choices): the best is kept
    steps: int = 0  # since the last change
    tokens: int = 0  # since the last change, without its first step
    began: float = 0.0
    speeds: list[float] = field(default_factory=list)  # tokens/s of each choice

    def step(self, tokens: int) -> None:
        """Count one finished step of `tokens` tokens; change the threads when due."""
        if len(self.choices) < 2:
            return
        self.steps += 1
        if self.steps == 1:
            self.began, self.tokens = self.clock(), 0
            return
        self.tokens += tokens
        if self.trial == len(self.choices):
            if self.steps > KEEP_STEPS:
                self._start_trial(0)
        elif self.steps == TRIAL_STEPS:
            self.speeds.append(self.tokens / max(1e-9, self.clock() - self.began))
            self._start_trial(self.trial + 1)

    def _start_trial(self, trial: int) -> None:
        """Try the next choice; after the last one, keep the fastest."""
        self.trial, self.steps = trial, 0
        if trial < len(self.choices):
            self.set_threads(self.choices[trial])
            return
        best = max(range(len(self.choices)), key=self.speeds.__getitem__)
        self.set_threads(self.choices[best])
        self.speeds.clear()


def make_thread_tuner(
    threads: int, processes: int, set_threads: Callable[[int], None]
) -> ThreadTuner:
    """Return a tuner that tries all threads and one; several processes keep theirs."""
    tunes = processes == 1 and threads > 1
    return ThreadTuner((threads, 1) if tunes else (threads,), set_threads)
