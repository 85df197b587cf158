"""All rows of docs/benchmarks/engine.md, what the engine costs, in one run.

    python -m tests.benchmarks.engine [--quick]

Prints Markdown: the machine, every table of the single benchmarks, and the bars with
met or not met. About half an hour on two idle cores. `--quick` takes small sizes and
few runs, a minute, to see that everything works; its figures answer no bar.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmarks import (
    growth,
    nothing_to_do,
    one_commit,
    standard_library,
    status_after_commit,
    table,
)
from tests.benchmarks.peers import Peers, gathered


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large everything is taken."""

    files: list[int]
    status: int
    growth: list[int]
    package: str
    runs: int


WHOLE = Sizes(
    nothing_to_do.FILES, status_after_commit.FILES, growth.FILES, package="", runs=11
)
QUICK = Sizes([100, 500], 500, [100, 300], package="json", runs=2)

Section = tuple[str, str, list[table.Bar]]


def sections(sizes: Sizes, peers: Peers) -> Iterator[Section]:
    """Yield title, tables and bars of every benchmark, as they are measured."""
    idle = nothing_to_do.run(sizes.files, sizes.runs, peers)
    yield "Nothing to do", nothing_to_do.shown(idle), nothing_to_do.bars(idle)
    status = status_after_commit.run(sizes.status, sizes.runs, peers)
    bars = status_after_commit.bars(status, sizes.status)
    yield "`status` after a commit", status_after_commit.shown(status), bars
    clean, commits = standard_library.run(sizes.package, sizes.runs, peers)
    bars = standard_library.clean_bars(clean)
    yield "Clean builds", standard_library.shown(clean), bars
    bars = standard_library.commit_bars(commits)
    yield "One commit", one_commit.shown(commits), bars
    grown = growth.run(sizes.growth, sizes.runs)
    yield "Growth", growth.shown(grown), growth.bars(grown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, few runs")
    options = parser.parse_args()
    peers = gathered()
    print(table.machine(peers.versions))
    for name, reason in peers.absent.items():
        print(f"\n{name} takes no part: {reason}.")
    found: list[table.Bar] = []
    for title, told, bars in sections(QUICK if options.quick else WHOLE, peers):
        print(f"\n### {title}\n\n{told}", flush=True)
        found += bars
        print(f"{title}: done", file=sys.stderr)
    title = "Bars, at sizes that answer none" if options.quick else "Bars"
    print(f"\n### {title}\n\n{table.bars(found)}")


if __name__ == "__main__":
    main()
