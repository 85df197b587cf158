"""Run a map that is a program: rows go in and come out as lines of JSON.

    in    {"settings": {...}}                 once
          {"key": text, "value": row}         for each row
    out   {"key": text, "value": row | null}  in any order; null: there is no row
          {"key": text, "problem": text}      this row failed

One process serves one batch. It runs in a folder that holds the files of the repository
that its arguments name, as they were trusted, and nothing else. GIT_DIR names the
repository, so that `git cat-file blob ID` reads the blobs that a row names. Keys are
opaque: rows are known by content. A row without an answer has failed; the others are
kept.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from repobuild.errors import system_reason

_SHOWN_STDERR = 400  # characters


class CommandAnswer(NamedTuple):
    """A program's answer for one row: its value, or why it has none."""

    value: Any
    problem: str


@dataclass(frozen=True)
class Command:
    """A program with its arguments, and the files that it gets: path, content."""

    arguments: tuple[str, ...]
    files: tuple[tuple[str, bytes], ...] = ()

    @property
    def digest(self) -> str:
        """32 hex digits over the files."""
        hasher = blake2b(digest_size=16)
        for path, content in self.files:
            hasher.update(b"%d %d " % (len(os.fsencode(path)), len(content)))
            hasher.update(os.fsencode(path) + content)
        return hasher.hexdigest()


@dataclass(frozen=True)
class CommandEnvironment:
    """Where a command runs: a folder to unpack into, the repository, the settings."""

    folder: str
    repository: str
    settings: Mapping[str, Any]


def run_command(
    command: Command, environment: CommandEnvironment, rows: Mapping[str, Any]
) -> dict[str, CommandAnswer]:
    """Run a program on a batch of rows; return its answer for every key."""
    try:
        done = subprocess.run(
            command.arguments,
            input="".join(_input_lines(environment, rows)).encode(),
            capture_output=True,
            cwd=_unpack(command, Path(environment.folder)),
            env={**os.environ, "GIT_DIR": environment.repository},
        )
    except OSError as error:
        reason = f"{command.arguments[0]}: {system_reason(error)}"
        return {key: CommandAnswer(None, reason) for key in rows}
    answers, bad_line = _parse(done.stdout.splitlines(), rows)
    missing = CommandAnswer(
        None, _no_answer(command, done.returncode, done.stderr, bad_line)
    )
    return {key: answers.get(key, missing) for key in rows}


def _input_lines(
    environment: CommandEnvironment, rows: Mapping[str, Any]
) -> Iterator[str]:
    yield json.dumps({"settings": dict(environment.settings)}) + "\n"
    for key, value in rows.items():
        line = json.dumps({"key": key, "value": value}, default=bytes.hex)
        yield line + "\n"


def _parse(
    lines: Iterable[bytes], rows: Mapping[str, Any]
) -> tuple[dict[str, CommandAnswer], str]:
    """Return the answers, and what is wrong with the first invalid line."""
    answers: dict[str, CommandAnswer] = {}
    bad = ""
    for number, line in enumerate(lines, 1):
        try:
            body = json.loads(line)
        except ValueError:
            bad = bad or f"line {number} of its output is no JSON"
            continue
        key = str(body.get("key")) if isinstance(body, dict) else ""
        if key not in rows or not {"value", "problem"} & body.keys():
            bad = bad or f'line {number} of its output lacks a known "key" or a "value"'
            continue
        answers[key] = CommandAnswer(body.get("value"), str(body.get("problem") or ""))
    return answers, bad


def _no_answer(command: Command, code: int, stderr: bytes, bad_line: str) -> str:
    """Return why a row got no answer."""
    name = " ".join(command.arguments)
    errors = stderr.decode("utf-8", "replace").strip()[-_SHOWN_STDERR:]
    if code:
        return f"`{name}` ended with {code}{f': {errors}' if errors else ''}"
    return f"`{name}` gave no answer for this row{f': {bad_line}' if bad_line else ''}"


def _unpack(command: Command, folder: Path) -> Path:
    """Return a folder that holds the command's files.

    Several workers may unpack at once, so each file is written under a name of the
    process and renamed.
    """
    unpacked = folder / f"command-{command.digest}"
    unpacked.mkdir(parents=True, exist_ok=True)
    for path, content in command.files:
        target = unpacked / path
        if target.is_file() and target.read_bytes() == content:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f"{target.name}.{os.getpid()}")
        fresh.write_bytes(content)
        fresh.chmod(0o700)
        fresh.replace(target)
    return unpacked
