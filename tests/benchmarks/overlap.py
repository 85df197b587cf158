"""What is dropped of a repository's samples, and whether held-out ones leak.

    python -m tests.benchmarks.overlap REPOSITORY [REPOSITORY ...]

Builds `dataset` of each repository's HEAD in a state of its own, exports it, and holds
the splits against each other by brute force (tests/overlap.py).
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

import pygit2

from repobuild.samples.export.dataset_files import export
from tests.overlap import leaks
from tests.standard import Standard


def main(places: list[str]) -> None:
    for place in places:
        with tempfile.TemporaryDirectory() as name:
            told(Path(place), Path(name))


def told(place: Path, work: Path) -> None:
    standard = Standard(pygit2.Repository(str(place)), work)
    standard.build("dataset")
    build = standard.open()
    export(build, work / "dataset", build.snapshot.commit)
    found = leaks(work / "dataset")
    print(f"{place}: {found.trained} trained, {found.runs} runs of 13 words in them")
    print(f"  generalise {found.generalise}, of which leak {len(found.told)}")
    print(f"  recall {found.recall}, of which leak {len(found.phrased)}")
    for id in [*found.told, *found.phrased][:5]:
        print(f"    {id}")
    for why, count in dropped(standard).most_common():
        print(f"  {count:7} {why}")
    standard.close()


def dropped(standard: Standard) -> Counter[str]:
    rows = standard.table("dataset").entries()
    return Counter(item["dropped"] for _, item in rows if "dropped" in item)


if __name__ == "__main__":
    main(sys.argv[1:])
