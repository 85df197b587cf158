"""The seal: whether the database is still what the last build left.

    build.db.seal    "SIZE CRC32\n" of build.db, written when a build has ended

SQLite keeps no checksums: a bit that flips inside a value is read as if nothing were,
and one inside a page's pointers can hide a row. A CRC over the file finds every such
flip, in any page, for 15 ms at 80 MB (5 GB/s). The seal is broken before a build writes
and set after it, so a killed build leaves none: then every row is checked against its
digest instead (examine.py; a second at that size).
"""

from __future__ import annotations

import mmap
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32


@dataclass(frozen=True, slots=True)
class Seal:
    """Size in bytes and CRC-32 of a database without a journal."""

    size: int
    crc: int

    def holds(self, path: Path) -> bool:
        """Whether the file is as it was sealed; what a journal adds is its own."""
        return self == _measured(path)


def read_seal(path: Path) -> Seal | None:
    """Return the seal of a database; None when it has none, or a journal."""
    try:
        size, crc = _place(path).read_text("ascii").split()
        return None if journal(path) else Seal(int(size), int(crc, 16))
    except (OSError, ValueError):
        return None


def seal(path: Path) -> None:
    """Seal a closed database. Without room for a seal there is none."""
    if journal(path):  # a reader kept it from being played in
        return
    found = _measured(path)
    fresh = path.with_name(f"{path.name}.seal.new")
    try:
        fresh.write_text(f"{found.size} {found.crc:08x}\n", "ascii")
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


def _measured(path: Path) -> Seal:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if not size:
                return Seal(0, 0)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                return Seal(size, crc32(whole))
    except OSError:
        return Seal(-1, 0)
