"""Print what `ask` and `ask --ground` answer to the questions of a file.

    cd REPOSITORY && python -m tests.benchmarks.colleague.ask QUESTIONS.toml

The repository must be built. The adapter alone answers, all questions in one batch; all
else is as a user gets it: the note, the answer, the keys of the facts. Above them is
what the sources say: right, partly right or wrong is for a person to judge.
"""

from __future__ import annotations

import sys
import time
import tomllib
from functools import partial
from pathlib import Path

from repobuild.checkout import open_checkout
from repobuild.cli.adapter_lookup import base_of, find_adapter
from repobuild.cli.ask import near
from repobuild.cli.given_facts import FactGiver
from repobuild.model.adapter.lineage import current_digest
from repobuild.model.compare import Comparison
from repobuild.model.publish.publication import artifact_folder

LIMIT = 160  # tokens of an answer, as `ask` has
WAYS = {"ask": None, "ask --ground": True}


def main(questions: Path) -> None:
    checkout = open_checkout()
    build = checkout.view(checkout.snapshot(), checkout.state())
    commit, row = find_adapter(build)
    folder = artifact_folder(build, current_digest(row), "adapter")
    coverage = row.get("coverage") or {}
    comparison = Comparison.load(base_of(checkout.settings, commit, row), folder)
    giver = FactGiver(build, folder, coverage, partial(near, checkout))
    asked = [
        (question, way, ground)
        for question in tomllib.loads(questions.read_text())["questions"]
        for way, ground in WAYS.items()
    ]
    began = time.perf_counter()
    given = [
        giver.give(question["ask"], ground).checked(comparison.recalls)
        for question, _, ground in asked
    ]
    seconds = time.perf_counter() - began
    prompts = [facts.prompt for facts in given]
    answers = comparison.generator.generate(prompts, LIMIT)
    for (question, way, _), facts, answer in zip(asked, given, answers, strict=True):
        if way == "ask":
            print(f"## {question['ask']}\n\nright: {question['right']}\n")
        print(f"{way}: {answer.text}\n  [{facts.note or 'no note'}]")
        for fact in facts.facts:
            print(f"  - {fact.score:5.1f} {fact.id}: {fact.line[:160]}")
        print()
    print(f"looked up in {1000 * seconds / len(asked):.0f} ms a question")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
