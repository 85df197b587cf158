"""The measurement of a base model counts what a generator returns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from repobuild.model.bundled.question_texts import AskedQuestion
from repobuild.model.generate import GeneratedText
from tests.benchmarks import base_questions
from tests.benchmarks.base_questions import Exam, is_grounded, measure

RIGHT = GeneratedText("`f` is in `a.py`.", True)
CUT = GeneratedText("`f` is in `b.py`, which", False)


class FakeGenerator:
    """Gives a right answer that ends, and a wrong one that is cut."""

    def generate(self, questions: Sequence[str], limit: int) -> list[GeneratedText]:
        assert limit == base_questions.LIMIT
        return [RIGHT, CUT][: len(questions)]


def test_texts_are_judged_and_ends_are_those_that_the_generator_reports(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def load(*_: Any) -> FakeGenerator:
        return FakeGenerator()

    monkeypatch.setattr(base_questions.TextGenerator, "load", load)
    monkeypatch.setattr(base_questions, "load_base", lambda folder: Loaded())
    asked = [AskedQuestion("location", "Where is `f`?", RIGHT.text)] * 2
    scores = measure(tmp_path, {}, [Exam("grounded", asked, is_grounded)])
    assert scores["grounded"] == scores["ends"] == 0.5
    assert scores["grounded by kind"] == {"location": "1 of 2"}
    shown: Any = scores["grounded shown"]
    assert [one["answer"] for one in shown] == [RIGHT.text, CUT.text]


class Loaded:
    def eval(self) -> Loaded:
        return self
