"""A map that is a program: rows go in and come out as lines of JSON.

    in    {"settings": {...}}                 once
          {"key": text, "value": row}         one a row
    out   {"key": text, "value": row | null}  in any order; null: there is no row
          {"key": text, "problem": text}      this row failed

One process a batch. It runs in a folder that holds the files of the repository that its
arguments name, as they were trusted, and nothing else. GIT_DIR names the repository, so
that `git cat-file blob ID` reads what a row names. Keys are opaque: rows are known by
content. A row without an answer has failed; the others are kept.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

_SAID = 400  # characters of stderr that are shown

Answer = tuple[Any, str]  # value, problem


@dataclass(frozen=True)
class Command:
    """A program with its arguments, and the files that it is given: path, content."""

    arguments: tuple[str, ...]
    files: tuple[tuple[str, bytes], ...] = ()

    @property
    def digest(self) -> str:
        found = blake2b(digest_size=16)
        for path, content in self.files:
            found.update(b"%d %d " % (len(os.fsencode(path)), len(content)))
            found.update(os.fsencode(path) + content)
        return found.hexdigest()


@dataclass(frozen=True)
class CommandEnvironment:
    """Where a command runs: a folder to unpack into, the repository, the settings."""

    folder: str
    repository: str
    settings: Mapping[str, Any]


def answers(
    command: Command, around: CommandEnvironment, rows: Mapping[str, Any]
) -> dict[str, Answer]:
    """Return what a program says of every row."""
    try:
        done = subprocess.run(
            command.arguments,
            input="".join(_lines(around, rows)).encode(),
            capture_output=True,
            cwd=_unpacked(command, Path(around.folder)),
            env={**os.environ, "GIT_DIR": around.repository},
        )
    except OSError as error:
        reason = f"{command.arguments[0]}: {(error.strerror or str(error)).lower()}"
        return {key: (None, reason) for key in rows}
    found, bad = _read(done.stdout.splitlines(), rows)
    missing = (None, _silence(command, done.returncode, done.stderr, bad))
    return {key: found.get(key, missing) for key in rows}


def _lines(around: CommandEnvironment, rows: Mapping[str, Any]) -> Iterator[str]:
    yield json.dumps({"settings": dict(around.settings)}) + "\n"
    for key, value in rows.items():
        line = json.dumps({"key": key, "value": value}, default=bytes.hex)
        yield line + "\n"


def _read(
    lines: Iterable[bytes], rows: Mapping[str, Any]
) -> tuple[dict[str, Answer], str]:
    """Return the answers, and what is wrong with the first line that is none."""
    found: dict[str, Answer] = {}
    bad = ""
    for number, line in enumerate(lines, 1):
        try:
            said = json.loads(line)
        except ValueError:
            bad = bad or f"line {number} of its output is no JSON"
            continue
        key = str(said.get("key")) if isinstance(said, dict) else ""
        if key not in rows or not {"value", "problem"} & said.keys():
            bad = bad or f'line {number} of its output lacks a known "key" or a "value"'
            continue
        found[key] = (said.get("value"), str(said.get("problem") or ""))
    return found, bad


def _silence(command: Command, code: int, stderr: bytes, bad: str) -> str:
    """Say why a row got no answer."""
    name = " ".join(command.arguments)
    said = stderr.decode("utf-8", "replace").strip()[-_SAID:]
    if code:
        return f"`{name}` ended with {code}{f': {said}' if said else ''}"
    return f"`{name}` said nothing of this row{f': {bad}' if bad else ''}"


def _unpacked(command: Command, folder: Path) -> Path:
    """Return a folder that holds the command's files; workers may make it at once."""
    place = folder / f"command-{command.digest}"
    place.mkdir(parents=True, exist_ok=True)
    for path, content in command.files:
        target = place / path
        if target.is_file() and target.read_bytes() == content:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f"{target.name}.{os.getpid()}")
        fresh.write_bytes(content)
        fresh.chmod(0o700)
        fresh.replace(target)
    return place
