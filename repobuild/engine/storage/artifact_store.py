"""Artifacts by digest: `objects/ab/cdef…/`, each a folder of plain files.

Beside it lies `cdef….rows`, what tables say of it (notes.py); it enters no digest.

The digest of a folder is SHA-256 over the canonical msgpack of its sorted
[relative path, SHA-256 of the content, size]. A folder is filled elsewhere on the same
file system, synced, and renamed into place, so that a name that exists is whole. It is
checked when it is read for the first time in a process; a bad one is set aside and
counts as missing.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from repobuild.engine.digest import pack

_REST = re.compile("[0-9a-f]{62}")  # of a digest, after the two of its folder


class ArtifactStore:
    """A writable object folder with read-only ones behind it (the shipped cache)."""

    def __init__(self, folder: Path, behind: Sequence[Path] = ()) -> None:
        self.folder = folder
        self.behind = tuple(behind)
        self._checked: set[str] = set()

    def path(self, digest: str) -> Path:
        """Return an artifact's folder; raises `KeyError` when absent or corrupt."""
        for place in (self.folder, *self.behind):
            found = place / digest[:2] / digest[2:]
            if found.is_dir() and self._is_whole(found, digest):
                return found
        raise KeyError(digest)

    def place(self, digest: str) -> Path:
        """Return where an artifact lies in the writable folder, or would."""
        return self.folder / digest[:2] / digest[2:]

    def put(self, source: Path, digest: str = "") -> str:
        """Move a filled folder into the store and return its digest."""
        digest = digest or folder_digest(source)
        target = self.place(digest)
        if target.is_dir() and self._is_whole(target, digest):
            shutil.rmtree(source)
            return digest
        _sync(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        _sync_folder(target.parent)
        _sync_folder(self.folder)
        return digest

    def digests(self) -> Iterator[str]:
        """Yield what the writable folder holds; what is named otherwise is let be."""
        for found in sorted(self.folder.glob("[0-9a-f][0-9a-f]/*/")):
            if _REST.fullmatch(found.name):
                yield found.parent.name + found.name

    def remove(self, digest: str) -> None:
        target = self.place(digest)
        target.with_name(f"{target.name}.rows").unlink(missing_ok=True)
        shutil.rmtree(target, ignore_errors=True)

    def _is_whole(self, found: Path, digest: str) -> bool:
        if digest in self._checked:
            return True
        if folder_digest(found) == digest:
            self._checked.add(digest)
            return True
        if found.is_relative_to(self.folder):
            bad = found.with_name(found.name + ".bad")
            shutil.rmtree(bad, ignore_errors=True)
            found.rename(bad)
        return False


def folder_digest(folder: Path) -> str:
    """Return the hex SHA-256 of a folder's files, their paths and sizes."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    listed = [
        [p.relative_to(folder).as_posix(), _file_digest(p), p.stat().st_size]
        for p in files
    ]
    return hashlib.sha256(pack(listed)).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir():
            _sync_folder(path)
        else:
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
