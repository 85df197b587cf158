"""Run the benchmark of adapters made for repositories.

python -m tests.benchmarks.repository_adapters MIRRORS --work FOLDER ceiling
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from tests.benchmarks.repository_adapters.ceiling import ceiling_table, run_ceiling
from tests.benchmarks.repository_adapters.lora import Bench
from tests.benchmarks.repository_adapters.repositories import LIST, read_list
from tests.benchmarks.repository_adapters.world import World


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.repository_adapters", description=__doc__
    )
    parser.add_argument("mirrors", type=Path)
    parser.add_argument("part", choices=["ceiling", "adapters"])
    parser.add_argument("--work", type=Path, default=Path("repository-adapters"))
    parser.add_argument("--list", type=Path, default=LIST)
    given = parser.parse_args()
    torch.set_num_threads(1)
    world = World(Bench.load(), given.mirrors, given.work, read_list(given.list))
    if given.part == "ceiling":
        results = run_ceiling(world, world.held_out)
        print(ceiling_table(results, world.held_out))
    if given.part == "adapters":
        for name in world.training:
            world.change(name)


if __name__ == "__main__":
    main()
