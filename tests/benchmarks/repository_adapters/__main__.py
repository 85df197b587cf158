"""Run the benchmark of adapters made for repositories.

    python -m tests.benchmarks.repository_adapters MIRRORS ceiling [--work FOLDER]
    python -m tests.benchmarks.repository_adapters MIRRORS table [--seed N] [--draws N]
    python -m tests.benchmarks.repository_adapters MIRRORS small

MIRRORS holds a clone of each repository of `repositories.txt` as OWNER+NAME. `ceiling`
trains an ordinary adapter of each held-out repository and measures all on all. `table`
trains what makes adapters, and its controls, on the training repositories, and measures
them on the held-out ones. `small` is both for 8 held-out and 16 training repositories,
in at most 30 minutes on 2 cores. A run that was cut off continues in its folder.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from tests.benchmarks.repository_adapters.battery import DRAWS
from tests.benchmarks.repository_adapters.ceiling import ceiling_table, run_ceiling
from tests.benchmarks.repository_adapters.lora import Bench
from tests.benchmarks.repository_adapters.main_table import run_table
from tests.benchmarks.repository_adapters.networks import NetworkRecipe
from tests.benchmarks.repository_adapters.repositories import (
    LIST,
    Listed,
    read_list,
)
from tests.benchmarks.repository_adapters.world import World

SMALL = (16, 8)  # training and held-out repositories
SMALL_STEPS = 60  # of a network


def main() -> None:
    """Read the command line, run one part, print its tables."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.repository_adapters",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("part", choices=["ceiling", "table", "small", "adapters"])
    parser.add_argument("--work", type=Path, default=Path("repository-adapters"))
    parser.add_argument("--list", type=Path, default=LIST)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=NetworkRecipe().steps)
    parser.add_argument("--draws", type=int, default=DRAWS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    listed = read_list(given.list)
    if given.part == "small":
        listed = small_list(listed)
    world = World(Bench.load(), given.mirrors, given.work, listed)
    steps = min(given.steps, SMALL_STEPS) if given.part == "small" else given.steps
    recipe = replace(NetworkRecipe(), steps=steps)
    if given.part in ("ceiling", "small"):
        print(ceiling_table(run_ceiling(world, world.held_out), world.held_out))
        print(flush=True)
    if given.part == "adapters":
        for name in world.training:
            world.change(name)
    if given.part in ("table", "small"):
        draws = min(given.draws, 5) if given.part == "small" else given.draws
        print(run_table(world, recipe, draws, given.seed))


def small_list(listed: list[Listed]) -> list[Listed]:
    """Return the first repositories of both parts."""
    training = [one for one in listed if not one.held_out]
    held_out = [one for one in listed if one.held_out]
    return [*training[: SMALL[0]], *held_out[: SMALL[1]]]


if __name__ == "__main__":
    main()
