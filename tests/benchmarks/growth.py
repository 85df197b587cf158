"""How the cost of one commit grows with the repository.

    python -m tests.benchmarks.growth [--files 1000 10000] [--runs 7]

The same edits, up to `dataset`, on synthetic repositories of two sizes (synthetic.py),
in turn. The bar is held against CPU beyond start-up, which is the harder reading: the
start of the process costs the same at any size. Use of the ten `core` modules grows
with the repository, so a changed function of theirs has more users in a larger one; it
is shown, but the bar is about the other edits.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks import one_commit, synthetic, table
from tests.benchmarks.edits import Edit, body, comment, docstring, signature
from tests.benchmarks.one_commit import Commits, Costs
from tests.benchmarks.timing import Spent, median, spent
from tests.benchmarks.tool import committed

FILES = [1000, 10_000]
_BAR = 1.3
_CORE = "body of a `core` function"


def edits(count: int) -> list[Edit]:
    """Return edits of a module in the middle, and of one that all packages use."""
    number = count // 2
    path = synthetic.name(number).replace(".", "/") + ".py"
    first, last = (synthetic.function(number, place) for place in (0, 4))
    return [
        Edit("body of a function that others call", path, body(first)),
        Edit("body of a function that none calls", path, body(last)),
        Edit("signature", path, signature(first)),
        Edit("docstring", path, docstring(first)),
        Edit("comment", path, comment(first)),
        Edit(_CORE, "core/base1.py", body(synthetic.function(1, 0))),
    ]


def measure(folder: Path, sizes: list[int], runs: int) -> dict[int, Costs]:
    """Make every edit `runs` times at every size, the sizes in turn."""
    by_size = {size: _built(folder / str(size), size) for size in sizes}
    starts = {n: c.start_up(edits(n)[1]) for n, c in by_size.items()}
    started: list[Spent] = []
    found: dict[int, dict[str, list[Spent]]] = {size: {} for size in sizes}
    for _ in range(runs):
        started += [spent(command) for command in starts.values()]
        for whats in zip(*(edits(size) for size in sizes), strict=True):
            for size, edit in zip(sizes, whats, strict=True):
                cost = by_size[size].step(edit)
                found[size].setdefault(edit.what, []).append(cost)
    return {
        size: Costs(
            median(started),
            {what: median(costs) for what, costs in found[size].items()},
            by_size[size].rows,
        )
        for size in sizes
    }


def _built(folder: Path, size: int) -> Commits:
    commits = Commits(committed(synthetic.write(folder / "here", size)))
    spent(commits.build)
    return commits


def shown(found: Mapping[int, Costs]) -> str:
    """Return the tables of edits by size, and of their ratios."""
    told = [f"{n:,} files:\n\n{one_commit.shown(costs)}" for n, costs in found.items()]
    ratios = [
        [what, f"{_ratio(found, what, start=True):.2f}", f"{_ratio(found, what):.2f}"]
        for what in found[min(found)].by_edit
    ]
    head = [f"{max(found):,} to {min(found):,} files", "CPU", "CPU beyond start-up"]
    return "\n\n".join([*told, table.markdown(head, ratios)])


def _ratio(found: Mapping[int, Costs], what: str, start: bool = False) -> float:
    small, large = found[min(found)], found[max(found)]
    if start:
        return large.by_edit[what].cpu / small.by_edit[what].cpu
    return large.beyond(what) / max(small.beyond(what), 1e-3)


def bars(found: Mapping[int, Costs]) -> list[table.Bar]:
    """Return the bar of growth: the geometric mean over the ordinary edits."""
    whats = [what for what in found[min(found)].by_edit if what != _CORE]
    product = 1.0
    for what in whats:
        product *= _ratio(found, what)
    mean = product ** (1 / len(whats))
    worst = max(whats, key=lambda what: _ratio(found, what))
    measured = f"{mean:.2f} at the mean, {_ratio(found, worst):.2f} at most ({worst})"
    what = f"one-function commit, {max(found):,} to {min(found):,} files"
    return [table.Bar(what, f"at most {_BAR} times", measured, mean <= _BAR)]


def run(sizes: list[int], runs: int) -> dict[int, Costs]:
    with tempfile.TemporaryDirectory(prefix="repobuild-growth-") as name:
        return measure(Path(name), sizes, runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, nargs=2, default=FILES)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    print(table.machine({}), end="\n\n")
    found = run(options.files, options.runs)
    print(shown(found), table.bars(bars(found)), sep="\n\n")


if __name__ == "__main__":
    main()
