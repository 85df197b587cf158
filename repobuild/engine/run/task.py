"""Run a task: once on whole tables, leaving an artifact in the object store.

    key = digest of {manifest, digests of the input tables, parent of a chain}

Of an input that is itself a task, the artifact at this commit counts. Rows are kept for
every commit (or artifact) that was ever built, so that any of them can be had again;
`gc` decides what goes.

A chain (the adapter) is a fold over commits: its key holds the artifact that the commit
starts from, which is that of the nearest first-parent ancestor that has one, else the
newest. A clean build has no parent; that is why chains are left out of `verify`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.engine.contract import Progress, Value
from repobuild.engine.digest import deflate, digest, key_digest, pack
from repobuild.engine.rule import Rule, manifest_digest
from repobuild.engine.storage.artifact_notes import find_again, note
from repobuild.engine.storage.artifact_store import folder_digest
from repobuild.engine.storage.sweep import sweep
from repobuild.engine.storage.table import RawRow, StoredTable
from repobuild.engine.storage.table_writer import TableResult
from repobuild.errors import BuildError
from repobuild.git.ancestors import first_parents, nearest_ancestor

if TYPE_CHECKING:
    from repobuild.engine.build import Build

_MISSING = 'the artifact "{:.12}" was missing or not whole; it was made again'


@dataclass
class RunningTask:
    """See `contract.Task`."""

    _build: Build
    _rule: Rule
    key: str
    folder: Path

    @property
    def settings(self) -> Mapping[str, Value]:
        return self._rule.seen(self._build.settings)

    @property
    def commit(self) -> str:
        return self._build.snapshot.commit

    @property
    def tree(self) -> str:
        return self._build.snapshot.tree

    @property
    def logs(self) -> Path:
        name = f"{self.commit[:12]}-{self.key[:8]}"
        return self._build.state.folder / "logs" / self._rule.name / name

    def table(self, name: str) -> StoredTable:
        if name not in self._rule.inputs:
            raise KeyError(f'rule "{self._rule.name}" does not declare "{name}"')
        return self._build.table(name)

    def joined(self, name: str) -> tuple[str, ...]:
        return tuple(n for n in self._build.joined(name) if n in self._rule.inputs)

    def object(self, digest: str) -> Path:
        return self._build.store.path(digest)

    def rows(self, table: str) -> Mapping[str, Mapping[str, Value]]:
        return dict(self._build.table(table).items())

    def ancestors(self) -> Iterator[str]:
        return first_parents(self._build.snapshot.repository, self.commit)

    def progress(self, label: str, total: int) -> AbstractContextManager[Progress]:
        return self._build.progress(label, total)

    def event(self, name: str, **fields: Value) -> None:
        self._build.events.emit(name, table=self._rule.name, **fields)


def run_task(build: Build, rule: Rule) -> TableResult:
    """Bring a task's row for this commit up to date."""
    began = time.perf_counter()
    outcome = TableResult(rule.name)
    place, key = row_key(build, rule), task_key(build, rule)
    rows = dict(build.table(rule.name).items())
    current = rows.get(place)
    if current and current["key"] == key and _has(build, current):
        outcome.counts.unchanged = 1
        use(build, current)
        return outcome
    known = next((r for r in rows.values() if r["key"] == key and _has(build, r)), None)
    if known is None and find_again(build, rule):
        return run_task(build, rule)
    if current and not _has(build, current):
        build.problems.append((rule.name, place, _MISSING.format(current["object"])))
    value = known or _make(build, rule, place, key)
    (outcome.memo if known else outcome.built).append(place)
    outcome.counts.memo, outcome.counts.built = int(bool(known)), int(not known)
    _write(build, rule, place, value, outcome, began)
    return outcome


def task_key(build: Build, rule: Rule) -> str:
    """Return the hex digest of everything that a task's artifact may depend on."""
    follows = parent(build, rule) if rule.chain else ""
    return key_of(manifest_digest(build.manifest(rule)), inputs(build, rule), follows)


def key_of(manifest: bytes, inputs: Mapping[str, str], follows: str) -> str:
    """Return the key of an artifact that was made so, and from what `follows` names."""
    ingredients = {"manifest": manifest, "inputs": dict(inputs), "parent": follows}
    return key_digest(ingredients).hex()


def parent(build: Build, rule: Rule) -> str:
    """Return the artifact that a chain continues at this commit, or nothing.

    A commit that has its row keeps the parent it had: what was built since on other
    branches must not make it stale.
    """
    rows = dict(build.table(rule.name).items())
    if build.snapshot.commit in rows:
        return str(rows[build.snapshot.commit]["follows"])
    near = nearest_ancestor(build.snapshot.repository, build.snapshot.commit, rows)
    if near:
        return str(rows[near]["object"])
    newest = max(rows.values(), key=lambda r: int(r["build"]), default=None)
    return str(newest["object"]) if newest else ""


def is_current(build: Build, rule: Rule) -> bool:
    """Whether the task's row for this commit is there and still what it would be."""
    row = build.table(rule.name).get(row_key(build, rule))
    return bool(row and row["key"] == task_key(build, rule) and _lies(build, row))


def _lies(build: Build, row: Mapping[str, Any]) -> bool:
    """Whether an artifact is there, unread: `status` must not digest a model."""
    name = str(row["object"])
    return (build.store.folder / name[:2] / name[2:]).is_dir()


def inputs(build: Build, rule: Rule) -> dict[str, str]:
    """Return what a task is made of: table -> digest, or task -> artifact."""
    return {name: _input(build, name) for name in rule.inputs}


def use(build: Build, row: Mapping[str, Any]) -> None:
    """Note that an artifact was wanted; gc takes the longest unused first."""
    build.state.database.execute(
        "INSERT OR REPLACE INTO uses VALUES (?, ?)", (row["object"], build.number)
    )


def _input(build: Build, name: str) -> str:
    if build.rules[name].kind == "task":
        return _artifact(build, build.rules[name])
    line = build.state.line(name)
    return line.digest.hex() if line else ""


def _artifact(build: Build, rule: Rule) -> str:
    row = build.table(rule.name).get(row_key(build, rule))
    return str(row["object"]) if row else ""


def row_key(build: Build, rule: Rule) -> str:
    """A chain's row is the commit's; another task's row is the artifact's it is of."""
    for name in rule.inputs:
        if build.rules[name].kind == "task":
            return _artifact(build, build.rules[name])
    return build.snapshot.commit


def _has(build: Build, row: Mapping[str, Any]) -> bool:
    try:
        build.store.path(str(row["object"]))
    except KeyError:
        return False
    return True


def _make(build: Build, rule: Rule, place: str, key: str) -> dict[str, Any]:
    folder = build.state.folder / "tmp" / f"{rule.name}-{key}"
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    meta = dict(rule.function(RunningTask(build, rule, key, folder)))
    made = any(folder.iterdir())
    if made:
        meta["object"] = folder_digest(folder)
    if not meta.get("object"):
        raise BuildError(f'rule "{rule.name}" left no artifact')
    follows = parent(build, rule) if rule.chain else ""
    made_of = {
        "manifest": manifest_digest(build.manifest(rule)).hex(),
        "inputs": inputs(build, rule),
        "follows": follows,
    }
    # Of this run: what a killed one had done before is not counted.
    seconds = round(time.perf_counter() - began, 3)
    row = {**meta, **made_of, "key": key, "build": build.number, "seconds": seconds}
    note(build.store, rule.name, place, row)
    if made:
        build.store.put(folder, row["object"])
    sweep(folder.parent, lambda name: not name.startswith(f"{rule.name}-"))
    return row


def _write(
    build: Build,
    rule: Rule,
    place: str,
    value: dict[str, Any],
    outcome: TableResult,
    began: float,
) -> None:
    packed = pack(value)
    with build.transaction():
        writer = build.writer(rule)
        writer.put(place, RawRow(digest(packed), None, deflate(packed)), {})
        build.close(rule, writer, outcome, began, value if outcome.built else {})
        use(build, value)
