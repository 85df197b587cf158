"""Move artifacts, folders of plain files, to the remote and back.

Files travel by content: a tokenizer that ten adapters share is stored once. What comes
back is written into a scratch folder and moved into the store only when the digest over
the whole folder is the one that the row names (engine/storage/artifact_store.py).

Only names that an artifact of ours has are taken: no links, no way out of the folder,
and nothing that a library would unpickle or run.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from hashlib import file_digest, sha256
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from repobuild.engine.storage.artifact_store import ArtifactStore, folder_digest
from repobuild.remote.cache_entry import Refused, StoredObject
from repobuild.remote.circuit_breaker import RemoteDown
from repobuild.remote.shared_cache import SharedCache

_SUFFIXES = {
    ".gz", ".html", ".jinja", ".json", ".jsonl", ".md", ".model", ".safetensors",
    ".svg", ".txt",
}  # fmt: skip
_NAMES = {"manifest.bin"}  # msgpack; any other .bin may be a pickle
_MOST_FILES = 1_000
_LONGEST_NAME = 200


def artifact_names(row: Mapping[str, Any]) -> list[str]:
    """Return the artifacts that a task's row names, its own last."""
    names = [str(row.get(name) or "") for name in ("parent", "current", "object")]
    return list(dict.fromkeys(name for name in names if name))


def is_plain(path: str) -> bool:
    """Return whether a file of this relative path may be in an artifact."""
    pure = PurePosixPath(path)
    parts = path.split("/")
    return (
        0 < len(path) <= _LONGEST_NAME
        and path.isprintable()
        and "\\" not in path
        and not any(part in ("", ".", "..") or part.startswith(".") for part in parts)
        and (pure.suffix in _SUFFIXES or pure.name in _NAMES)
    )


def list_files(folder: Path) -> Iterator[tuple[str, str, int]]:
    """Yield relative path, SHA-256 and size of an artifact's files."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        yield path.relative_to(folder).as_posix(), digest, path.stat().st_size


def fetch_artifact(
    cache: SharedCache,
    store: ArtifactStore,
    digest: str,
    listed: Any,
    most_bytes: int,
) -> bool:
    """Bring an artifact into the store; return whether it is there now."""
    try:
        store.checked_path(digest)
        return True
    except KeyError:
        pass
    try:
        files = _checked_list(cache, listed, most_bytes)
    except Refused as error:
        cache.refuse("artifact", error)
        return False
    scratch = store.folder.parent / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="fetched-", dir=scratch))
    try:
        for path, one in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if not _download(cache, one, target):
                return False
        if folder_digest(folder) != digest:
            cache.refuse("artifact", Refused("has another digest"))
            return False
        folder.chmod(0o755)
        store.put(folder, digest)
        return True
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _checked_list(
    cache: SharedCache, listed: Any, most_bytes: int
) -> dict[str, StoredObject]:
    """Return an entry's list of files; raises `Refused`."""
    if not isinstance(listed, list) or len(listed) > _MOST_FILES:
        raise Refused("is malformed")
    files: dict[str, StoredObject] = {}
    for pair in listed:
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
            raise Refused("is malformed")
        if not is_plain(pair[0]) or pair[0] in files:
            raise Refused("has a file of a name that is not allowed")
        files[pair[0]] = StoredObject.read(pair[1], cache.readable)
    if sum(one.size for one in files.values()) > most_bytes:
        raise Refused("is larger than cache.max_size")
    return files


def _download(cache: SharedCache, one: StoredObject, target: Path) -> bool:
    """Write one file, checked; return whether it is whole."""
    try:
        with target.open("xb") as file:
            hashed = cache.breaker.call_long(
                lambda moved: _copy(cache, one, file, moved), one.size
            )
    except RemoteDown:
        return False
    except FileNotFoundError:
        cache.lose(one, Refused("is missing"))
        return False
    if hashed != one.sha256:
        cache.lose(one, Refused("has another digest"))
        return False
    return True


def _copy(cache: SharedCache, one: StoredObject, file: BinaryIO, moved: Any) -> str:
    hashing = _HashingFile(file)
    cache.files.download(one.name, hashing, one.size, moved)  # type: ignore[arg-type]
    return hashing.digest.hexdigest()


class _HashingFile:
    """Passes on what is written, and hashes it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._file.write(data)
