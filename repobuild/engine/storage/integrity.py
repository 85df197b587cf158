"""The seal: whether the database is still the file that the last build left.

    build.db.seal    "SIZE INODE MTIME CTIME\n" of build.db (times in ns), written when
                     a build has ended

SQLite keeps no checksums: a bit that flips inside a value is read as if nothing were.
So a database that anything but a build has written to, or that was copied here, is
looked through row by row (examine.py; a second at 80 MB) before it is used; so is that
of a build that was killed, for the seal is broken before a build writes. A seal that
holds costs one `stat`; a CRC over the file, which was here before, cost a one-function
commit on 10,000 files 118 ms of its 182 (tests/benchmarks/growth.py).

A disk that garbles a file without a write is noticed where a row's value is read, which
is held against the row's digest (table.py), and by `repobuild cache verify`.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def holds(path: Path) -> bool:
    """Whether a database is the very file that was sealed, without a journal."""
    return not journal(path) and read_seal(path) == _identity(path) != ""


def read_seal(path: Path) -> str:
    """Return what a database was sealed as; empty when it is not."""
    try:
        return _place(path).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def seal(path: Path) -> None:
    """Seal a closed database. Without room for a seal there is none."""
    if journal(path):  # a reader kept it from being played in
        return
    fresh = path.with_name(f"{path.name}.seal.new")
    try:
        fresh.write_text(f"{_identity(path)}\n", "ascii")
        fresh.replace(_place(path))
    except OSError:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def unseal(path: Path) -> None:
    """Break the seal. Runs under the lock, before anything is written."""
    _place(path).unlink(missing_ok=True)


def journal(path: Path) -> int:
    """Return the size of a database's write-ahead log."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size
    except OSError:
        return 0


def _place(path: Path) -> Path:
    return path.with_name(f"{path.name}.seal")


def _identity(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_size} {found.st_ino} {found.st_mtime_ns} {found.st_ctime_ns}"
