"""repobuild as its users start it: the installed script, as whole processes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
# Users have compiled modules: to compile ours at every start takes 100 ms.
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)
# What pip writes for the entry point; it imports `re` on its own account.
SCRIPT = f"""#!{sys.executable}
# -*- coding: utf-8 -*-
import re
import sys
from repobuild.__main__ import main
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit(main())
"""


def installed(place: Path) -> str:
    """Write the script into a folder, as an installation would; return its path."""
    place.mkdir(parents=True, exist_ok=True)
    script = place / "repobuild"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    return str(script)


def imports(script: str, place: Path, *arguments: str) -> list[str]:
    """Return the modules that a call imports, in order, from `-X importtime`."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", script, *arguments],
        cwd=place, env=ENVIRONMENT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if line.count("|") == 2]
    return [line.rsplit("|", 1)[1].strip() for line in lines[1:]]


def start_up(modules: list[str]) -> list[str]:
    """Return a command that imports these modules and does nothing else."""
    code = (
        "import sys\n"
        "from importlib import import_module\n"
        f"for name in {modules!r}:\n"
        "    try: import_module(name)\n"
        "    except ImportError: pass\n"
    )
    return [sys.executable, "-c", code]


def git(place: Path, *arguments: str) -> None:
    """Run git as a developer without settings of his own."""
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    quick = ["-c", "gc.auto=0", "-c", "core.fsync=none"]
    subprocess.run(
        ["git", *who, *quick, *arguments], cwd=place, check=True, capture_output=True
    )


def committed(place: Path) -> Path:
    """Make a folder a repository with one commit of all that lies in it."""
    git(place, "init", "-q")
    git(place, "add", "-A")
    git(place, "commit", "-qm", "all")
    return place


def built_rows(place: Path) -> dict[str, int]:
    """Return how many rows of each table the last build made, from the event log."""
    import json

    log = (place / ".git/repobuild/events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in log]
    last = max(event["build"] for event in events)
    return {
        event["table"]: event["counts"]["built"]
        for event in events
        if event["build"] == last and event["event"] == "table"
    }


def entries(place: Path) -> dict[str, int]:
    """Return how many logical rows each table holds."""
    database = sqlite3.connect(place / ".git/repobuild/build.db")
    try:
        return dict(database.execute("SELECT name, entries FROM tables"))
    finally:
        database.close()
