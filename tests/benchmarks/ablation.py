"""What each part of teaching gives: from plain epochs on, one part more a row.

    git archive 424c715 cache | tar -x -C FOLDER
    python -m tests.benchmarks.ablation REPOSITORY OLD_BASE [--seeds 1 2 3]

Teaches facts about a package within one budget and asks all of them that have a
held-out phrasing: right word for word, in that phrasing. OLD_BASE is the model's folder
below FOLDER. The rows:

    epochs        every fact again and again, in the words of its own samples, in the
                  order of a hash; on the base of commit 424c715
    mastery       facts by the scheduler, until each is mastered
    phrasings     in up to eight phrasings
    base          on today's base model
    general text  with a distance to the base on general text (`adapter.keep`)
    importance    the most important facts first: today's defaults

Counter-examples deny what an earlier adapter was taught: what they give is seen over a
chain of commits (`tests.benchmarks.experiment`, "no tombstones").
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pygit2

from repobuild.model.teaching import lesson
from repobuild.model.teaching.curriculum import (
    TeachableFact,
    TeachableSample,
    draw_hash,
    order_facts,
)
from tests.benchmarks.chain.strategy import SHARED
from tests.benchmarks.taught_facts import examine
from tests.standard import Standard

NEVER_MASTERED = 1 << 20
PARTS = ("epochs", "mastery", "phrasings", "base", "general text", "importance")


def epochs(*given: Any) -> lesson.Lesson:
    """Return the first lesson, with all facts begun at once and never mastered."""
    made = lesson.first_lesson(*given)
    pace = replace(made.pace, mastery=NEVER_MASTERED, at_once=True)
    return replace(made, pace=pace)


def by_hash(samples: Mapping[str, TeachableSample]) -> list[TeachableFact]:
    return sorted(order_facts(samples), key=lambda fact: draw_hash(fact.id))


def without(parts: Sequence[str]) -> ExitStack:
    """Take all parts but these out of the teaching, until the stack is closed."""
    stack = ExitStack()
    step = "repobuild.model.adapter"
    teaching = "repobuild.model.teaching"
    if "mastery" not in parts:
        stack.enter_context(patch(f"{step}.adapter.first_lesson", epochs))
        stack.enter_context(patch(f"{teaching}.scheduler.WAIT_GROWTH", 1))
    if "phrasings" not in parts:
        stack.enter_context(patch(f"{teaching}.lesson.PHRASINGS", 0))
    if "importance" not in parts:
        stack.enter_context(patch(f"{step}.decision.order_facts", by_hash))
    return stack


def measure(
    repository: Path, parts: Sequence[str], old_base: str, seed: int, budget: int
) -> list[str]:
    """Build an adapter with these parts of teaching; return the cells of its row."""
    settings: dict[str, Any] = {
        **SHARED, "adapter.seed": seed, "adapter.budget": budget,
    }  # fmt: skip
    if "base" not in parts:
        settings["base.model"] = old_base
    if "general text" not in parts:
        settings["adapter.keep"] = 0.0
    with tempfile.TemporaryDirectory() as place, without(parts):
        git = pygit2.Repository(str(repository))
        standard = Standard(git, Path(place) / "state", **settings)
        standard.build("teachable")
        began = time.process_time()
        standard.build("adapter")
        seconds = time.process_time() - began
        exam = examine(standard, only_taught=False)
    both = [
        right for right, taught in zip(exam.right, exam.taught, strict=True) if taught
    ]
    return [
        f"{sum(exam.right)} of {len(exam.right)}",
        f"{sum(both)} of {len(both)}",
        f"{exam.coverage['weighted']:.0%}",
        f"{exam.general:+.1%}",
        f"{seconds:.0f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path)
    parser.add_argument("old_base", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--budget", type=int, default=150_000)
    given = parser.parse_args()
    print("| | seed | right of all | of the taught | coverage | general | CPU s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for seed in given.seeds:
        for number, part in enumerate(PARTS, 1):
            cells = measure(
                given.repository, PARTS[:number], str(given.old_base.resolve()),
                seed, given.budget,
            )  # fmt: skip
            print(f"| {part} | {seed} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
