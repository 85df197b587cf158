"""Make the rows `together::PATH`: the files that the commits to a file changed, too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from repobuild.engine.contract import Value
from repobuild.samples.families.membership import is_aside
from repobuild.samples.families.past_additions import PastAdditions

TOGETHER = "together::"
_FEWEST = 3  # commits that show a habit
_HALF = 0.5
_MOST = 5


def companions(path: str, past: PastAdditions) -> set[str]:
    """Return the files that some commit touched along with a file."""
    return {other for row in past.touching(path) for other in row["paths"]}


def together_row(
    path: str, past: PastAdditions, exists: Callable[[str], bool], project: str
) -> dict[str, Value] | None:
    """Return what came along with definitions added to a file; None for too little."""
    if is_aside(path) or not exists(path):
        return None
    commits = [row for row in past.touching(path) if path in row["names"]]
    if len(commits) < _FEWEST:
        return None
    counts = Counter(other for row in commits for other in row["paths"])
    found = sorted(
        ([other, count] for other, count in counts.items() if other != path),
        key=lambda item: (-item[1], item[0]),
    )
    kept = [
        item for item in found if item[1] >= _HALF * len(commits) and exists(item[0])
    ]
    if not kept:
        return None
    latest = next(row for row in commits if kept[0][0] in row["paths"])
    added = ", ".join(latest["names"][path][:3])
    return {
        "kind": "together",
        "id": path,
        "project": project,
        "commits": len(commits),
        "paths": kept[:_MOST],
        "past_ids": [row["commit"] for row in commits],
        "latest": [latest["subject"], added],
    }
