"""How the state grows over a real history, with and without `repobuild cache gc`.

    python -m tests.benchmarks.state_growth REPOSITORY [--commits 200] [--goal dataset]

Clones the repository twice and builds its last first-parent commits, oldest first,
with the installed script; in the second clone `cache gc` runs after every tenth commit.
Prints the size of the state on the way, and that of a clean build of the last commit.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks import table
from tests.benchmarks.tool import ENVIRONMENT, installed

COMMITS = 200
_POINTS = 5
_GC_EVERY = 10
Sizes = dict[int, Mapping[str, int]]


def history(repository: Path, count: int) -> list[str]:
    """Return the last first-parent commits, oldest first."""
    words = ["git", "rev-list", "--first-parent", f"--max-count={count + 1}", "HEAD"]
    done = subprocess.run(words, cwd=repository, capture_output=True, check=True)
    return done.stdout.decode().split()[::-1]


def grown(place: Path, commits: list[str], goal: str, gc: bool) -> Sizes:
    """Build commit after commit; return the sizes of the state's parts on the way."""
    points = {round(n * (len(commits) - 1) / _POINTS) for n in range(_POINTS + 1)}
    sizes: Sizes = {}
    for number, commit in enumerate(commits):
        _call(place, "--commit", commit, "--until", goal, "-q")
        if gc and number and number % _GC_EVERY == 0:
            _call(place, "cache", "gc", "--json")
        if number in points:
            sizes[number] = parts(place)
    return sizes


def parts(place: Path) -> dict[str, int]:
    """Return the bytes of the database with its log, of the events, of the rest."""
    found = {"database": 0, "events": 0, "rest": 0}
    for path in (place / ".git/repobuild").rglob("*"):
        known = {"build.db": "database", "events.jsonl": "events"}
        name = next((v for k, v in known.items() if path.name.startswith(k)), "rest")
        found[name] += path.stat().st_size if path.is_file() else 0
    return found


def measure(folder: Path, repository: Path, count: int, goal: str) -> dict[str, Sizes]:
    """Return the sizes by commit, without and with gc, and of a clean build."""
    installed(folder / "bin")
    commits = history(repository, count)
    found = {}
    for name, gc in (("without gc", False), ("gc every tenth commit", True)):
        place = folder / name.split()[0]
        words = ["git", "clone", "-q", "--no-checkout", str(repository), str(place)]
        subprocess.run(words, check=True)
        found[name] = grown(place, commits, goal, gc)
    shutil.rmtree(place / ".git/repobuild")
    found["clean"] = grown(place, commits[-1:], goal, False)
    return found


def _call(place: Path, *arguments: str) -> None:
    script = place.parent / "bin/repobuild"
    subprocess.run(
        [str(script), *arguments], cwd=place, env=ENVIRONMENT, check=True,
        capture_output=True,
    )  # fmt: skip


def shown(found: Mapping[str, Sizes]) -> str:
    """Return the table, in MB, and the growth a commit."""
    rows, told = [], []
    for name, sizes in found.items():
        for number, size in sizes.items():
            cells = [f"{value / 1e6:.2f}" for value in size.values()]
            rows.append([f"{name}, commit {number}", *cells, _megabytes(size)])
        first, last = min(sizes), max(sizes)
        if last > first:
            more = sum(sizes[last].values()) - sum(sizes[first].values())
            told.append(f"{name}: {more / (last - first):,.0f} bytes a commit")
    head = ["MB", *next(iter(found["clean"].values())), "all"]
    return table.markdown(head, rows) + "\n\n" + "; ".join(told) + "."


def _megabytes(size: Mapping[str, int]) -> str:
    return f"{sum(size.values()) / 1e6:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--commits", type=int, default=COMMITS)
    parser.add_argument("--goal", default="dataset")
    options = parser.parse_args()
    print(table.machine({}), end="\n\n")
    with tempfile.TemporaryDirectory(prefix="repobuild-state-") as name:
        source = options.repository.resolve()
        print(shown(measure(Path(name), source, options.commits, options.goal)))


if __name__ == "__main__":
    main()
