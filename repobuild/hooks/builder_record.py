"""Record what the background builder does, for `status`, and tell whether it lives.

    {"version": 1, "process": 4711, "state": "building", "commit": "4f2a…",
     "since": "2026-11-29T20:15:03+00:00", "waits": "",
     "last": {"commit": "77aa…", "outcome": "built", "error": "", "seconds": 12.3,
              "ended": "2026-11-29T19:02:11+00:00"}}

A record may be older than the machine's last start, so the lock decides who lives: the
kernel frees it with the process. To ask takes the lock for an instant; that is why a
builder tries several times before it believes that there is another one.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from repobuild.engine.state_files import open_without_links, replace_file
from repobuild.engine.storage.lock import is_held
from repobuild.hooks.wanted import BUILDING, read_wanted

LOCK, LOG = "builder.lock", "hook.log"
_RECORD = "builder.json"
FAILED = "failed"  # the outcome of a build
_MOST_BYTES = 100_000
_LOG_BYTES = 1_000_000
_ERROR_LINES, _ERROR_CHARACTERS = 3, 1_000
IDLE, WAITING, BUILDING_NOW, STOPPED = "idle", "waiting", "building", "stopped"


@dataclass(frozen=True)
class LastBuild:
    """How the last background build that ran to its end went."""

    commit: str = ""
    outcome: str = ""  # "built" or "failed"; "" when there was none
    error: str = ""
    seconds: float = 0.0
    ended: str = ""


@dataclass(frozen=True)
class BuilderRecord:
    """What the builder of a repository does."""

    state: str = IDLE
    process: int = 0
    commit: str = ""  # that is built or waited with
    since: str = ""
    waits: str = ""  # for what: "until 22:00", "for mains power", "for the rebase"
    last: LastBuild = field(default_factory=LastBuild)

    def write(self, folder: Path) -> None:
        facts = {"version": 1, **asdict(self)}
        replace_file(folder / _RECORD, json.dumps(facts, indent=1).encode())


def now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def read_record(folder: Path) -> BuilderRecord:
    """Return the record as it was written; an empty one when it cannot be read."""
    try:
        descriptor = open_without_links(folder / _RECORD, os.O_RDONLY | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            found: dict[str, Any] = json.loads(file.read(_MOST_BYTES))
        last = {name: found["last"][name] for name in asdict(LastBuild())}
        own = {name: found[name] for name in asdict(BuilderRecord())}
        record = BuilderRecord(**{**own, "last": LastBuild(**last)})
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return BuilderRecord()
    return record if _fits(record) else BuilderRecord()


def _fits(record: BuilderRecord) -> bool:
    """Whether every field is of its type: the file may have come from elsewhere."""
    pairs = [(record, BuilderRecord()), (record.last, LastBuild())]
    return all(
        type(value) is type(getattr(example, name))
        for one, example in pairs
        for name, value in vars(one).items()
    )


def background_facts(folder: Path) -> dict[str, Any]:
    """Return what `status --json` says of the background builder of a state."""
    record = read_record(folder)
    is_alive = is_held(folder / LOCK)
    waiting = read_wanted(folder) or read_wanted(folder, BUILDING)
    commit = waiting.commit if waiting else ""
    if not is_alive:
        state = STOPPED if waiting else IDLE
        record = BuilderRecord(state, commit=commit, last=record.last)
    log = str(folder / LOG) if (folder / LOG).is_file() else ""
    return {**asdict(record), "log": log, "wanted": commit}


# ------------------------------------------------------------------------------- log


def open_log(folder: Path) -> int:
    """Return a descriptor that appends to the log, which is cut when it is long."""
    path = folder / LOG
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    descriptor = open_without_links(path, flags)
    size = os.fstat(descriptor).st_size
    if size <= _LOG_BYTES:
        return descriptor
    kept = os.pread(descriptor, _LOG_BYTES // 2, size - _LOG_BYTES // 2)
    os.close(descriptor)
    replace_file(path, kept.partition(b"\n")[2])
    return open_without_links(path, flags)


def error_since(descriptor: int, start: int) -> str:
    """Return the last error in the log after a position: up to three lines."""
    start = max(start, os.fstat(descriptor).st_size - _LOG_BYTES)
    text = os.pread(descriptor, _LOG_BYTES, start).decode("utf-8", "replace")
    _, found, error = f"\n{text}".rpartition("\nerror: ")
    lines = error.strip().split("\n")[:_ERROR_LINES] if found else []
    return "\n".join(lines)[:_ERROR_CHARACTERS]
