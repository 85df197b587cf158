"""Print what `ask` and `ask --ground` answer to the questions of a file.

    cd REPOSITORY && python -m tests.benchmarks.colleague.ask QUESTIONS.toml

The repository must be built. The models are loaded once, and only the adapter answers;
all else is as a user gets it: the note, the answer, the keys of the facts. Below them
is what the sources say: right, partly right or wrong is for a person to judge.
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
from repobuild.evaluate.retrieval import with_found
from repobuild.model.adapter.lineage import current_digest
from repobuild.model.compare import ADAPTER, Comparison
from repobuild.model.publish.publication import artifact_folder

LIMIT = 160  # tokens of an answer, as `ask` has


def main(questions: Path) -> None:
    checkout = open_checkout()
    build = checkout.view(checkout.snapshot(), checkout.state())
    commit, row = find_adapter(build)
    folder = artifact_folder(build, current_digest(row), "adapter")
    comparison = Comparison.load(base_of(checkout.settings, commit, row), folder)
    giver = FactGiver(build, folder, row.get("coverage") or {}, partial(near, checkout))
    for number, asked in enumerate(tomllib.loads(questions.read_text())["questions"]):
        print(f"## {number + 1}. {asked['ask']}\n\nright: {asked['right']}\n")
        for ground, name in ((None, "ask"), (True, "ask --ground")):
            print(f"{name}: ", end="")
            answer(giver, comparison, asked["ask"], ground)


def answer(
    giver: FactGiver, comparison: Comparison, question: str, ground: bool | None
) -> None:
    """Print the adapter's answer to one question, and how it came about."""
    began = time.perf_counter()
    given = giver.give(question, ground).checked(comparison.recalls)
    looked_up = time.perf_counter() - began
    prompt = with_found(given.question, given.facts) if given.facts else given.question
    text = "".join(p.text for p in comparison.answer_one(ADAPTER, prompt, LIMIT))
    print(f"{text.strip()}\n")
    print(f"  [{given.note or 'no note'}; looked up in {1000 * looked_up:.0f} ms]")
    for fact in given.facts:
        print(f"  - {fact.score:5.1f} {fact.id}: {fact.line[:160]}")
    print()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
