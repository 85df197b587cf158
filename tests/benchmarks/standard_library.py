"""The Python standard library with its tests: clean builds, memory, state, one commit.

    python -m tests.benchmarks.standard_library [--package NAME] [--runs 5]

Copies the interpreter's own library (1,790 files, 860,000 lines in 3.11) into a new
repository, and times whole processes: clean builds up to `graph` and up to `dataset`,
and in the same run the peers: `ctags -R`, `ast.parse` of every file on one core and on
all, and the full rebuild of a networkx graph that a naive tool does on every commit
(naive.py). Then commits of one small edit, see one_commit.py. `--package json` takes
one package only, to try it out.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.benchmarks import one_commit, table
from tests.benchmarks.edits import (
    Edit,
    body,
    comment,
    docstring,
    new_function,
    new_import,
    signature,
)
from tests.benchmarks.peers import Peers, gathered
from tests.benchmarks.table import Bar
from tests.benchmarks.timing import Command, Spent, median, spent
from tests.benchmarks.tool import ENVIRONMENT, committed, entries, installed

EDITS = [
    Edit("inner helper, body", "Lib/textwrap.py", body("TextWrapper._split")),
    Edit("`posixpath.join`, body", "Lib/posixpath.py", body("join")),
    Edit("`posixpath.join`, signature", "Lib/posixpath.py", signature("join")),
    Edit(
        "`TestCase.assertEqual`, body", "Lib/unittest/case.py",
        body("TestCase.assertEqual"),
    ),
    Edit("`argparse` base class, body", "Lib/argparse.py", body("Action.format_usage")),
    Edit("docstring of `shutil.copy`", "Lib/shutil.py", docstring("copy")),
    Edit("comment in `shutil.move`", "Lib/shutil.py", comment("move")),
    Edit("new import in `textwrap`", "Lib/textwrap.py", new_import("colorsys")),
    Edit("new function in `glob`", "Lib/glob.py", new_function),
]  # fmt: skip
PACKAGE_EDITS = [
    Edit("function, body", "Lib/json/decoder.py", body("JSONDecoder.decode")),
]
_GRAPH_SECONDS = 12.0
_SAMPLES_A_SECOND = 5000
_ELEMENTS_A_SECOND = 2000
_MEMORY = 1.5e9
_STATE = 3.0
_COMMIT_SECONDS = 0.300


@dataclass(frozen=True, slots=True)
class Clean:
    """What clean builds cost; `sizes` in bytes, `samples` counted."""

    costs: Mapping[str, Spent]
    samples: int
    elements: int
    source: int
    state: int


def library(place: Path, package: str = "") -> Path:
    """Copy the standard library's sources into a new repository and commit them."""
    source = Path(sysconfig.get_path("stdlib"))
    for path in (source / package).rglob("*.py"):
        if "site-packages" not in path.parts:
            target = place / "Lib" / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return committed(place)


def clean(place: Path, peers: Peers, runs: int) -> Clean:
    """Time clean builds and peers in turn; the last state is left up to `dataset`."""
    commands = _builds(place) | _peers(place, peers)
    found: dict[str, list[Spent]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            found[name].append(spent(command, watch=True))
    state = place / ".git/repobuild"
    return Clean(
        {name: median(costs) for name, costs in found.items()},
        entries(place)["samples"],
        elements(place),
        _bytes(place / "Lib"),
        _bytes(state),
    )


def _builds(place: Path) -> dict[str, Command]:
    script = installed(place.parent / "bin")
    forget = partial(shutil.rmtree, place / ".git/repobuild", ignore_errors=True)

    def build(goal: str) -> Command:
        words = [script, "--until", goal, "-q"]
        return Command(words, place, ENVIRONMENT, before=forget)

    return {
        f"repobuild, clean, to `{goal}`": build(goal)
        for goal in ("facts", "graph", "dataset")
    }


def _peers(place: Path, peers: Peers) -> dict[str, Command]:
    python = peers.program("python")
    naive = [
        python,
        "-P",
        str(Path(__file__).with_name("naive.py")),
        str(place / "Lib"),
    ]
    cores = len(os.sched_getaffinity(0))
    found = {"`ast.parse`, one core": [*naive, "ast"]}
    if cores > 1:
        found[f"`ast.parse`, {cores} cores"] = [*naive, "ast", str(cores)]
    if "networkx" in peers:
        found["networkx graph, full rebuild"] = [*naive, "graph"]
    if "ctags" in peers:
        found["ctags -R"] = ["ctags", "-R", "-f", str(place.parent / "tags"), "Lib"]
    return {name: Command(words, place) for name, words in found.items()}


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def shown(found: Clean) -> str:
    """Return the table of clean builds and peers."""
    rows = [
        [
            name,
            f"{cost.wall:.1f} s",
            f"{cost.cpu:.1f} s",
            f"{cost.peak / 1e6:,.0f} MB",
        ]
        for name, cost in found.costs.items()
    ]
    told = (
        f"{found.samples:,} samples; sources {found.source / 1e6:.1f} MB, state up to "
        f"`dataset` {found.state / 1e6:.1f} MB."
    )
    return table.markdown(["", "wall", "CPU", "peak"], rows) + f"\n\n{told}"


def clean_bars(found: Clean) -> list[Bar]:
    """Return the bars of clean builds: time, memory, state."""
    facts, graph, dataset = _ours(found)
    allowed = graph.wall + found.samples / _SAMPLES_A_SECOND
    peak = max(graph.peak, dataset.peak)
    share = found.state / found.source
    rate = found.elements / graph.wall
    return [
        Bar(
            "elements analysed, up to `graph`", f"at least {_ELEMENTS_A_SECOND:,}/s",
            f"{rate:,.0f}/s ({found.elements / facts.wall:,.0f}/s up to `facts`)",
            rate >= _ELEMENTS_A_SECOND,
        ),
        _samples_bar(found, graph, dataset),
        Bar(
            "clean build to `graph`, standard library", f"at most {_GRAPH_SECONDS:g} s",
            f"{graph.wall:.1f} s", graph.wall <= _GRAPH_SECONDS,
        ),
        Bar(
            "clean build to `dataset`, same",
            f"`graph` plus 1 s per {_SAMPLES_A_SECOND:,} samples: {allowed:.1f} s",
            f"{dataset.wall:.1f} s", dataset.wall <= allowed,
        ),
        Bar(
            "memory of a clean build, same", "at most 1.5 GB",
            f"{peak / 1e9:.2f} GB", peak <= _MEMORY,
        ),
        Bar(
            "state on disk, same", f"at most {_STATE:g} times the sources",
            f"{share:.2f} times", share <= _STATE,
        ),
    ]  # fmt: skip


def _ours(found: Clean) -> list[Spent]:
    return [cost for name, cost in found.costs.items() if "repobuild" in name]


def _samples_bar(found: Clean, graph: Spent, dataset: Spent) -> Bar:
    """Return the bar of samples: all that is made of the graph, split and filtered."""
    rate = found.samples / (dataset.wall - graph.wall)
    return Bar(
        "samples made, `graph` to `dataset`", f"at least {_SAMPLES_A_SECOND:,}/s",
        f"{rate:,.0f}/s", rate >= _SAMPLES_A_SECOND,
    )  # fmt: skip


def elements(place: Path) -> int:
    """Return how many code elements the graph of a repository holds."""
    command = [installed(place.parent / "bin"), "show", "@project", "--json"]
    done = subprocess.run(
        command, cwd=place, env=ENVIRONMENT, capture_output=True, check=True
    )
    project = json.loads(done.stdout)["rows"]["graph"]
    return int(project["statistics"]["total_elements"])


def commit_bars(costs: one_commit.Costs) -> list[Bar]:
    """Return the bar of one commit, by the edit that costs most."""
    worst = costs.beyond(costs.worst)
    return [
        Bar(
            "one-function commit up to `dataset`, same",
            f"at most {_COMMIT_SECONDS * 1000:g} ms of CPU beyond start-up",
            f"{table.milliseconds(worst)} at most ({costs.worst})",
            worst <= _COMMIT_SECONDS,
        )
    ]


def run(package: str, runs: int, peers: Peers) -> tuple[Clean, one_commit.Costs]:
    """Return what clean builds and what commits cost."""
    with tempfile.TemporaryDirectory(prefix="repobuild-library-") as name:
        place = library(Path(name) / "here", package)
        whole = clean(place, peers, max(1, runs // 3))
        edits = PACKAGE_EDITS if package else EDITS
        return whole, one_commit.measure(one_commit.Commits(place), edits, runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--package", default="")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    peers = gathered()
    print(table.machine(peers.versions), end="\n\n")
    whole, commits = run(options.package, options.runs, peers)
    told = table.bars(clean_bars(whole) + commit_bars(commits))
    print(shown(whole), one_commit.shown(commits), told, sep="\n\n")


if __name__ == "__main__":
    main()
