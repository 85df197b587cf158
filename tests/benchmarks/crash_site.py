"""The place of a crash: repositories to build, and what a killed build left there."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from repobuild.engine.rule import closure, read_rules
from repobuild.engine.storage.artifact_notes import read_notes
from repobuild.engine.storage.event_log import EventLog
from repobuild.engine.storage.state import open_state
from repobuild.resources import data_folder

ROOT = Path(__file__).parents[2]
PYTHON = [sys.executable, "-P", "-m", "repobuild"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
TABLES = tuple(
    closure(read_rules(data_folder("rules")), ["dataset"])
)  # in building order
TASKS = ("adapter", "merged", "report")
# One training takes some seconds: 75 steps, with checkpoints after 25 and 50.
SETTINGS = """
[adapter]
rank = 4
alpha = 8
budget = 19000
batch_tokens = 256

[report]
questions = 2
seed_questions = 2
loss_samples = 4
max_new_tokens = 8
"""
MODULES = 30
CHECKPOINT = "tmp/adapter-*/scratch/checkpoint/state.json"


# ------------------------------------------------------------------- repositories


def module(seed: int) -> str:
    """Return a module whose functions call each other, another for each seed."""
    chosen = random.Random(seed)
    functions = [
        f"def f{n}(value):\n"
        f'    """Return step {n} of variant {seed}, made from what came before."""\n'
        f"    return f{chosen.randrange(20)}(value) + {chosen.randrange(9)}\n"
        for n in range(20)
    ]
    return "\n\n".join(functions)


def git(place: Path, *arguments: str) -> str:
    who = ["-c", "user.name=A Developer", "-c", "user.email=dev@example.org"]
    command = ["git", "-C", str(place), *who, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


def commit(place: Path, modules: dict[int, int]) -> None:
    for number, seed in modules.items():
        (place / f"m{number}.py").write_text(module(seed))
    git(place, "add", ".")
    git(place, "commit", "-qm", "a change")


def templates(home: Path) -> None:
    """bare: two commits, no state; built: the first one built; ready: both built."""
    bare, built, ready = (home / name for name in ("bare", "built", "ready"))
    bare.mkdir()
    git(bare, "init", "-q", "-b", "main")
    (bare / "repobuild.toml").write_text(SETTINGS)
    commit(bare, {n: n for n in range(MODULES)})
    shutil.copytree(bare, built)
    run(built, "--until", "dataset")
    for place in (bare, built):
        commit(place, {n: n + 100 for n in range(0, MODULES, 3)})
    shutil.copytree(built, ready)
    run(ready, "--until", "dataset")


def run(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*PYTHON, *arguments]
    done = subprocess.run(
        command, cwd=place, env=ENVIRONMENT, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.stderr}")
    return done


# ------------------------------------------------------------------------- looking


def state(place: Path) -> Path:
    return place / ".git/repobuild"


def digests(place: Path) -> dict[str, str]:
    """Return the digest of every table, and the adapter of HEAD by its own."""
    opened = open_state(state(place), read_only=True)
    found = {ln.name: ln.digest.hex() for ln in opened.lines() if ln.name in TABLES}
    opened.close()
    for path in state(place).glob("objects/*/*.rows"):
        for entry in read_notes(path):
            found[entry["table"]] = entry["row"]["object"]
    found.pop("report", None)  # it holds the time at which it was made
    return found


def events(place: Path) -> list[dict[str, object]]:
    return list(EventLog(state(place) / "events.jsonl").read())


def where(place: Path, before: int, first: str) -> str:
    """Return what a killed build was at: a table, from `first` on, or a training."""
    found = events(place)[before:]
    names = [event["event"] for event in found]
    if "begin" not in names:
        return "start-up"
    if "end" in names:
        return "closing"
    order = [*TABLES, *TASKS]
    done = [order.index(str(e["table"])) for e in found if e["event"] == "table"]
    at = order[min(max([*done, order.index(first) - 1]) + 1, len(order) - 1)]
    if at != "adapter" or "adapter" not in names:
        return at
    step = checkpoint(place)
    return f"adapter, step {step} to {step + 25}" if step else "adapter, to step 25"


def checkpoint(place: Path) -> int:
    """Return the step of the newest whole checkpoint, 0 when there is none."""
    for path in sorted(state(place).glob(CHECKPOINT.replace("checkpoint/", "*/"))):
        with suppress(OSError, ValueError, KeyError):
            if path.parent.name != "checkpoint.new":
                return int(json.loads(path.read_text())["step"])
    return 0


def finished(place: Path) -> bool:
    """Whether an adapter is written whole: in the store, or on its way there."""
    written = list(state(place).glob("tmp/adapter-*/repobuild.json"))
    notes = state(place).glob("objects/*/*.rows")
    return bool(written or [n for path in notes for n in read_notes(path)])


def git_files(place: Path) -> str:
    """Return a digest of git's own files, the state left out."""
    total = hashlib.sha256()
    for path in sorted((place / ".git").rglob("*")):
        if "repobuild" not in path.parts and path.is_file():
            total.update(f"{path.relative_to(place)}\0".encode() + path.read_bytes())
    return total.hexdigest()


def session(number: int) -> Iterator[str]:
    """Yield the processes of a session that still run."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == number and fields[0] != "Z":
                name = (path.parent / "cmdline").read_text().replace("\0", " ")
                yield f"process {path.parent.name}: {name[:60]}"


def faults(place: Path, wanted: dict[str, str], files: str) -> list[str]:
    """Return what is not as after a build that was never killed."""
    found = digests(place)
    names = sorted(n for n in wanted | found if wanted.get(n) != found.get(n))
    bad = [f"digest of {name} differs" for name in names]
    left = [*state(place).glob("tmp/*"), *state(place).rglob("*.new")]
    bad += [f"left {path.relative_to(place)}" for path in left]
    bad += [f"set aside {path.name}" for path in state(place).rglob("*.bad*")]
    if not (state(place) / "build.db.seal").is_file():
        bad.append("not sealed")
    if git_files(place) != files or git(place, "fsck", "--no-progress").strip():
        bad.append("git's own files changed")
    verify = subprocess.run(
        [*PYTHON, "cache", "verify"], cwd=place, env=ENVIRONMENT, capture_output=True
    )
    if verify.returncode:
        bad.append("cache verify: " + verify.stdout.decode())
    return bad + held(state(place) / "lock")


def held(path: Path) -> list[str]:
    with path.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return ["the lock is held"]
    return []
