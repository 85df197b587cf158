"""The path taken when there is nothing to do: process start and one git call.

The last build leaves `current.json` in the state: what it built (tree, goals), a
fingerprint of all that was not in git (settings, rules, configs, tool versions), and
the answer to print. When all of it still holds, nothing else is opened: neither
SQLite, nor pygit2, nor click (`import pygit2` alone costs 70 to 100 ms).

The fingerprint is a CRC of file contents (settings, a few hundred bytes), of names,
sizes and mtimes of the data that travels with repobuild, and of the names of the
installed distributions, which carry their versions. It only has to notice changes: a
wrong guess costs one look at the database.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any
from zlib import crc32

from repobuild import __version__
from repobuild.resources import folder
from repobuild.settings_file import FILE_NAME

FORMAT = 1
_TOOLS = ("tree_sitter", "torch-", "transformers-", "peft-", "deepspeed-")


def git_facts() -> list[str] | None:
    """Return work tree, common folder, commit and tree of HEAD; None outside git."""
    import subprocess

    command = ["git", "rev-parse", "--path-format=absolute", "--show-toplevel"]
    command += ["--git-common-dir", "HEAD", "HEAD^{tree}"]
    try:
        done = subprocess.run(command, capture_output=True)
    except OSError:
        return None
    lines = os.fsdecode(done.stdout).splitlines()
    return lines if done.returncode == 0 and len(lines) == 4 else None


def fingerprint(root: Path) -> str:
    """Return a name for everything outside git that a build depends on."""
    parts = [__version__, sys.version, _settings(root)]
    for name in ("rules", "configs"):
        parts += _listing(str(folder(name)))
    parts += _tools()
    return f"{crc32(os.fsencode(chr(10).join(parts))):08x}"


def write(state: Path, facts: dict[str, Any]) -> None:
    """Leave the answer for the next run; replaced in one step."""
    import json

    fresh = state / "current.json.new"
    fresh.write_text(json.dumps({"format": FORMAT, **facts}), "utf-8")
    fresh.replace(state / "current.json")


def forget(state: Path) -> None:
    """Remove the answer: what follows may leave the state at something else."""
    (state / "current.json").unlink(missing_ok=True)


def read(state: Path) -> dict[str, Any] | None:
    import json

    try:
        facts = json.loads((state / "current.json").read_bytes())
    except (OSError, ValueError):
        return None
    return facts if facts.get("format") == FORMAT else None


def answer(goals: str = "") -> dict[str, Any] | None:
    """Return the last build's facts when they still hold, else None."""
    here = git_facts()
    if here is None:
        return None
    root, common, _, tree = here
    state = Path(common) / "repobuild"
    facts = read(state)
    if facts is None or facts["tree"] != tree or facts["until"] != goals:
        return None
    if any(not os.path.isdir(state / "objects" / o) for o in facts["objects"]):
        return None
    return facts if facts["fingerprint"] == fingerprint(Path(root)) else None


def _settings(root: Path) -> str:
    try:
        return (root / FILE_NAME).read_text("utf-8", "surrogateescape")
    except OSError:
        return ""


def _listing(place: str) -> list[str]:
    found: list[str] = []
    for parent, _, names in os.walk(place):
        for name in names:
            stat = os.stat(os.path.join(parent, name))
            found.append(f"{parent}/{name} {stat.st_size} {stat.st_mtime_ns}")
    return sorted(found)


def _tools() -> list[str]:
    """Return the installed versions that may enter keys, from the folder names alone.

    `importlib.metadata` would cost 20 ms.
    """
    found: set[str] = set()
    for place in sys.path:
        try:
            names = os.listdir(place)
        except OSError:
            continue
        found.update(n for n in names if n.endswith("info") and n.startswith(_TOOLS))
    return sorted(found)
