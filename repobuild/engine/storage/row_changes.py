"""Why rows changed: one line for each row and build, written beside the row.

    build, tbl, key   the row, and the build that changed it
    detail            msgpack {"was": old digest, b"" = there was no row
                      "old": stored old value (but for maps), "memo": the memo entry
                      that held it (maps), "gone": True when the row was removed,
                      "evicted": digest of the artifact that gc took}

All changes of the last builds are kept, and of the builds before the newest change of
each row that is still there, without its old value when that is long. What is over the
cap goes, oldest first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from repobuild.engine.digest import pack, unpack

KEPT_BUILDS = 20
KEPT_ROWS = 50_000  # some 10 MB
_OLD_BYTES = 400  # of an older change; a longer one loses the old value


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


def of_row(database: sqlite3.Connection, table: str, key: str) -> list[RowChange]:
    """Return the kept changes of a row, newest first."""
    rows = database.execute(
        "SELECT build, tbl, key, detail FROM changes WHERE tbl = ? AND key = ? "
        "ORDER BY build DESC, rowid DESC",
        (table, key),
    )
    return [_read(row) for row in rows]


def of_builds(
    database: sqlite3.Connection, table: str, after: int, until: int, limit: int
) -> list[RowChange]:
    """Return changes of a table in the builds after one and until another."""
    rows = database.execute(
        "SELECT build, tbl, key, detail FROM changes INDEXED BY changes_by_build "
        "WHERE build > ? AND build <= ? AND tbl = ? LIMIT ?",
        (after, until, table, limit),
    )
    return [_read(row) for row in rows]


def note(
    database: sqlite3.Connection, build: int, table: str, key: str, **detail: Any
) -> None:
    database.execute(
        "INSERT INTO changes VALUES (?, ?, ?, ?)", (build, table, key, pack(detail))
    )


def trim(database: sqlite3.Connection, number: int) -> None:
    """Forget what the build of this number makes old; costs what it forgets."""
    rows = database.execute(
        "SELECT rowid, tbl, key, detail FROM changes WHERE build = ?",
        (number - KEPT_BUILDS,),
    ).fetchall()
    for place, table, key, packed in rows:
        detail = unpack(packed)
        if _is_over(database, table, key, number - KEPT_BUILDS, detail):
            database.execute("DELETE FROM changes WHERE rowid = ?", (place,))
        elif len(packed) > _OLD_BYTES:
            database.execute(
                "UPDATE changes SET detail = ? WHERE rowid = ?",
                (pack({**detail, "old": None}), place),
            )
    surplus = _count(database) - KEPT_ROWS
    if surplus > 0:
        database.execute(
            "DELETE FROM changes WHERE build <= (SELECT build FROM changes "
            "ORDER BY build LIMIT 1 OFFSET ?)",
            (surplus,),
        )


def _is_over(
    database: sqlite3.Connection, table: str, key: str, build: int, detail: Any
) -> bool:
    """Whether an old change says nothing of a row that is there."""
    if detail.get("gone") and not detail.get("evicted"):
        return True
    query = "SELECT 1 FROM changes WHERE tbl = ? AND key = ? AND build > ? LIMIT 1"
    return database.execute(query, (table, key, build)).fetchone() is not None


def _count(database: sqlite3.Connection) -> int:
    # Over the narrow index, which holds nothing but numbers.
    query = "SELECT count(*) FROM changes INDEXED BY changes_by_build WHERE build > 0"
    return int(database.execute(query).fetchone()[0])


def _read(row: tuple[int, str, str, bytes]) -> RowChange:
    build, table, key, detail = row
    return RowChange(build, table, key, unpack(detail))
