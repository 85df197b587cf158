"""Check that no question has two answers among the samples that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from repobuild.truth.sample_check import WrongClaim

ONE_ANSWER = "one answer"


@dataclass
class AskedQuestions:
    """The questions of the kept samples so far, each with its answer, as hashes."""

    wrong: list[WrongClaim] = field(default_factory=list)
    count: int = 0
    _answers: dict[int, int] = field(default_factory=dict)

    def add(self, key: str, sample: Mapping[str, Any]) -> None:
        """Note a sample; it is wrong if an earlier one has another answer."""
        self.count += 1
        question, answer = str(sample["question"]), hash(sample["answer"])
        if self._answers.setdefault(hash(_normal(question)), answer) != answer:
            why = "another sample that is kept answers it otherwise"
            self.wrong.append(WrongClaim(key, ONE_ANSWER, question, why))


def _normal(question: str) -> tuple[str, ...]:
    """Return the words of a question, in small letters where they are no code."""
    outside = True
    words = []
    for piece in question.split("`"):
        words += (piece.lower() if outside else piece).split() + ["`"]
        outside = not outside
    return tuple(words)
