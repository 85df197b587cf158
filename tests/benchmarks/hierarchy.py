"""Follow the hierarchy over a history: cost of a commit, and how far it drifts.

    python -m tests.benchmarks.hierarchy REPOSITORY [--commits 100]

Walks the last N first-parent commits, oldest first, up to `areas`, then encodes the
last commit anew in an empty state. Printed are, for commits that changed features:

    lifted     elements and files lifted, of all: what a model would have been asked
    tokens     the same in tokens of an LLM, at 120 of code and prompt for each element
    CPU        this process and its children, against a clean build of the same tables;
               for each table the median of a commit beside that of the clean build, ms
    renamed    nodes that are in both commits and have another label
    agreement  adjusted Rand index of the files' areas, categories and subcategories
               with those of the clean encode
    exact      tables that are byte for byte a clean build's
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from math import comb
from pathlib import Path
from typing import Any

import pygit2

from repobuild.code.areas.area_map import LEVELS, AreaMap
from repobuild.engine.build import Build
from repobuild.engine.rule import Rule
from repobuild.engine.storage.table_writer import TableResult
from repobuild.git.ancestors import first_parents
from repobuild.git.snapshot import at_commit
from tests.standard import Standard

_TOKENS = 120  # an element's code and its part of a prompt, at the mean
_EXACT = ("features", "graph", "cochange")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository")
    parser.add_argument("--commits", type=int, default=100)
    given = parser.parse_args()
    git = pygit2.Repository(given.repository)
    with tempfile.TemporaryDirectory() as place:
        figures = follow(git, given.commits, Path(place))
    print(json.dumps(figures, indent=2))


def follow(git: pygit2.Repository, count: int, place: Path) -> dict[str, Any]:
    """Return the figures of the last commits of a repository."""
    head = str(git.head.target)
    commits = [head, *first_parents(git, head, count)][::-1]
    grown = Standard(git, place / "grown")
    steps = [_step(grown, git, commit) for commit in commits]
    clean = Standard(git, place / "clean")
    last = _step(clean, git, commits[-1])
    # The outcome of a build lists the first 10,000 only; a table counts all.
    (elements,) = [t.entries for t in clean.state.lines() if t.name == "features"]
    changed = [step for step in steps[1:] if step["lifted"]]
    lifted = statistics.median(step["lifted"] for step in changed)
    cpu = statistics.median(step["cpu"] for step in changed)
    labels = [step["labels"] for step in steps]
    figures = {
        "commits": len(steps) - 1,
        "that changed features": len(changed),
        "files": len(last["map"].files),
        "elements and files": elements,
        "lifted, median": lifted,
        "lifting saved": 1 - lifted / elements,
        "tokens of all": sum(s["lifted"] for s in changed) * _TOKENS,
        "tokens of encoding each anew": len(changed) * elements * _TOKENS,
        "cpu of a commit, median": cpu,
        "cpu of a clean build": last["cpu"],
        "cpu saved": 1 - cpu / last["cpu"],
        "cpu by table": {
            name: [
                round(statistics.median(s["tables"][name] for s in changed), 1),
                round(whole, 1),
            ]
            for name, whole in last["tables"].items()
        },
        "encoded anew": sum(step["mode"] == "encode" for step in steps[1:]),
        "renamed nodes": sum(map(_renamed, labels, labels[1:])),
        "agreement": agreement(steps[-1]["map"], last["map"]),
        "exact": {t: grown.row_digests(t) == clean.row_digests(t) for t in _EXACT},
    }
    grown.close()
    clean.close()
    return figures


def _step(standard: Standard, git: pygit2.Repository, commit: str) -> dict[str, Any]:
    began = _cpu()
    build = standard.last = standard.open(at_commit(git, commit), jobs=1)
    tables = _timed(build)
    done = build.run(["areas"])
    spent = _cpu() - began
    gc.unfreeze()  # a build ends with its process, and leaves its cycles to that
    gc.collect()
    row = build.table("areas").get(commit)
    assert row is not None
    areas = AreaMap.read(build.store.checked_path(str(row["object"])))
    return {
        "cpu": round(spent, 3),
        "tables": tables,
        "lifted": len(done["features"].entries),
        "mode": row["mode"],
        "map": areas,
        "labels": {id: node.label for id, node in areas.nodes.items()},
    }


def _timed(build: Build) -> dict[str, float]:
    """Return where the CPU time of each table will be noted, in ms."""
    spent: dict[str, float] = {}
    update = build._update

    def timed(rule: Rule) -> TableResult:
        began = _cpu()
        try:
            return update(rule)
        finally:
            spent[rule.name] = (_cpu() - began) * 1000

    build._update = timed
    return spent


def _cpu() -> float:
    spent = time.process_time()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent + children.ru_utime + children.ru_stime


def _renamed(old: Mapping[str, str], new: Mapping[str, str]) -> int:
    return sum(old[id] != new[id] for id in old.keys() & new.keys())


def agreement(one: AreaMap, other: AreaMap) -> dict[str, float]:
    """Return the adjusted Rand index of two hierarchies, by level."""
    return {
        name: round(adjusted_rand(_groups(one, level), _groups(other, level)), 3)
        for level, name in enumerate(LEVELS)
    }


def _groups(areas: AreaMap, level: int) -> dict[str, str]:
    return {
        path: [*areas.line(file.node)][::-1][level]
        for path, file in areas.files.items()
    }


def adjusted_rand(one: Mapping[str, str], other: Mapping[str, str]) -> float:
    """Return how far two partitions agree: 1 = equal, 0 = as by chance."""
    keys = one.keys() & other.keys()
    both = _pairs(Counter((one[k], other[k]) for k in keys))
    first = _pairs(Counter(one[k] for k in keys))
    second = _pairs(Counter(other[k] for k in keys))
    chance = first * second / (comb(len(keys), 2) or 1)
    most = (first + second) / 2
    return 1.0 if most == chance else (both - chance) / (most - chance)


def _pairs(counts: Counter[Any]) -> int:
    return sum(comb(count, 2) for count in counts.values())


if __name__ == "__main__":
    main()
