"""Kill the builder at any moment: the next run ends with a clean build's digests.

More moments: `REPOBUILD_KILLS=200 pytest tests/promises/test_killed_anywhere.py`.
Kills during training are in `tests/benchmarks/crash.py`, with the table of outcomes.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from repobuild.engine.storage.state import open_state
from tests.repository import Repository
from tests.standard import Standard

KILLS = int(os.environ.get("REPOBUILD_KILLS", "6"))
BUILD = [sys.executable, "-m", "repobuild", "--until", "dataset", "--quiet", "-j1"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def module(seed: int) -> str:
    """Return a module whose functions call each other, another for each seed."""
    chosen = random.Random(seed)
    functions = [
        f"def f{n}(value):\n"
        f'    """Return step {n} of variant {seed}, made from what came before."""\n'
        f"    return f{chosen.randrange(40)}(value) + {chosen.randrange(9)}\n"
        for n in range(40)
    ]
    return "\n\n".join(functions)


def start(place: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(BUILD, cwd=place, env=ENVIRONMENT)


def seconds_of_a_build(place: Path) -> float:
    began = time.monotonic()
    assert start(place).wait() == 0
    return time.monotonic() - began


def digests(place: Path) -> dict[str, str]:
    state = open_state(place / ".git/repobuild", read_only=True)
    found = {line.name: line.digest.hex() for line in state.lines()}
    state.close()
    return found


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_build_is_continued_to_a_clean_ones_digests(
    number, repository: Repository, tmp_path
):
    chosen = random.Random(number)
    repository.commit({f"m{n}.py": module(n) for n in range(12)})
    whole = seconds_of_a_build(repository.path)
    if number % 2:  # a first build, or an update
        for left in (repository.path / ".git/repobuild").glob("build.db*"):
            left.unlink()
    repository.commit({f"m{n}.py": module(n + 100) for n in range(0, 12, 2)})
    process = start(repository.path)
    time.sleep(chosen.uniform(0, whole))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert start(repository.path).wait() == 0
    clean = Standard(repository.git, tmp_path / "clean")
    clean.build()
    assert digests(repository.path) == clean.digests()
    clean.close()


def test_an_interrupt_exits_with_130_and_says_how_to_continue(repository):
    repository.commit({f"m{n}.py": module(n) for n in range(12)})
    command = [*BUILD[:-2], "-j1"]
    process = subprocess.Popen(
        command, cwd=repository.path, env=ENVIRONMENT, stderr=subprocess.PIPE
    )
    database = repository.path / ".git/repobuild/build.db"
    while not database.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    if process.returncode == 0:
        pytest.skip("the build was done before the interrupt came")
    assert process.returncode == 130
    assert b"run again to continue" in said
