"""Write the event log: one JSON object a line, for tests, for `why` and for people.

    {"build": 7, "event": "table", "table": "facts", "built": ["a.py"], "memo": [],
     "removed": [], "counts": {"built": 1, "memo": 0, "removed": 0, "unchanged": 41}}

An event lists the rows that were computed (`built`), that came from the memo, and that
were removed. Lists are cut at 1,000 keys; counts are complete. Nothing depends on the
file: it is cut when it grows over 1 MB and may be deleted at any time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from repobuild.engine.state_files import open_without_links, replace_file

_MAX_BYTES = 1_000_000
_MAX_KEYS = 1_000
_OWN_FIELDS = {"build", "event", "commit", "tree", "seconds"}  # they hold no names

Redact = Callable[[dict[str, Any]], dict[str, Any]]


def keep(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event as it is."""
    return event


class EventLog:
    """The log file; `build` is the number that its next events carry.

    `redact` removes secrets from an event: names and paths may hold some.
    """

    def __init__(self, path: Path, redact: Redact = keep) -> None:
        self.path = path
        self._redact = redact
        self.build = 0

    def emit(self, event: str, **fields: Any) -> None:
        """Append one event; long lists of keys are cut."""
        line: dict[str, Any] = {"build": self.build, "event": event}
        for name, value in fields.items():
            line[name] = value[:_MAX_KEYS] if isinstance(value, list) else value
        # Our own ids are not searched for secrets: they look like some, and compiling
        # the forms of all secrets costs a build 50 ms.
        named = {name: line[name] for name in line if name not in _OWN_FIELDS}
        line |= self._redact(named)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        with open(open_without_links(self.path, flags), "ab+") as file:
            # A kill may have cut the last line: begin the next event on its own line.
            end = file.seek(0, 2)
            if end and os.pread(file.fileno(), 1, end - 1) != b"\n":
                file.write(b"\n")
            file.write(json.dumps(line, ensure_ascii=True).encode() + b"\n")

    def read(self) -> Iterator[dict[str, Any]]:
        """Yield the events; skip a line that was cut by a kill."""
        if not self.path.is_file():
            return
        for line in self.path.read_bytes().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event

    def trim(self) -> None:
        """Keep the newer half of a log above 1 MB."""
        if not self.path.is_file() or self.path.stat().st_size <= _MAX_BYTES:
            return
        lines = self.path.read_bytes().splitlines()
        kept = b"\n".join(lines[len(lines) // 2 :]) + b"\n"
        replace_file(self.path, kept)
