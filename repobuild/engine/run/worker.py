"""What a map's workers do: compute rows from packed values, and nothing else.

A worker gets memo keys with packed values, opens the object database by itself, and
gives rows back in the form in which they are stored. It never touches the state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from repobuild.engine.digest import deflate, digest, pack, unpack
from repobuild.engine.rule import load
from repobuild.engine.run.command import Command, CommandEnvironment, answers
from repobuild.engine.run.cyclic_gc import unsearched
from repobuild.engine.run.script import RuleError, Script

Settings = dict[str, Any]
Payload = tuple[bytes, bytes]  # memo key, packed value


@dataclass(frozen=True, slots=True)
class MapWork:
    """What a worker needs to compute rows of one rule."""

    run: str
    settings: Settings
    stored: bool
    repository: str
    copies: str
    folder: str = ""  # where a command's files are unpacked
    code: Script | Command | None = None  # in place of `run`
    form: str = ""  # says what is wrong with a row

    @property
    def function(self) -> Callable[..., Any]:
        return self.code.load() if isinstance(self.code, Script) else load(self.run)


@dataclass(frozen=True, slots=True)
class MapResult:
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
    copies: str

    def blob(self, blob_id: str) -> bytes:
        if self.copies:
            copy = Path(self.copies) / blob_id
            if copy.is_file():
                return copy.read_bytes()
        data: bytes = _objects(self.repository)[blob_id].data
        return data


@lru_cache(maxsize=1)
def _objects(repository: str) -> Any:
    import pygit2

    return pygit2.Repository(repository)


def compute(work: MapWork, payloads: Sequence[Payload]) -> list[MapResult]:
    """Compute rows. Runs in a worker, or in the building process for a few rows."""
    if isinstance(work.code, Command):
        return _by_command(work, work.code, payloads)
    function = work.function
    scope = MapScope(work.settings, work.repository, work.copies)
    with unsearched():
        return [_one(work, function, scope, key, packed) for key, packed in payloads]


def _one(
    work: MapWork, function: Any, scope: MapScope, key: bytes, packed: bytes
) -> MapResult:
    try:
        value = function(unpack(packed), scope)
    except Exception as error:  # one bad row is reported, and the rest goes on
        name = "" if isinstance(error, RuleError) else f"{type(error).__name__}: "
        return MapResult(key, b"", b"", f"{name}{error}", True)
    return _result(work, key, value)


def _by_command(
    work: MapWork, command: Command, payloads: Sequence[Payload]
) -> list[MapResult]:
    around = CommandEnvironment(work.folder, work.repository, work.settings)
    rows = {key.hex(): unpack(packed) for key, packed in payloads}
    said = answers(command, around, rows)
    return [
        MapResult(bytes.fromhex(key), b"", b"", problem, True)
        if problem
        else _result(work, bytes.fromhex(key), value)
        for key, (value, problem) in said.items()
    ]


def _result(work: MapWork, key: bytes, value: Any) -> MapResult:
    if value is None:
        return MapResult(key, b"", b"", "", False)
    if work.form and (wrong := load(work.form)(value)):
        return MapResult(key, b"", b"", wrong, True)
    problem = str(value.get("problem", "")) if isinstance(value, dict) else ""
    if not work.stored:
        value = {sub: digest(pack(item))[:8] for sub, item in value.items()}
    data = pack(value)
    return MapResult(key, digest(data), deflate(data), problem, False)
