"""What an adapter is asked at a commit, from the datasets of two commits.

    new        samples that came or changed since the last exam, as they were trained
    reworded   the same facts in a phrasing that is never trained
    retained   facts that have stood since the first commit, in such a phrasing
    changed    questions whose answer changed, and whose old answer is known
    removed    where an element lies that is no more; only staleness is marked

An answer is *right* when it states every fact that the expected answer states and the
question does not: what stands in backticks (names, paths, signatures) and line ranges.
It is *stale* when it states what only the old answer stated. Answers with code are
left to the loss.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

KINDS = ("new", "reworded", "retained", "changed", "removed")
NEW, REWORDED, RETAINED, CHANGED, REMOVED = KINDS
MOST = {NEW: 40, REWORDED: 20, RETAINED: 60, CHANGED: 40, REMOVED: 10}
_SPAN = re.compile(r"`([^`\n]+)`|\blines? (\d+(?:[-–]\d+)?)")


@dataclass(frozen=True, slots=True)
class Row:
    """One sample of an export."""

    id: str
    element: str
    task: str
    question: str
    answer: str
    trained: bool
    recall: bool


@dataclass(frozen=True, slots=True)
class Question:
    kind: str
    text: str
    wanted: tuple[str, ...]
    old: tuple[str, ...]  # what only the old answer states

    def mark(self, answer: str) -> tuple[bool, bool]:
        """Whether the answer is right, and whether it is stale."""
        said = stated(answer)
        right = bool(self.wanted) and set(self.wanted) <= said
        return right, bool(self.old) and not right and set(self.old) <= said


def stated(text: str) -> set[str]:
    return {span or lines for span, lines in _SPAN.findall(text)}


def rows(export: Path) -> dict[str, Row]:
    """Every sample of an exported dataset whose answer holds no code."""
    found = {}
    for split in ("train", "val", "test"):
        with (export / f"{split}.jsonl").open(encoding="utf-8") as lines:
            for row in map(_row, lines):
                if "```" not in row.answer and stated(row.answer):
                    found[row.id] = row
    return found


def _row(line: str) -> Row:
    body = json.loads(line)
    about, turns = body["metadata"], body["conversations"]
    question, answer = (turn["content"] for turn in turns[:2])
    recall = about["track"] == "recall"
    trained = not about["track"]
    names = (about["id"], about["element"], about["task_type"])
    return Row(*names, question, answer, trained, recall)


def questions(
    first: Mapping[str, Row], last: Mapping[str, Row], now: Mapping[str, Row]
) -> list[Question]:
    """The exam at `now`; `last` is the commit of the exam before."""
    fresh = [row for row in now.values() if last.get(row.id) != row]
    old = {id: row for id, row in last.items() if id not in now or now[id] != row}
    return [
        *_drawn(NEW, (_question(NEW, row) for row in fresh if row.trained)),
        *_drawn(REWORDED, (_question(REWORDED, row) for row in fresh if row.recall)),
        *_drawn(RETAINED, (
            _question(RETAINED, row)
            for row in now.values() if row.recall and first.get(row.id) == row
        )),
        *_drawn(CHANGED, _changed(old, now)),
        *_drawn(REMOVED, _removed(old, now)),
    ]  # fmt: skip


def _question(kind: str, row: Row, old: Iterable[str] = ()) -> Question:
    wanted = stated(row.answer) - stated(row.question)
    return Question(kind, row.question, tuple(sorted(wanted)), tuple(sorted(old)))


def _changed(old: Mapping[str, Row], now: Mapping[str, Row]) -> Iterator[Question]:
    for id, row in old.items():
        if id in now and now[id].question == row.question:
            gone = stated(row.answer) - stated(now[id].answer) - stated(row.question)
            if gone:
                yield _question(CHANGED, now[id], gone)


def _removed(old: Mapping[str, Row], now: Mapping[str, Row]) -> Iterator[Question]:
    there = {row.element for row in now.values()}
    for row in old.values():
        if row.task == "code_location" and row.element not in there:
            path = row.element.partition("::")[0]
            if path in stated(row.answer) - stated(row.question):
                yield Question(REMOVED, row.question, (), (path,))


def _drawn(kind: str, found: Iterable[Question]) -> list[Question]:
    asked = {
        question.text: question for question in found if question.wanted or question.old
    }
    ordered = sorted(asked, key=lambda text: blake2b(text.encode()).digest())
    return [asked[text] for text in ordered[: MOST[kind]]]


def write(path: Path, asked: Sequence[Question]) -> None:
    path.write_text(json.dumps([asdict(question) for question in asked]), "utf-8")


def read(path: Path) -> list[Question]:
    plain = json.loads(path.read_text("utf-8"))
    return [
        Question(q["kind"], q["text"], tuple(q["wanted"]), tuple(q["old"]))
        for q in plain
    ]
