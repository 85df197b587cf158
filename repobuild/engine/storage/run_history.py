"""Record how each table was built, build by build, for `why` and `status`.

    tbl, build      the table and the number of the build
    full            1 = built from all rows of its inputs, 0 = from the changed ones
    was, manifest   manifests before and after; 0 = there was none
    inputs          msgpack {input table: hex digest that it was built from}
    looked          rows of the inputs that were read: the amount of work
    changed, noted  rows that changed; whether each of them is kept in `changes`
    mode, work      of a task: how it worked and how much, as its row records
    seconds         wall time

The last KEPT runs of each table are kept, and its last full one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from repobuild.engine.digest import pack, unpack
from repobuild.engine.storage.state import State

KEPT = 40  # runs of a table, besides its last full one


@dataclass(frozen=True, slots=True)
class TableRun:
    """One table in one build."""

    table: str
    build: int
    full: bool
    was: int
    manifest: int
    inputs: Mapping[str, str]
    looked: int
    changed: int
    noted: bool
    mode: str
    work: float
    seconds: float


def record(state: State, run: TableRun) -> None:
    """Record a run and trim old ones. Runs in the transaction of the rows."""
    state.database.execute(
        "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run.table,
            run.build,
            run.full,
            run.was,
            run.manifest,
            pack(dict(run.inputs)),
            run.looked,
            run.changed,
            run.noted,
            run.mode,
            run.work,
            run.seconds,
        ),
    )
    oldest = state.database.execute(
        "SELECT build FROM runs WHERE tbl = ? ORDER BY build DESC LIMIT 1 OFFSET ?",
        (run.table, KEPT),
    ).fetchone()
    full = last_full(state, run.table)
    if oldest:
        state.database.execute(
            "DELETE FROM runs WHERE tbl = ? AND build <= ? AND build != ?",
            (run.table, oldest[0], full.build if full else 0),
        )


def runs(state: State, table: str) -> list[TableRun]:
    """Return the kept runs of a table, newest first."""
    rows = state.database.execute(
        "SELECT * FROM runs WHERE tbl = ? ORDER BY build DESC", (table,)
    )
    return [_read(row) for row in rows]


def last_full(state: State, table: str) -> TableRun | None:
    """Return the newest run of a table that read all rows, if any."""
    row = state.database.execute(
        'SELECT * FROM runs WHERE tbl = ? AND "full" ORDER BY build DESC LIMIT 1',
        (table,),
    ).fetchone()
    return _read(row) if row else None


def _read(row: tuple) -> TableRun:  # type: ignore[type-arg]
    name, build, full, was, manifest, inputs, looked, changed, noted, *rest = row
    return TableRun(
        name, build, bool(full), was, manifest, unpack(inputs), looked, changed,
        bool(noted), *rest,
    )  # fmt: skip
