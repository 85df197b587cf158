"""Find the questions whose true answer a pull request changes, and both answers.

Two sources: samples that ask the same as before and are answered otherwise, and the
table `old_answers`, which asks for what moved or was removed. Only what the dataset
keeps is named: a sample that was dropped, for a secret or a licence, is not quoted. And
only what an adapter is taught (changed_samples.py).

Many samples ask for one fact, and many facts change with one line; of the same change
of one element, one question is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from repobuild.ci.changed_samples import SampleChange, TaughtSamples
from repobuild.ci.compare_rows import row_pairs
from repobuild.code.usage.importance import score_of
from repobuild.engine.build import Build

Facts = dict[str, Any]


def changed_answers(
    before: Build, after: Build, changes: Iterable[SampleChange]
) -> list[Facts]:
    """Return questions with their old and their new answer, most important first."""
    found: dict[tuple[str, str, str], Facts] = {}
    asked_again = _asked_again(TaughtSamples.of(after), changes)
    for item in (*asked_again, *_moved_or_gone(before, after)):
        key = item["element"], item["old"], item["new"]
        if key not in found or item["importance"] > found[key]["importance"]:
            found[key] = item
    return sorted(
        found.values(),
        key=lambda f: (-f["importance"], f["element"], f["question"]),
    )


def _asked_again(
    taught: TaughtSamples, changes: Iterable[SampleChange]
) -> Iterator[Facts]:
    """Yield samples of one question and two answers."""
    for change in changes:
        then, now = (taught.form_of(change.key, s) for s in (change.old, change.new))
        if then is None or now is None or not then["form"] == now["form"] == "chat":
            continue
        if then["question"] == now["question"] and then["answer"] != now["answer"]:
            yield {
                "element": str(now["element"]),
                "question": now["question"],
                "old": then["answer"],
                "new": now["answer"],
                "importance": change.importance,
            }


def _moved_or_gone(before: Build, after: Build) -> Iterator[Facts]:
    """Yield the questions about what moved, was removed, or takes other arguments."""
    scores = before.table("importance")
    for pair in row_pairs(before, after, "old_answers"):
        if (row := pair.new) is None:
            continue
        yield {
            "element": row["element"],
            "question": row["question"],
            "old": row["old"],
            "new": row["expected"],
            "importance": score_of(scores, pair.key),
        }
