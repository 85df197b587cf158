"""Choose what is encoded of a repository, and read it from git or from a folder.

What is encoded are sources and documents, never a test: what a hypernetwork is asked
about a repository is in its tests. The rule is the same where a hypernetwork is trained
and where it is used (vectors.py), else it would meet inputs that it has not seen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Any

from repobuild.code.scan.file_roles import is_test
from repobuild.errors import MissingObjectError, UsageError

ENCODED = frozenset(
    ".c .cc .cpp .cs .cxx .go .h .hpp .java .js .jsx .kt .md .mjs .php .py .pyi .rb "
    ".rs .rst .scala .swift .ts .tsx".split()
)
MOST_BYTES = 1_000_000  # of a file
MOST_FILES = 4_000  # of a repository
# Folders of a plain folder; git has no such files, or has them on purpose.
_SKIPPED = frozenset(
    ".git .hg .mypy_cache .tox .venv __pycache__ build dist env node_modules "
    "venv".split()
)

ReadBlob = Callable[[str], bytes]
Change = Sequence[Any]  # status, old path, old blob, new path, new blob


def is_encoded(path: str) -> bool:
    """Return whether a file of this path is encoded: source or document, no test."""
    parts = PurePosixPath(path)
    return (
        parts.suffix.lower() in ENCODED
        and ".min." not in parts.name
        and "node_modules" not in parts.parts
        and not is_test(path)
    )


def decode_source(data: bytes) -> str | None:
    """Return the text of a file, None for one that is binary or too large."""
    if len(data) > MOST_BYTES or b"\0" in data[:8192]:
        return None
    return data.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of one state of a repository: what is encoded, and its tests."""

    name: str
    encoded: Mapping[str, str]  # path -> text
    tests: Mapping[str, str]  # Python only
    blobs: Mapping[str, str]  # path -> an id of the text, for a cache


def read_sources(place: Path, revision: str = "HEAD") -> Sources:
    """Read a git repository at a revision, or the files of a folder that is none.

    Raises `UsageError` when the folder is missing or holds no source.
    """
    if not place.is_dir():
        raise UsageError(
            f'"{place}" is no folder\nname git repositories or folders of sources, '
            "one a line"
        )
    files = _git_files(place, revision) if is_repository(place) else _plain_files(place)
    encoded: dict[str, str] = {}
    tests: dict[str, str] = {}
    blobs: dict[str, str] = {}
    for path, blob, data in files:
        text = decode_source(data)
        if text is None:
            continue
        if is_encoded(path) and len(encoded) < MOST_FILES:
            encoded[path], blobs[path] = text, blob
        elif path.endswith(".py") and is_test(path):
            tests[path] = text
    if not encoded:
        raise UsageError(f'"{place}" holds no source file at {revision}')
    return Sources(place.resolve().name, encoded, tests, blobs)


def state_of(place: Path) -> bytes:
    """Return what `read_sources` depends on: a commit's id, or a folder's files."""
    if not place.is_dir():
        return b""
    if not is_repository(place):
        return b"".join(
            path.encode("utf-8", "surrogateescape") + blake2b(data).digest()
            for path, _, data in _plain_files(place)
        )
    from repobuild.git.repository import open_repository
    from repobuild.git.snapshot import at_commit

    return at_commit(open_repository(place)).commit.encode()


def is_repository(place: Path) -> bool:
    """Return whether a folder is the top of a git repository."""
    return (place / ".git").exists() or (place / "HEAD").is_file()


def _git_files(place: Path, revision: str) -> Iterator[tuple[str, str, bytes]]:
    from repobuild.git.repository import open_repository
    from repobuild.git.snapshot import at_commit, is_regular

    snapshot = at_commit(open_repository(place), revision)
    for path, (blob, mode) in snapshot.files():
        if is_regular(mode) and PurePosixPath(path).suffix.lower() in ENCODED:
            try:
                yield path, blob, snapshot.blob(blob)
            except MissingObjectError:  # of a partial clone
                continue


def _plain_files(place: Path) -> Iterator[tuple[str, str, bytes]]:
    for folder, names, files in os.walk(place):
        names[:] = sorted(set(names) - _SKIPPED)
        for name in sorted(files):
            file = Path(folder, name)
            path = file.relative_to(place).as_posix()
            if file.suffix.lower() in ENCODED and not file.is_symlink():
                yield path, path, file.read_bytes()[: MOST_BYTES + 1]


def diff_text(changes: Sequence[Change], read: ReadBlob) -> str:
    """Return a commit's changes of what is encoded, as unified diffs by path."""
    import pygit2

    parts = []
    for _, old_path, old_blob, new_path, new_blob in changes:
        if not is_encoded(new_path or old_path):
            continue
        old, new = (_text_of(blob, read) for blob in (old_blob, new_blob))
        if old is not None and new is not None:
            patch: Any = pygit2.Patch.create_from(
                old, new, old_path or new_path, new_path or old_path
            )
            parts.append(patch.data.decode("utf-8", "replace"))
    return "".join(parts)


def _text_of(blob: str, read: ReadBlob) -> bytes | None:
    """Return a blob's bytes, b"" for no blob, None for one that is not encoded."""
    if not blob:
        return b""
    try:
        data = read(blob)
    except MissingObjectError:
        return None
    return None if decode_source(data) is None else data
