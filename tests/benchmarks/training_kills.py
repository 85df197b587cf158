"""Kill training at random steps; every adapter must equal the one never killed.

    python -m tests.benchmarks.training_kills [--kills 20] [--zero zero2] [--seed 1]
                                              [--processes 1] [--json FILE]

Each kill is a SIGKILL to every process of a run right after a random step was told of,
whatever is being written then; the run is started again and goes on to its end.  The
model has 60 thousand parameters, the job is that of tests/model/test_held_out_loss.py:
with held-out measurements and the best weights kept, a checkpoint every third step.

    equal      adapter and outcome are the bytes of the uninterrupted run
    went on    its first step came after the checkpoint that the kill left

Processes are forked from one that has imported everything: a start costs a second of
CPU instead of nine.  Exits with 1 when one kill shows.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from repobuild.model.adapter.recipe import TrainingJob, TrainingResult
from repobuild.model.adapter.train import train
from repobuild.model.compute.deepspeed_config import find_free_port
from tests.model.test_held_out_loss import measured
from tests.model.test_nano import make_base
from tests.model.test_train import digest

FORK = multiprocessing.get_context("fork")
PASSES = 12.0


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill, and what became of the run that went on."""

    step: int  # the last one that the killed run told of
    first: int  # the first one that the resumed run told of
    equal: bool

    @property
    def went_on(self) -> bool:
        """From the newest checkpoint, or from the one before if the newest was cut."""
        return self.step - 5 <= self.first - 1 <= self.step


def rank(
    made: TrainingJob, number: int, world: int, port: int, said: Connection
) -> None:
    """One process of a run; the first one tells of its steps."""
    os.environ |= {"RANK": str(number), "LOCAL_RANK": str(number)}
    os.environ |= {"WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1"}
    os.environ["MASTER_PORT"] = str(port)
    train(made, lambda told: said.send(told.step))


def run(made: TrainingJob, world: int, last: int | None) -> list[int]:
    """Train; killed after step `last`. Returns the steps that were told of."""
    hears, says = FORK.Pipe(duplex=False)
    port = find_free_port()
    processes = [
        FORK.Process(target=rank, args=(made, number, world, port, says))
        for number in range(world)
    ]
    for process in processes:
        process.start()
    says.close()
    steps = list(heard(hears, last))
    for process in processes:
        if last is not None:
            process.kill()
        process.join()
    if last is None and any(process.exitcode for process in processes):
        raise SystemExit(f"training failed: {made.scratch}")
    return steps


def heard(hears: Connection, last: int | None) -> Iterator[int]:
    step = 0
    while last is None or step < last:
        try:
            step = hears.recv()
        except EOFError:
            return
        yield step


def killed(whole: TrainingJob, place: Path, step: int, world: int) -> Kill:
    """Kill a fresh run of the same job at a step, and let it go on to its end."""
    made = replace(whole, scratch=place)
    before = run(made, world, step)
    assert not (place / "trained").exists(), "it was over before the kill came"
    after = run(made, world, None)
    return Kill(before[-1], after[0], digest(place) == digest(whole.scratch))


def walk(arguments: Any, place: Path) -> list[Kill]:
    given = {"passes": PASSES, "evaluations": 6, "patience": 6, "others": True}
    base = make_base(place / "base")
    whole = measured(base, place / "whole", zero=arguments.zero, **given)
    run(whole, arguments.processes, None)
    steps = TrainingResult.read(place / "whole" / "trained").steps
    chance = Random(arguments.seed)
    found = []
    for number in range(arguments.kills):
        step = chance.randint(1, steps - 1)
        found.append(killed(whole, place / str(number), step, arguments.processes))
        print(f"{number + 1:3} of {arguments.kills}: {found[-1]}", flush=True)
    print(f"{sum(k.equal for k in found)} of {len(found)} equal, {steps} steps a run")
    return found


def main(given: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--zero", default="zero2")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as place:
        found = walk(arguments, Path(place))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(kill) for kill in found]))
    return 0 if all(kill.equal and kill.went_on for kill in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
