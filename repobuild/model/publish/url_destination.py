"""Publish to a URL through fsspec: S3, GCS, Azure, SFTP and others (destination.py).

Such a store has no renames, so order alone keeps it right: files, then their record,
then the pointer. A publication that was cut off sends all files again. Credentials are
those of the store's own library: its variables, files or roles.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from repobuild.errors import BuildError, UsageError
from repobuild.model.publish.destination import (
    LATEST,
    RECORD,
    IsAncestor,
    Published,
    Release,
    ReleaseRecord,
    moves,
)

_READ_ONLY = ("http", "https", "data", "git", "github", "zip", "tar")


@dataclass(frozen=True, slots=True)
class UrlDestination:
    """A folder of a store."""

    url: str

    def publish(self, release: Release, is_ancestor: IsAncestor) -> Published:
        """See `Destination`."""
        with self._errors():
            store, root = self._open()
            latest = self._record(store, f"{root}/{LATEST}")
            name, is_there = self._name_for(store, root, release)
            if not is_there:
                for file in release.files():
                    _send(store, release, file, f"{root}/{name}/{file}")
            if moves(latest, release, is_ancestor):
                latest = ReleaseRecord(release.commit, release.adapter, name)
                store.pipe_file(f"{root}/{LATEST}", latest.to_bytes())
        assert latest is not None
        where = f"{shown_url(self.url).rstrip('/')}/{name}"
        return Published(where, not is_there, latest.commit)

    def _open(self) -> tuple[Any, str]:
        """Return the store and the path of the folder in it.

        Raises `UsageError` for a store that is not known, not installed or read-only.
        """
        import fsspec

        scheme = self.url.partition("://")[0].lower()
        if scheme in _READ_ONLY:
            raise UsageError(
                f'nothing can be published to "{shown_url(self.url)}": {scheme} is '
                "read-only\nname a folder, a store such as s3://bucket/path, or "
                "hf://owner/name"
            )
        try:
            store, path = fsspec.core.url_to_fs(self.url)
        except ImportError as error:
            raise UsageError(
                f"{scheme}:// needs a package that is not installed: {error}\n"
                "install it beside repobuild, and publish again"
            ) from None
        except ValueError as error:
            raise UsageError(
                f'"{shown_url(self.url)}" is no place to publish to: {error}\n'
                "name a folder, a store such as s3://bucket/path, or hf://owner/name"
            ) from None
        return store, str(path).rstrip("/")

    def _record(self, store: Any, path: str) -> ReleaseRecord | None:
        """Return a record; raises `UsageError` for a file that is not ours."""
        try:
            data = store.cat_file(path)
        except FileNotFoundError:
            return None
        record = ReleaseRecord.parse(data)
        if record is None:
            raise UsageError(
                f'"{path}" was not written by `repobuild publish`\n'
                "publish to another place, or move it away"
            )
        return record

    def _name_for(self, store: Any, root: str, release: Release) -> tuple[str, bool]:
        for name in release.names:
            record = self._record(store, f"{root}/{name}/{RECORD}")
            if record is None or record.adapter == release.adapter:
                return name, record is not None
        raise UsageError(
            f'"{root}/{name}" holds another adapter of this name\n'
            "publish to another place, or move it away"
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what a store's library raises into an error that says what to do."""
        try:
            yield
        except BuildError:
            raise
        except Exception as error:  # each store's library has its own classes
            reason = str(error).splitlines()[0][:200] if str(error) else ""
            raise BuildError(
                f'cannot publish to "{shown_url(self.url)}": '
                f"{type(error).__name__}{': ' * bool(reason)}{reason}\n"
                "`latest` still names what it named; run it again"
            ) from error


def shown_url(url: str) -> str:
    """Return a URL as it may be printed: without user, password and query."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return url.partition("://")[0] + "://"
    return f"{parts.scheme}://{host}{parts.path}"


def _send(store: Any, release: Release, file: str, path: str) -> None:
    """Send a file; raises `OSError` when it arrived short."""
    source = release.source / file
    store.makedirs(path.rpartition("/")[0], exist_ok=True)
    store.put_file(str(source), path)
    store.invalidate_cache()
    if int(store.info(path)["size"]) != source.stat().st_size:
        raise OSError(f"{file} did not arrive whole")
