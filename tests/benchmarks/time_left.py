"""Compare the time left that a command says with the time that it then takes.

    python -m tests.benchmarks.time_left -- repobuild --budget 5m

runs a command, reads its stderr as a log file keeps it, and prints for each step that
said a time left at least three times: how often, and the ratio of what it said to what
it took, at the median, the least and the most. What is about to end within
`_TOO_SHORT` seconds is not counted: "about 1 s" cannot be right within a factor.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from collections import defaultdict

_LEFT = re.compile(r"about (?P<left>[\d.]+) (?P<unit>s|min|h) left")
_SECONDS = {"s": 1, "min": 60, "h": 3600}
_TOO_SHORT = 5.0  # seconds
_FACTOR = 2.0  # within which a time left is right


def said(command: list[str]) -> dict[str, list[tuple[float, float]]]:
    """Run a command; return (seconds left as said, as it was) of each of its steps."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    label, waiting = "", list[tuple[float, float]]()  # (time, seconds left) as said

    def close(now: float) -> None:
        found[label] += [(left, now - at) for at, left in waiting]
        waiting.clear()

    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            sys.stderr.write(line)
            now = time.monotonic()
            if line.partition(":")[0] != label:
                close(now)
                label = line.partition(":")[0]
            if match := _LEFT.search(line):
                waiting.append((now, float(match["left"]) * _SECONDS[match["unit"]]))
        close(time.monotonic())
    return found


def main(arguments: list[str]) -> None:
    """Run the command after `--` and print the table."""
    command = arguments[arguments.index("--") + 1 :]
    print("| step | said | right within a factor of two | median ratio | least; most |")
    print("|---|---:|---:|---:|---|")
    for label, pairs in said(command).items():
        ratios = [left / took for left, took in pairs if took >= _TOO_SHORT]
        if len(ratios) < 3:
            continue
        right = sum(1 / _FACTOR <= one <= _FACTOR for one in ratios)
        median, least, most = statistics.median(ratios), min(ratios), max(ratios)
        share = f"{right} of {len(ratios)} ({right / len(ratios):.0%})"
        cells = (label, str(len(ratios)), share, f"{median:.2f}")
        print(f"| {' | '.join(cells)} | {least:.2f}; {most:.2f} |")


if __name__ == "__main__":
    main(sys.argv)
