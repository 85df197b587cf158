"""Check a whole database for damage: after a kill, and for `cache verify`.

Everything that a build relies on is stored twice, so that one flipped bit shows:

    pages, keys, indexes      SQLite's own integrity check
    a row's value             the row's digest
    a map's row               the memo entry that it names
    a missing or extra row    the table's running digest, and the count of its rows
    a view's index            its digest in `meta`
    tables and columns        the definitions in database_schema.py; triggers and views
                              are not ours

Takes a second for 80 MB. The tables `pending` and `changes` are stored only once.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from repobuild.engine.digest import TableDigest, digest, inflate
from repobuild.engine.index_digest import read_index_digest, sum_index
from repobuild.engine.storage.database_schema import (
    SCHEMA,
    index_schema,
    rows_schema,
)

_NEEDED = {"meta", "manifests", "tables", "memo", "pending"}
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# What else Python's sqlite3 raises for a garbled schema or value.
_GARBLED = (UnicodeDecodeError, OverflowError, TypeError, ValueError)


def find_damage(database: sqlite3.Connection) -> str:
    """Return what is wrong, in a few words; "" when the database is whole.

    One transaction spans all checks: what a build writes meanwhile is not seen, or rows
    that it changed would not add up.
    """
    try:
        with _reading(database):
            return _check(database)
    except _GARBLED as error:
        return f"a value cannot be read: {error}"
    except sqlite3.DatabaseError as error:
        if is_corrupt(error) or isinstance(error, sqlite3.OperationalError):
            return str(error)
        raise


@contextmanager
def _reading(database: sqlite3.Connection) -> Iterator[None]:
    """Hold a transaction, unless the caller does."""
    if database.in_transaction:
        yield
        return
    database.execute("BEGIN")
    try:
        yield
    finally:
        database.rollback()


def _check(database: sqlite3.Connection) -> str:
    return (
        _check_pages(database)
        or _check_schema(database)
        or _check_memo(database)
        or _check_tables(database)
        or _check_indexes(database)
    )


def is_corrupt(error: sqlite3.Error) -> bool:
    """Return whether SQLite reports a damaged file, not a full disk or a lock."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _CORRUPT


def _check_pages(database: sqlite3.Connection) -> str:
    result = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
    return "" if result == "ok" else str(result).splitlines()[0]


def _table_names(database: sqlite3.Connection) -> set[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table'"
    return {name for (name,) in database.execute(query)}


def _check_schema(database: sqlite3.Connection) -> str:
    """Compare the tables with those that an empty database of ours would have."""
    names = _table_names(database)
    if "meta" not in names and not any(name.startswith("rows_") for name in names):
        return "" if not names else "it holds other tables"
    foreign = database.execute(
        "SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')"
    ).fetchone()
    if foreign:
        return f'it has a {foreign[0]} "{foreign[1]}", which is not ours'
    ours = sqlite3.connect(":memory:")
    ours.executescript(SCHEMA)
    for name in sorted(names):
        kind, _, table = name.partition("_")
        if kind == "rows" and table:
            ours.execute(f"CREATE TABLE {rows_schema(table)}")
        elif kind in ("keys", "terms") and table:
            ours.execute(f"CREATE TABLE {index_schema(table)[kind == 'terms']}")
    for name in sorted(names & _table_names(ours)):
        if _columns(database, name) != _columns(ours, name):
            return f'table "{name}" has other columns'
    missing = _NEEDED - names
    ours.close()
    return f'table "{min(missing)}" is missing' if missing else ""


def _columns(database: sqlite3.Connection, table: str) -> list[tuple[str, str, int]]:
    """Return name, type and place in the primary key of a table's columns."""
    found = database.execute(
        "SELECT name, type, pk FROM pragma_table_info(?)", (table,)
    )
    return [(name, kind.upper(), key) for name, kind, key in found]


def _check_memo(database: sqlite3.Connection) -> str:
    if "memo" not in _table_names(database):
        return ""
    for number, known, value in database.execute("SELECT id, digest, value FROM memo"):
        if known and not _matches(value, known):
            return f"memo entry {number} does not match its digest"
    return ""


def _check_tables(database: sqlite3.Connection) -> str:
    names = _table_names(database)
    if "tables" not in names:
        return ""
    lines = database.execute("SELECT name, digest, rows FROM tables").fetchall()
    for name, known, rows in lines:
        if f"rows_{name}" not in names:
            return f'table "{name}" has no rows'
        if reason := _check_rows(database, name, known, rows):
            return reason
    return ""


def _check_rows(
    database: sqlite3.Connection, name: str, known: bytes, count: int
) -> str:
    table, total = TableDigest(), 0
    query = (
        f"SELECT r.key, r.digest, r.memo, r.value, m.digest "
        f'FROM "rows_{name}" r LEFT JOIN memo m ON m.id = r.memo'
    )
    for key, row, memo, value, memo_digest in database.execute(query):
        if not (row == memo_digest if memo is not None else _matches(value, row)):
            return f'row "{key}" of "{name}" does not match its digest'
        table.add(key, row)
        total += 1
    if total != count or table.state() != known:
        return f'the rows of "{name}" do not add up to its digest'
    return ""


def _check_indexes(database: sqlite3.Connection) -> str:
    names = _table_names(database)
    if "meta" not in names:
        return ""
    query = "SELECT substr(name, 7) FROM meta WHERE name LIKE 'index!_%' ESCAPE '!'"
    for (name,) in database.execute(query).fetchall():
        if not {f"keys_{name}", f"terms_{name}"} <= names:
            return f'view "{name}" has no index'
        known = read_index_digest(database, name)
        if known is None or sum_index(database, name).state() != known.state():
            return f'the index of "{name}" does not add up to its digest'
    return ""


def _matches(value: bytes, known: bytes) -> bool:
    try:
        return digest(inflate(value)) == known
    except zlib.error:
        return False
