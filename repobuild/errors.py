"""Define the errors that users see, and the exit code of each.

    BuildError            3   a rule failed
    ├── UsageError        2   the command line or the configuration is wrong
    │   └── NoCommitError     there is nothing to read yet
    ├── StaleError        1   a check failed
    ├── LockedError       4   another builder holds the lock
    ├── AbsentError       5   a server that the settings name cannot be reached
    ├── RemoteError       5   a shared cache that was asked for cannot be used
    ├── DamagedError      3   the state's database is damaged
    └── MissingObjectError 3  git's object database lacks an object
        └── PartialRowError   for a part of a row only

A message has up to three lines: what happened, why, what to do.
"""

from __future__ import annotations

from collections.abc import Iterable


class BuildError(Exception):
    """A rule failed; also the base of every error shown without a traceback."""

    exit_code = 3


class UsageError(BuildError):
    """The command line, the configuration or a rule file is wrong."""

    exit_code = 2


class NoCommitError(UsageError):
    """The repository has no commit yet."""


class StaleError(BuildError):
    """A check failed: something is not built, or not current."""

    exit_code = 1


class LockedError(BuildError):
    """Another builder holds the lock."""

    exit_code = 4


class AbsentError(BuildError):
    """A server that the settings name cannot be reached, or does not answer."""

    exit_code = 5


class RemoteError(BuildError):
    """A shared cache that was asked for cannot be used."""

    exit_code = 5


class DamagedError(BuildError):
    """The state's database is damaged; `reason` names the damage in a few words."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class MissingObjectError(BuildError, KeyError):
    """Git's object database lacks an object, as in a partial clone.

    The message is the same for every object, so that many rows are one warning.
    """

    def __init__(self, object_id: str) -> None:
        super().__init__(object_id)
        self.object_id = object_id

    def __str__(self) -> str:
        return (
            "this clone lacks git objects that it needs, as a partial clone does\n"
            "get them, then run again: git fetch --refetch --no-filter"
        )


class PartialRowError(MissingObjectError):
    """A map lacks a git object for a part of its row; `value` is the rest.

    The rest is kept as the row, but not in the memo, and the row is tried again.
    """

    def __init__(self, object_id: str, value: object) -> None:
        super().__init__(object_id)
        self.value = value


def system_reason(error: OSError) -> str:
    """Return why the system refused, as messages say it."""
    return (error.strerror or str(error)).lower()


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean "x"?)`, or "" when no known name is similar."""
    from difflib import get_close_matches

    matches = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f' (did you mean "{matches[0]}"?)' if matches else ""
