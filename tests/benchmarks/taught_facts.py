"""How many facts a budget teaches, and how many of them are right in new words.

    python -m tests.benchmarks.taught_facts REPOSITORY [-c NAME=VALUE]...

Builds the adapter of HEAD with the preset `tiny`, in a state of its own, and prints one
row: facts taught and mastered, coverage by importance, the taught facts that are right
word for word in the phrasing of their kind that is never trained, by kind, general loss
against the base, and CPU seconds. `--` begins another run:

    python -m tests.benchmarks.taught_facts . -c adapter.budget=300000 -- \\
        -c adapter.budget=300000 -c adapter.mastery=1
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pygit2

from repobuild.model.adapter.lineage import Manifest
from repobuild.model.base import load_tokenizer, resolve_base
from repobuild.model.conversation import Conversation
from repobuild.model.generate import TextGenerator
from repobuild.model.teaching.curriculum import Teaching, fact_of, kind_of
from repobuild.samples.contexts.line_rows import quotes_lines
from repobuild.samples.dataset.all_samples import AllSamples
from repobuild.settings import use_command_line
from tests.benchmarks.chain.score import general_loss
from tests.standard import Standard

LONGEST = 512  # tokens of a question with its answer
SHOWN_KINDS = 8  # that most facts are of


class Exam(NamedTuple):
    """What an adapter says to the held-out questions of facts."""

    coverage: Mapping[str, Any]
    questions: list[str]  # ids
    taught: list[bool]  # of each question: whether the fact was taught
    right: list[bool]  # word for word
    general: float  # loss on general text, of the base's


def examine(standard: Standard, only_taught: bool) -> Exam:
    """Ask the adapter of HEAD all held-out questions, or those of what it was taught.

    Closes the state.
    """
    build = standard.open()
    row = standard.table("adapter").get(str(standard.git.head.target))
    assert row is not None
    folder = build.store.checked_path(row["object"])
    known = Manifest.read(folder).facts
    base = resolve_base(standard.settings)
    asked = [
        (id, sample)
        for id, sample in held_out(build, Teaching.of(standard.settings))
        if fact_of(id) in known or not only_taught
    ]
    conversation = Conversation(load_tokenizer(base), base.fim)
    examples = conversation.tokenise(asked, LONGEST).kept
    speaker = TextGenerator.load(base, folder)
    right = speaker.generates_exactly(examples)
    before, after = general_loss(TextGenerator.load(base)), general_loss(speaker)
    standard.close()
    ids = [example.id for example in examples]
    taught = [fact_of(id) in known for id in ids]
    return Exam(row["coverage"], ids, taught, right, after / before - 1)


def measure(repository: Path, overrides: Sequence[str]) -> list[str]:
    """Return the cells of one run's row."""
    with tempfile.TemporaryDirectory() as place, use_command_line(overrides):
        began = time.process_time()
        standard = Standard(pygit2.Repository(str(repository)), Path(place) / "state")
        standard.build("adapter")
        spent = time.process_time() - began
        exam = examine(standard, only_taught=True)
    marks: dict[str, list[bool]] = defaultdict(list)
    for id, is_right in zip(exam.questions, exam.right, strict=True):
        marks[kind_of(id)].append(is_right)
    kinds = sorted(marks.items(), key=lambda pair: -len(pair[1]))[:SHOWN_KINDS]
    right, asked, coverage = sum(exam.right), len(exam.right), exam.coverage
    return [
        f"{coverage['taught']:,} of {coverage['facts']:,}, "
        f"{coverage['mastered']:,} mastered",
        f"{coverage['weighted']:.1%}",
        f"{right} of {asked} ({right / max(1, asked):.0%})",
        ", ".join(f"{kind} {sum(m)}/{len(m)}" for kind, m in kinds),
        f"{exam.general:+.1%}",
        f"{spent:.0f}",
    ]


def held_out(build: Any, teaching: Teaching) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the recall questions of both held-out splits, as they would be taught."""
    rows = dict(build.table("dataset").entries())
    found = []
    for id, sample in AllSamples.of(build).entries():
        row = rows.get(id, {})
        is_asked = row.get("track") == "recall" and not quotes_lines(id)
        if is_asked and teaching.rank(id, str(sample["task"])) is not None:
            taught = teaching.shorten(sample)
            if taught is not None and taught["form"] == "chat":
                found.append((id, taught))
    return found


def main() -> None:
    repository, *rest = sys.argv[1:]
    runs: list[list[str]] = [[]]
    for argument in rest:
        if argument == "--":
            runs.append([])
        elif argument != "-c":
            runs[-1].append(argument)
    print("| settings | taught | coverage | right | by kind | general | CPU s |")
    print("| --- | --- | ---: | ---: | --- | ---: | ---: |")
    for overrides in runs:
        cells = measure(Path(repository), ["preset=tiny", *overrides])
        print("| " + " | ".join([" ".join(overrides) or "defaults", *cells]) + " |")


if __name__ == "__main__":
    main()
