"""A repository with hooks: git as a user calls it, and hooks written by hand."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from repobuild.hooks.builder_record import background_facts
from repobuild.hooks.hook_files import HooksFolder
from repobuild.hooks.hook_script import HookScript
from repobuild.hooks.wanted import WantedCommit, read_wanted
from tests.cases.commands import git, start

WAIT = 90.0  # seconds, after which a test that waits for something gives up
SETTINGS = '[build]\ngoals = ["facts"]\n[hook]\nwhen = "always"\n'
FILES = {
    "repobuild.toml": SETTINGS,
    "m.py": "def area(side):\n    return side * side\n",
}


def place(path: Path) -> Path:
    return start(path, FILES)


def state(repository: Path) -> Path:
    return repository / ".git" / "repobuild"


def hooks_of(repository: Path) -> HooksFolder:
    git_folder = repository / ".git"
    return HooksFolder(git_folder / "hooks", git_folder, repository)


def write_script(path: Path, text: str | bytes, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def fake_python(path: Path) -> Path:
    """An interpreter that only writes into a file beside it how it was called."""
    note = f"{path}.new"
    text = f'#!/bin/sh\n(echo "$*"; pwd; env) >"{note}"\nmv "{note}" "{path}.called"\n'
    return write_script(path, text)


def called(python: Path) -> str:
    """Return how the interpreter was called; waits for it."""
    record = Path(f"{python}.called")
    wait_for(record.exists)
    text = record.read_text()
    record.unlink()
    return text


def put_hooks(repository: Path, python: Path, *names: str) -> None:
    """Write hooks of ours that start this interpreter."""
    for name in names:
        script = HookScript(name, str(python), "", (), False)
        write_script(repository / ".git" / "hooks" / name, script.text())


def wanted(repository: Path) -> str:
    """Return the commit that is wanted, and forget it; "" for none."""
    found: WantedCommit | None = read_wanted(state(repository))
    (state(repository) / "wanted").unlink(missing_ok=True)
    return found.commit if found else ""


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def builder(repository: Path) -> dict[str, Any]:
    return background_facts(state(repository))


def wait_until_built(repository: Path, commit: str) -> None:
    """Wait until the builder has built a commit and has ended."""

    def is_done() -> bool:
        facts = builder(repository)
        ended = facts["state"] == "idle" and not facts["process"]
        return ended and facts["last"]["commit"] == commit

    try:
        wait_for(is_done)
    except AssertionError:
        log = state(repository) / "hook.log"
        text = log.read_text() if log.exists() else ""
        raise AssertionError(f"{builder(repository)}\n{text}") from None


def head(repository: Path) -> str:
    return git(repository, "rev-parse", "HEAD")


def find_program(name: str) -> str | None:
    """Return the path of a program, also beside an interpreter that is not on PATH."""
    beside = Path(sys.executable).with_name(name)
    return shutil.which(name) or (str(beside) if beside.exists() else None)
