"""Decide whether a background build may run now: `hook.when`.

    always           at any time
    22:00-07:00      between these times of the local clock, past midnight too
    ac               unless the machine runs on its battery

Several words must all hold: "ac 22:00-07:00". The builder asks again while it builds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

_SUPPLIES = Path("/sys/class/power_supply")  # of Linux


@dataclass(frozen=True)
class BuildWindow:
    """The value of `hook.when`, read."""

    hours: tuple[tuple[time, time], ...]
    needs_power: bool

    @classmethod
    def parse(cls, text: str) -> BuildWindow:
        """Read a value that the schema of settings has accepted."""
        words = text.split()
        return cls(
            tuple(_read_hours(word) for word in words if ":" in word), "ac" in words
        )

    def reason_to_wait(self, now: datetime, on_battery: Callable[[], bool]) -> str:
        """Return why no build may run now; "" when one may.

        `on_battery` is called only when it matters.
        """
        for start, end in self.hours:
            if not _is_within(now.time(), start, end):
                return f"until {start:%H:%M}"
        if self.needs_power and on_battery():
            return "for mains power"
        return ""


def _read_hours(word: str) -> tuple[time, time]:
    start, _, end = word.partition("-")
    return time.fromisoformat(start), time.fromisoformat(end)


def _is_within(now: time, start: time, end: time) -> bool:
    if start <= end:
        return start <= now < end
    return now >= start or now < end


def is_on_battery(supplies: Path = _SUPPLIES) -> bool:
    """Return whether the machine runs on its battery; False where nobody can tell."""
    if sys.platform == "darwin":
        try:
            done = subprocess.run(["pmset", "-g", "batt"], capture_output=True)
        except OSError:
            return False
        return b"'Battery Power'" in done.stdout
    is_discharging = False
    try:
        names = os.listdir(supplies)
    except OSError:
        return False
    for name in names:
        kind = _read(supplies / name / "type")
        if kind in ("Mains", "USB") and _read(supplies / name / "online") == "1":
            return False
        # A mouse or a headset has a battery, too: its scope is "Device".
        if kind == "Battery" and _read(supplies / name / "scope") != "Device":
            is_discharging |= _read(supplies / name / "status") == "Discharging"
    return is_discharging


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""
