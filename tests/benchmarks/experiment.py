"""Which way of keeping an adapter current is best, over the commits of a project.

    python -m tests.benchmarks.experiment REPOSITORY [--commits 40] [--seeds 1 2 3]
        [--work FOLDER] [--exam-every 10] [--tokens 400000] [--only NAME]
    python -m tests.benchmarks.experiment --table FOLDER... [--upto N] [--plot FILE.svg]

Walks the last commits that touch the package with each strategy (chain/strategy.py) and
each seed, and examines the adapters (chain/exam.py). Takes hours; every line is written
to FOLDER/results.jsonl when it is found, and a run that was cut off goes on from there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.chain import exam, report
from tests.benchmarks.chain.score import scores
from tests.benchmarks.chain.strategy import STRATEGIES, Strategy
from tests.benchmarks.chain.walk import Walk, history, is_due, right_at_once


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is walked, and where results lie."""

    repository: Path
    work: Path
    commits: Sequence[str]
    every: int  # commits between two exams
    tokens: int  # trained tokens of a first adapter, at most

    @property
    def results(self) -> Path:
        return self.work / "results.jsonl"

    def done(self) -> set[tuple[int, str, int]]:
        return {(r["seed"], r["strategy"], r["number"]) for r in read(self.results)}

    def note(self, **facts: Any) -> None:
        with self.results.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(facts) + "\n")
        shown = {
            k: v
            for k, v in facts.items()
            if k not in ("scores", "commit", "folder", "samples", "gate")
        }
        print(json.dumps(shown), flush=True)

    def exams(self) -> list[int]:
        return list(range(self.every, len(self.commits), self.every))


def read(results: Path) -> list[dict[str, Any]]:
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text("utf-8").splitlines()]


def prepare(found: Experiment) -> None:
    """Write the exams: what is true at each of these commits, and was not before."""
    plain = STRATEGIES[0].settings(1, found.tokens)
    walk = Walk(found.repository, found.work / "exams" / "state", plain)
    if all((found.work / "exams" / f"{n}.json").exists() for n in found.exams()):
        return
    first = last = walk.rows(found.commits[0])
    for number in found.exams():
        now = walk.rows(found.commits[number])
        exam.write(
            found.work / "exams" / f"{number}.json", exam.questions(first, last, now)
        )
        last = now


def walked(found: Experiment, strategy: Strategy, seed: int) -> Iterator[int]:
    """Build the strategy's adapters; yields each commit's number when it stands."""
    base = found.work / f"seed-{seed}"
    begun = Walk(
        found.repository, base / "first", STRATEGIES[0].settings(seed, found.tokens)
    )
    done = found.done()
    if (seed, "first", 0) not in done:
        step(found, begun, "first", seed, 0)
    settings = strategy.settings(seed, found.tokens)
    walk = begun.copy(base / strategy.folder, settings)
    for number in range(1, len(found.commits)):
        if is_due(strategy, number) and (seed, strategy.name, number) not in done:
            step(found, walk, strategy.name, seed, number)
        yield number


def step(found: Experiment, walk: Walk, name: str, seed: int, number: int) -> None:
    commit = found.commits[number]
    made = walk.build(commit)
    at_once = (0, 0)
    if made.get("mode") == "continue" and number > 0:
        before = [r for r in read(found.results) if r["seed"] == seed]
        before = [r for r in before if r["strategy"] in ("first", name)]
        at_once = right_at_once(Path(before[-1]["folder"]), made["folder"])
    found.note(
        seed=seed, strategy=name, number=number, commit=commit, mode=made.get("mode"),
        tokens=made["tokens"] if made["work"] else 0, promoted=made.get("promoted"),
        seconds=round(made["seconds"], 1), folder=str(made["folder"]),
        samples=made["samples"], gate=made["scores"], at_once=at_once,
    )  # fmt: skip


def newest(found: Experiment, strategy: Strategy, seed: int, number: int) -> Path:
    """The adapter that the strategy has at a commit."""
    names = ("first", strategy.name)
    rows = [r for r in read(found.results) if r["seed"] == seed]
    rows = [r for r in rows if r["strategy"] in names and r["number"] <= number]
    return Path(max(rows, key=lambda row: int(row["number"]))["folder"])


def examine(found: Experiment, strategy: Strategy, seed: int, number: int) -> None:
    asked = exam.read(found.work / "exams" / f"{number}.json")
    name = f"{strategy.name}: exam"
    if (seed, name, number) not in found.done():
        marks = scores(newest(found, strategy, seed, number), asked)
        found.note(seed=seed, strategy=name, number=number, scores=marks)


def run(found: Experiment, seeds: Sequence[int], only: str) -> None:
    found.work.mkdir(parents=True, exist_ok=True)
    prepare(found)
    for seed in seeds:
        for strategy in STRATEGIES:
            if only in strategy.name:
                for number in walked(found, strategy, seed):
                    if number in found.exams():
                        examine(found, strategy, seed, number)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path, nargs="?")
    parser.add_argument("--commits", type=int, default=40)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--exam-every", type=int, default=10)
    parser.add_argument("--tokens", type=int, default=400_000)
    parser.add_argument("--work", type=Path, default=Path("experiment"))
    parser.add_argument("--only", default="")
    parser.add_argument("--table", type=Path, nargs="+")
    parser.add_argument("--upto", type=int, default=10**6)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    if given.table:
        lines = (row for place in given.table for row in read(place / "results.jsonl"))
        found = [row for row in lines if row["number"] <= given.upto]
        print(report.text(found))
        if given.plot:
            given.plot.write_text(report.plot(found), "utf-8")
        return
    repository = given.repository.resolve()
    commits = history(repository, given.commits)
    work = given.work.resolve()
    walk = Experiment(repository, work, commits, given.exam_every, given.tokens)
    run(walk, given.seeds, given.only)
    print(report.text(read(walk.results)))


if __name__ == "__main__":
    main()
