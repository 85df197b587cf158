"""Run git, and the product as a user does, in small repositories."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CODE = Path(__file__).parents[2]
_WHO = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "t"), ("EMAIL", "t@example.org"))
}
_GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, **_WHO}


def git(place: Path, *arguments: str, **options: Any) -> str:
    """Run git in a folder and return its output without the last newline."""
    done = subprocess.run(
        ["git", *arguments], cwd=place, check=True, stdout=-1, text=True,
        env={**os.environ, **_GIT}, **options,
    )  # fmt: skip
    return done.stdout.rstrip("\n")


def start(place: Path, files: dict[str, str], *options: str) -> Path:
    """Make a repository of one commit."""
    place.mkdir(parents=True)
    git(place, "init", "-q", "-b", "main", *options)
    commit(place, files)
    return place


def commit(place: Path, files: dict[str, str]) -> str:
    """Write files, commit all of them and return the commit's id."""
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    git(place, "add", "-A")
    git(place, "commit", "-q", "--allow-empty", "-m", "a change")
    return git(place, "rev-parse", "HEAD")


def repobuild(
    place: Path,
    *arguments: str,
    variables: dict[str, str] | None = None,
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    """Run the product in a folder; what it prints shows no traceback."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "repobuild", *arguments],
        **{"cwd": place, "capture_output": True, "text": True, **options},
        env={**os.environ, **_GIT, "PYTHONPATH": str(CODE), **(variables or {})},
    )
    assert "Traceback" not in (done.stderr or ""), done.stderr
    return done


def program_on_path(folder: Path) -> dict[str, str]:
    """Return an environment in which `repobuild` is this checkout, by a script."""
    script = folder / "bin/repobuild"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m repobuild "$@"\n')
    script.chmod(0o755)
    path = f"{script.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(CODE)}


def digests(place: Path) -> dict[str, str]:
    """Return the digest of every table of a repository's state."""
    facts = json.loads(repobuild(place, "status", "--json").stdout)
    return {table["name"]: table["digest"] for table in facts["tables"]}
