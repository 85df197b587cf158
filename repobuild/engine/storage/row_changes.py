"""Record why rows changed: one line for each row and build, written with the row.

    build, tbl, key   the row, and the build that changed it
    detail            msgpack {"was": old digest, b"" = there was no row
                      "old": stored old value (not for maps), "memo": the memo entry
                      that held it (maps), "gone": True when the row was removed,
                      "evicted": digest of the artifact that gc removed}

All changes of the last KEPT_BUILDS builds are kept. Of earlier builds, the newest
change of each existing row is kept, without its old value when that is long. Above
KEPT_ROWS changes, the oldest are removed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from repobuild.engine.digest import pack, unpack

KEPT_BUILDS = 20
KEPT_ROWS = 50_000  # about 10 MB
_OLD_BYTES = 400  # an older change above this size loses its old value


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that was written or removed in a build."""

    build: int
    table: str
    key: str
    detail: Mapping[str, Any]

    @property
    def is_new(self) -> bool:
        return not self.detail["was"]

    @property
    def is_gone(self) -> bool:
        return bool(self.detail.get("gone"))


def changes_of_row(
    database: sqlite3.Connection, table: str, key: str
) -> list[RowChange]:
    """Return the kept changes of a row, newest first."""
    rows = database.execute(
        "SELECT build, tbl, key, detail FROM changes WHERE tbl = ? AND key = ? "
        "ORDER BY build DESC, rowid DESC",
        (table, key),
    )
    return [_read(row) for row in rows]


def changes_between(
    database: sqlite3.Connection, table: str, after: int, until: int, limit: int
) -> list[RowChange]:
    """Return up to `limit` changes of a table in builds `after` < n <= `until`."""
    rows = database.execute(
        "SELECT build, tbl, key, detail FROM changes INDEXED BY changes_by_build "
        "WHERE build > ? AND build <= ? AND tbl = ? LIMIT ?",
        (after, until, table, limit),
    )
    return [_read(row) for row in rows]


def note(
    database: sqlite3.Connection, build: int, table: str, key: str, **detail: Any
) -> None:
    """Record a change. Runs in the transaction that changes the row."""
    database.execute(
        "INSERT INTO changes VALUES (?, ?, ?, ?)", (build, table, key, pack(detail))
    )


def trim(database: sqlite3.Connection, number: int) -> None:
    """Trim the one build that became old with this one; cost: the rows it trims."""
    rows = database.execute(
        "SELECT rowid, tbl, key, detail FROM changes WHERE build = ?",
        (number - KEPT_BUILDS,),
    ).fetchall()
    for row_id, table, key, packed in rows:
        detail = unpack(packed)
        if _is_obsolete(database, table, key, number - KEPT_BUILDS, detail):
            database.execute("DELETE FROM changes WHERE rowid = ?", (row_id,))
        elif len(packed) > _OLD_BYTES:
            database.execute(
                "UPDATE changes SET detail = ? WHERE rowid = ?",
                (pack({**detail, "old": None}), row_id),
            )
    # The narrow index, which holds only numbers, makes the count fast.
    query = "SELECT count(*) FROM changes INDEXED BY changes_by_build WHERE build > 0"
    surplus = int(database.execute(query).fetchone()[0]) - KEPT_ROWS
    if surplus > 0:
        database.execute(
            "DELETE FROM changes WHERE build <= (SELECT build FROM changes "
            "ORDER BY build LIMIT 1 OFFSET ?)",
            (surplus,),
        )


def _is_obsolete(
    database: sqlite3.Connection, table: str, key: str, build: int, detail: Any
) -> bool:
    """Return whether an old change is not the newest one of an existing row."""
    if detail.get("gone") and not detail.get("evicted"):
        return True
    query = "SELECT 1 FROM changes WHERE tbl = ? AND key = ? AND build > ? LIMIT 1"
    return database.execute(query, (table, key, build)).fetchone() is not None


def _read(row: tuple[int, str, str, bytes]) -> RowChange:
    build, table, key, detail = row
    return RowChange(build, table, key, unpack(detail))
