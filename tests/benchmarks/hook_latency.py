"""How long a git command takes with our hook and without, and the hook by itself.

    python -m tests.benchmarks.hook_latency [--runs 100]

Each run is an empty commit, so that the hook is most of what differs. All kinds are run
in turn, while a background build is under way (it waits for the state's lock, so that
it takes no time of its own). Each hook starts another builder, which gives up after a
second of looking at the lock ten times.
"""

from __future__ import annotations

import argparse
import fcntl
import tempfile
from pathlib import Path

from tests.benchmarks.timing import Command, Spent, median, spent, spent_in_turn
from tests.benchmarks.tool import ENVIRONMENT
from tests.cases.commands import git, repobuild
from tests.hooks.place import builder, place, state, wait_for

WHO = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
COMMIT = [*WHO, "commit", "-q", "--allow-empty", "-m", "x"]
_BAR_SECONDS = 0.100  # of the hook by itself, at most


def commands(here: Path) -> dict[str, Command]:
    commit = ["git", *COMMIT]
    off = {**ENVIRONMENT, "REPOBUILD": "0"}
    bare = ["git", "-c", "core.hooksPath=/dev/null", *COMMIT]
    return {
        "commit without a hook": Command(bare, here, ENVIRONMENT),
        "commit, REPOBUILD=0": Command(commit, here, off),
        "commit with the hook": Command(commit, here, ENVIRONMENT),
        "the hook": Command([str(here / ".git/hooks/post-commit")], here, ENVIRONMENT),
    }


def measure(here: Path, runs: int) -> dict[str, list[Spent]]:
    """Run every kind in turn while a build is under way."""
    repobuild(here, "hook", "install", "post-commit")
    state(here).mkdir(exist_ok=True)
    kinds = commands(here)
    with (state(here) / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        spent(kinds["commit with the hook"])
        wait_for(lambda: builder(here)["state"] == "building")
        times = spent_in_turn(kinds, runs)
        repobuild(here, "hook", "uninstall")
        wait_for(lambda: builder(here)["state"] == "idle")
    return times


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--runs", type=int, default=100)
    runs = options.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        here = place(Path(folder) / "here")
        times = measure(here, runs)
        print(f"{runs} runs of each, {git(here, '--version')}")
    for name, found in times.items():
        middle, most = median(found), max(one.wall for one in found)
        print(
            f"  {name:24} median {middle.wall * 1000:6.1f} ms, at most "
            f"{most * 1000:6.1f} ms, CPU {middle.cpu * 1000:5.1f} ms"
        )
    worst = max(one.wall for one in times["the hook"])
    print(f"target of {_BAR_SECONDS * 1000:.0f} ms: {worst <= _BAR_SECONDS}")


if __name__ == "__main__":
    main()
