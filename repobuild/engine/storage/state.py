"""Open the state on disk: a SQLite database beside artifacts, a lock and an event log.

    <git common folder>/repobuild/
        build.db        tables, memo, manifests, pending changes, history (SQLite, WAL)
        build.db.seal   identity of build.db while no build runs   (integrity.py)
        objects/        artifacts by digest                        (artifact_store.py)
        lock            a kernel lock                              (lock.py)
        events.jsonl    what was done                              (event_log.py)
        current         result of the last build, for a build without work
                        (noop_cache.py)
        tmp/            work in progress; same file system, so that a rename is atomic

database_schema.py describes the tables of the database.

One file per small row makes other tools slow (DVC: 3.6 s to add 10,000 files).
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
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
    database_error,
)
from repobuild.engine.storage.damage_check import find_damage, is_corrupt
from repobuild.engine.storage.database_schema import (
    check_format,
    index_schema,
    rows_schema,
)
from repobuild.engine.storage.integrity import (
    journal,
    read_seal,
    seal,
    seal_holds,
    unseal,
)

_CLOSING_MS = 1000  # how long a closing build waits for readers


@dataclass(frozen=True, slots=True)
class TableRecord:
    """Facts about a table that are known without reading its rows."""

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

    `damage_report` describes a damaged database that this one replaces, or is empty.
    """

    def __init__(
        self,
        folder: Path,
        database: sqlite3.Connection,
        read_only: bool = False,
        damage_report: str = "",
    ) -> None:
        self.folder = folder
        self.database = database
        self.read_only = read_only
        self.damage_report = damage_report
        # For a reader, a table that was never built is an empty temporary one.
        self._temporary = "TEMP " if read_only else ""
        self._created: set[str] = set()  # names whose storage exists
        if read_only:
            query = (
                "SELECT name FROM sqlite_master WHERE name LIKE 'rows!_%' ESCAPE '!'"
            )
            names = (name for (name,) in database.execute(query))
            self._created = {name.removeprefix("rows_") for name in names}

    def close(self, sealed: bool = True) -> None:
        """Close it; a writer seals it unless it met damage (`sealed=False`)."""
        if self.read_only:
            self.database.close()
            return
        with suppress(sqlite3.Error):  # on a full disk the journal stays
            self.database.execute(f"PRAGMA busy_timeout = {_CLOSING_MS}")
            self.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.database.close()
        if sealed:
            seal(self.folder / "build.db")

    def rows_of(self, table: str, index: bool = False) -> None:
        """Create the storage of a table unless it exists."""
        if table in self._created:
            return
        self.database.execute(
            f"CREATE {self._temporary}TABLE IF NOT EXISTS {rows_schema(table)}"
        )
        if index:
            self._create_index(table)
        self._created.add(table)

    def _create_index(self, table: str) -> None:
        for statement in index_schema(table):
            self.database.execute(
                f"CREATE {self._temporary}TABLE IF NOT EXISTS {statement}"
            )
        if not self._temporary:
            self.database.execute(
                f'CREATE INDEX IF NOT EXISTS "by_id_{table}" ON "terms_{table}"(id)'
            )

    def drop_table(self, table: str, build: int) -> None:
        """Remove a table and its pending rows; its memo entries become idle now."""
        self.rows_of(table)
        self.database.execute(
            f"INSERT OR REPLACE INTO idle SELECT DISTINCT memo, ? "
            f'FROM "rows_{table}" WHERE memo IS NOT NULL',
            (build,),
        )
        for kind in ("rows", "keys", "terms"):
            self.database.execute(f'DROP TABLE IF EXISTS "{kind}_{table}"')
        self.database.execute("DELETE FROM meta WHERE name = ?", (f"index_{table}",))
        self.database.execute("DELETE FROM tables WHERE name = ?", (table,))
        self.database.execute("DELETE FROM pending WHERE consumer = ?", (table,))
        self._created.discard(table)

    def line(self, table: str) -> TableRecord | None:
        """Return a table's line, or None when it was never built."""
        row = self.database.execute(
            'SELECT name, manifest, digest, rows, entries, tree, "commit", seconds, '
            "full_seconds FROM tables WHERE name = ?",
            (table,),
        ).fetchone()
        return TableRecord(*row) if row else None

    def lines(self) -> list[TableRecord]:
        """Return the lines of all built tables."""
        names = self.database.execute("SELECT name FROM tables").fetchall()
        return [line for (name,) in names if (line := self.line(name))]

    def write_line(self, line: TableRecord) -> None:
        """Write a table's line. Runs in the transaction that writes its rows."""
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
        """Return the number of a manifest, storing its body when it is new."""
        row = self.database.execute(
            "SELECT id FROM manifests WHERE digest = ?", (digest,)
        ).fetchone()
        if row:
            return int(row[0])
        cursor = self.database.execute(
            "INSERT INTO manifests(digest, body) VALUES (?, ?)", (digest, pack(body))
        )
        return int(cursor.lastrowid or 0)

    def manifest(self, number: int) -> dict[str, Any]:
        """Return the body of a manifest; empty when it is unknown."""
        row = self.database.execute(
            "SELECT body FROM manifests WHERE id = ?", (number,)
        ).fetchone()
        return dict(unpack(row[0])) if row else {}


def open_state(folder: Path, read_only: bool = False) -> State:
    """Open the state, creating it when it does not exist.

    A damaged database is set aside and replaced by a new one: it is only an index, and
    the adapters in the object store have notes that restore their rows.

    Raises:
        BuildError: a newer repobuild wrote the state, or it is damaged and `read_only`.
    """
    path = folder / "build.db"
    if read_only:
        return _open_for_reading(folder, path)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        reason = _damage(path)
    except sqlite3.DatabaseError as error:
        if not is_corrupt(error):
            raise database_error(path, error) from error
        reason = str(error)
    kept = set_aside(path) if reason else None
    unseal(path)
    database = connect(path)
    damage_report = ""
    if kept:
        damage_report = (
            f'the state "{path}" is damaged: {reason}; it is kept as "{kept.name}", '
            "its tables are made anew and the stored adapters are found again"
        )
    return State(folder, database, damage_report=damage_report)


def _damage(path: Path) -> str:
    """Return what is wrong with a database, or ""; raises on a newer format."""
    if not path.exists():
        return "its journal is all that is left" if journal(path) else ""
    whole = seal_holds(path)  # before opening, which may create a journal
    database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        check_format(database, path)
        return "" if whole else find_damage(database)
    finally:
        database.close()


def _open_for_reading(folder: Path, path: Path) -> State:
    known, whole = read_seal(path), seal_holds(path)
    try:
        database = connect_read_only(path)
        check_format(database, path)
    except sqlite3.DatabaseError as error:
        raise database_error(path, error) from error
    # A build removed a seal that is gone by now, and has checked the database.
    if known and not whole and read_seal(path) == known:
        if reason := find_damage(database):
            database.close()
            raise damaged(path, reason)
    return State(folder, database, read_only=True)


def set_aside(path: Path) -> Path:
    """Rename an unreadable database with its journals; return its new path."""
    number = 1
    while (kept := path.with_name(f"{path.name}.bad-{number}")).exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
        old = path.with_name(path.name + suffix)
        if old.exists():
            old.rename(kept.with_name(kept.name + suffix))
    return kept


def remove_work_in_progress(folder: Path, is_kept: Callable[[str], bool]) -> None:
    """Remove work in progress from `tmp/`, except kept names. Runs under the lock.

    What an interrupted task left stays until that task has run: a build of the tables
    before it must not cost a training its checkpoint.
    """
    for path in folder.iterdir() if folder.is_dir() and not folder.is_symlink() else ():
        if is_kept(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
