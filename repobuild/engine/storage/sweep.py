"""Remove work in progress that no build will come back to."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path


def sweep(folder: Path, kept: Callable[[str], bool]) -> None:
    """Remove what lies in `tmp/`, but for the kept names. Runs under the lock.

    What an interrupted task left stays until that task has run: a build of the tables
    before it must not cost a training its checkpoint.
    """
    for path in folder.iterdir() if folder.is_dir() else ():
        if kept(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
