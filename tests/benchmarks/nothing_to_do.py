"""What it costs when there is nothing to do, against peers on the same files.

    python -m tests.benchmarks.nothing_to_do [--files 100 2000 10000] [--runs 15]

Every tool is up to date; each is started in turn, whole processes, and the medians are
printed with the ratio to repobuild's. make and ninja know one output per file; dvc and
doit take part when they are on the path (`pip install dvc doit` elsewhere).
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

REPOBUILD = [sys.executable, "-m", "repobuild"]
Prepare = Callable[[Path, list[str]], list[str]]


def make(place: Path, names: list[str]) -> list[str]:
    rules = "".join(f"out/{n}: src/{n}\n\tcp $< $@\n" for n in names)
    outputs = " ".join(f"out/{n}" for n in names)
    (place / "Makefile").write_text(f"all: {outputs}\n{rules}")
    return ["make", "-s", "all"]


def ninja(place: Path, names: list[str]) -> list[str]:
    builds = "".join(f"build nin/{n}: cp src/{n}\n" for n in names)
    (place / "build.ninja").write_text(f"rule cp\n  command = cp $in $out\n{builds}")
    return ["ninja", "--quiet"]


def doit(place: Path, names: list[str]) -> list[str]:
    (place / "dodo.py").write_text(
        "import os\n"
        "def task_cp():\n"
        "    for n in sorted(os.listdir('src')):\n"
        "        yield {'name': n, 'actions': [f'cp src/{n} doi/{n}'],\n"
        "               'file_dep': [f'src/{n}'], 'targets': [f'doi/{n}']}\n"
    )
    return ["doit", "-v0"]


def dvc(place: Path, names: list[str]) -> list[str]:
    subprocess.run(["dvc", "init", "-q", "--no-scm"], cwd=place, check=True)
    subprocess.run(["dvc", "add", "-q", "src"], cwd=place, check=True)
    return ["dvc", "status", "-q"]


PEERS: dict[str, Prepare] = {"make": make, "ninja": ninja, "doit": doit, "dvc": dvc}


def repository(place: Path, count: int) -> list[str]:
    """Make and commit `count` small Python files; return their names."""
    names = [f"m{number}.py" for number in range(count)]
    for folder in ("src", "out", "nin", "doi"):
        (place / folder).mkdir(parents=True)
    for name in names:
        (place / "src" / name).write_text(f"def f():\n    return {name!r}\n")
    (place / "repobuild.toml").write_text('[build]\ngoals = ["facts"]\n')
    for command in (["init", "-q"], ["add", "src"], ["commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=place, check=True)
    return names


def seconds(command: list[str], place: Path) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=place, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def measure(place: Path, count: int, runs: int) -> None:
    names = repository(place, count)
    commands = {"repobuild": REPOBUILD, "git status": ["git", "status", "--short"]}
    for name, prepare in PEERS.items():
        if shutil.which(name):
            commands[name] = prepare(place, names)
    for command in commands.values():  # bring everybody up to date
        subprocess.run(command, cwd=place, check=True, capture_output=True)
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            times[name].append(seconds(command, place))
    ours = statistics.median(times["repobuild"])
    for name, found in times.items():
        median = statistics.median(found)
        shown = f"{median * 1000:7.0f} ms  {median / ours:6.1f} x"
        print(f"{count:>7} files  {name:<11} {shown}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, nargs="+", default=[100, 2000, 10000])
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    for count in options.files:
        with tempfile.TemporaryDirectory(prefix="repobuild-noop-") as name:
            measure(Path(name), count, options.runs)


if __name__ == "__main__":
    main()
