"""Run the program git: for what libgit2 does not know, and for what git does best.

libgit2 knows neither where hooks are, nor the user's credentials and proxies. Of a
repository that may be hostile git runs nothing here: no hook, wherever the user's
`core.hooksPath` leads, and no monitor; git-lfs downloads nothing.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from repobuild.errors import BuildError, UsageError

# They name another repository than the folder in which git is to work.
REPOSITORY_VARIABLES = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_TEMPLATE_DIR",
)
_SAFE = (f"core.hooksPath={os.devnull}", "core.fsmonitor=false", "gc.auto=0")


def ask_git(folder: Path, *arguments: str, given: str = "") -> str:
    """Return what git prints in a folder; "" where it cannot be run."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            input=given.encode("utf-8", "surrogateescape"),
            capture_output=True,
        )
    except OSError:
        return ""
    return done.stdout.decode("utf-8", "surrogateescape")


def run_git(
    *arguments: str,
    folder: Path | None = None,
    settings: Sequence[str] = (),
    given: str = "",
) -> str:
    """Run git and return what it prints; raises `BuildError` with its reason."""
    place = ["-C", str(folder.absolute())] if folder else []
    options = [part for setting in (*_SAFE, *settings) for part in ("-c", setting)]
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in REPOSITORY_VARIABLES
    }
    try:
        done = subprocess.run(
            ["git", *place, *options, *arguments],
            env=environment | {"GIT_LFS_SKIP_SMUDGE": "1", "LC_ALL": "C"},
            input=given.encode() if given else None,
            capture_output=True,
        )
    except FileNotFoundError:
        raise UsageError(
            "git is not installed\ninstall it: https://git-scm.com"
        ) from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = next(
            (line for line in lines if line.startswith(("fatal", "error"))), ""
        )
        reason = (reason or (lines or ["no reason"])[-1]).partition(": ")[2] or reason
        raise BuildError(f"git cannot {arguments[0]}: {reason}")
    return done.stdout.decode("utf-8", "replace").strip()
