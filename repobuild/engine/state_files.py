"""Open and write the files of the state without following links out of it.

The state may have come from elsewhere: with an unpacked archive, from a restored cache.
A link in it would let a build truncate, overwrite or delete what it points to. So each
verb checks the state before it opens anything (`refuse_links`: names only, 2 ms for a
thousand artifacts), and files are opened with O_NOFOLLOW.

Links are expected in two places only: programs of user rules and Weights & Biases make
them in their own folders, `tmp/NAME/` and `logs/RULE/RUN/`. They are removed before
anything is written there (`remove_links`); removing a link leaves its target alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from repobuild.errors import UsageError

# How many levels of these folders are checked; of all others, every level.
_CHECKED_LEVELS = {"tmp": 1, "logs": 2}
_ANY_LEVEL = 1_000


def refuse_links(folder: Path) -> None:
    """Refuse a state that is a link or holds anything but files and folders.

    Raises:
        UsageError: the message names the entry.
    """
    if folder.is_symlink():
        raise UsageError(_refusal(str(folder), "a symbolic link"))
    waiting = [(str(folder), _ANY_LEVEL)]
    while waiting:
        path, levels = waiting.pop()
        for entry in _entries(path):
            if entry.is_symlink():
                raise UsageError(_refusal(entry.path, "a symbolic link"))
            if entry.is_dir(follow_symlinks=False):
                below = levels - 1
                if path == str(folder):
                    below = _CHECKED_LEVELS.get(entry.name, below)
                waiting += [(entry.path, below)] if below else []
            elif not entry.is_file(follow_symlinks=False):
                raise UsageError(_refusal(entry.path, "neither a file nor a folder"))


def remove_links(folder: Path) -> None:
    """Remove every link below a folder, and whatever is neither file nor folder."""
    waiting = [] if folder.is_symlink() else [str(folder)]
    while waiting:
        for entry in _entries(waiting.pop()):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif not entry.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):
                    os.unlink(entry.path)


def replace_file(path: Path, data: bytes, sync: bool = False) -> None:
    """Write a file in one step: a new file beside it is renamed over it."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with fresh.open("xb") as file:  # "x" follows no link
        file.write(data)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(path)


def open_without_links(path: str | Path, flags: int) -> int:
    """Return a descriptor of a file; raises `OSError` when it is a link."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    """Yield a folder's entries; none when a builder has just removed it."""
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except (FileNotFoundError, NotADirectoryError):
        return


def _refusal(path: str, kind: str) -> str:
    return (
        f'"{path}" is {kind}\n'
        "repobuild keeps its state in plain files, and writes through no link\n"
        f'look at what it is, remove it (`rm "{path}"`), and run again'
    )
