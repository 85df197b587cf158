"""Ask the program git what libgit2 does not know, such as where hooks are."""

from __future__ import annotations

import subprocess
from pathlib import Path


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
