"""What can go wrong, and the exit code of each.

    BuildError            3   a rule failed
    ├── UsageError        2   the command line or the configuration is wrong
    ├── StaleError        1   a check failed
    ├── LockedError       4   another builder holds the lock
    └── DamagedError      3   the state's database is damaged

A message has up to three lines: what happened, why, what to do.
"""

from __future__ import annotations

from collections.abc import Iterable


class BuildError(Exception):
    """Base of every error that is shown to the user without a traceback."""

    exit_code = 3


class UsageError(BuildError):
    exit_code = 2


class StaleError(BuildError):
    exit_code = 1


class LockedError(BuildError):
    exit_code = 4


class DamagedError(BuildError):
    """`reason` says what is wrong, in a few words."""

    def __init__(self, said: str, reason: str) -> None:
        super().__init__(said)
        self.reason = reason


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean "x"?)`, or nothing when no known name is near."""
    from difflib import get_close_matches

    matches = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f' (did you mean "{matches[0]}"?)' if matches else ""
