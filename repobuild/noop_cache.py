"""Answer a build that has nothing to do: one process start and one git call.

The last build writes one file, `current`, into the state. It holds five texts with NUL
between them:

    crc       of the other four: a damaged file is no answer
    key       format, commit, edge of a shallow clone, goal, and a fingerprint of
              everything outside git that a build depends on
    objects   folders of the artifacts that must still exist, one a line
    text      the answer to print
    json      the answer to print for `--json`

When the key still holds, nothing else is opened: neither SQLite nor pygit2 nor click
(`import pygit2` alone costs 70 to 100 ms). This module also avoids `pathlib`, `re`,
`json`, `typing` and `subprocess`, which would double the rest (13 ms of 28 ms,
measured).

The fingerprint is a CRC of the content of both settings files (a few hundred bytes), of
the variables `REPOBUILD_*`, of names, sizes and mtimes of the data that ships with
repobuild, and of the names of the installed distributions, which carry their versions.
It only has to notice changes: a false alarm costs one look at the database.
"""

from __future__ import annotations

import os
import sys
from zlib import crc32

from repobuild import __version__
from repobuild.git.discovery import locate
from repobuild.resources import (
    BUILDER,
    SETTING_PREFIX,
    SETTINGS_FILE,
    path_of,
    user_settings_file,
)

TYPE_CHECKING = False  # type checkers read it as true; see repobuild/resources.py
if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = 5
_FILE = "current"
_MOST_BYTES = 1 << 24  # of a file that is read: a settings file may be a device
_TOOLS = ("tree_sitter", "torch-", "transformers-", "peft-", "deepspeed-")


def answer(goal: str = "") -> tuple[str, str] | None:
    """Return the last build's answers (text, JSON) if they still hold, else None."""
    found = locate()
    if found is None or not found.head:
        return None
    state = os.path.join(found.common, "repobuild")
    current = os.path.join(state, _FILE)
    if os.path.islink(state) or not _is_plain_file(current):
        return None  # engine/state_files.py says why, in the build that follows
    crc, _, body = _read(current).partition("\0")
    fields = body.split("\0")
    if crc != f"{crc32(os.fsencode(body)):08x}" or len(fields) != 4:
        return None
    if not os.path.exists(os.path.join(state, "build.db")):
        return None
    key, objects, text, json = fields
    folders = [os.path.join(state, "objects", o) for o in objects.splitlines()]
    if not all(map(os.path.isdir, folders)):
        return None
    if key != _cache_key(state, found.work_tree, found.head, goal):
        return None
    return text, json


def write(
    state: str, root: str, commit: str, goal: str, objects: list[str], *answers: str
) -> None:
    """Store the answers (text, JSON) for the next run, atomically."""
    fresh = os.path.join(state, f"{_FILE}.new")
    key = _cache_key(state, root, commit, goal)
    body = os.fsencode("\0".join((key, "\n".join(objects), *answers)))
    try:
        os.unlink(fresh)
    except FileNotFoundError:
        pass
    with open(fresh, "xb") as file:  # "x" follows no link
        file.write(b"%08x\0%b" % (crc32(body), body))
    os.replace(fresh, os.path.join(state, _FILE))


def forget(state: str) -> None:
    """Remove the answer, before anything that may change the state."""
    try:
        os.unlink(os.path.join(state, _FILE))
    except FileNotFoundError:
        pass


def _cache_key(state: str, root: str, commit: str, goal: str) -> str:
    """Return the key under which an answer holds for a commit and a goal."""
    edge = _read(os.path.join(os.path.dirname(state), "shallow"))
    return f"{FORMAT} {commit} {edge} {goal} {fingerprint(root)}"


def fingerprint(root: str) -> str:
    """Return a checksum of everything outside git that a build depends on."""
    parts = [__version__, sys.version]
    for file in (os.path.join(root, SETTINGS_FILE), user_settings_file()):
        parts.append(_read(file) or str(_ends_a_build(file)))
    parts += sorted(_variables())
    parts += sorted([*_list_files(path_of("rules")), *_list_files(path_of("configs"))])
    parts += _installed_tools()
    return f"{crc32(os.fsencode(chr(10).join(parts))):08x}"


def _variables() -> Iterator[str]:
    """Yield the variables that hold settings, options `-c` or trust."""
    for name, value in os.environ.items():
        if name.startswith(SETTING_PREFIX) and name != BUILDER:
            yield f"{name}={value}"


def _read(path: str) -> str:
    """Return a file's content; "" when it cannot be read.

    A pipe that lies in a file's place is empty: its writer may never come.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            return os.fsdecode(file.read(_MOST_BYTES))
    except OSError:
        return ""


def _ends_a_build(file: str) -> bool:
    """Return whether settings are there that cannot be read; a pipe is empty."""
    return os.path.lexists(file) and (
        os.path.isdir(file) or not os.access(file, os.R_OK)
    )


def _is_plain_file(path: str) -> bool:
    """Return whether a path is a file: no link, and no pipe that would wait."""
    try:
        return os.lstat(path).st_mode & 0o170000 == 0o100000
    except OSError:
        return False


def _list_files(folder: str) -> Iterator[str]:
    """Yield path, size and mtime of every file below a folder."""
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from _list_files(entry.path)
        else:
            stat = entry.stat()
            yield f"{entry.path} {stat.st_size} {stat.st_mtime_ns}"


def _installed_tools() -> list[str]:
    """Return names and versions of the installed tools that may enter keys.

    They are the names of the metadata folders: `importlib.metadata` costs 20 ms.
    """
    paths: set[str] = set()
    for folder in sys.path:
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        paths.update(n for n in names if n.endswith("info") and n.startswith(_TOOLS))
    return sorted(paths)
