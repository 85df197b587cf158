"""The path taken when there is nothing to do: process start and one git call.

The last build leaves one file, `current`, in the state. It holds five texts with NUL
between them:

    crc       of the other four: a changed byte is no answer
    key       format, commit, edge of a shallow clone, goal, and a fingerprint of all
              that was not in git
    objects   folders of the artifacts that must still be there, one a line
    text      the answer to print
    json      the answer to print for `--json`

When the key is today's, nothing else is opened: neither SQLite, nor pygit2, nor click
(`import pygit2` alone costs 70 to 100 ms). Nor `pathlib`, `re`, `json`, `typing` and
`subprocess`: they would double what is left (13 ms of 28 ms, measured).

The fingerprint is a CRC of file contents (settings, a few hundred bytes), of names,
sizes and mtimes of the data that travels with repobuild, and of the names of the
installed distributions, which carry their versions. It only has to notice changes: a
wrong guess costs one look at the database.
"""

from __future__ import annotations

import os
import sys
from zlib import crc32

from repobuild import __version__
from repobuild.resources import SETTINGS_FILE, path_of

TYPE_CHECKING = False  # what type checkers read as true; see repobuild/resources.py
if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = 4
_FILE = "current"
_TOOLS = ("tree_sitter", "torch-", "transformers-", "peft-", "deepspeed-")


def git_facts() -> list[str] | None:
    """Return work tree, common folder and commit of HEAD; None outside git."""
    command = ["git", "rev-parse", "--path-format=absolute", "--show-toplevel"]
    lines = _said([*command, "--git-common-dir", "HEAD^{commit}"]).splitlines()
    return lines if len(lines) == 3 else None


def fingerprint(root: str) -> str:
    """Return a name for everything outside git that a build depends on."""
    parts = [__version__, sys.version, _settings(root)]
    parts.append(os.environ.get("REPOBUILD_TRUST", ""))  # trusted.py
    parts += sorted([*_listing(path_of("rules")), *_listing(path_of("configs"))])
    parts += _tools()
    return f"{crc32(os.fsencode(chr(10).join(parts))):08x}"


def write(
    state: str, root: str, commit: str, goal: str, objects: list[str], *answers: str
) -> None:
    """Leave the answers (text, JSON) for the next run; replaced in one step."""
    fresh = os.path.join(state, f"{_FILE}.new")
    texts = (_key(state, root, commit, goal), "\n".join(objects), *answers)
    body = os.fsencode("\0".join(texts))
    with open(fresh, "wb") as file:
        file.write(b"%08x\0%b" % (crc32(body), body))
    os.replace(fresh, os.path.join(state, _FILE))


def forget(state: str) -> None:
    """Remove the answer: what follows may leave the state at something else."""
    try:
        os.unlink(os.path.join(state, _FILE))
    except FileNotFoundError:
        pass


def answer(goal: str = "") -> tuple[str, str] | None:
    """Return the last build's answers, as text and as JSON, when they still hold."""
    here = git_facts()
    if here is None:
        return None
    root, common, commit = here
    state = os.path.join(common, "repobuild")
    crc, _, body = _read(os.path.join(state, _FILE)).partition("\0")
    found = body.split("\0")
    if crc != f"{crc32(os.fsencode(body)):08x}" or len(found) != 4:
        return None
    if not os.path.exists(os.path.join(state, "build.db")):
        return None
    key, objects, text, json = found
    folders = [os.path.join(state, "objects", o) for o in objects.splitlines()]
    if not all(map(os.path.isdir, folders)) or key != _key(state, root, commit, goal):
        return None
    return text, json


def _key(state: str, root: str, commit: str, goal: str) -> str:
    edge = _read(os.path.join(os.path.dirname(state), "shallow"))
    return f"{FORMAT} {commit} {edge} {goal} {fingerprint(root)}"


def _said(command: list[str]) -> str:
    """Return what a process printed; nothing when it failed. stderr is left out."""
    reading, writing = os.pipe()
    silent = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
    with open(reading, "rb") as printed:
        try:
            child = os.posix_spawnp(
                command[0], command, os.environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1), silent],
            )  # fmt: skip
        except OSError:
            return ""
        finally:
            os.close(writing)
        said = os.fsdecode(printed.read())
    _, status = os.waitpid(child, 0)
    return said if status == 0 else ""


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return os.fsdecode(file.read())
    except OSError:
        return ""


def _settings(root: str) -> str:
    return _read(os.path.join(root, SETTINGS_FILE))


def _listing(folder: str) -> Iterator[str]:
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from _listing(entry.path)
        else:
            stat = entry.stat()
            yield f"{entry.path} {stat.st_size} {stat.st_mtime_ns}"


def _tools() -> list[str]:
    """Return the installed versions that may enter keys, from the folder names alone.

    `importlib.metadata` would cost 20 ms.
    """
    found: set[str] = set()
    for folder in sys.path:
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        found.update(n for n in names if n.endswith("info") and n.startswith(_TOOLS))
    return sorted(found)
