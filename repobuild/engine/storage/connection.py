"""Connections to the state's database, for the builder and for readers."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path

from repobuild.engine.storage.damage_check import is_corrupt
from repobuild.engine.storage.database_schema import FORMAT, SCHEMA, complete
from repobuild.engine.storage.integrity import journal
from repobuild.errors import BuildError, DamagedError

BUSY_SECONDS = 30.0
_PAGE_BYTES = 8192
_CACHE_KIB = 65536


def connect(path: Path) -> sqlite3.Connection:
    # Autocommit mode: transactions are opened where they are meant, by BEGIN.
    database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        database.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        # So that gc gives pages back without writing the whole file again. Holds only
        # when it is set before the first table is made.
        database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        database.execute("PRAGMA journal_mode = WAL")
        # NORMAL loses no consistency in WAL mode, only the last transactions of a
        # machine that lost power; they are built again.
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        database.executescript(SCHEMA)
        database.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (FORMAT,))
    except sqlite3.DatabaseError as error:
        database.close()
        raise trouble(path, error) from error
    return database


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open what is there, in a folder that may not be written.

    Readers of a WAL database share an index of the journal in a file beside it. Where
    that file cannot be made, the database is read as it stands (`immutable`), which is
    right as long as there is no journal; with one, copies of the two are joined.
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
    return _joined(path) if journal(path) else _reader(f"{path.as_uri()}?immutable=1")


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


def _joined(path: Path) -> sqlite3.Connection:
    """Return a database in memory: the stored one with its journal played in."""
    with tempfile.TemporaryDirectory(prefix="repobuild-read-") as name:
        place = Path(name) / path.name
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{path}{suffix}", f"{place}{suffix}")
        copy = sqlite3.connect(place, isolation_level=None)
        joined = sqlite3.connect(":memory:", isolation_level=None)
        copy.backup(joined)
        copy.close()
    complete(joined)
    return joined


def damaged(path: Path, reason: str) -> DamagedError:
    """The error of a reader that meets a damaged database."""
    return DamagedError(
        f'the state "{path}" is damaged: {reason}\n'
        "run `repobuild`: it sets the file aside and builds anew; adapters are kept",
        reason,
    )


def trouble(path: Path, error: sqlite3.Error) -> BuildError:
    """Return what SQLite reports in words that say what to do."""
    if is_corrupt(error):
        return damaged(path, str(error))
    if _code(error) == sqlite3.SQLITE_FULL:
        return BuildError(
            f'the disk is full: "{path}" cannot grow\n'
            "what was built is kept; make room, then run again to continue"
        )
    return BuildError(
        f'the state "{path}" cannot be used: {error}\n'
        "its folder may be read-only, its disk full, or another program at work on it\n"
        "make room or make it writable, then run again to continue"
    )


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
