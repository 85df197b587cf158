"""Define the tables of the state's database.

Every engine table X has `rows_X`; a view also has `keys_X` and `terms_X`, its index.
Row keys are text; digests are 16 bytes; values are msgpack, deflated from 160 bytes.

    meta(name, value)                     the format; the digests of indexes
    manifests(id, digest, body)           what rows depend on besides their inputs
    tables(name, manifest, digest, ...)   one line per table, with its digest
    memo(id, key, digest, value)          map results by content; shared by all paths
    rows_X(key, digest, memo, value)      map rows name a memo entry, others hold values
    pending(consumer, source, key, old)   changed rows that a table has not yet seen
    changes(build, tbl, key, detail)      why rows changed           (row_changes.py)
    runs(tbl, build, ...)                 how tables were built      (run_history.py)
    builds(id, ...)                       one line per build
    idle(memo, build)                     memo entries that a row dropped (memo_gc.py)
    uses(object, build)                   when artifacts were last used
    doomed(object)                        artifacts whose rows are already deleted

`pending` makes a kill between two tables harmless: a table's rows and their pending
rows for every consumer are written in one transaction, and a consumer deletes its
pending rows in the transaction that writes its own rows.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from repobuild.errors import BuildError

FORMAT = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS manifests(
    id INTEGER PRIMARY KEY, digest BLOB UNIQUE, body BLOB);
CREATE TABLE IF NOT EXISTS tables(
    name TEXT PRIMARY KEY, manifest INTEGER, digest BLOB, rows INTEGER,
    entries INTEGER, tree TEXT, "commit" TEXT, seconds REAL, full_seconds REAL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS memo(
    id INTEGER PRIMARY KEY, key BLOB UNIQUE, digest BLOB, value BLOB, build INTEGER);
CREATE TABLE IF NOT EXISTS pending(
    consumer TEXT, source TEXT, key TEXT, old BLOB,
    PRIMARY KEY(consumer, source, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes(
    build INTEGER, tbl TEXT, key TEXT, detail BLOB);
CREATE INDEX IF NOT EXISTS changes_by_key ON changes(tbl, key);
CREATE INDEX IF NOT EXISTS changes_by_build ON changes(build);
CREATE TABLE IF NOT EXISTS runs(
    tbl TEXT, build INTEGER, "full" INTEGER, was INTEGER, manifest INTEGER,
    inputs BLOB, looked INTEGER, changed INTEGER, noted INTEGER, mode TEXT,
    work REAL, seconds REAL, PRIMARY KEY(tbl, build)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS idle(memo INTEGER PRIMARY KEY, build INTEGER);
CREATE TABLE IF NOT EXISTS uses(object TEXT PRIMARY KEY, build INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS doomed(object TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS builds(
    id INTEGER PRIMARY KEY, "commit" TEXT, tree TEXT, seconds REAL, outcome TEXT);
"""


def rows_schema(table: str) -> str:
    """Return the definition of the rows of an engine table."""
    return (
        f'"rows_{table}"(key TEXT PRIMARY KEY, '
        "digest BLOB NOT NULL, memo INTEGER, value BLOB) WITHOUT ROWID"
    )


def index_schema(table: str) -> tuple[str, str]:
    """Return the definitions of a view's index: its keys and its terms."""
    return (
        f'"keys_{table}"(id INTEGER PRIMARY KEY, key TEXT UNIQUE)',
        f'"terms_{table}"(term INTEGER, id INTEGER, '
        "PRIMARY KEY(term, id)) WITHOUT ROWID",
    )


def complete(database: sqlite3.Connection) -> None:
    """Create the tables that an older state lacks as empty temporary ones."""
    existing = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    for statement in SCHEMA.split(";"):
        name = statement.partition("EXISTS ")[2].partition("(")[0]
        if "CREATE TABLE" in statement and name not in existing:
            database.execute(statement.replace("CREATE TABLE", "CREATE TEMP TABLE"))


def check_format(database: sqlite3.Connection, path: Path) -> None:
    """Raise `BuildError` for a state of a newer format, before anything is written."""
    query = "SELECT 1 FROM sqlite_master WHERE name = 'meta'"
    if database.execute(query).fetchone() is None:
        return
    row = database.execute("SELECT value FROM meta WHERE name = 'format'").fetchone()
    if row and str(row[0]).isdecimal() and int(row[0]) > FORMAT:
        database.close()
        raise BuildError(
            f'the state in "{path.parent}" was written by a newer repobuild\n'
            f"it has format {row[0]}, this version knows up to {FORMAT}\n"
            "upgrade repobuild, or move that folder away to build anew"
        )
