"""Ask of anything that makes adapters whether what it makes is the repository's.

    own         made of the repository itself
    mean        the mean of what it makes of the training repositories
    shuffled    made of another held-out repository, drawn anew each time
    zero        made of nothing: a zero vector
    nearest     made of the other repository with the most similar identifiers

A maker is conditioned when own is below mean and below shuffled, over repositories.
Only then may its gain over the base be called knowledge of the repository.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tests.benchmarks import table
from tests.benchmarks.repository_adapters.lora import Change, task_losses
from tests.benchmarks.repository_adapters.results import (
    Results,
    Row,
    as_losses,
    paired_bootstrap,
    shown,
)
from tests.benchmarks.repository_adapters.world import World

DRAWS = 20


@dataclass(frozen=True, slots=True)
class Made:
    """An adapter, and a bias of the logits; either may be absent."""

    change: Change | None = None
    bias: torch.Tensor | None = None


@dataclass(frozen=True, slots=True)
class Maker:
    """A way to make an adapter for a repository.

    `make(target, of)` makes one for `target` of what is known of `of`. Most makers need
    only `of`; one that is fitted to adapters leaves the target's out.
    """

    name: str
    make: Callable[[str, str], Made]
    mean: Callable[[str], Made]
    zero: Callable[[str], Made]


def run_battery(
    world: World,
    results: Results,
    maker: Maker,
    nearest: Callable[[str], str],
    draws: int,
    controls: bool = True,
    seed: int = 1,
) -> None:
    """Measure a maker under all conditions; what is there already is not repeated.

    A condition is measured on all repositories before the next one, so that a run that
    is cut off has whole columns. `controls` are zero and nearest.
    """

    def measure(condition: str, name: str, make: Callable[[], Made]) -> None:
        full = f"{maker.name}/{condition}"
        if not results.has(full, name, seed):
            add_row(world, results, full, name, make(), seed)

    names = world.held_out
    for name in names:
        measure("own", name, lambda name=name: maker.make(name, name))
    for name in names:
        measure("mean", name, lambda name=name: maker.mean(name))
    for draw in range(draws):
        for name in names:
            other = drawn(name, names, draw)
            measure(
                f"shuffled {draw}",
                name,
                lambda name=name, other=other: maker.make(name, other),
            )
    world.log(f"{maker.name}: own, mean and {draws} draws measured")
    for name in names if controls else ():
        measure("zero", name, lambda name=name: maker.zero(name))
        measure("nearest", name, lambda name=name: maker.make(name, nearest(name)))


def add_row(
    world: World, results: Results, condition: str, name: str, made: Made, seed: int = 1
) -> None:
    """Measure one condition on one repository."""
    exam = world.exam(name)
    found = task_losses(world.bench, exam, made.change, made.bias)
    kinds = tuple(task.kind.value for task in exam.tasks)
    row = Row(condition, name, kinds, as_losses(found.tasks), found.other, seed)
    results.add(row)


def drawn(name: str, names: Sequence[str], draw: int) -> str:
    """Return the other repository of a draw; none comes twice before all have come."""
    others = sorted(other for other in names if other != name)
    random.Random(name).shuffle(others)
    return others[draw % len(others)]


def shuffled_means(results: Results, maker: str, kind: str = "") -> dict[str, float]:
    """Return the mean loss of each repository over the draws that are there.

    Each seed counts alike, however many draws it has: own is a mean over seeds, too.
    """
    found: dict[str, list[float]] = {}
    for seed in sorted({row.seed for row in results.rows}):
        alone = results.of_seed(seed)
        drawn: dict[str, list[float]] = {}
        for condition in sorted({row.condition for row in alone.rows}):
            if condition.startswith(f"{maker}/shuffled "):
                for name, loss in alone.means(condition, kind).items():
                    drawn.setdefault(name, []).append(loss)
        for name, losses in drawn.items():
            found.setdefault(name, []).append(float(np.mean(losses)))
    return {name: float(np.mean(losses)) for name, losses in found.items()}


def draws_of(results: Results, maker: str) -> int:
    """Return how many draws every repository has."""
    counts: dict[str, int] = {}
    for condition, name in {(r.condition, r.repository) for r in results.rows}:
        if condition.startswith(f"{maker}/shuffled "):
            counts[name] = counts.get(name, 0) + 1
    return min(counts.values(), default=0)


def battery_table(results: Results, makers: Sequence[str], kind: str = "") -> str:
    """Return a row of each maker, repository-macro."""
    rows = []
    for maker in makers:
        own = results.means(f"{maker}/own", kind)
        if not own:
            continue
        mean = results.means(f"{maker}/mean", kind)
        other = shuffled_means(results, maker, kind)
        rest = [results.means(f"{maker}/{c}", kind) for c in ("zero", "nearest")]
        rows.append(
            [
                maker,
                *(shown(of) for of in (own, mean, other, *rest)),
                str(draws_of(results, maker)),
                paired_bootstrap(own, mean).text if mean else "",
                paired_bootstrap(own, other).text if other else "",
            ]
        )
    head = ["maker", "own", "mean", "shuffled", "zero", "nearest", "draws"]
    return table.markdown([*head, "own − mean", "own − shuffled"], rows)
