"""Publish into a folder of this machine, or of a file server (destination.py)."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from repobuild.errors import UsageError
from repobuild.model.publish.destination import (
    LATEST,
    RECORD,
    IsAncestor,
    Published,
    Release,
    ReleaseRecord,
    moves,
)

_STAGING = ".repobuild-publish-"
_ABANDONED = 86_400  # seconds; younger ones may be another's who publishes now


@dataclass(frozen=True, slots=True)
class FolderDestination:
    """A folder. What is in it and not ours stays, and links are not followed."""

    folder: Path

    def publish(self, release: Release, is_ancestor: IsAncestor) -> Published:
        """See `Destination`. Renames whole folders and files, so none is half there."""
        self._check()
        latest = self._latest()
        name, is_there = self._name_for(release)
        if not is_there:
            self._put(release, self.folder / name)
        if moves(latest, release, is_ancestor):
            latest = ReleaseRecord(release.commit, release.adapter, name)
            self._replace(LATEST, latest.to_bytes())
        assert latest is not None
        return Published(str(self.folder / name), not is_there, latest.commit)

    def _check(self) -> None:
        if self.folder.is_symlink():
            raise UsageError(
                f'"{self.folder}" is a symbolic link\n'
                "nothing is published through links: name the folder that it points to"
            )
        if self.folder.exists() and not self.folder.is_dir():
            raise UsageError(f'"{self.folder}" is no folder\nname one to publish into')
        self.folder.mkdir(parents=True, exist_ok=True)

    def _latest(self) -> ReleaseRecord | None:
        """Return what the pointer names; raises `UsageError` for one not ours."""
        path = self.folder / LATEST
        if not os.path.lexists(path):
            return None
        record = None if path.is_symlink() else _read_record(path)
        if record is None:
            raise UsageError(
                f'"{path}" was not written by `repobuild publish`\n'
                "publish into another folder, or move it away"
            )
        return record

    def _name_for(self, release: Release) -> tuple[str, bool]:
        """Return the name of the release's folder, and whether it is there.

        Raises `UsageError` when something else has that name.
        """
        for name in release.names:
            path = self.folder / name
            if not os.path.lexists(path):
                return name, False
            is_folder = path.is_dir() and not path.is_symlink()
            record = _read_record(path / RECORD) if is_folder else None
            if record is None:
                raise UsageError(
                    f'"{path}" was not written by `repobuild publish`\n'
                    "publish into another folder, or move it away"
                )
            if record.adapter == release.adapter:
                return name, True
        raise UsageError(
            f'"{path}" holds another adapter of this name\n'
            "publish into another folder, or move it away"
        )

    def _put(self, release: Release, target: Path) -> None:
        """Copy a release beside its place, and rename it once it is on the disk."""
        self._remove_abandoned()
        staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=self.folder))
        try:
            for name in release.files():
                (staging / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(release.source / name, staging / name)
                _sync(staging / name)
            staging.chmod(0o777 & ~_umask())  # mkdtemp lets only its owner in
            try:
                staging.rename(target)
            except OSError as error:
                # Another job published the same release meanwhile.
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            _sync(self.folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _replace(self, name: str, data: bytes) -> None:
        descriptor, path = tempfile.mkstemp(prefix=_STAGING, dir=self.folder)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(path, 0o666 & ~_umask())
        os.replace(path, self.folder / name)
        _sync(self.folder)

    def _remove_abandoned(self) -> None:
        """Remove what publications left that were killed a day ago or earlier."""
        for path in self.folder.glob(f"{_STAGING}*"):
            with suppress(OSError):
                if time.time() - path.lstat().st_mtime < _ABANDONED:
                    continue
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()


def _read_record(path: Path) -> ReleaseRecord | None:
    try:
        if path.is_symlink() or not path.is_file():
            return None
        with path.open("rb") as file:
            return ReleaseRecord.parse(file.read(1 << 16))
    except OSError:
        return None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
