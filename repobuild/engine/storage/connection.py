"""Open the state's database, for the builder and for readers."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path

from repobuild.engine.storage.damage_check import is_corrupt
from repobuild.engine.storage.database_schema import FORMAT, SCHEMA, complete
from repobuild.engine.storage.integrity import journal
from repobuild.errors import BuildError, DamagedError
from repobuild.resources import program

BUSY_SECONDS = 30.0
_PAGE_BYTES = 8192
_CACHE_KIB = 65536


def connect(path: Path) -> sqlite3.Connection:
    """Open the database for writing, creating its tables.

    Raises:
        BuildError: SQLite cannot open it; `DamagedError` when it is corrupt.
    """
    # Autocommit mode: transactions begin where the code says BEGIN.
    try:
        database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    except sqlite3.DatabaseError as error:
        raise database_error(path, error) from error
    try:
        database.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        # Lets garbage collection free pages without rewriting the whole file. Has an
        # effect only before the first table is created.
        database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        database.execute("PRAGMA journal_mode = WAL")
        # In WAL mode NORMAL keeps the database consistent. A machine that loses power
        # loses the last transactions only, and they are built again.
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        database.executescript(SCHEMA)
        database.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (FORMAT,))
    except sqlite3.DatabaseError as error:
        database.close()
        raise database_error(path, error) from error
    return database


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open an existing database; its folder may be read-only.

    Readers of a WAL database share an index of the journal in a file beside it. Where
    that file cannot be created, the database is opened as `immutable`, which is correct
    as long as there is no journal. With a journal, a copy of both is opened instead.
    """
    if not path.is_file():
        database = sqlite3.connect(":memory:", isolation_level=None)
        database.executescript(SCHEMA)
        return database
    try:
        return _reader(f"{path.as_uri()}?mode=ro")
    except sqlite3.OperationalError as error:
        if _code(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
    if journal(path):
        return _copy_with_journal(path)
    return _reader(f"{path.as_uri()}?immutable=1")


def _reader(uri: str) -> sqlite3.Connection:
    database = sqlite3.connect(
        uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )
    try:
        complete(database)
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def _copy_with_journal(path: Path) -> sqlite3.Connection:
    """Return a copy of the database in memory, with its journal applied."""
    with tempfile.TemporaryDirectory(prefix="repobuild-read-") as name:
        target = Path(name) / path.name
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{path}{suffix}", f"{target}{suffix}")
        copy = sqlite3.connect(target, isolation_level=None)
        memory = sqlite3.connect(":memory:", isolation_level=None)
        copy.backup(memory)
        copy.close()
    complete(memory)
    return memory


def damaged(path: Path, reason: str) -> DamagedError:
    """Return the error of a reader that finds the database damaged."""
    return DamagedError(
        f'the state "{path}" is damaged: {reason}\n'
        f"run `{program()}`: it sets the file aside and rebuilds; adapters are kept",
        reason,
    )


def database_error(path: Path, error: sqlite3.Error) -> BuildError:
    """Return the error for what SQLite reports, with what to do about it."""
    if is_corrupt(error):
        return damaged(path, str(error))
    if _code(error) == sqlite3.SQLITE_FULL:
        return BuildError(
            f'the disk is full: "{path}" cannot grow\n'
            "what was built is kept; make room, then run again to continue"
        )
    return BuildError(
        f'the state "{path}" cannot be used: {error}\n'
        "its folder may be read-only, its disk full, or another program uses it\n"
        "make room or make it writable, then run again to continue"
    )


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
