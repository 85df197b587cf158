"""What one small commit costs up to `dataset`, beyond the start of the process.

`Commits` makes commit after commit in a repository that is built, and times the
installed script on each. *Start-up* is a process of the same interpreter that imports
the same modules as such a build (listed by `-X importtime`) and does nothing; it runs
in turn with the builds. What a build costs beyond it is the difference of CPU times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks import table
from tests.benchmarks.edits import Edit
from tests.benchmarks.timing import Command, Spent, median, spent
from tests.benchmarks.tool import (
    ENVIRONMENT,
    built_rows,
    git,
    imports,
    installed,
    start_up,
)

BUILD = ["--until", "dataset", "-q"]
_SHOWN = ("facts", "graph", "contexts", "samples")


@dataclass
class Commits:
    """A repository whose state is at HEAD; every call of `step` adds a commit."""

    place: Path
    number: int = 0
    rows: dict[str, dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.script = installed(self.place.parent / "bin")
        self.build = Command([self.script, *BUILD], self.place, ENVIRONMENT)

    def commit(self, edit: Edit) -> None:
        self.number += 1
        edit.write(self.place, self.number)
        git(self.place, "commit", "-qm", edit.what, "--", edit.path)

    def step(self, edit: Edit) -> Spent:
        """Commit one edit, build it, return what the build cost."""
        self.commit(edit)
        cost = spent(self.build)
        self.rows[edit.what] = built_rows(self.place)
        return cost

    def start_up(self, edit: Edit) -> Command:
        """Return the process that imports what building this edit imports."""
        self.commit(edit)
        modules = imports(self.script, self.place, *BUILD)
        return Command(start_up(modules), self.place, ENVIRONMENT)


@dataclass(frozen=True, slots=True)
class Costs:
    """Medians: `start` of the start-up process, `by_edit` of the builds."""

    start: Spent
    by_edit: Mapping[str, Spent]
    rows: Mapping[str, Mapping[str, int]]

    def beyond(self, what: str) -> float:
        """Return CPU seconds beyond start-up."""
        return max(0.0, self.by_edit[what].cpu - self.start.cpu)

    @property
    def worst(self) -> str:
        return max(self.by_edit, key=self.beyond)


def measure(commits: Commits, edits: Sequence[Edit], runs: int) -> Costs:
    """Make every edit `runs` times, in turn; return the medians."""
    start = commits.start_up(edits[0])
    starts: list[Spent] = []
    found: dict[str, list[Spent]] = {edit.what: [] for edit in edits}
    for _ in range(runs):
        starts.append(spent(start))
        for edit in edits:
            found[edit.what].append(commits.step(edit))
    medians = {what: median(costs) for what, costs in found.items()}
    return Costs(median(starts), medians, commits.rows)


def shown(costs: Costs) -> str:
    """Return the table of edits."""
    head = ["edit", *(f"{name} rows" for name in _SHOWN), "wall", "CPU"]
    rows: list[Iterable[str]] = [
        ["start-up", *[""] * len(_SHOWN), *_times(costs.start), ""]
    ]
    for what, cost in costs.by_edit.items():
        built = [str(costs.rows[what].get(name, 0)) for name in _SHOWN]
        beyond = table.milliseconds(costs.beyond(what))
        rows.append([what, *built, *_times(cost), beyond])
    return table.markdown([*head, "CPU beyond start-up"], rows)


def _times(cost: Spent) -> list[str]:
    return [table.milliseconds(cost.wall), table.milliseconds(cost.cpu)]
