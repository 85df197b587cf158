"""Leaks between the splits of an exported dataset, found by brute force.

Reads `train.jsonl`, `val.jsonl` and `test.jsonl` as anybody could: every run of 13
quoted words of every trained sample is held against those of every answer about an
untrained element, every trained question frame against every held-out one. No index,
no marks, no state: only what counts as quoted is shared with the tool.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz, process

from repobuild.samples.dataset.quality_filter import question_template
from repobuild.samples.text.passages import quoted_passages, word_runs

LIKE = 97.0


@dataclass(frozen=True)
class Leaks:
    """What was looked at, and the ids that leak."""

    trained: int
    generalise: int
    recall: int
    runs: int  # of 13 words, of trained samples
    told: list[str]  # generalise, by a run of the answer
    phrased: list[str]  # recall, by the frame of the question


def leaks(folder: Path) -> Leaks:
    trained = list(records(folder, "train"))
    held = [*records(folder, "val"), *records(folder, "test")]
    known = set(chain.from_iterable(map(all_runs, trained)))
    frames: dict[str, set[str]] = {}
    for sample in trained:
        frames.setdefault(sample["language"], set()).add(
            question_template(sample["question"])
        )
    generalise = [s for s in held if s["track"] == "generalise"]
    recall = [s for s in held if s["track"] == "recall"]
    return Leaks(
        trained=len(trained),
        generalise=len(generalise),
        recall=len(recall),
        runs=len(known),
        told=[s["id"] for s in generalise if known & answer_runs(s)],
        phrased=[s["id"] for s in recall if is_phrased(s, frames[s["language"]])],
    )


def records(folder: Path, split: str) -> Iterator[dict[str, Any]]:
    with (folder / f"{split}.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            asked, answered = (turn["content"] for turn in record["conversations"])
            yield {**record["metadata"], "question": asked, "answer": answered}


def all_runs(sample: dict[str, Any]) -> set[tuple[str, ...]]:
    return set(chain.from_iterable(map(word_runs, quoted_passages(sample).all)))


def answer_runs(sample: dict[str, Any]) -> set[tuple[str, ...]]:
    return set(chain.from_iterable(map(word_runs, quoted_passages(sample).in_answer)))


def is_phrased(sample: dict[str, Any], frames: set[str]) -> bool:
    own = question_template(sample["question"])
    if own in frames:
        return True
    best = process.extractOne(own, frames, scorer=fuzz.ratio, score_cutoff=LIKE)
    return best is not None
