"""Score whether a model still believes what was true some commits ago.

The questions are those of the table `old_answers` (samples/changes/old_answers.py):
where something is that was moved or removed, what to pass to something whose signature
changed. An answer is

    right   if it states every fact that is true now; for a removed element, if it
            states that the element is gone
    stale   if it states a fact that only the old answer has, and not its replacement:
            the old path, or parameters that no longer exist. If parameters were only
            added, the whole old signature. The old path of a removed element is not
            stale if the answer states that the element is gone

    staleness   stale answers as a share of the questions, by kind and overall

The base model's share measures mere guessing, the parent's share measures what was
believed before the update. A question is asked only if its subject was trained: some
sample of a moved or changed element, a sample about the removal of a removed one.
Questions that contain a secret are not asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from repobuild.engine.contract import Table, Value
from repobuild.evaluate.mentions.mention_parser import KnownNames
from repobuild.evaluate.questions import HeldOutSample, draw_key
from repobuild.evaluate.scoring import exact_facts
from repobuild.evaluate.scoring.confidence import mean
from repobuild.evaluate.scoring.exact_facts import Facts
from repobuild.samples.changes.old_answers import KINDS
from repobuild.samples.dataset.all_samples import dataset_key
from repobuild.samples.dataset.secret_detection import find_secrets

TRACK = "staleness"
_SAYS_GONE = re.compile(
    r"\b(no longer|any ?more|removed|deleted|renamed|moved|gone|used to|formerly"
    r"|there is no|does not exist|is not (in|there))\b"
    r"|不再|已经没有|没有了|已删除|删除了|移除|改名|重命名|移动|移到|不存在|曾经|原来",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class StalenessMark:
    """The mark of one answer to an outdated question."""

    right: bool
    stale: bool


@dataclass(frozen=True, slots=True)
class OutdatedQuestion:
    """A question with its present and its old answer."""

    id: str
    kind: str
    question: str
    expected: str
    old: str
    gone: bool  # the question uses a name that no longer exists
    row: Mapping[str, Value]

    @property
    def sample(self) -> HeldOutSample:
        """The question in the form of the held-out ones, its kind as the task."""
        return HeldOutSample(
            self.id, TRACK, self.kind, self.question, self.expected, self.row
        )

    def mark(self, answer: str, known: KnownNames) -> StalenessMark:
        """Mark an answer by the facts of the present and of the old answer."""
        task = "api_usage" if self.kind == "changed" else ""

        def facts(text: str) -> Facts:
            return exact_facts.facts_in(text, task, known)

        old = exact_facts.facts_asked_for(self.question, facts(self.old))
        now = exact_facts.facts_asked_for(self.question, facts(self.expected))
        stated = facts(answer) | exact_facts.bare_facts(answer, old | now)
        if self.gone:
            return _mark_gone(old, now, stated, bool(_SAYS_GONE.search(answer)))
        return _mark_changed(old, now, stated)


def _mark_gone(old: Facts, now: Facts, stated: Facts, says_gone: bool) -> StalenessMark:
    """Mark an answer to a question that uses a name which no longer exists."""
    replacement = now - old
    right = replacement <= stated if replacement else says_gone
    return StalenessMark(right, bool(old & stated) and not right and not says_gone)


def _mark_changed(old: Facts, now: Facts, stated: Facts) -> StalenessMark:
    """Mark an answer about something that still exists.

    Without a replacement for the old facts, stating one of them is wrong.
    """
    removed, replacement = old - now, now - old
    # The whole signature is an old fact only if no part of it was removed.
    parts = frozenset(fact for fact in removed if fact.kind != "signature")
    states_old = bool((parts or removed) & stated)
    states_replacement = bool(replacement) and replacement <= stated
    right = now <= stated and (states_replacement or not states_old)
    return StalenessMark(right, states_old and not states_replacement)


# -------------------------------------------------------------- drawing the questions


def draw_questions(
    old_answers: Table, dataset: Table, count: int
) -> list[OutdatedQuestion]:
    """Draw `count` questions evenly by kind, the same ones as long as they hold."""
    rows = sorted(old_answers.items(), key=lambda pair: draw_key(pair[0]))
    trained = [(key, row) for key, row in rows if _is_trained(key, row, dataset)]
    by_kind = [[pair for pair in trained if pair[1]["kind"] == kind] for kind in KINDS]
    longest = max(map(len, by_kind), default=0)
    in_turns = (pairs[n] for n in range(longest) for pairs in by_kind if n < len(pairs))
    questions = (_question(key, row) for key, row in in_turns)
    without_secret = (
        q for q in questions if not find_secrets(f"{q.question}\n{q.expected}\n{q.old}")
    )
    return list(islice(without_secret, count))


def _is_trained(key: str, row: Value, dataset: Table) -> bool:
    """Return whether a sample about the present state is in the training split."""
    subject = dataset_key("history", key) if row["gone"] else row["element"]
    samples = dataset.get(subject) or {}
    return any(sample.get("split") == "train" for sample in samples.values())


def _question(key: str, row: Value) -> OutdatedQuestion:
    return OutdatedQuestion(
        id=f"old_answers//{key}",
        kind=row["kind"],
        question=row["question"],
        expected=row["expected"],
        old=row["old"],
        gone=bool(row["gone"]),
        row={"element": row["element"], "language": row["language"], "form": "chat"},
    )


# ----------------------------------------------------------------- over the models


def section(
    questions: Sequence[OutdatedQuestion], marks: Mapping[str, Sequence[StalenessMark]]
) -> dict[str, Any]:
    """Return the section `strict.staleness`; comparison.py defines its form."""
    kinds = [question.kind for question in questions]
    stale = {m: [float(mark.stale) for mark in own] for m, own in marks.items()}
    right = {m: [float(mark.right) for mark in own] for m, own in marks.items()}
    section: dict[str, Any] = {"n": len(questions)}
    for model in marks:
        section[model] = _intervals(kinds, stale[model], right[model])
    section["difference"] = {
        other: _intervals(
            kinds,
            _subtract(stale["adapter"], stale[other]),
            _subtract(right["adapter"], right[other]),
        )
        for other in marks
        if other != "adapter"
    }
    return section


def _subtract(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [a - b for a, b in zip(ours, theirs, strict=True)]


def _intervals(
    kinds: Sequence[str], stale: Sequence[float], right: Sequence[float]
) -> dict[str, Any]:
    """Return the means of `stale`, of all and by kind, and of `right`."""
    groups = {"all": list(stale), "right": list(right)}
    for kind, value in zip(kinds, stale, strict=True):
        groups.setdefault(kind, []).append(value)
    intervals = {name: mean(groups.get(name, [])) for name in ("all", *KINDS, "right")}
    return {name: e.to_dict() for name, e in intervals.items() if e is not None}
