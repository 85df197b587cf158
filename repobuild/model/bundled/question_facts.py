"""Read the facts that questions ask about out of each repository of the corpus.

    python -m repobuild.model.bundled.question_facts CORPUS

Each repository is built up to `dataset`, as a user's is, in English and Chinese. What
its training samples say is kept in `CORPUS/facts/NAME.jsonl`, one fact a line: its kind
in `configs/questions`, its language, its element, the fields of its questions and its
answer. `question_texts.py` asks it again, in any phrasing.

The fields are read back out of the questions: every phrasing is a template, and a fact
has up to nine. A repository that has its file is not built again.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

from repobuild.checkout import open_checkout, silent
from repobuild.samples.dataset.summary import DatasetSummary, KeptSample, read_kept
from repobuild.samples.tasks.phrases import HELD_OUT, NUMBERS, FactKind, load_phrases
from repobuild.samples.text.paraphrases import fields_of
from repobuild.settings import use_command_line

LANGUAGES = ("en", "zh")
_KEY = re.compile(r"#(\w+)\.(\w+)\.(\d+)$")


@dataclass(frozen=True, slots=True)
class QuestionFact:
    """A fact in one language, ready to be asked in any phrasing of its kind."""

    kind: str
    task: str
    language: str
    element: str
    fields: Mapping[str, str]
    answer: str


def read_facts(samples: Iterable[KeptSample]) -> Iterator[QuestionFact]:
    """Yield each fact of the training samples once; fill-in samples have none."""
    found: dict[tuple[str, ...], QuestionFact] = {}
    for kept in samples:
        if kept.row["split"] != "train" or kept.sample["form"] != "chat":
            continue
        fact = _read_fact(kept)
        if fact is None:
            continue
        key = (fact.kind, fact.language, fact.element, fact.answer)
        if key in found:  # another phrasing of it, perhaps with other fields
            fact = replace(fact, fields={**found[key].fields, **fact.fields})
        found[key] = fact
    yield from found.values()


def _read_fact(kept: KeptSample) -> QuestionFact | None:
    """Return what a sample asks and says; None if its question is held out."""
    match = _KEY.search(kept.id)
    assert match is not None
    task, language, number = match[1], match[2], int(match[3])
    kind = _kinds(language).get((task, number // NUMBERS))
    if kind is None or number % NUMBERS == HELD_OUT:
        return None
    sample = kept.sample
    fields = fields_of(sample["question"], kind.questions[number % NUMBERS])
    if fields is None:
        return None
    element, answer = str(sample["element"]), str(sample["answer"])
    return QuestionFact(kind.name, task, language, element, fields, answer)


@cache
def _kinds(language: str) -> Mapping[tuple[str, int], FactKind]:
    kinds = load_phrases(language).kinds.values()
    return {(kind.task, kind.number // NUMBERS): kind for kind in kinds}


def facts_of(repository: Path) -> list[QuestionFact]:
    """Build the tables of a repository up to `dataset`, and return its facts."""
    with use_command_line([f"samples.languages={json.dumps(LANGUAGES)}"]):
        checkout = open_checkout(repository)
        snapshot = checkout.snapshot()
        with checkout.building(snapshot, silent, jobs=1) as build:
            build.run(checkout.goals("dataset", snapshot))
            return list(read_facts(read_kept(build, DatasetSummary())))


def write_facts(repository: Path, target: Path) -> int:
    """Build a repository, write its facts, remove its tables; return the number."""
    facts = facts_of(repository)
    lines = (json.dumps(asdict(f), ensure_ascii=False) + "\n" for f in facts)
    new = target.with_suffix(".new")
    new.write_text("".join(lines), "utf-8")
    new.rename(target)
    shutil.rmtree(repository / ".git" / "repobuild", ignore_errors=True)
    return len(facts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line; build the repositories and write their facts."""
    parser = argparse.ArgumentParser(
        prog="python -m repobuild.model.bundled.question_facts"
    )
    parser.add_argument("corpus", type=Path)
    corpus = parser.parse_args(arguments).corpus
    (corpus / "facts").mkdir(exist_ok=True)
    # What a build caches in its process would come to 6 GB over 240 repositories.
    with ProcessPoolExecutor(1, max_tasks_per_child=16) as pool:
        for repository in sorted((corpus / "repositories").iterdir()):
            target = corpus / "facts" / f"{repository.name}.jsonl"
            if not target.exists():
                count = pool.submit(write_facts, repository, target).result()
                line = f"{repository.name}: {count:,} facts"
                print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
