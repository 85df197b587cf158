"""Keep a digest of each view's index, so that a lost or changed term is noticed.

A view finds by its index which rows a change concerns; with a term lost it would leave
a row as it is, which no digest of rows shows. The digest is a running sum over
(key, its terms), as a table's is over its rows, and is stored as `index_X` in `meta`.
A state from before has none until the view is written again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from itertools import groupby

from repobuild.engine.digest import TableDigest, digest, pack


def index_entry(numbers: Collection[int]) -> bytes:
    """Return the digest of a key's term numbers."""
    return digest(pack(sorted(numbers)))


def read_index_digest(database: sqlite3.Connection, name: str) -> TableDigest | None:
    """Return the recorded digest of a view's index; None where there is none."""
    found = database.execute(
        "SELECT value FROM meta WHERE name = ?", (f"index_{name}",)
    ).fetchone()
    return TableDigest(found[0]) if found else None


def write_index_digest(
    database: sqlite3.Connection, name: str, total: TableDigest
) -> None:
    """Record the digest. Runs inside the table's transaction."""
    database.execute(
        "INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"index_{name}", total.state())
    )


def sum_index(database: sqlite3.Connection, name: str) -> TableDigest:
    """Return the digest of a view's index as it is stored."""
    total = TableDigest()
    query = (
        f'SELECT k.key, t.term FROM "terms_{name}" t '
        f'JOIN "keys_{name}" k ON k.id = t.id ORDER BY k.id'
    )
    for key, rows in groupby(database.execute(query), key=lambda row: str(row[0])):
        total.add(key, index_entry([term for _, term in rows]))
    return total
