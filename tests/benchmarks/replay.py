"""Walk a history and hold every incremental build against a clean one.

    python -m tests.benchmarks.replay REPOSITORY [--commits 300] [--every 1]

Walks the last N first-parent commits, oldest first, in one state; at every k-th commit
a clean build is made beside it and every table digest compared. Prints a line for each
difference, then the CPU time of an incremental build as a share of a clean one's, at
the median, and exits with 1 when anything differed. Sufficiency is the equality of
digests; minimality is read from the event log: a table whose input did not change has
no built row.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import pygit2

from repobuild.git.snapshot import at_commit
from tests.standard import Standard


def history(repository: pygit2.Repository, count: int) -> list[str]:
    """Return the last first-parent commits, oldest first."""
    return at_commit(repository).ancestors(count)[::-1]


def spent(
    build: Standard, repository: pygit2.Repository, commit: str, goal: str
) -> float:
    """Build a commit; return the CPU seconds of this process."""
    began = time.process_time()
    build.build(goal, at_commit(repository, commit), jobs=1)
    return time.process_time() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--commits", type=int, default=300)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--goal", default="dataset")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="repobuild-replay-") as name:
        return replay(options, Path(name))


def replay(options: argparse.Namespace, place: Path) -> int:
    repository = pygit2.Repository(str(options.repository))
    commits = history(repository, options.commits)
    grown = Standard(repository, place / "grown")
    spent(grown, repository, commits[0], options.goal)
    shares: list[float] = []
    steps: list[float] = []
    different = compared = 0
    for number, commit in enumerate(commits[1:], 1):
        step = spent(grown, repository, commit, options.goal)
        steps.append(step)
        if number % options.every:
            continue
        clean = Standard(repository, place / f"clean-{number}")
        whole = spent(clean, repository, commit, options.goal)
        shares.append(step / whole)
        compared += 1
        mine, theirs = grown.digests(), clean.digests()
        clean.close()
        shutil.rmtree(clean.place)
        for table in sorted(mine.keys() | theirs.keys()):
            if mine.get(table) != theirs.get(table):
                different += 1
                print(f"{commit[:10]} {table} differs", flush=True)
        if number % 25 == 0:
            print(f"{number}/{len(commits) - 1}, {different} differ", flush=True)
    print(f"commits built     {len(commits)}")
    print(f"compared clean    {compared}, tables that differ: {different}")
    print(f"CPU a commit      {statistics.median(steps) * 1000:.0f} ms at the median")
    saved = 1 - statistics.median(shares)
    print(f"CPU saved         {saved:.2%} of a clean build at the median")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
