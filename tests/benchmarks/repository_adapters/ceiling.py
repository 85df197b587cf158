"""Measure what an ordinary adapter gains: every adapter on every held-out repository.

Before anything is generated: what an adapter that was trained on a repository's source
does not gain over the mean of the others' adapters, no generated one can be shown to
gain. Conditions of each repository:

    base      no adapter
    own       the adapter trained on the repository's own source
    NAME      another repository's, one row each; their mean is "shuffled"
    mean      the mean change of all the other adapters
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.benchmarks import table
from tests.benchmarks.repository_adapters.lora import Change, mixture, task_losses
from tests.benchmarks.repository_adapters.results import (
    Results,
    Row,
    as_losses,
    macro,
    paired_bootstrap,
)
from tests.benchmarks.repository_adapters.tasks import Kind
from tests.benchmarks.repository_adapters.world import World

KINDS = ("", *(kind.value for kind in Kind))


def run_ceiling(world: World, names: Sequence[str], most: int = 1_000) -> Results:
    """Train the adapters and fill the matrix, continuing what is there.

    At most `most` others of each repository are measured.
    """
    results = Results(world.work / "ceiling.jsonl")
    for name in names:
        world.change(name)
    for name in names:
        others = [other for other in names if other != name]
        _measure(world, results, "base", name, None)
        _measure(world, results, "own", name, world.change(name))
        if not results.has("mean", name):
            changes = [world.change(other) for other in others]
            mean = mixture(changes, [1 / len(others)] * len(others))
            _measure(world, results, "mean", name, mean)
    world.log("ceiling: own and mean measured")
    # Diagonal by diagonal, so that a run that was cut off has as much of each row.
    for distance in range(1, min(most, len(names) - 1) + 1):
        for number, name in enumerate(names):
            other = names[(number + distance) % len(names)]
            _measure(world, results, other, name, world.change(other))
    world.log("ceiling: others measured")
    return results


def _measure(
    world: World, results: Results, condition: str, name: str, change: Change | None
) -> None:
    if not results.has(condition, name):
        exam = world.exam(name)
        found = task_losses(world.bench, exam, change)
        kinds = tuple(task.kind.value for task in exam.tasks)
        row = Row(condition, name, kinds, as_losses(found.tasks), found.other)
        results.add(row)


def shuffled(
    results: Results, names: Sequence[str], kind: str = ""
) -> dict[str, float]:
    """Return the mean loss of each repository under the adapters of all others."""
    of: dict[str, list[float]] = {name: [] for name in names}
    for other in names:
        for name, loss in results.means(other, kind).items():
            if name in of:
                of[name].append(loss)
    return {name: float(np.mean(losses)) for name, losses in of.items() if losses}


def own_ranks(results: Results, names: Sequence[str]) -> list[int]:
    """Return the rank of each repository's own adapter among all; 1 is the best."""
    own = results.means("own")
    of_others = [results.means(other) for other in names]
    return [
        1 + sum(found[name] < own[name] for found in of_others if name in found)
        for name in sorted(own)
    ]


def ceiling_table(results: Results, names: Sequence[str]) -> str:
    """Return the summary of the matrix: a row of each kind of task."""
    rows = []
    for kind in KINDS:
        own, mean = results.means("own", kind), results.means("mean", kind)
        base, other = results.means("base", kind), shuffled(results, names, kind)
        rows.append(
            [
                kind or "all",
                str(
                    sum(
                        k in (kind or k)
                        for r in results.rows
                        if r.condition == "own"
                        for k in r.kinds
                    )
                ),
                *(f"{macro(of):.3f}" for of in (base, own, mean, other)),
                paired_bootstrap(own, mean).text,
                paired_bootstrap(own, other).text,
            ]
        )
    head = [
        "task",
        "n",
        "base",
        "own",
        "mean",
        "shuffled",
        "own − mean",
        "own − shuffled",
    ]
    ranks = own_ranks(results, names)
    first = sum(rank == 1 for rank in ranks)
    cells = sum(row.condition in names for row in results.rows)
    other = ", ".join(
        f"{name} {macro(results.others(name)):.3f}" for name in ("base", "own", "mean")
    )
    return (
        table.markdown(head, rows)
        + f"\n\nOther tokens of the same windows: {other}."
        + f"\n{cells} of {len(names) * (len(names) - 1)} pairs of a repository and "
        f"another's adapter were measured. The own adapter is the best of its row for "
        f"{first} of {len(ranks)} repositories; its mean rank is {np.mean(ranks):.2f}."
    )
