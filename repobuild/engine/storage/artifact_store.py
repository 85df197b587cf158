"""Store artifacts by digest: `objects/ab/cdef…/`, each a folder of plain files.

Beside it, `cdef….rows` records the table rows that name it (artifact_notes.py); it
enters no digest.

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

_DIGEST_REST = re.compile("[0-9a-f]{62}")  # all but the two digits of the parent folder


def object_path(objects: Path, digest: str) -> Path:
    """Return an artifact's folder `ab/cdef…` in an object folder, stored or not."""
    return objects / digest[:2] / digest[2:]


def read_ref(cache: Path, name: str) -> tuple[Path, str] | None:
    """Return folder and digest of the artifact that `refs/NAME` of a cache names.

    Returns None when the file or the folder is missing, or the file is damaged.
    """
    try:
        digest = (cache / "refs" / name).read_text("utf-8").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    folder = object_path(cache / "objects", digest)
    return (folder, digest) if digest and folder.is_dir() else None


class ArtifactStore:
    """A writable object folder, with read-only fallbacks (the shipped cache)."""

    def __init__(self, folder: Path, fallbacks: Sequence[Path] = ()) -> None:
        self.folder = folder
        self.fallbacks = tuple(fallbacks)
        self._checked: set[str] = set()

    def object_path(self, digest: str) -> Path:
        """Return an artifact's folder in the writable object folder, stored or not."""
        return object_path(self.folder, digest)

    def checked_path(self, digest: str) -> Path:
        """Return a stored artifact's folder, checked once in a process.

        Raises:
            KeyError: it is absent or its content does not match its digest.
        """
        for objects in (self.folder, *self.fallbacks):
            folder = object_path(objects, digest)
            if folder.is_dir() and self._is_whole(folder, digest):
                return folder
        raise KeyError(digest)

    def put(self, source: Path, digest: str = "") -> str:
        """Move a filled folder into the store and return its digest."""
        digest = digest or folder_digest(source)
        target = self.object_path(digest)
        if target.is_dir() and self._is_whole(target, digest):
            shutil.rmtree(source)
            return digest
        _sync(source)
        for path in (self.folder, target.parent, target):
            if path.is_symlink() or path.is_file():
                path.unlink()  # as a damaged disk or a restored archive leaves it
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        _sync_folder(target.parent)
        _sync_folder(self.folder)
        return digest

    def digests(self) -> Iterator[str]:
        """Yield the digests in the writable folder; ignore other names."""
        for found in sorted(self.folder.glob("[0-9a-f][0-9a-f]/*/")):
            if _DIGEST_REST.fullmatch(found.name):
                yield found.parent.name + found.name

    def size(self, digest: str) -> int:
        """Return the bytes of an artifact's files; 0 when it is not stored here."""
        files = self.object_path(digest).rglob("*")
        return sum(path.stat().st_size for path in files if path.is_file())

    def remove(self, digest: str) -> None:
        """Remove an artifact with its note."""
        target = self.object_path(digest)
        target.with_name(f"{target.name}.rows").unlink(missing_ok=True)
        shutil.rmtree(target, ignore_errors=True)

    def _is_whole(self, folder: Path, digest: str) -> bool:
        """Return whether a folder has its digest; set a bad one of this store aside."""
        if digest in self._checked:
            return True
        if folder_digest(folder) == digest:
            self._checked.add(digest)
            return True
        if folder.is_relative_to(self.folder):
            bad = folder.with_name(folder.name + ".bad")
            shutil.rmtree(bad, ignore_errors=True)
            folder.rename(bad)
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
