"""Questions below facts: the facts answer, invented names agree, refusals are right."""

import random
import re

import pytest

from repobuild.model.bundled import grounded
from repobuild.model.bundled.grounded import (
    REFUSALS,
    FactIndex,
    GroundedStyle,
    grounded_conversations,
    invent_all,
)
from repobuild.model.bundled.question_facts import QuestionFact
from repobuild.model.bundled.question_texts import AskedQuestion, RepositoryFacts

PROJECT = "storage"


def place(name: str, path: str, language: str = "en") -> QuestionFact:
    frame = {
        "en": "`{}` is defined in `{}`.",
        "zh": "`{}` 位于 `{}`。",
    }
    answer = frame[language].format(name, path)
    return QuestionFact(
        "location", "code_location", language, f"{path}::{name}", {"name": name}, answer
    )


def described(name: str, path: str) -> QuestionFact:
    fields = {"summary": f"Do what {name} does.", "kind": "function"}
    answer = f"That is the function `{name}` in `{path}`."
    element = f"{path}::{name}"
    return QuestionFact("reverse", "code_location", "en", element, fields, answer)


@pytest.fixture
def index() -> FactIndex:
    facts = [
        make(f"read_{word}", f"store/{word}_{number}.py", *language)
        for number in range(3)
        for word in ("table", "index", "log", "page")
        for make, language in ((place, ("en",)), (place, ("zh",)), (described, ()))
    ]
    return FactIndex.of(RepositoryFacts("storage", PROJECT, tuple(facts)))


def drawn(index: FactIndex, style: GroundedStyle) -> list[AskedQuestion]:
    return [
        one
        for seed in range(60)
        for one in grounded_conversations(index, 20, random.Random(seed), style)
    ]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


@pytest.mark.parametrize("invented", [0.0, 1.0])
def test_the_facts_hold_everything_that_the_answer_names(
    index: FactIndex, invented: float
) -> None:
    asked = drawn(index, GroundedStyle(refused=0.0, invented=invented))
    assert len(asked) > 300
    check_that_facts_answer(asked)


@pytest.mark.parametrize("invented", [0.0, 1.0])
def test_facts_that_do_not_fit_are_left_out_but_not_the_one_that_answers(
    index: FactIndex, invented: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    style = GroundedStyle(refused=0.0, invented=invented)
    whole = drawn(index, style)
    monkeypatch.setattr(grounded, "LONGEST", 200)
    cut = drawn(index, style)
    assert max(map(fact_count, cut)) < max(map(fact_count, whole))
    assert len(cut) > 100
    check_that_facts_answer(cut)


def fact_count(asked: AskedQuestion) -> int:
    return asked.question.count("\n- ") + 1


def check_that_facts_answer(asked: list[AskedQuestion]) -> None:
    """Check that some fact of each message has all names of the answer."""
    for one in asked:
        facts, _, question = one.question.rpartition("\n\n")
        lines = facts.split("\n")
        assert all(line.startswith("- ") for line in lines)
        (subject,) = quoted(question)
        holding = [
            line for line in lines if set(quoted(one.answer)) <= set(quoted(line))
        ]
        assert holding and subject in quoted(one.answer)


def test_a_question_that_its_fact_does_not_answer_is_not_asked(
    index: FactIndex,
) -> None:
    """What is described like this? The fact has the name, not the description."""
    assert {one.kind for one in drawn(index, GroundedStyle())} == {"location"}


def test_a_refusal_has_no_fact_about_what_is_asked(index: FactIndex) -> None:
    asked = drawn(index, GroundedStyle(refused=1.0, invented=0.0))
    assert asked
    for one in asked:
        facts, _, question = one.question.rpartition("\n\n")
        assert one.answer in REFUSALS.values()
        assert not set(quoted(question)) & set(quoted(facts))


def test_the_shares_are_kept(index: FactIndex) -> None:
    asked = drawn(index, GroundedStyle())
    refused = [one for one in asked if one.answer in REFUSALS.values()]
    assert 0.06 < len(refused) / len(asked) < 0.14
    real = [one for one in asked if "store/" in one.question]
    assert 0.4 < len(real) / len(asked) < 0.6


def test_invented_names_are_the_same_in_every_text() -> None:
    texts = [
        "`Log.read_all` calls `str`, `__init__` (in `store/log.py`), lines 120-130.",
        "Who calls `read_all` of `store/log.py` at 120?",
        "The signature is:\n```python\ndef read_all(self, size: int)\n```",
    ]
    first, second, third = invent_all(texts, random.Random(5))
    method, path = quoted(second)
    kept_method, built_in, dunder, kept_path = quoted(first)
    assert (built_in, dunder, kept_path) == ("str", "__init__", path)
    assert kept_method.partition(".")[2] == method != "read_all"
    assert path.endswith(".py") and "store" not in path and "log" not in path
    assert f"def {method}(self, size: int)" in third
    (number,) = re.findall(r"at (\d+)\?", second)
    assert f"lines {number}-" in first
