"""Find the questions whose true answer a pull request changes, and both answers.

Two sources: samples that ask the same as before and are answered otherwise, and the
table `old_answers`, which asks for what moved or was removed. Only what the dataset
keeps is named: a sample that was dropped, for a secret or a licence, is not quoted. And
only what an adapter is taught: with every edit the lines of all that is below it move,
but line numbers are not taught by default (`adapter.line_numbers`).

Many samples ask for one fact, and many facts change with one line; of the same change
of one element, one question is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from repobuild.ci.compare_rows import row_pairs
from repobuild.code.usage.importance import score_of
from repobuild.engine.build import Build
from repobuild.engine.contract import Value
from repobuild.model.adapter.curriculum import Teaching
from repobuild.samples.contexts.line_rows import quotes_lines
from repobuild.samples.dataset.all_samples import SAMPLES, dataset_key

Facts = dict[str, Any]


def changed_answers(before: Build, after: Build) -> list[Facts]:
    """Return questions with their old and their new answer, most important first."""
    found: dict[tuple[str, str, str], Facts] = {}
    for item in (*_asked_again(before, after), *_moved_or_gone(before, after)):
        key = item["element"], item["old"], item["new"]
        if key not in found or item["importance"] > found[key]["importance"]:
            found[key] = item
    return sorted(
        found.values(),
        key=lambda f: (-f["importance"], f["element"], f["question"]),
    )


@dataclass(frozen=True, slots=True)
class TaughtSamples:
    """Tells which samples an adapter is taught by the settings, and in which form."""

    teaching: Teaching
    with_lines: bool

    @classmethod
    def of(cls, build: Build) -> TaughtSamples:
        with_lines = bool(build.settings["adapter.line_numbers"])
        return cls(Teaching.of(build.settings), with_lines)

    def form_of(self, key: str, sample: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return a question as it is taught; None for one that is not."""
        if sample.get("form") != "chat" or (quotes_lines(key) and not self.with_lines):
            return None
        if self.teaching.rank(key, str(sample["task"])) is None:
            return None
        return self.teaching.shorten(sample)


def kept_samples(
    build: Build, table: str, key: str, row: Value | None
) -> dict[str, Mapping[str, Any]]:
    """Return the samples of a row that the dataset keeps, by full dataset key."""
    whole = dataset_key(table, key)
    splits = build.table("dataset").get(whole) or {}
    return {
        whole + sub: sample
        for sub, sample in (row or {}).items()
        if "split" in splits.get(sub, {})
    }


def _asked_again(before: Build, after: Build) -> Iterator[Facts]:
    """Yield samples of one question and two answers."""
    taught = TaughtSamples.of(after)
    for table in after.with_extensions(SAMPLES):
        for pair in row_pairs(before, after, table):
            old = kept_samples(before, table, pair.key, pair.old)
            new = kept_samples(after, table, pair.key, pair.new)
            splits = after.table("dataset").get(dataset_key(table, pair.key)) or {}
            for key in sorted(old.keys() & new.keys()):
                then, now = (taught.form_of(key, side[key]) for side in (old, new))
                if then is None or now is None or then["question"] != now["question"]:
                    continue
                if then["answer"] == now["answer"]:
                    continue
                sub = key.removeprefix(dataset_key(table, pair.key))
                yield {
                    "element": str(now["element"]),
                    "question": now["question"],
                    "old": then["answer"],
                    "new": now["answer"],
                    "importance": float(splits[sub].get("importance", 0.0)),
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
