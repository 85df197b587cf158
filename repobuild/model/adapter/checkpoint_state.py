"""How far an interrupted training came; read without torch.

`checkpoint/state.json` holds, beside what `checkpoint.py` says, the SHA-256 of every
other file of the checkpoint. One that is cut off or changed is not taken: training
from wrong weights would look like training.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

STATE = "state.json"
Facts = dict[str, Any]


def checkpoint_state(scratch: Path, job: str) -> Facts | None:
    """Return what `state.json` says, when it is of this job and all files are whole.

    A kill while one checkpoint takes the place of another leaves the older one under
    its second name; then it is put back.
    """
    place, older = scratch / "checkpoint", scratch / "checkpoint.old"
    if older.is_dir() and not place.is_dir():
        older.rename(place)
    try:
        facts: Facts = json.loads((place / STATE).read_bytes())
        whole = facts["job"] == job and facts["files"] == digests(place)
        return facts if whole and int(facts["step"]) > 0 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file but `state.json`, by name."""
    files = sorted(path for path in folder.iterdir() if path.name != STATE)
    return {path.name: _digest(path) for path in files}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
