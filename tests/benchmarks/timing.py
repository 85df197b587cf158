"""What a whole process costs: wall time, CPU time and memory of it and its children.

CPU time is what the kernel accounted to the process and to the children it waited for.
Memory is the sum of the proportional set sizes (PSS: shared pages are counted once) of
the process and all below it, sampled twenty times a second.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of wall and CPU time; `peak` in bytes, 0 where it was not watched.

    `largest` is the most memory that a single one of the processes had, in bytes.
    """

    wall: float
    cpu: float
    peak: int = 0
    largest: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """A process to time. `before` runs first, untimed; other exit codes raise."""

    words: list[str]
    place: Path
    environment: Mapping[str, str] | None = None
    before: Callable[[], object] | None = None
    codes: tuple[int, ...] = (0,)


def spent(command: Command, watch: bool = False) -> Spent:
    """Run a process to its end; raises `RuntimeError` when it fails."""
    if command.before:
        command.before()
    began = time.perf_counter()
    child = subprocess.Popen(
        command.words, cwd=command.place, env=command.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    watcher = _Watcher(child.pid) if watch else None
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    peak = watcher.stop() if watcher else 0
    if child.returncode not in command.codes:
        raise RuntimeError(f"exit code {child.returncode}: {' '.join(command.words)}")
    cpu = usage.ru_utime + usage.ru_stime
    return Spent(wall, cpu, peak, usage.ru_maxrss * 1024)


def spent_in_turn(commands: Mapping[str, Command], runs: int) -> dict[str, list[Spent]]:
    """Run all in turn, again and again, so that a busy machine hits all alike."""
    times: dict[str, list[Spent]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            times[name].append(spent(command))
    return times


def race(commands: Mapping[str, Command], runs: int) -> dict[str, Spent]:
    """Run all in turn and return the medians by name."""
    return {
        name: median(found) for name, found in spent_in_turn(commands, runs).items()
    }


def median(found: list[Spent]) -> Spent:
    return Spent(
        statistics.median(s.wall for s in found),
        statistics.median(s.cpu for s in found),
        max(s.peak for s in found),
        max(s.largest for s in found),
    )


class _Watcher:
    """Samples the memory of a process tree until it is stopped."""

    def __init__(self, process: int) -> None:
        self.process = process
        self.peak = 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()

    def stop(self) -> int:
        self.done.set()
        self.thread.join()
        return self.peak

    def _watch(self) -> None:
        while not self.done.wait(_SAMPLE_SECONDS):
            self.peak = max(self.peak, sum(map(_memory, _tree(self.process))))


def _tree(process: int) -> list[int]:
    found = [process]
    for parent in found:
        for path in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, path.read_text().split())
            except OSError:
                continue  # it ended meanwhile
    return found


def _memory(process: int) -> int:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    line = next((x for x in text.splitlines() if x.startswith("Pss:")), "Pss: 0 kB")
    return int(line.split()[1]) * 1024
