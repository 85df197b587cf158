"""What it costs when there is nothing to do, against peers on the same files.

    python -m tests.benchmarks.nothing_to_do [--files 100 2000 10000 100000] [--runs 15]

Every tool is up to date; each is started in turn, whole processes, and the medians are
printed with the ratio to repobuild's. The peers know one output per file (`cp`), dvc
tracks the folder. Up to 10,000 files repobuild has built `dataset`, above that `facts`;
nothing in the short way depends on it. What would take minutes above 10,000 files is
left out there (`LARGEST`). `make -r` is make without its built-in rules, which it
otherwise tries on every file.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.benchmarks import table
from tests.benchmarks.peers import Peers, gathered
from tests.benchmarks.table import Bar
from tests.benchmarks.timing import Command, Spent, race, spent
from tests.benchmarks.tool import ENVIRONMENT, committed, installed

FILES = [100, 2000, 10_000, 100_000]
LARGEST = {
    "make": 10_000,
    "snakemake -n": 10_000,
    "doit": 10_000,
    "dvc status": 10_000,
}
_TO_DATASET = 10_000
_BAR_SECONDS = 0.080
_NOISE = 1.25  # what "the same within noise" may differ by, largest to smallest
_FASTER = {"make": 1.0, "dvc status": 8.0}
_DOIT = """import glob, shutil
def task_cp():
    for n in sorted(glob.glob('src/*/*.py')):
        yield {'name': n, 'actions': [(shutil.copyfile, [n, 'doi' + n[3:]])],
               'file_dep': [n], 'targets': ['doi' + n[3:]]}
"""
_SNAKE = """import glob
rule all:
    input: ['out' + n[3:] for n in sorted(glob.glob('src/*/*.py'))]
rule cp:
    input: 'src/{n}.py'
    output: 'out/{n}.py'
    shell: 'cp {input} {output}'
"""


def repository(place: Path, count: int) -> list[str]:
    """Make and commit `count` small Python files; return their paths below `src`."""
    names = [f"p{number // 100}/m{number}.py" for number in range(count)]
    for number, name in enumerate(names):
        path = place / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f'def f{number}():\n    """Say {name}."""\n    return {name!r}\n'
        )
    goal = "dataset" if count <= _TO_DATASET else "facts"
    (place / "repobuild.toml").write_text(f'[build]\ngoals = ["{goal}"]\n')
    committed(place)
    (place / ".git/info/exclude").write_text("*\n")
    return names


def outputs(place: Path, name: str) -> None:
    """Make the outputs of a peer, newer than their sources, once."""
    if not (place / name).exists():
        shutil.copytree(place / "src", place / name, copy_function=shutil.copyfile)


def ours(place: Path, script: str) -> dict[str, Command]:
    """Return our calls; each is first made untimed: one answer is kept at a time."""
    whole = "dataset" in (place / "repobuild.toml").read_text()
    found = {}
    for words in ([], ["--until", "dataset" if whole else "facts"]):
        command = Command([script, *words], place, ENVIRONMENT)
        name = " ".join(["repobuild", *words[:1]])
        found[name] = replace(command, before=partial(spent, command))
    return found


def make(place: Path, names: list[str], peers: Peers) -> list[str]:
    outputs(place, "out")
    rules = "".join(f"out/{n}: src/{n}\n\tcp $< $@\n" for n in names)
    wanted = " ".join(f"out/{n}" for n in names)
    (place / "Makefile").write_text(f"all: {wanted}\n{rules}")
    return ["make", "-s", "all"]


def make_without_rules(place: Path, names: list[str], peers: Peers) -> list[str]:
    return [*make(place, names, peers), "-r"]


def ninja(place: Path, names: list[str], peers: Peers) -> list[str]:
    outputs(place, "nin")
    builds = "".join(f"build nin/{n}: touch src/{n}\n" for n in names)
    rule = "rule touch\n  command = : > $out\n"
    (place / "build.ninja").write_text(rule + builds)
    return ["ninja", "--quiet"]


def doit(place: Path, names: list[str], peers: Peers) -> list[str]:
    outputs(place, "doi")
    (place / "dodo.py").write_text(_DOIT)
    return [peers.program("doit"), "-v0"]


def dvc(place: Path, names: list[str], peers: Peers) -> list[str]:
    program = peers.program("dvc")
    quiet = ["config", "core.analytics", "false"]
    for words in (["init", "-q", "--no-scm"], quiet, ["add", "-q", "src"]):
        subprocess.run([program, *words], cwd=place, check=True, capture_output=True)
    return [program, "status", "-q"]


def snakemake(place: Path, names: list[str], peers: Peers) -> list[str]:
    outputs(place, "out")
    (place / "Snakefile").write_text(_SNAKE)
    return [peers.program("snakemake"), "-n", "-q"]


Prepare = Callable[[Path, list[str], Peers], list[str]]
# by the name that is shown; its first word is the peer's
PREPARE: dict[str, Prepare] = {
    "make": make, "make -r": make_without_rules, "ninja": ninja, "doit": doit,
    "dvc status": dvc, "snakemake -n": snakemake,
}  # fmt: skip


def measure(place: Path, count: int, runs: int, peers: Peers) -> dict[str, Spent]:
    """Return the medians by tool on `count` files."""
    names = repository(place, count)
    commands = ours(place, installed(place.parent / "bin"))
    commands["git status"] = Command(["git", "status", "--short"], place)
    for name, prepare in PREPARE.items():
        if name.split()[0] in peers and count <= LARGEST.get(name, count):
            commands[name] = Command(prepare(place, names, peers), place)
    for command in commands.values():  # bring everybody up to date
        spent(command)
    return race(commands, runs)


def shown(found: Mapping[int, Mapping[str, Spent]]) -> str:
    """Return the table: a row a tool, medians in milliseconds and times ours."""
    first = found[min(found)]
    rows = [[name, *(_cell(found[n], name) for n in found)] for name in first]
    return table.markdown(["", *(f"{n:,} files" for n in found)], rows)


def _cell(found: Mapping[str, Spent], name: str) -> str:
    if name not in found:
        return "left out"
    wall, mine = found[name].wall, found["repobuild"].wall
    ratio = "" if name == "repobuild" else f", {wall / mine:.1f} x"
    return table.milliseconds(wall) + ratio


def bars(found: Mapping[int, Mapping[str, Spent]]) -> list[table.Bar]:
    """Return the bars that these figures answer."""
    mine = [by_name["repobuild"].wall for by_name in found.values()]
    spread = max(mine) / min(mine)
    sizes = f"{min(found):,} to {max(found):,} files"
    told = [
        Bar(
            f"nothing to do, {sizes}",
            "at most 80 ms",
            f"{table.milliseconds(max(mine))} at most",
            max(mine) <= _BAR_SECONDS,
        ),
        Bar(
            "nothing to do, growth",
            "the same within noise",
            f"largest to smallest median {spread:.2f}",
            spread <= _NOISE,
        ),
    ]
    return told + [_faster(found, peer, times) for peer, times in _FASTER.items()]


def _faster(found: Mapping[int, Mapping[str, Spent]], peer: str, times: float) -> Bar:
    known = [count for count in found if peer in found[count]]
    if not known:
        return Bar(f"nothing to do, {peer}", f"{times:g} x", "peer absent", False)
    count = 2000 if 2000 in known else max(known)
    ratio = found[count][peer].wall / found[count]["repobuild"].wall
    what = f"nothing to do, {count:,} files"
    wanted = f"at least {times:g} times faster than `{peer}`"
    if times == 1:
        wanted = f"faster than `{peer}`"
    return Bar(what, wanted, f"{ratio:.1f} x", ratio > times)


def run(files: list[int], runs: int, peers: Peers) -> dict[int, dict[str, Spent]]:
    found = {}
    for count in files:
        with tempfile.TemporaryDirectory(prefix="repobuild-noop-") as name:
            few = runs if count <= _TO_DATASET else min(runs, 7)
            found[count] = measure(Path(name) / "here", count, few, peers)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, nargs="+", default=FILES)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    peers = gathered()
    print(table.machine(peers.versions), end="\n\n")
    found = run(options.files, options.runs, peers)
    print(shown(found), table.bars(bars(found)), sep="\n\n")


if __name__ == "__main__":
    main()
