"""Read and write the files of a remote by fsspec, whole and with bounds.

    /folder or file:///folder      local, or a mounted share
    s3://bucket/path               any S3; the endpoint and keys as botocore finds them
    gs://bucket/path               Google Cloud Storage
    sftp://user@host/path          by SSH; the host's key must be in ~/.ssh/known_hosts
    http://…, https://…            read only

A write is seen whole or not at all: an upload to a store of objects is, and elsewhere a
file is written beside its name and renamed. A read never takes more bytes than it was
told to expect. Everything here may take for ever, or raise anything; circuit_breaker.py
bounds it.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from repobuild.errors import UsageError
from repobuild.remote.cache_entry import FOLDER

_WHOLE_BYTES = 8 << 20  # larger files are read block by block
_BLOCK = 1 << 20
# Scheme -> (module that fsspec needs, the extra of repobuild that brings it).
_SCHEMES = {
    "file": ("fsspec", "remote"),
    "http": ("aiohttp", "remote"),
    "https": ("aiohttp", "remote"),
    "s3": ("s3fs", "s3"),
    "gs": ("gcsfs", "gcs"),
    "sftp": ("sshfs", "sftp"),
}
_SCHEMES_TEXT = "a folder, s3://, gs://, sftp://, http:// or https://"


class ReadOnlyError(Exception):
    """The remote takes no writes."""


class CacheFiles:
    """The files below one URL. Connects at the first call; safe for threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.scheme, self._root = _parse(url)
        self._lock = threading.Lock()
        self._opened: Any = None

    @property
    def is_writable(self) -> bool:
        return self.scheme not in ("http", "https")

    @property
    def shown(self) -> str:
        """The URL for messages: without password, query and fragment."""
        return shown_url(self.url)

    def read(self, name: str, most: int) -> bytes:
        """Return a file's bytes, at most one more than `most`.

        Raises `FileNotFoundError` when it is not there, and whatever else goes wrong.
        """
        path = self._path(name)
        if self.scheme in ("s3", "gs"):  # `open` would ask for the size first
            found: bytes = self._files.cat_file(path, start=0, end=most + 1)
            return found
        parts, size = [], 0
        with self._open(path) as file:
            while size <= most and (part := file.read(min(_BLOCK, most + 1 - size))):
                parts.append(part)
                size += len(part)
        return b"".join(parts)

    def download(
        self, name: str, target: BinaryIO, size: int, moved: Callable[[int], None]
    ) -> None:
        """Write a file of this size into another, telling how many bytes came.

        Stops after one byte too many: the digest will not hold.
        """
        left = size + 1
        with self._open(self._path(name)) as file:
            while left and (part := file.read(min(_BLOCK, left))):
                target.write(part)
                left -= len(part)
                moved(len(part))

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole."""
        self._put(name, lambda path: self._files.pipe_file(path, data))

    def upload(self, name: str, source: Path) -> None:
        """Copy a local file, whole."""
        self._put(name, lambda path: self._files.put_file(str(source), path))

    def _put(self, name: str, write: Callable[[str], object]) -> None:
        if not self.is_writable:
            raise ReadOnlyError(f"{self.scheme}:// is read only")
        path = self._path(name)
        if self.scheme in ("s3", "gs"):
            try:
                write(path)
            except FileNotFoundError as error:  # no such bucket
                raise ConnectionError(str(error)) from error
            return
        fresh = f"{path}.{uuid.uuid4().hex[:12]}.new"
        self._files.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            write(fresh)
            if self.scheme == "file":
                os.replace(fresh, path)
            else:
                self._files.mv(fresh, path)
        except BaseException:
            try:
                self._files.rm_file(fresh)
            except Exception:  # what went wrong before is what counts
                pass
            raise

    def _path(self, name: str) -> str:
        return f"{self._root}/{FOLDER}/{name}"

    def _open(self, path: str) -> Any:
        if self.scheme in ("http", "https"):
            # As a stream, and without asking for the size first.
            return _Stream(self._files.open(path, block_size=0, size=1))
        return self._files.open(path, "rb")

    @property
    def _files(self) -> Any:
        with self._lock:
            if self._opened is None:
                self._opened = _connect(self.scheme, self.url)
            return self._opened


class _Stream:
    """An HTTP response; fsspec's own `close` is not waited for."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, most: int) -> bytes:
        part: bytes = self._file.read(most)
        return part


def import_packages(url: str) -> None:
    """Import what a URL needs: seconds on a busy machine, which no time-out counts.

    Raises `UsageError` when it is not installed, or the URL is not known.
    """
    from importlib.util import find_spec

    scheme, _ = _parse(url)
    module, extra = _SCHEMES[scheme]
    for name, brought in (
        ("cryptography", "remote"),
        ("fsspec", "remote"),
        (module, extra),
    ):
        if find_spec(name) is None:
            raise UsageError(
                f'the shared cache "{shown_url(url)}" needs the package {name}\n'
                f"install it: pip install 'repobuild[{brought}]'"
            )
    import_module(module)


def shown_url(url: str) -> str:
    """Return a URL without password, query and fragment."""
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.partition("://")[0] + "://…"
    host = parts.netloc.rpartition("@")[2]
    user = parts.username if parts.username and "@" in parts.netloc else ""
    return f"{parts.scheme}://{user + '@' if user else ''}{host}{parts.path}"


def _parse(url: str) -> tuple[str, str]:
    """Return scheme and root path as fsspec takes it; raises `UsageError`."""
    if "://" not in url:
        return "file", os.path.abspath(os.path.expanduser(url))
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("bad://")
    scheme = {"gcs": "gs", "ssh": "sftp"}.get(parts.scheme, parts.scheme)
    has_place = parts.path if scheme == "file" else parts.netloc
    if scheme not in _SCHEMES or "::" in url or not has_place:
        raise UsageError(
            f'cache.remote "{shown_url(url)}" cannot be used\n'
            f"it must be {_SCHEMES_TEXT}"
        )
    if scheme in ("http", "https"):
        return scheme, url.rstrip("/")
    if scheme == "file":
        return scheme, parts.path.rstrip("/")
    if scheme == "sftp":
        return scheme, parts.path.rstrip("/")
    return scheme, f"{parts.netloc}{parts.path}".rstrip("/")


def _connect(scheme: str, url: str) -> Any:
    import fsspec

    # Every `CacheFiles` has a connection of its own, and lists nothing from memory.
    make = partial(
        fsspec.filesystem, skip_instance_cache=True, use_listings_cache=False
    )
    if scheme == "file":
        return fsspec.filesystem("file")
    if scheme == "sftp":
        return _connect_sftp(url)
    if scheme in ("http", "https"):
        # A body that inflates to gigabytes would be held in memory.
        return make(
            "http",
            client_kwargs={"auto_decompress": False},
            headers={"Accept-Encoding": "identity"},
        )
    return make(scheme)


def _connect_sftp(url: str) -> Any:
    from sshfs import SSHFileSystem

    parts = urlsplit(url)
    options: dict[str, Any] = {"known_hosts": ()}  # those of the user; else all pass
    if parts.username:
        options["username"] = parts.username
    if parts.password:
        options["password"] = parts.password
    if parts.port:
        options["port"] = parts.port
    return SSHFileSystem(parts.hostname, skip_instance_cache=True, **options)
