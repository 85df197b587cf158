"""Find the questions whose true answer a pull request changes, and both answers.

Two sources: samples that ask the same as before and are answered otherwise, and the
table `old_answers`, which asks for what moved or was removed. Only what the dataset
keeps is named: a sample that was dropped, for a secret or a licence, is not quoted. And
only what an adapter is taught: with every edit the lines of all that is below it move,
but line numbers are not taught by default (`adapter.line_numbers`), nor are kinds that
`adapter.teach` leaves out.

Many samples ask for one fact, and many facts change with one line; of the same change
of one element, one question is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from repobuild.ci.changed_samples import Sample, SampleChange
from repobuild.ci.compare_rows import row_pairs
from repobuild.code.usage.importance import score_of
from repobuild.engine.build import Build
from repobuild.model.teaching.curriculum import Teaching
from repobuild.samples.contexts.line_rows import quotes_lines

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


@dataclass(frozen=True, slots=True)
class TaughtSamples:
    """Tells which samples an adapter is taught by the settings, and in which form."""

    teaching: Teaching
    with_lines: bool

    @classmethod
    def of(cls, build: Build) -> TaughtSamples:
        with_lines = bool(build.settings["adapter.line_numbers"])
        return cls(Teaching.of(build.settings), with_lines)

    def form_of(self, key: str, sample: Sample | None) -> Sample | None:
        """Return a sample as it is taught; None for one that is not."""
        if sample is None or (quotes_lines(key) and not self.with_lines):
            return None
        if self.teaching.rank(key, str(sample["task"])) is None:
            return None
        return self.teaching.shorten(sample)
