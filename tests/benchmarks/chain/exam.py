"""What an adapter is asked at a commit, from the datasets of two commits.

    new        samples that came or changed since the last exam, as they were trained
    reworded   the same facts in a phrasing that is never trained
    retained   facts that have stood since the first commit, in such a phrasing
    changed    questions whose answer changed, and whose old answer is known
    removed    where an element lies that a commit removed; only staleness is marked

What is asked was taught, and the expected answer is the taught one: of a change, its
first paragraph, without the quoted code. Answers are marked as the report does: *right*
by repobuild/evaluate/scoring/exact_facts.py, *stale* by staleness.py beside it. Answers
with code are left to the loss.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from repobuild.evaluate.mentions.mention_parser import KnownNames
from repobuild.evaluate.scoring import exact_facts
from repobuild.evaluate.scoring.staleness import OutdatedQuestion
from repobuild.model.teaching.curriculum import Teaching

KINDS = ("new", "reworded", "retained", "changed", "removed")
NEW, REWORDED, RETAINED, CHANGED, REMOVED = KINDS
MOST = {NEW: 40, REWORDED: 20, RETAINED: 60, CHANGED: 20, REMOVED: 10}
HISTORY = "history//"  # what its keys in the dataset begin with
# Whether a path exists is not asked here, only which spans are one.
KNOWN = KnownNames.of(["a.py", "a.md"], [])


@dataclass(frozen=True, slots=True)
class Row:
    """One sample of a dataset, as it is taught if it is."""

    id: str
    element: str
    task: str
    question: str
    answer: str
    trained: bool
    recall: bool

    @classmethod
    def of(
        cls,
        id: str,
        sample: Mapping[str, Any],
        place: Mapping[str, Any],
        teaching: Teaching,
    ) -> Row:
        rank, track = teaching.rank(id, str(sample["task"])), place.get("track", "")
        taught = None if rank is None else teaching.shorten(sample)
        told = taught or sample
        texts = (told["task"], told["question"], told["answer"])
        trained = taught is not None and not track
        recall = taught is not None and track == "recall"
        return cls(id, sample["element"], *texts, trained, recall)

    @property
    def is_marked(self) -> bool:
        """Whether it is taught, and its answer holds facts and no code."""
        is_taught = self.trained or self.recall
        return is_taught and "```" not in self.answer and bool(stated(self))

    @property
    def names_its_own(self) -> bool:
        """Whether it asks by name: a description may be another element's now."""
        name = self.element.rpartition("::")[2].rpartition(".")[2]
        return f"{name}`" in self.question


@dataclass(frozen=True, slots=True)
class Question:
    kind: str
    task: str
    text: str
    expected: str
    old: str = ""  # the answer of then, where there was another one

    @property
    def wanted(self) -> exact_facts.Facts:
        stated = exact_facts.facts_in(self.expected, self.task, KNOWN)
        return exact_facts.facts_asked_for(self.text, stated)

    def mark(self, answer: str) -> tuple[bool | None, bool | None]:
        """Whether the answer is right, and whether it is stale; None = not asked."""
        if not self.old:
            asked = (self.text, answer, self.expected, self.task)
            return bool(exact_facts.compare_facts(*asked, KNOWN).right), None
        gone = self.kind == REMOVED
        outdated = OutdatedQuestion(
            "", "", self.text, self.expected, self.old, gone, {}
        )
        belief = outdated.mark(answer, KNOWN)
        return (belief.right if self.wanted else None), belief.stale


def questions(
    first: Mapping[str, Row], last: Mapping[str, Row], now: Mapping[str, Row]
) -> list[Question]:
    """The exam at `now`; `last` is the commit of the exam before."""
    marked = [row for row in now.values() if row.is_marked]
    fresh = [row for row in marked if last.get(row.id) != row]
    old = {id: row for id, row in last.items() if id not in now or now[id] != row}
    return [
        *_drawn(NEW, (_question(NEW, row) for row in fresh if row.trained)),
        *_drawn(REWORDED, (_question(REWORDED, row) for row in fresh if row.recall)),
        *_drawn(RETAINED, (
            _question(RETAINED, row)
            for row in marked
            if row.recall and first.get(row.id) == row
        )),
        *_drawn(CHANGED, _changed(old, now)),
        *_drawn(REMOVED, _removed(old, now)),
    ]  # fmt: skip


def stated(row: Row) -> exact_facts.Facts:
    """What the answer states and the question does not."""
    return exact_facts.facts_asked_for(
        row.question, exact_facts.facts_in(row.answer, row.task, KNOWN)
    )


def _question(kind: str, row: Row, old: str = "") -> Question:
    return Question(kind, row.task, row.question, row.answer, old)


def _changed(old: Mapping[str, Row], now: Mapping[str, Row]) -> Iterator[Question]:
    for id, row in old.items():
        same = id in now and now[id].question == row.question
        if same and now[id].is_marked and stated(row) - stated(now[id]):
            yield _question(CHANGED, now[id], row.answer)


def _removed(old: Mapping[str, Row], now: Mapping[str, Row]) -> Iterator[Question]:
    gone = {id.removeprefix(HISTORY).partition("#")[0] for id in now if HISTORY in id}
    gone -= {row.element for row in now.values()}
    for row in old.values():
        if row.task == "code_location" and row.element in gone and row.names_its_own:
            path = exact_facts.ExactFact("path", row.element.partition("::")[0])
            if path in stated(row):
                yield Question(REMOVED, row.task, row.question, "", f"`{path.text}`")


def _drawn(kind: str, found: Iterable[Question]) -> list[Question]:
    asked = {
        question.text: question for question in found if question.wanted or question.old
    }
    ordered = sorted(asked, key=lambda text: blake2b(text.encode()).digest())
    return [asked[text] for text in ordered[: MOST[kind]]]


def write(path: Path, asked: Sequence[Question]) -> None:
    path.write_text(json.dumps([asdict(question) for question in asked]), "utf-8")


def read(path: Path) -> list[Question]:
    return [Question(**plain) for plain in json.loads(path.read_text("utf-8"))]
