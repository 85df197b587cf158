"""Detect by a seal whether the database is the file that the last build left.

    build.db.seal    "SIZE INODE MTIME CTIME\n" of build.db (times in ns), written when
                     a build has ended

SQLite keeps no checksums, so a bit that flips inside a value goes unnoticed. A database
that was copied, or that anything but a build has written to, is therefore checked row
by row (damage_check.py; a second for 80 MB) before it is used. The seal is removed
before a build writes, so the database of a killed build is checked, too. A seal that
holds costs one `stat`. A CRC over the file, the earlier design, cost a one-function
commit on 10,000 files 118 ms of its 182 (tests/benchmarks/growth.py).

A disk that garbles a file without a write is noticed when a row's value is read and
compared with the row's digest (table.py), and by `repobuild cache verify`.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from repobuild.engine.state_files import replace_file


def seal_holds(path: Path) -> bool:
    """Return whether a database is the file that was sealed, without a journal."""
    return not journal(path) and read_seal(path) == _identity(path) != ""


def read_seal(path: Path) -> str:
    """Return the identity in a database's seal; "" without a seal."""
    try:
        return _seal_path(path).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def seal(path: Path) -> None:
    """Seal a closed database; on a full disk it stays without a seal."""
    if journal(path):  # a reader kept SQLite from applying it
        return
    target = _seal_path(path)
    try:
        replace_file(target, f"{_identity(path)}\n".encode())
    except OSError:
        with suppress(OSError):
            target.with_name(f"{target.name}.new").unlink(missing_ok=True)


def unseal(path: Path) -> None:
    """Remove the seal. Runs under the lock, before anything is written."""
    _seal_path(path).unlink(missing_ok=True)


def journal(path: Path) -> int:
    """Return the bytes of a database's write-ahead log; 0 without one."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size
    except OSError:
        return 0


def _seal_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.seal")


def _identity(path: Path) -> str:
    try:
        stat = path.stat()
    except OSError:
        return ""
    return f"{stat.st_size} {stat.st_ino} {stat.st_mtime_ns} {stat.st_ctime_ns}"
