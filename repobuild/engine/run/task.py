"""Run a task: once on whole tables, leaving an artifact in the object store.

    key = digest of {manifest, digests of the input tables, parent of a chain}

Of an input that is itself a task, the artifact at this commit enters the key. A table
keeps a row for every commit (or artifact) that was ever built, so that any of them can
be used again; garbage collection decides which are removed.

A chain (the adapter) is a fold over commits: its key holds the parent artifact that the
commit starts from. That is the artifact of the nearest first-parent ancestor that has
one, else the newest. A clean build has no parent, so `verify` leaves chains out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from repobuild.engine.context import BuildContext, Problem
from repobuild.engine.contract import Progress, Value
from repobuild.engine.digest import key_digest, pack
from repobuild.engine.rule import Rule, manifest_digest
from repobuild.engine.storage.artifact_notes import restore_rows, write_note
from repobuild.engine.storage.artifact_store import folder_digest
from repobuild.engine.storage.state import remove_work_in_progress
from repobuild.engine.storage.table import RawRow, StoredTable
from repobuild.engine.storage.table_writer import TableResult
from repobuild.errors import BuildError
from repobuild.git.ancestors import first_parents, nearest_ancestor

# First parents whose artifacts are looked for in a shared cache, one request each.
SHARED_ANCESTORS = 50
_MISSING = 'the artifact "{:.12}" was missing or not whole; it was made again'

Row = Mapping[str, Any]


@dataclass
class RunningTask:
    """See `contract.Task`."""

    _build: BuildContext
    _rule: Rule
    key: str
    folder: Path

    @property
    def settings(self) -> Mapping[str, Value]:
        return self._rule.visible_settings(self._build.settings)

    @property
    def commit(self) -> str:
        return self._build.snapshot.commit

    @property
    def tree(self) -> str:
        return self._build.snapshot.tree

    @property
    def follows(self) -> str:
        return find_chain_parent(self._build, self._rule) if self._rule.chain else ""

    @property
    def logs(self) -> Path:
        name = f"{self.commit[:12]}-{self.key[:8]}"
        return self._build.state.folder / "logs" / self._rule.name / name

    def table(self, name: str) -> StoredTable:
        if name not in self._rule.inputs:
            raise KeyError(f'rule "{self._rule.name}" does not declare "{name}"')
        return self._build.table(name)

    def with_extensions(self, name: str) -> tuple[str, ...]:
        return tuple(
            n for n in self._build.with_extensions(name) if n in self._rule.inputs
        )

    def object(self, digest: str) -> Path:
        return self._build.store.checked_path(digest)

    def rows(self, table: str) -> Mapping[str, Mapping[str, Value]]:
        return dict(self._build.table(table).items())

    def ancestors(self) -> Iterator[str]:
        return first_parents(self._build.snapshot.repository, self.commit)

    def progress(self, label: str, total: int) -> AbstractContextManager[Progress]:
        return self._build.progress(label, total)

    def event(self, name: str, **fields: Value) -> None:
        self._build.events.emit(name, table=self._rule.name, **fields)


def run_task(build: BuildContext, rule: Rule) -> TableResult:
    """Bring a task's row for this commit up to date.

    In this order: keep the current row, take a row with an equal key, fetch what others
    have made, restore rows from the notes and look again, run the rule's function.

    Raises:
        BuildError: the function left no artifact.
    """
    began = time.perf_counter()
    outcome = TableResult(rule.name)
    row_name, key = row_key(build, rule), task_key(build, rule)
    rows = dict(build.table(rule.name).items())
    current = rows.get(row_name)
    if current and current["key"] == key and _is_stored(build, current):
        outcome.counts.unchanged = 1
        record_use(build, current)
        return outcome
    equal = (row for row in rows.values() if row["key"] == key)
    known = next((row for row in equal if _is_stored(build, row)), None)
    if known is None:
        _fetch_shared(build, rule, row_name, rows)
        if restore_rows(build, rule):
            return run_task(build, rule)
    if current and not _is_stored(build, current):
        text = _MISSING.format(current["object"])
        build.problems.append(Problem(rule.name, row_name, text))
    if known:
        row, outcome.memo, outcome.counts.memo = known, [row_name], 1
    else:
        row = _make(build, rule, row_name, key)
        outcome.built, outcome.counts.built = [row_name], 1
    with build.transaction():
        writer = build.writer(rule)
        writer.put(row_name, RawRow.inline(pack(row)), {})
        build.close(rule, writer, outcome, began, row if outcome.built else {})
        record_use(build, row)
    return outcome


def fetch_row(build: BuildContext, rule: Rule) -> bool:
    """Fetch a task's row for this commit, or a chain's nearest one, from others.

    Returns whether rows are there that were not.
    """
    row_name = row_key(build, rule)
    if not row_name:
        return False
    _fetch_shared(build, rule, row_name, dict(build.table(rule.name).items()))
    return bool(restore_rows(build, rule))


def _fetch_shared(
    build: BuildContext, rule: Rule, row_name: str, rows: Mapping[str, Row]
) -> None:
    """Fetch the artifact of this row, or of a chain's nearest ancestor, from others."""
    if build.shared is None:
        return
    names = [row_name]
    if rule.chain:  # nearer than any that is here
        repository = build.snapshot.repository
        ancestors = first_parents(repository, row_name, SHARED_ANCESTORS)
        names += takewhile(lambda commit: commit not in rows, ancestors)
    manifest = manifest_digest(build.manifest(rule))
    build.shared.fetch_artifacts(rule, manifest, names, build.store)


def _make(build: BuildContext, rule: Rule, row_name: str, key: str) -> dict[str, Any]:
    """Run the rule's function and store the artifact; return the row."""
    folder = build.state.folder / "tmp" / f"{rule.name}-{key}"
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    meta = dict(rule.function(RunningTask(build, rule, key, folder)))
    wrote_files = any(folder.iterdir())  # else it may name an artifact that is stored
    if wrote_files:
        meta["object"] = folder_digest(folder)
    if not meta.get("object"):
        raise BuildError(f'rule "{rule.name}" left no artifact')
    row = {
        **meta,
        "manifest": manifest_digest(build.manifest(rule)).hex(),
        "inputs": input_digests(build, rule),
        "follows": find_chain_parent(build, rule) if rule.chain else "",
        "key": key,
        "build": build.number,
        # Counts this run only, not what a killed run had done before.
        "seconds": round(time.perf_counter() - began, 3),
    }
    write_note(build.store, rule.name, row_name, row)
    if wrote_files:
        build.store.put(folder, row["object"])
    remove_work_in_progress(
        folder.parent, lambda name: not name.startswith(f"{rule.name}-")
    )
    return row


def is_current(build: BuildContext, rule: Rule) -> bool:
    """Return whether a task has a row for this commit with the key of a build now.

    The artifact must exist too, but it is not read: `status` must not digest a model.
    """
    row = build.table(rule.name).get(row_key(build, rule))
    if not row or row["key"] != task_key(build, rule):
        return False
    return build.store.object_path(str(row["object"])).is_dir()


def record_use(build: BuildContext, row: Row) -> None:
    """Record that an artifact was used; gc removes the longest unused ones first."""
    build.state.database.execute(
        "INSERT OR REPLACE INTO uses VALUES (?, ?)", (row["object"], build.number)
    )


def _is_stored(build: BuildContext, row: Row) -> bool:
    try:
        build.store.checked_path(str(row["object"]))
    except KeyError:
        return False
    return True


# --------------------------------------------------------------------------------- keys


def row_key(build: BuildContext, rule: Rule) -> str:
    """Return the key of a task's row for this commit.

    A chain's row is keyed by the commit; another task's row by the artifact it reads.
    """
    for name in rule.inputs:
        if build.rules[name].kind == "task":
            return _artifact(build, build.rules[name])
    return build.snapshot.commit


def task_key(build: BuildContext, rule: Rule) -> str:
    """Return the hex digest of everything that a task's artifact may depend on."""
    follows = find_chain_parent(build, rule) if rule.chain else ""
    manifest = manifest_digest(build.manifest(rule))
    return key_of(manifest, input_digests(build, rule), follows)


def key_of(manifest: bytes, inputs: Mapping[str, str], follows: str) -> str:
    """Return the key of an artifact with this manifest, these inputs and parent."""
    ingredients = {"manifest": manifest, "inputs": dict(inputs), "parent": follows}
    return key_digest(ingredients).hex()


def input_digests(build: BuildContext, rule: Rule) -> dict[str, str]:
    """Return the digest of each input table, or the artifact of an input task."""
    digests = {}
    for name in rule.inputs:
        if build.rules[name].kind == "task":
            digests[name] = _artifact(build, build.rules[name])
        else:
            line = build.state.line(name)
            digests[name] = line.digest.hex() if line else ""
    return digests


def find_chain_parent(build: BuildContext, rule: Rule) -> str:
    """Return the artifact that a chain continues at this commit; "" for none.

    A commit that has a row keeps its parent: what was built since on other branches
    must not make it stale.
    """
    table, commit = build.table(rule.name), build.snapshot.commit
    if own := table.get(commit):
        return str(own["follows"])
    near = nearest_ancestor(build.snapshot.repository, commit, set(table.keys()))
    if near and (row := table.get(near)):
        return str(row["object"])
    rows = (row for _, row in table.items() if row)
    newest = max(rows, key=lambda row: int(row["build"]), default=None)
    return str(newest["object"]) if newest else ""


def _artifact(build: BuildContext, rule: Rule) -> str:
    """Return a task's artifact at this commit; "" when it has none."""
    row = build.table(rule.name).get(row_key(build, rule))
    return str(row["object"]) if row else ""
