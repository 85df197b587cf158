"""How many questions with facts are answered as their fact says, by bonus.

    cd REPOSITORY && python -m tests.benchmarks.copying [--each 5] [--bonus 0 6 10]

The repository must be built. Draws up to five questions of each kind that the preset
teaches, in phrasings that are never trained, looks facts up for them as `ask --ground`
does, and asks the base and the adapter of HEAD. An answer is right when it begins with
the first paragraph of the right answer, word for word.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from repobuild.checkout import open_checkout
from repobuild.cli.adapter_lookup import find_adapter
from repobuild.engine.build import Build
from repobuild.evaluate.lookup.retrieval import FactFinder
from repobuild.model import copying
from repobuild.model.adapter.lineage import current_digest
from repobuild.model.base import resolve_base
from repobuild.model.generate import TextGenerator
from repobuild.model.grounding import fact_line
from repobuild.model.teaching.curriculum import Teaching, kind_of
from repobuild.samples.contexts.line_rows import quotes_lines
from repobuild.samples.dataset.all_samples import AllSamples

LIMIT = 128  # tokens of an answer


def draw(build: Build, each: int) -> list[Mapping[str, Any]]:
    """Return the samples whose questions are asked."""
    teaching, samples = Teaching.of(build.settings), AllSamples.of(build)
    by_kind: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for key, rows in build.table("dataset").items():
        asked = [sub for sub, row in rows.items() if row.get("track") == "recall"]
        texts = samples.get(key) or {} if asked else {}
        for sub in asked:
            sample = texts[sub]
            taught = teaching.rank(key + sub, str(sample["task"])) is not None
            if taught and sample["form"] == "chat" and not quotes_lines(key + sub):
                by_kind[kind_of(key + sub)].append(sample)
    chance = random.Random(1)
    drawn = [chance.sample(found, min(each, len(found))) for found in by_kind.values()]
    return [sample for some in drawn for sample in some]


def right(samples: Sequence[Mapping[str, Any]], answers: Sequence[str]) -> int:
    return sum(
        " ".join(answer.split()).startswith(fact_line(str(sample["answer"])))
        for sample, answer in zip(samples, answers, strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=5)
    parser.add_argument("--bonus", type=float, nargs="+", default=[0.0, 6.0, 10.0])
    given = parser.parse_args()
    checkout = open_checkout()
    build = checkout.view(checkout.snapshot(), checkout.state())
    samples, finder = draw(build, given.each), FactFinder(build)
    asked = [finder.ground(str(sample["question"])) for sample in samples]
    first = [question.facts[0] if question.facts else "" for question in asked]
    print(f"{len(asked)} questions; the first fact is right {right(samples, first)}")
    base = resolve_base(checkout.settings)
    _, row = find_adapter(build)
    folder = build.store.checked_path(current_digest(row))
    for name, adapter in (("base", None), ("adapter", folder)):
        model = TextGenerator.load(base, adapter)
        for bonus in given.bonus:
            copying.BONUS = bonus  # type: ignore[misc]
            copying.SURE_BONUS = 2 * bonus  # type: ignore[misc]
            answers = [answer.text for answer in model.generate(asked, LIMIT)]
            print(f"{name}, bonus {bonus:g}: {right(samples, answers)} right")


if __name__ == "__main__":
    main()
