"""What keeps the rest when a few facts change: elements that moved to other files.

    python -m tests.benchmarks.moved_elements REPOSITORY [--moved 40] [--draws 3]
        [--seeds 1] [--work FOLDER]
    python -m tests.benchmarks.moved_elements --table FOLDER

Learns where every element is, then moves some, and goes on from the same adapter in
each of several ways (moved/). Marks are those of greedy decoding, in a phrasing that is
never trained. Every line is written to FOLDER/moved.jsonl when it is found.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.moved.facts import PHRASINGS, Questions, fact_of, moved, paths
from tests.benchmarks.table import markdown

if TYPE_CHECKING:
    from repobuild.model.conversation import Example
    from tests.benchmarks.moved.learner import Learner, Weights

_FIRST_EPOCHS = 4
_CURVED = 600  # retained samples that the curvature is measured on


@dataclass(frozen=True, slots=True)
class Way:
    """How an adapter goes on; `rate` is a share of the first run's peak."""

    name: str
    passes: int
    replay: float  # retained samples beside each changed one
    least: int  # retained samples in the whole run, at least
    rate: float
    by_fact: bool = True  # each fact once before any in another phrasing
    curved: bool = False
    rounds: int = 1  # the later ones on what is not answered yet


WAYS = (
    Way("delta only", 8, 0, 0, 0.06),
    Way("replay x1, at random", 8, 1, 0, 0.06, by_fact=False),
    Way("replay x1", 8, 1, 0, 0.06),
    Way("replay x3", 8, 3, 600, 0.06),
    Way("until answered, replay x1", 3, 1, 400, 0.06, rounds=4),
    Way("until answered, replay x3", 3, 3, 400, 0.06, rounds=4),
    Way("curvature, replay x1, rate 2.5", 8, 1, 200, 2.5, curved=True),
    Way("full retraining", _FIRST_EPOCHS, 0, 0, 1.0),
)


@dataclass(frozen=True, slots=True)
class World:
    """What changed and what stays, as samples."""

    new: Mapping[str, str]
    old: Mapping[str, str]  # of all
    changed: Sequence[Example]
    retained: Sequence[Example]

    @classmethod
    def of(cls, asked: Questions, old: Mapping[str, str], new: dict[str, str]) -> World:
        rest = {name: path for name, path in old.items() if name not in new}
        return cls(new, old, asked.trained(new), asked.trained(rest))

    def replayed(self, way: Way, chance: random.Random) -> Iterator[int]:
        """Places of retained examples behind the changed ones, over and over."""
        order = self._replayed(way, chance)
        return cycle(len(self.changed) + place for place in order)

    def _replayed(self, way: Way, chance: random.Random) -> list[int]:
        places = chance.sample(range(len(self.retained)), len(self.retained))
        if not way.by_fact:
            return places
        turns: dict[str, int] = {}
        order = []
        for place in places:
            fact = fact_of(self.retained[place])
            turns[fact] = turns.get(fact, -1) + 1
            order.append((turns[fact], place))
        return [place for _, place in sorted(order, key=lambda pair: pair[0])]


class Trial:
    """One seed: an adapter that knows where everything is."""

    def __init__(self, known: dict[str, str], project: str, seed: int) -> None:
        from tests.benchmarks.moved.learner import Learner

        self.known, self.seed = known, seed
        self.learner: Learner = Learner(Path.cwd(), seed)
        self.fresh = self.learner.kept()
        self.asked = Questions(self.learner.conversation, project)
        self.cost = self.retrain(known)
        self.parent: Weights = self.learner.kept()

    def retrain(self, known: Mapping[str, str]) -> int:
        """From the base model on everything."""
        self.learner.put(self.fresh)
        examples = self.asked.trained(known)
        chance = random.Random(self.seed)
        epochs = [
            chance.sample(range(len(examples)), len(examples))
            for _ in range(_FIRST_EPOCHS)
        ]
        return self.learner.fit(examples, epochs, self.learner.rate)

    def go_on(self, way: Way, world: World) -> int:
        if way.name == "full retraining":
            return self.retrain({**self.known, **world.new})
        from tests.benchmarks.moved.curvature import curvature

        self.learner.put(self.parent)
        chance = random.Random(f"{self.seed} {way.name}")
        seen = chance.sample(world.retained, min(_CURVED, len(world.retained)))
        found = curvature(self.learner, seen) if way.curved else None
        more = sum(len(example.tokens) for example in seen) if way.curved else 0
        waiting, opened = world.replayed(way, chance), list(range(len(world.changed)))
        for number in range(way.rounds):
            epochs = passes(way, number, opened, waiting, chance)
            examples = [*world.changed, *world.retained]
            more += self.learner.fit(
                examples, epochs, self.learner.rate * way.rate, found
            )
            said = self.learner.answered(world.changed)
            opened = [place for place, right in enumerate(said) if not right]
            if not opened:
                break
        return more

    def marks(self, world: World) -> dict[str, float]:
        was = {name: world.old[name] for name in world.new}
        rest = {n: path for n, path in world.old.items() if n not in world.new}
        return {
            name: round(self.learner.right(self.asked.held_out(facts)), 4)
            for name, facts in (("new", world.new), ("stale", was), ("kept", rest))
        }


def passes(
    way: Way, number: int, opened: list[int], waiting: Iterator[int],
    chance: random.Random,
) -> list[list[int]]:  # fmt: skip
    """The places of each pass of a round: what is open, beside what is replayed."""
    least = way.least // (3 if number else 1)
    count = max(round(way.replay * len(opened)), -(-least // way.passes))
    orders = [[*opened, *islice(waiting, count)] for _ in range(way.passes)]
    return [chance.sample(order, len(order)) for order in orders]


def tried(given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One line for each seed, draw and way."""
    known = paths(given.repository.resolve(), given.work / "state", given.exclude)
    for seed in given.seeds:
        trial = Trial(known, given.repository.resolve().name, seed)
        for draw in range(given.draws):
            new = moved(known, given.moved, draw)
            world = World.of(trial.asked, known, new)
            trial.learner.put(trial.parent)
            before = trial.marks(world)["kept"]
            for way in WAYS:
                began = time.process_time()
                tokens = trial.go_on(way, world)
                yield {
                    "seed": seed, "draw": draw, "way": way.name, "moved": given.moved,
                    "facts": len(known), "tokens": tokens, "full": trial.cost,
                    "cpu": round(time.process_time() - began, 1), "parent": before,
                    **trial.marks(world),
                }  # fmt: skip


def text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Means over draws and seeds."""
    head = ["", "tokens", "of full", "new right", "old still given", "retained right"]
    body = []
    for way in dict.fromkeys(row["way"] for row in rows):
        own = [row for row in rows if row["way"] == way]

        def mean(name: str, own: Sequence[Mapping[str, Any]] = own) -> float:
            return statistics.fmean(row[name] for row in own)

        body.append(
            [way, f"{mean('tokens'):,.0f}", f"{mean('tokens') / mean('full'):.1%}"]
            + [f"{mean(name):.1%}" for name in ("new", "stale", "kept")]
        )
    parent = statistics.fmean(row["parent"] for row in rows)
    told = f"{rows[0]['moved']} of {rows[0]['facts']} elements moved, {PHRASINGS} "
    told += f"phrasings each; the parent has {parent:.1%} of the retained right."
    return f"{told}\n\n{markdown(head, body)}"


def read(work: Path) -> list[dict[str, Any]]:
    lines = (work / "moved.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path, nargs="?")
    parser.add_argument("--moved", type=int, default=40)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--work", type=Path, default=Path("moved"))
    parser.add_argument("--exclude", nargs="*", default=["tests/*", "examples/*"])
    parser.add_argument("--table", type=Path)
    given = parser.parse_args()
    if given.table is None:
        given.work.mkdir(parents=True, exist_ok=True)
        for line in tried(given):
            with (given.work / "moved.jsonl").open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)
    print(text(read(given.table or given.work)))


if __name__ == "__main__":
    main()
