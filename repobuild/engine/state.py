"""The state on disk: one SQLite database, the object store, the lock, the event log.

    <git common folder>/repobuild/
        build.db        tables, memo, manifests, pending changes, history (SQLite, WAL)
        build.db.seal   which file it is while no build runs    (seal.py)
        objects/        artifacts by digest            (store.py)
        lock            a kernel lock                  (lock.py)
        events.jsonl    what was done                  (events.py)
        current         what the last build ended with, for the no-op path (current.py)
        tmp/            work in progress; same file system, so that a rename is atomic

Tables of the database. Every engine table X has `rows_X`; a view has `keys_X` and
`terms_X`, its index. Row keys are text; digests are 16 bytes; values are msgpack,
deflated above 160 bytes.

    meta(name, value)                     the format
    manifests(id, digest, body)           what rows depend on beside their inputs
    tables(name, manifest, digest, ...)   one line per table, its running digest
    memo(id, key, digest, value)          map results by content; shared by all paths
    rows_X(key, digest, memo, value)      map rows name a memo entry, others hold values
    pending(consumer, source, key, old)   changed rows that a table has not yet seen
    changes(build, tbl, key, detail)      why rows changed                (changes.py)
    runs(tbl, build, ...)                 how tables were made            (runs.py)
    builds(id, ...)                       one line per build
    idle(memo, build)                     memo entries that a row has left (collect.py)
    uses(object, build)                   when artifacts were last looked at
    doomed(object)                        artifacts whose rows are gone already

`pending` is what makes a kill between two tables harmless: a table's rows and the news
of them to every consumer are one transaction, and a consumer deletes the news in the
transaction that holds its own rows.

One file per small row is what makes peers slow (DVC: 3.6 s to add 10,000 files).
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repobuild.engine.digest import pack, unpack
from repobuild.engine.errors import BuildError
from repobuild.engine.examine import damage, is_corrupt
from repobuild.engine.seal import holds, journal, read_seal, seal, unseal

FORMAT = 1
_PAGE_BYTES = 8192
_CACHE_KIB = 65536
_BUSY_SECONDS = 30.0
_CLOSING_MS = 1000  # how long the end of a build waits for readers
_SCHEMA = """
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
    database = _connect(path)
    lost = _lost(path, kept, reason) if kept else ""
    return State(folder, database, lost=lost)


def _damage(path: Path) -> str:
    """Return what is wrong with a database, or nothing. Raises on a newer format."""
    if not path.exists():
        return "its journal is all that is left" if journal(path) else ""
    whole = holds(path)  # before it is opened, which may make a journal
    database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        _check_format(database, path)
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
        database = _connect_read_only(path)
        _check_format(database, path)
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


def _connect(path: Path) -> sqlite3.Connection:
    # Autocommit mode: transactions are opened where they are meant, by BEGIN.
    database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
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
        database.executescript(_SCHEMA)
        database.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (FORMAT,))
    except sqlite3.DatabaseError as error:
        database.close()
        raise trouble(path, error) from error
    return database


def _connect_read_only(path: Path) -> sqlite3.Connection:
    """Open what is there, in a folder that may not be written.

    Readers of a WAL database share an index of the journal in a file beside it. Where
    that file cannot be made, the database is read as it stands (`immutable`), which is
    right as long as there is no journal; with one, copies of the two are joined.
    """
    if not path.is_file():
        database = sqlite3.connect(":memory:", isolation_level=None)
        database.executescript(_SCHEMA)
        return database
    try:
        return _reader(f"{path.as_uri()}?mode=ro")
    except sqlite3.OperationalError as error:
        if _code(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
    return _joined(path) if journal(path) else _reader(f"{path.as_uri()}?immutable=1")


def _reader(uri: str) -> sqlite3.Connection:
    database = sqlite3.connect(
        uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None
    )
    try:
        _complete(database)
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
    _complete(joined)
    return joined


def _complete(database: sqlite3.Connection) -> None:
    """Let a reader find what an older state lacks as empty temporary tables."""
    there = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    for statement in _SCHEMA.split(";"):
        name = statement.partition("EXISTS ")[2].partition("(")[0]
        if "CREATE TABLE" in statement and name not in there:
            database.execute(statement.replace("CREATE TABLE", "CREATE TEMP TABLE"))


def _check_format(database: sqlite3.Connection, path: Path) -> None:
    """Runs before anything is written: a newer state stays as it is."""
    query = "SELECT 1 FROM sqlite_master WHERE name = 'meta'"
    if database.execute(query).fetchone() is None:
        return
    found = database.execute("SELECT value FROM meta WHERE name = 'format'").fetchone()
    if found and str(found[0]).isdecimal() and int(found[0]) > FORMAT:
        database.close()
        raise BuildError(
            f'the state in "{path.parent}" was written by a newer repobuild\n'
            f"it has format {found[0]}, this version knows up to {FORMAT}\n"
            "upgrade repobuild, or move that folder away to build anew"
        )


def damaged(path: Path, reason: str) -> BuildError:
    """The error of a reader that meets a damaged database."""
    return BuildError(
        f'the state "{path}" is damaged: {reason}\n'
        "run `repobuild`: it sets the file aside and builds anew; adapters are kept"
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
