"""Measure how often the facts that `ask --ground` gives hold the right answer.

    cd REPOSITORY && python -m tests.benchmarks.retrieval [questions]

The repository's dataset must be built. Every question of the recall track (phrasings
that are never trained) is looked up; it counts as answered when the first paragraph of
its right answer is among the facts, word for word, and as answered at once when that is
the first of them.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter

from repobuild.checkout import open_checkout
from repobuild.evaluate.lookup.retrieval import FactFinder
from repobuild.evaluate.scoring.truncate import COMPLETIONS
from repobuild.model.grounding import fact_line
from repobuild.samples.dataset.all_samples import AllSamples


def main(most: int) -> None:
    checkout = open_checkout()
    build = checkout.view(checkout.snapshot(), checkout.state())
    dataset, samples = build.table("dataset"), AllSamples.of(build)
    asked = [
        (sub[1:].partition(".")[0], sample["question"], fact_line(sample["answer"]))
        for key, rows in dataset.items()
        if any(row.get("track") == "recall" for row in rows.values())
        for sub, sample in (samples.get(key) or {}).items()
        if rows.get(sub, {}).get("track") == "recall"
    ]
    if len(asked) > most:
        asked = random.Random(0).sample(asked, most)
    finder, given, characters = FactFinder(build), 0, 0
    right: Counter[str] = Counter()
    first: Counter[str] = Counter()
    began = time.perf_counter()
    for task, question, expected in asked:
        facts = finder.find(question)
        right[task] += any(fact.line == expected for fact in facts)
        first[task] += bool(facts) and facts[0].line == expected
        given += len(facts)
        characters += sum(len(fact.line) for fact in facts)
    seconds = time.perf_counter() - began
    totals = Counter(task for task, _, _ in asked)
    plain = [task for task in totals if task not in COMPLETIONS]
    for task in sorted(totals):
        counts = f"{right[task]:6,} of {totals[task]:6,}, first {first[task]:6,}"
        print(f"{task:28} {counts}")
    for name, tasks in (("all", list(totals)), ("without code to complete", plain)):
        found, at_once, total = (
            sum(count[t] for t in tasks) for count in (right, first, totals)
        )
        shares = f"{found / max(1, total):.1%}, first {at_once / max(1, total):.1%}"
        print(f"{name:28} {found:6,} of {total:6,}  {shares}")
    count = max(1, len(asked))
    print(
        f"{given / count:.1f} facts of {characters / max(1, given):.0f} characters, "
        f"{1000 * seconds / count:.1f} ms a question"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1 << 30)
