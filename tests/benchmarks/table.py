"""Markdown tables of what was measured: the machine, the rows, the bars."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the issue: what was asked, what was measured, whether it is met."""

    what: str
    bar: str
    measured: str
    met: bool

    @property
    def cells(self) -> list[str]:
        return [
            self.what,
            self.bar,
            self.measured,
            "met" if self.met else "**not met**",
        ]


def markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; the first column is text, the others are figures."""
    lines = [list(head), *map(list, rows)]
    ruler = ["---"] + ["---:"] * (len(lines[0]) - 1)
    return "\n".join("| " + " | ".join(x) + " |" for x in (lines[0], ruler, *lines[1:]))


def bars(found: Iterable[Bar]) -> str:
    """Return the table of bars; all its columns are text."""
    rows = [["what", "bar", "measured", ""], ["---"] * 4, *(b.cells for b in found)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def machine(versions: Mapping[str, str]) -> str:
    """Return a paragraph: date, machine, how busy it was, versions of the peers."""
    told = ", ".join(f"{name} {v}" for name, v in sorted(versions.items()))
    peers = f" Peers: {told}." if told else ""
    return (
        f"{datetime.date.today()}, {len(os.sched_getaffinity(0))} cores of "
        f"{_processor()}, {_memory_gib()} GiB, load {os.getloadavg()[0]:.1f} at the "
        f"start, Python {platform.python_version()}." + peers
    )


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _memory_gib() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
