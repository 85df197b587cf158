"""Follow how far the hierarchy drifts from a clean one over a history.

    python -m tests.benchmarks.drift REPOSITORY [--commits 200] [--every 20]

Walks the last N first-parent commits, oldest first, up to `areas`; the hierarchy is
encoded at the first and goes on from there. At each K-th commit (`--every K`), and at
the last, it is compared with one that is encoded from the tables of that commit alone,
which are a clean build's. Printed is the adjusted Rand index of the files' areas,
categories and subcategories: 1 = equal, 0 = as by chance. Beside it is how far the
clean encode itself has gone from that of the first commit: what a user would see move
without a memory. `churn` counts files that changed places since the last encode.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

import pygit2

from repobuild.code.areas.area_map import LEVELS, AreaMap
from repobuild.code.areas.areas import encode_anew
from repobuild.git.ancestors import first_parents
from repobuild.git.snapshot import at_commit
from tests.benchmarks.hierarchy import agreement
from tests.benchmarks.table import markdown
from tests.standard import Standard


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository")
    parser.add_argument("--commits", type=int, default=200)
    parser.add_argument("--every", type=int, default=20)
    given = parser.parse_args()
    git = pygit2.Repository(given.repository)
    with tempfile.TemporaryDirectory() as place:
        print(follow(git, given.commits, given.every, Path(place)))


def follow(git: pygit2.Repository, count: int, every: int, place: Path) -> str:
    """Return the table of agreements."""
    head = str(git.head.target)
    commits = [head, *first_parents(git, head, count)][::-1]
    standard = Standard(git, place)
    rows: list[list[str]] = []
    found: list[dict[str, float]] = []
    first: AreaMap | None = None
    encodes = 0
    for number, commit in enumerate(commits):
        row, areas = _build(standard, commit)
        encodes += number > 0 and row["mode"] == "encode"
        if first is None:
            first = areas
        if number == 0 or (number % every and number != len(commits) - 1):
            continue
        assert standard.last is not None
        clean = encode_anew(standard.last)
        found.append(agreement(areas, clean))
        rows.append(
            [
                str(number),
                f"{len(areas.files):,}",
                str(areas.churn),
                str(encodes),
                _cell(found[-1]),
                _cell(agreement(first, clean)),
            ]
        )
    standard.close()
    medians = {
        level: statistics.median(one[level] for one in found) for level in LEVELS
    }
    rows.append(["median", "", "", "", _cell(medians), ""])
    head_row = [
        "commit",
        "files",
        "churn",
        "encoded anew",
        "agreement with a clean encode",
        "of clean encodes, with that of commit 0",
    ]
    return markdown(head_row, rows)


def _build(standard: Standard, commit: str) -> tuple[dict[str, Any], AreaMap]:
    standard.build("areas", at_commit(standard.git, commit), jobs=1)
    build = standard.last
    assert build is not None
    row = build.table("areas").get(commit)
    assert row is not None
    return dict(row), AreaMap.read(build.store.checked_path(str(row["object"])))


def _cell(levels: dict[str, float]) -> str:
    return " / ".join(f"{levels[name]:.2f}" for name in LEVELS)


if __name__ == "__main__":
    main()
