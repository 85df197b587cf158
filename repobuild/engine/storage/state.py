"""The state on disk: one SQLite database, the object store, the lock, the event log.

    <git common folder>/repobuild/
        build.db        tables, memo, manifests, pending changes, history (SQLite, WAL)
        build.db.seal   which file it is while no build runs    (seal.py)
        objects/        artifacts by digest            (store.py)
        lock            a kernel lock                  (lock.py)
        events.jsonl    what was done                  (events.py)
        current         what the last build ended with, for the no-op path (current.py)
        tmp/            work in progress; same file system, so that a rename is atomic

What the database holds is told in schema.py.

One file per small row is what makes peers slow (DVC: 3.6 s to add 10,000 files).
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repobuild.engine.digest import pack, unpack
from repobuild.engine.storage.connection import (
    BUSY_SECONDS,
    connect,
    connect_read_only,
    damaged,
    trouble,
)
from repobuild.engine.storage.damage_check import damage, is_corrupt
from repobuild.engine.storage.database_schema import check_format
from repobuild.engine.storage.integrity import holds, journal, read_seal, seal, unseal

_CLOSING_MS = 1000  # how long the end of a build waits for readers


@dataclass(frozen=True, slots=True)
class TableLine:
    """What is known of a table without reading its rows."""

    name: str
    manifest: int
    digest: bytes
    rows: int
    entries: int
    tree: str
    commit: str
    seconds: float
    full_seconds: float


class State:
    """The open database. One writer at a time holds the lock; readers need none.

    `lost` says what became of a damaged database that this one replaces; else empty.
    """

    def __init__(
        self,
        folder: Path,
        database: sqlite3.Connection,
        read_only: bool = False,
        lost: str = "",
    ) -> None:
        self.folder = folder
        self.database = database
        self.read_only = read_only
        self.lost = lost
        # A reader finds a table that was never built as an empty temporary one.
        self._place = "TEMP " if read_only else ""
        self._made = self._tables() if read_only else set()

    def _tables(self) -> set[str]:
        query = "SELECT name FROM sqlite_master WHERE name LIKE 'rows!_%' ESCAPE '!'"
        return {name[5:] for (name,) in self.database.execute(query)}

    def close(self, sealed: bool = True) -> None:
        """Close it; a writer seals it, unless what it met there was damage."""
        if self.read_only:
            self.database.close()
            return
        with suppress(sqlite3.Error):  # a full disk: the journal stays, and is read
            self.database.execute(f"PRAGMA busy_timeout = {_CLOSING_MS}")
            self.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.database.close()
        if sealed:
            seal(self.folder / "build.db")

    def rows_of(self, table: str, index: bool = False) -> None:
        """Make the storage of a table unless it is there."""
        if table in self._made:
            return
        self.database.execute(
            f'CREATE {self._place}TABLE IF NOT EXISTS "rows_{table}"('
            "key TEXT PRIMARY KEY, "
            "digest BLOB NOT NULL, memo INTEGER, value BLOB) WITHOUT ROWID"
        )
        if index:
            self._make_index(table)
        self._made.add(table)

    def _make_index(self, table: str) -> None:
        for statement in (
            f'"keys_{table}"(id INTEGER PRIMARY KEY, key TEXT UNIQUE)',
            f'"terms_{table}"(term INTEGER, id INTEGER, '
            "PRIMARY KEY(term, id)) WITHOUT ROWID",
        ):
            self.database.execute(
                f"CREATE {self._place}TABLE IF NOT EXISTS {statement}"
            )
        if not self._place:
            self.database.execute(
                f'CREATE INDEX IF NOT EXISTS "by_id_{table}" ON "terms_{table}"(id)'
            )

    def drop_table(self, table: str, build: int) -> None:
        """Remove a table with its news; what of the memo it named is idle from now."""
        self.rows_of(table)
        self.database.execute(
            f"INSERT OR REPLACE INTO idle SELECT DISTINCT memo, ? "
            f'FROM "rows_{table}" WHERE memo IS NOT NULL',
            (build,),
        )
        for kind in ("rows", "keys", "terms"):
            self.database.execute(f'DROP TABLE IF EXISTS "{kind}_{table}"')
        for place in ("tables WHERE name", "pending WHERE consumer"):
            self.database.execute(f"DELETE FROM {place} = ?", (table,))
        self._made.discard(table)

    def line(self, table: str) -> TableLine | None:
        """Return what is known of a table, or None when it was never built."""
        row = self.database.execute(
            'SELECT name, manifest, digest, rows, entries, tree, "commit", seconds, '
            "full_seconds FROM tables WHERE name = ?",
            (table,),
        ).fetchone()
        return TableLine(*row) if row else None

    def lines(self) -> list[TableLine]:
        names = self.database.execute("SELECT name FROM tables").fetchall()
        return [line for (name,) in names if (line := self.line(name))]

    def write_line(self, line: TableLine) -> None:
        """Runs under the lock, in the transaction that holds the table's rows."""
        self.database.execute(
            "INSERT OR REPLACE INTO tables VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                line.name,
                line.manifest,
                line.digest,
                line.rows,
                line.entries,
                line.tree,
                line.commit,
                line.seconds,
                line.full_seconds,
            ),
        )

    def manifest_id(self, digest: bytes, body: dict[str, Any]) -> int:
        """Return the number of a manifest, keeping its ingredients when new."""
        found = self.database.execute(
            "SELECT id FROM manifests WHERE digest = ?", (digest,)
        ).fetchone()
        if found:
            return int(found[0])
        cursor = self.database.execute(
            "INSERT INTO manifests(digest, body) VALUES (?, ?)", (digest, pack(body))
        )
        return int(cursor.lastrowid or 0)

    def manifest(self, number: int) -> dict[str, Any]:
        """Return the ingredients of a manifest; empty when it is not known."""
        found = self.database.execute(
            "SELECT body FROM manifests WHERE id = ?", (number,)
        ).fetchone()
        return dict(unpack(found[0])) if found else {}


def open_state(folder: Path, read_only: bool = False) -> State:
    """Open the state, making it when it is not there.

    A database that is damaged is set aside and made anew: it is an index, and the
    adapters in the object store carry what is needed to find them again.
    Raises `BuildError` for a state written by a newer repobuild, and, read only, for a
    damaged one.
    """
    path = folder / "build.db"
    if read_only:
        return _open_for_reading(folder, path)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        reason = _damage(path)
    except sqlite3.DatabaseError as error:
        if not is_corrupt(error):
            raise trouble(path, error) from error
        reason = str(error)
    kept = set_aside(path) if reason else None
    unseal(path)
    database = connect(path)
    lost = _lost(path, kept, reason) if kept else ""
    return State(folder, database, lost=lost)


def _damage(path: Path) -> str:
    """Return what is wrong with a database, or nothing. Raises on a newer format."""
    if not path.exists():
        return "its journal is all that is left" if journal(path) else ""
    whole = holds(path)  # before it is opened, which may make a journal
    database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        check_format(database, path)
        return "" if whole else damage(database)
    finally:
        database.close()


def _lost(path: Path, kept: Path, reason: str) -> str:
    return (
        f'the state "{path}" is damaged: {reason}; it is kept as "{kept.name}", '
        "its tables are made anew and the stored adapters are found again"
    )


def _open_for_reading(folder: Path, path: Path) -> State:
    known, whole = read_seal(path), holds(path)
    try:
        database = connect_read_only(path)
        check_format(database, path)
    except sqlite3.DatabaseError as error:
        raise trouble(path, error) from error
    # A seal that is gone by now was broken by a build: that one has looked.
    if known and not whole and read_seal(path) == known:
        if reason := damage(database):
            database.close()
            raise damaged(path, reason)
    return State(folder, database, read_only=True)


def set_aside(path: Path) -> Path:
    """Rename an unreadable database, with its journals, so that nothing is lost."""
    number = 1
    while (kept := path.with_name(f"{path.name}.bad-{number}")).exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
        old = path.with_name(path.name + suffix)
        if old.exists():
            old.rename(kept.with_name(kept.name + suffix))
    return kept
