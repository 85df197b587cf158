"""Fetch blobs by their ids into a bare repository of the user's, with git itself.

A worker on another machine has no clone of the repository that is built. It gets blob
ids and a URL, and keeps what it fetched in

    $XDG_CACHE_HOME/repobuild/blobs/<digest of the URL>.git

a bare repository without references, hooks or a work tree. It may be removed at any
time. Git checks every object that it takes against its id, so a server can refuse to
answer, but not answer something else. Asking for an object by its id needs version 2 of
git's protocol, which git speaks since 2.26.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property, lru_cache
from hashlib import blake2b
from pathlib import Path

import pygit2

from repobuild.errors import BuildError, UsageError
from repobuild.git.program import run_git
from repobuild.git.repository import has_object, open_folder, read_blob
from repobuild.resources import user_cache_folder

_FETCH = (
    "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
    "--no-recurse-submodules", "--stdin", "--",
)  # fmt: skip
_SETTINGS = (
    "protocol.version=2",
    "fetch.negotiationAlgorithm=noop",  # nothing here is a commit
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
)


@lru_cache(maxsize=4)
def blob_cache(url: str) -> BlobCache:
    """Return the user's cache of the blobs that a URL has; made when it is missing.

    Raises `UsageError` where the user has no cache folder.
    """
    place = user_cache_folder()
    if not place:
        raise UsageError(
            "the home folder is unknown, so blobs cannot be kept\n"
            "set XDG_CACHE_HOME to an absolute path"
        )
    name = blake2b(url.encode("utf-8", "replace"), digest_size=16).hexdigest()
    return BlobCache(url, Path(place, "blobs", f"{name}.git"))


class BlobCache:
    """A bare repository with blobs of one URL. Several processes may share it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        if not folder.is_dir():
            self._make()

    @cached_property
    def repository(self) -> pygit2.Repository:
        return open_folder(str(self.folder))

    def fetch(self, ids: Iterable[str]) -> None:
        """Fetch those of the blobs that are missing, in one call of git.

        Raises `BuildError` with git's reason when it gets none of them.
        """
        missing = [id for id in ids if not has_object(self.repository, id)]
        if missing:
            names = "".join(f"{id}\n" for id in missing)
            run_git(*_FETCH, self.url, folder=self.folder, settings=_SETTINGS,
                    given=names)  # fmt: skip

    def read(self, blob_id: str) -> bytes:
        """Return a blob's bytes; fetch it first when it is missing.

        Raises `BuildError` when git does not get it.
        """
        self.fetch([blob_id])
        return read_blob(self.repository, blob_id)

    def _make(self) -> None:
        """Make the repository beside its place, so that a name that exists is whole."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=self.folder.parent, prefix="new-"))
        run_git("init", "--quiet", "--bare", "--template=", "--", str(made))
        with suppress(OSError):  # another worker was first
            os.rename(made, self.folder)
            return
        if not self.folder.is_dir():
            raise BuildError(f'"{self.folder}" cannot be made')
