"""Compute a map's rows from packed values; this is all that its workers do.

A worker gets memo keys with packed values, opens the object database by itself, and
returns rows in the form in which they are stored. It never opens the state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from repobuild.engine.contract import Scope
from repobuild.engine.digest import deflate, digest, pack, unpack
from repobuild.engine.rule import import_function
from repobuild.engine.run.command import Command, CommandEnvironment, run_command
from repobuild.engine.run.cyclic_gc import CyclicGc
from repobuild.engine.run.script import RuleError, Script
from repobuild.errors import MissingObjectError, PartialRowError
from repobuild.git.repository import open_folder, read_blob

Settings = dict[str, Any]


class Payload(NamedTuple):
    """One row to compute."""

    key: bytes  # memo key
    packed: bytes  # the input fields that the rule reads


@dataclass(frozen=True, slots=True)
class MapWork:
    """What a worker needs to compute rows of one rule."""

    run: str
    settings: Settings
    stored: bool
    repository: str
    copies: str
    folder: str = ""  # where a command's files are unpacked
    code: Script | Command | None = None  # instead of `run`
    schema: str = ""  # function that returns what is wrong with a row

    @property
    def function(self) -> Callable[..., Any]:
        return (
            self.code.load()
            if isinstance(self.code, Script)
            else import_function(self.run)
        )


class MapResult(NamedTuple):
    """A computed row in its stored form; `digest` is empty when there is no row."""

    key: bytes
    digest: bytes
    stored: bytes
    problem: str
    failed: bool


@dataclass(frozen=True, slots=True)
class MapScope:
    """See `contract.Scope`."""

    settings: Settings
    repository: str
    copies: str  # folder with the blobs of a work tree; "" for a commit

    def blob(self, blob_id: str) -> bytes:
        copies = Path(self.copies) if self.copies else None
        return read_blob(_objects(self.repository), blob_id, copies)


_objects = lru_cache(maxsize=1)(open_folder)


def compute(work: MapWork, payloads: Sequence[Payload]) -> list[MapResult]:
    """Compute rows. Runs in a worker, or in the building process for a few rows."""
    if isinstance(work.code, Command):
        return _compute_by_command(work, work.code, payloads)
    return compute_rows(work, payloads)


def compute_rows(
    work: MapWork, payloads: Sequence[Payload], scope: Scope | None = None
) -> list[MapResult]:
    """Compute rows with a function; without a scope, blobs come from `repository`."""
    function = work.function
    if scope is None:
        scope = MapScope(work.settings, work.repository, work.copies)
    with CyclicGc().paused():
        return [_compute_row(work, function, scope, payload) for payload in payloads]


def _compute_row(
    work: MapWork, function: Callable[..., Any], scope: Scope, payload: Payload
) -> MapResult:
    key, packed = payload
    try:
        value = function(unpack(packed), scope)
    except PartialRowError as error:
        kept = _result(work, key, error.value)
        return kept._replace(problem=str(error), failed=True)
    except Exception as error:  # one bad row is reported, and the others are computed
        is_plain = isinstance(error, (RuleError, MissingObjectError))
        name = "" if is_plain else f"{type(error).__name__}: "
        return MapResult(key, b"", b"", f"{name}{error}", True)
    return _result(work, key, value)


def _compute_by_command(
    work: MapWork, command: Command, payloads: Sequence[Payload]
) -> list[MapResult]:
    environment = CommandEnvironment(work.folder, work.repository, work.settings)
    rows = {key.hex(): unpack(packed) for key, packed in payloads}
    return [
        MapResult(bytes.fromhex(key), b"", b"", answer.problem, True)
        if answer.problem
        else _result(work, bytes.fromhex(key), answer.value)
        for key, answer in run_command(command, environment, rows).items()
    ]


def _result(work: MapWork, key: bytes, value: Any) -> MapResult:
    if value is None:
        return MapResult(key, b"", b"", "", False)
    if work.schema and (wrong := import_function(work.schema)(value)):
        return MapResult(key, b"", b"", wrong, True)
    problem = str(value.get("problem", "")) if isinstance(value, dict) else ""
    if not work.stored:
        value = {sub: digest(pack(item))[:8] for sub, item in value.items()}
    data = pack(value)
    return MapResult(key, digest(data), deflate(data), problem, False)
