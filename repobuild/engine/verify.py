"""Rebuild from nothing beside the state and compare every digest.

Tables up to the first task are built again, each at the commit where it stands and with
the settings it was made with (past.py); each digest must be equal. What was made by
another rule version or tool than is installed cannot be verified, and says so.
Artifacts are checked against their own digests: the adapter is a fold over commits, so
a clean build would rightly make another one.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from repobuild.engine.as_of import CleanBuild, grouped, obstacle, pinned, table_versions
from repobuild.engine.build import Build, ShowProgress
from repobuild.engine.storage.damage_check import damage
from repobuild.engine.storage.event_log import EventLog
from repobuild.engine.storage.state import State, open_state
from repobuild.errors import StaleError
from repobuild.git.snapshot import at_commit

_SHOWN_KEYS = 5


@dataclass(frozen=True, slots=True)
class TableCheck:
    """One table or artifact: what the state says, what was found, where they differ.

    `obstacle` says why nothing could be found.
    """

    name: str
    stored: str
    found: str
    keys: tuple[str, ...] = ()
    obstacle: str = ""

    @property
    def holds(self) -> bool:
        return self.stored == self.found


def verify(build: Build, progress: ShowProgress) -> list[TableCheck]:
    """Return a verdict for every built table and every artifact that a row names.

    Raises `StaleError` when nothing is built yet.
    """
    tables = table_versions(build)
    if not tables:
        raise StaleError("nothing is built yet\nrun `repobuild` first")
    obstacles = {table.table: obstacle(build, table) for table in tables}
    found = {
        verdict.name: verdict
        for group in grouped([t for t in tables if not obstacles[t.table]])
        for verdict in _verified(build, group, progress)
    }
    verdicts = [
        found.get(table.table) or _unknown(build, table.table, obstacles[table.table])
        for table in tables
    ]
    return [*verdicts, _stored(build), *_artifacts(build)]


def _verified(
    build: Build, group: CleanBuild, progress: ShowProgress
) -> list[TableCheck]:
    snapshot = at_commit(build.snapshot.repository, group.commit)
    then = replace(build, snapshot=snapshot, rules=pinned(build, group))
    with clean(then, progress) as other:
        other.run(group.tables)
        return [_compare(build, other, name) for name in group.tables]


def _unknown(build: Build, name: str, why: str) -> TableCheck:
    line = build.state.line(name)
    return TableCheck(name, line.digest.hex() if line else "", "", obstacle=why)


@contextmanager
def clean(build: Build, progress: ShowProgress) -> Iterator[Build]:
    """Yield the same build on an empty state in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="repobuild-verify-") as name:
        folder = Path(name)
        state = open_state(folder)
        try:
            yield fresh(build, state, folder, progress)
        finally:
            state.close()
            shutil.rmtree(folder, ignore_errors=True)


def fresh(build: Build, state: State, folder: Path, progress: ShowProgress) -> Build:
    """Return the same build over another state."""
    events = EventLog(folder / "events.jsonl")
    return Build(
        state, build.store, build.rules, build.settings, build.snapshot, events,
        progress, build.jobs,
    )  # fmt: skip


def _compare(build: Build, other: Build, name: str) -> TableCheck:
    mine, theirs = build.state.line(name), other.state.line(name)
    stored = mine.digest.hex() if mine else ""
    found = theirs.digest.hex() if theirs else ""
    verdict = TableCheck(name, stored, found)
    if verdict.holds:
        return verdict
    return replace(verdict, keys=_differing(build, other, name))


def _differing(build: Build, other: Build, name: str) -> tuple[str, ...]:
    mine = {key: row.digest for key, row in build.table(name).raw_items()}
    theirs = {key: row.digest for key, row in other.table(name).raw_items()}
    keys = sorted(
        k for k in mine.keys() | theirs.keys() if mine.get(k) != theirs.get(k)
    )
    return tuple(keys[:_SHOWN_KEYS])


def _stored(build: Build) -> TableCheck:
    """The stored bytes themselves: a flipped bit in a value changes no digest."""
    reason = damage(build.state.database)
    if not reason:
        return TableCheck("state", "whole", "whole")
    return TableCheck("state", "whole", "damaged", (reason,))


def _artifacts(build: Build) -> Iterator[TableCheck]:
    for rule in build.rules.values():
        if rule.kind != "task" or build.state.line(rule.name) is None:
            continue
        for key, row in build.table(rule.name).items():
            digest = str(row["object"])
            yield TableCheck(f"{rule.name} {key[:12]}", digest, _found(build, digest))


def _found(build: Build, digest: str) -> str:
    try:
        build.store.path(digest)
    except KeyError:
        return "missing or corrupt"
    return digest
