"""Read the facts that questions ask about out of each repository of the corpus.

    python -m repobuild.model.bundled.corpus_facts CORPUS

Each repository is built up to `dataset`, as a user's is, in English and Chinese. What
its training samples say is kept in `CORPUS/facts/NAME.jsonl`, one fact a line: its kind
in `configs/questions`, its language, its element, the fields of its questions and its
answer. A repository that has its file is not built again.

A program by itself: it uses the whole product, and nothing imports it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from repobuild.checkout import open_checkout, silent
from repobuild.model.bundled.question_facts import QuestionFact, read_facts
from repobuild.samples.dataset.summary import DatasetSummary, read_kept
from repobuild.settings import use_command_line

LANGUAGES = ("en", "zh")


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
        prog="python -m repobuild.model.bundled.corpus_facts"
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
