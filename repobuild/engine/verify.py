"""Rebuild the tables from nothing beside the state and compare every digest.

Tables up to the first task are built again, each at the commit and with the settings it
was built with (as_of.py); each digest must be equal. A table that was built by another
rule version or tool than is installed cannot be verified, and the result says so.
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

from repobuild.engine.as_of import (
    CleanBuild,
    Obstacle,
    find_obstacle,
    group_versions,
    pinned_rules,
    table_versions,
)
from repobuild.engine.build import Build
from repobuild.engine.context import BuildContext
from repobuild.engine.contract import ShowProgress
from repobuild.engine.storage.damage_check import find_damage
from repobuild.engine.storage.event_log import EventLog
from repobuild.engine.storage.state import State, open_state
from repobuild.errors import StaleError
from repobuild.git.snapshot import at_commit
from repobuild.resources import program

_SHOWN_KEYS = 5


@dataclass(frozen=True, slots=True)
class TableCheck:
    """One table or artifact: its stored digest, the digest found, differing keys.

    With an `obstacle`, nothing could be found.
    """

    name: str
    stored: str
    found: str
    keys: tuple[str, ...] = ()
    obstacle: Obstacle | None = None

    @property
    def holds(self) -> bool:
        return self.stored == self.found


def verify(build: Build, progress: ShowProgress) -> list[TableCheck]:
    """Return a check of every built table and every artifact that a row names.

    Raises:
        StaleError: nothing is built yet.
    """
    versions = table_versions(build)
    if not versions:
        raise StaleError(f"nothing is built yet\nrun `{program()}` first")
    obstacles = {version.table: find_obstacle(build, version) for version in versions}
    checks = {
        check.name: check
        for group in group_versions([v for v in versions if not obstacles[v.table]])
        for check in _check_group(build, group, progress)
    }
    for name, obstacle in obstacles.items():
        if obstacle:
            line = build.state.line(name)
            stored = line.digest.hex() if line else ""
            checks[name] = TableCheck(name, stored, "", obstacle=obstacle)
    tables = [checks[version.table] for version in versions]
    return [*tables, _check_state(build), *_check_artifacts(build)]


def _check_group(
    build: Build, group: CleanBuild, progress: ShowProgress
) -> list[TableCheck]:
    snapshot = at_commit(build.snapshot.repository, group.commit)
    pinned = replace(build, snapshot=snapshot, rules=pinned_rules(build, group))
    with clean(pinned, progress) as other:
        other.run(group.tables)
        return [_compare(build, other, name) for name in group.tables]


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
    return Build(
        state=state,
        store=build.store,
        rules=build.rules,
        settings=build.settings,
        snapshot=build.snapshot,
        events=EventLog(folder / "events.jsonl"),
        progress=progress,
        jobs=build.jobs,
    )


def _compare(build: BuildContext, other: BuildContext, name: str) -> TableCheck:
    mine, theirs = build.state.line(name), other.state.line(name)
    stored = mine.digest.hex() if mine else ""
    rebuilt = theirs.digest.hex() if theirs else ""
    if stored == rebuilt:
        return TableCheck(name, stored, rebuilt)
    old = {key: row.digest for key, row in build.table(name).raw_items()}
    new = {key: row.digest for key, row in other.table(name).raw_items()}
    keys = sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k))
    return TableCheck(name, stored, rebuilt, tuple(keys[:_SHOWN_KEYS]))


def _check_state(build: BuildContext) -> TableCheck:
    """Check the stored bytes themselves: a flipped bit in a value changes no digest."""
    reason = find_damage(build.state.database)
    if not reason:
        return TableCheck("state", "whole", "whole")
    return TableCheck("state", "whole", "damaged", (reason,))


def _check_artifacts(build: BuildContext) -> Iterator[TableCheck]:
    for rule in build.rules.values():
        if rule.kind != "task" or build.state.line(rule.name) is None:
            continue
        for key, row in build.table(rule.name).items():
            digest = found = str(row["object"])
            try:
                build.store.checked_path(digest)
            except KeyError:
                found = "missing or corrupt"
            yield TableCheck(f"{rule.name} {key[:12]}", digest, found)
