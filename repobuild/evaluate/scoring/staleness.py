"""Whether a model still believes what was true some commits ago.

Asked are the questions of the table `old_answers` (samples/changes/old_answers.py):
where something is that was moved or removed, what to pass to something whose signature
changed.  An answer is

    right   when it states every fact of what is true now; of what was removed, when it
            says that it is gone
    stale   when it states a fact that only the old answer states, and not what came in
            its place: the path, or the parameters that are no more.  Where parameters
            only came, the old signature whole.  To name the old path of what is gone is
            not stale when the answer says that it is gone

    staleness   stale answers, as a share of the questions; by kind, and all

The base model gives the share that mere guessing has, the parent what was believed
before.  Asked are only questions about what is trained: of a moved or changed element
some sample, of a removed one a sample that tells of it.  No question that holds a
secret is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from repobuild.engine.contract import Table, Value
from repobuild.evaluate.questions import HeldOutSample, by_hash
from repobuild.evaluate.scoring import exact_facts
from repobuild.evaluate.scoring.confidence import mean
from repobuild.evaluate.scoring.exact_facts import Facts
from repobuild.evaluate.scoring.mention_parser import KnownNames
from repobuild.samples.changes.old_answers import KINDS
from repobuild.samples.dataset.all_samples import dataset_key
from repobuild.samples.dataset.secret_detection import secrets

TRACK = "staleness"
Pair = tuple[float, float]
_GONE = re.compile(
    r"\b(no longer|any ?more|removed|deleted|renamed|moved|gone|used to|formerly"
    r"|there is no|does not exist|is not (in|there))\b"
    r"|不再|已经没有|没有了|已删除|删除了|移除|改名|重命名|移动|移到|不存在|曾经|原来",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class OutdatedQuestion:
    """One question with what was and what is true."""

    id: str
    kind: str
    question: str
    expected: str
    old: str
    gone: bool  # asked by a name that is no more
    row: Mapping[str, Value]

    @property
    def sample(self) -> HeldOutSample:
        """As the other questions are: with its kind for a task."""
        return HeldOutSample(
            self.id, TRACK, self.kind, self.question, self.expected, self.row
        )

    def belief(self, answer: str, known: KnownNames) -> StaleBelief:
        task = "api_usage" if self.kind == "changed" else ""

        def told(text: str) -> Facts:
            return exact_facts.asked_for(
                self.question, exact_facts.facts_in(text, task, known)
            )

        then, now = told(self.old), told(self.expected)
        said = exact_facts.facts_in(answer, task, known) | exact_facts.bare(
            answer, then | now
        )
        if self.gone:
            return _of_gone(then, now - then, said, bool(_GONE.search(answer)))
        return _of_changed(then, now, said)


@dataclass(frozen=True, slots=True)
class StaleBelief:
    """What an answer shows of what a model takes for true."""

    right: bool
    stale: bool


def _of_gone(then: Facts, news: Facts, said: Facts, is_told: bool) -> StaleBelief:
    """Asked by a name that is no more; `news` is what it is now, if anything."""
    right = news <= said if news else is_told
    return StaleBelief(right, bool(then & said) and not right and not is_told)


def _of_changed(then: Facts, now: Facts, said: Facts) -> StaleBelief:
    """Where nothing came in the place of what is no more, to state it is wrong."""
    past = bool(_distinct(then - now) & said)
    has_news = bool(now - then) and now - then <= said
    right = now <= said and (has_news or not past)
    return StaleBelief(right, past and not has_news)


def _distinct(gone: Facts) -> Facts:
    """The parts that are no more; the signature whole where no part is gone."""
    parts = frozenset(fact for fact in gone if fact.kind != "signature")
    return parts or gone


def drawn(table: Table, dataset: Table, count: int) -> list[OutdatedQuestion]:
    """`count` questions, evenly by kind, the same ones as long as they hold."""
    rows = sorted(table.items(), key=lambda pair: by_hash(pair[0]))
    trained = [(key, row) for key, row in rows if _is_trained(key, row, dataset)]
    turns = [[one for one in trained if one[1]["kind"] == kind] for kind in KINDS]
    longest = max(map(len, turns), default=0)
    even = (turn[n] for n in range(longest) for turn in turns if n < len(turn))
    questions = (_question(key, row) for key, row in even)
    return list(islice((q for q in questions if _is_open(q)), count))


def _is_trained(key: str, row: Value, dataset: Table) -> bool:
    """Whether a model was told of it as it is now."""
    about = dataset_key("history", key) if row["gone"] else row["element"]
    return any(sample.get("split") == "train" for sample in _rows(dataset.get(about)))


def _rows(value: Value | None) -> Iterable[Value]:
    return value.values() if value else ()


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


def _is_open(question: OutdatedQuestion) -> bool:
    return not secrets(f"{question.question}\n{question.expected}\n{question.old}")


# ----------------------------------------------------------------- over the models


def section(
    asked: Sequence[OutdatedQuestion], beliefs: Mapping[str, Sequence[StaleBelief]]
) -> dict[str, Any]:
    """`strict.staleness` of the report; comparison.py says its form."""
    found: dict[str, Any] = {"n": len(asked)}
    for model, own in beliefs.items():
        pairs = [(float(belief.stale), float(belief.right)) for belief in own]
        found[model] = _estimates(asked, pairs)
    found["difference"] = {
        other: _estimates(asked, _gaps(beliefs["adapter"], theirs))
        for other, theirs in beliefs.items()
        if other != "adapter"
    }
    return found


def _gaps(ours: Sequence[StaleBelief], theirs: Sequence[StaleBelief]) -> list[Pair]:
    """By how much the first are staler, and oftener right, on the same questions."""
    return [
        (float(a.stale) - float(b.stale), float(a.right) - float(b.right))
        for a, b in zip(ours, theirs, strict=True)
    ]


def _estimates(
    asked: Sequence[OutdatedQuestion], pairs: Sequence[Pair]
) -> dict[str, Any]:
    """Stale of all and of each kind that there is, and right of all."""
    groups = {"all": [stale for stale, _ in pairs], "right": [r for _, r in pairs]}
    for question, (stale, _) in zip(asked, pairs, strict=True):
        groups.setdefault(question.kind, []).append(stale)
    names = ("all", *KINDS, "right")
    found = {name: mean(groups.get(name, [])) for name in names}
    return {name: estimate.plain() for name, estimate in found.items() if estimate}
