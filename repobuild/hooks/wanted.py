"""Hand a commit from a hook to the builder, so that none is lost and the last one wins.

A hook renames a file of three lines over `wanted`: commit, git folder, work tree. The
builder renames `wanted` to `building` before it reads it. So what a hook writes while
the builder works is a new `wanted`, and never one that the builder is about to remove.
`building` is removed when its build has ended; a builder that finds one continues it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from repobuild.engine.state_files import open_without_links

WANTED, BUILDING = "wanted", "building"
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_MOST_BYTES = 20_000
# What git leaves in its folder while a command waits for the user to continue it.
_IN_PROGRESS = {
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "sequencer": "cherry-pick or revert",
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisect",
}


@dataclass(frozen=True)
class WantedCommit:
    """A commit that a hook saw at HEAD, and where."""

    commit: str
    folder: Path  # the work tree's own git folder
    work_tree: Path

    @property
    def command_in_progress(self) -> str:
        """The git command that the work tree is in the middle of; "" for none."""
        for name, command in _IN_PROGRESS.items():
            if os.path.lexists(self.folder / name):
                return command
        return ""


def read_wanted(state: Path, name: str = WANTED) -> WantedCommit | None:
    """Return the commit that a file of the state names; None for no valid one.

    The file may have come with the repository: a commit is 40 or 64 hex digits and
    nothing else.
    """
    try:
        descriptor = open_without_links(state / name, os.O_RDONLY | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            text = os.fsdecode(file.read(_MOST_BYTES))
    except OSError:
        return None
    lines = text.removesuffix("\n").split("\n", 2)
    if len(lines) != 3 or not _COMMIT.fullmatch(lines[0]):
        return None
    return WantedCommit(lines[0], Path(lines[1]), Path(lines[2]))


def claim_wanted(state: Path) -> WantedCommit | None:
    """Return what to build: the newest `wanted`, or what another builder left undone.

    Only the holder of `builder.lock` may call it.
    """
    try:
        os.rename(state / WANTED, state / BUILDING)
    except FileNotFoundError:
        pass
    found = read_wanted(state, BUILDING)
    if found is None:
        release_claim(state)
    return found


def is_claimed(state: Path) -> bool:
    """Return whether the builder still holds a claim; `cancel` takes it away."""
    return (state / BUILDING).exists()


def cancel(state: Path) -> str:
    """Let nothing be wanted any more, a running build included; return its commit."""
    found = read_wanted(state) or read_wanted(state, BUILDING)
    for name in (WANTED, BUILDING):
        (state / name).unlink(missing_ok=True)
    return found.commit if found else ""


def release_claim(state: Path) -> None:
    """Forget the commit that was claimed: its build has ended."""
    (state / BUILDING).unlink(missing_ok=True)
