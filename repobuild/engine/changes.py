"""Why rows changed: one line for each row and build, written beside the row.

    build, tbl, key   the row, and the build that changed it
    detail            msgpack {"was": old digest, b"" = there was no row
                      "old": stored old value (but for maps), "memo": the memo entry
                      that held it (maps), "gone": True when the row was removed,
                      "evicted": digest of the artifact that gc took}

All changes of the last builds are kept, and of the builds before the newest change of
each row, as long as there are not too many of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from repobuild.engine.digest import pack, unpack

KEPT_BUILDS = 20
KEPT_ROWS = 100_000  # some 20 MB


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
    database.execute(
        "DELETE FROM changes WHERE build = ? AND EXISTS (SELECT 1 FROM changes later "
        "WHERE later.tbl = changes.tbl AND later.key = changes.key "
        "AND later.build > changes.build)",
        (number - KEPT_BUILDS,),
    )
    surplus = _count(database) - KEPT_ROWS
    if surplus > 0:
        database.execute(
            "DELETE FROM changes WHERE build <= (SELECT build FROM changes "
            "ORDER BY build LIMIT 1 OFFSET ?)",
            (surplus,),
        )


def _count(database: sqlite3.Connection) -> int:
    # Over the narrow index: 0.4 ms at 100,000 rows.
    query = "SELECT count(*) FROM changes INDEXED BY changes_by_build WHERE build > 0"
    return int(database.execute(query).fetchone()[0])


def _read(row: tuple[int, str, str, bytes]) -> RowChange:
    build, table, key, detail = row
    return RowChange(build, table, key, unpack(detail))
