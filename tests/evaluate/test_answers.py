"""The answer cache: a model answers a question once."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from repobuild.evaluate.answers import (
    FILE,
    Advance,
    AnswerCache,
    ModelUnderTest,
    Question,
    SampleRow,
    sample_digest,
)
from repobuild.model.generate import GeneratedText


class Echo:
    """A model that answers with the question, and records its batches."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def generate(
        self, questions: Sequence[Question], max_new_tokens: int, advance: Advance
    ) -> list[tuple[str, bool]]:
        texts = [q if isinstance(q, str) else str(q["prefix"]) for q in questions]
        self.batches.append(texts)
        advance(len(texts))
        return [(text[:max_new_tokens], len(text) <= max_new_tokens) for text in texts]

    def losses(
        self, samples: Sequence[tuple[str, SampleRow]]
    ) -> list[tuple[float, int]]:
        self.batches.append([str(s["question"]) for _, s in samples])
        return [(float(len(s["answer"])), 1) for _, s in samples]

    def text_losses(self, texts: Sequence[tuple[str, str]]) -> list[tuple[float, int]]:
        self.batches.append([path for path, _ in texts])
        return [(float(len(text)), 1) for _, text in texts]


def model_under_test(
    cache: AnswerCache, model: Echo, digest: str = "m"
) -> ModelUnderTest:
    return ModelUnderTest(digest, lambda: model, cache, AnswerCache())


def sample(question: str) -> dict[str, str]:
    return {"form": "chat", "question": question, "answer": question * 2}


def texts(answers: Sequence[GeneratedText]) -> list[str]:
    return [answer.text for answer in answers]


def test_only_new_questions_reach_the_model_and_in_one_batch() -> None:
    cache, model = AnswerCache(), Echo()
    model_under_test(cache, model).generate(["a", "b"], 9)
    later = model_under_test(cache, model).generate(["c", "a", "d"], 9)
    assert texts(later) == ["c", "a", "d"]
    assert model.batches == [["a", "b"], ["c", "d"]]


def test_a_model_with_every_answer_cached_is_never_loaded() -> None:
    def load() -> Echo:
        raise AssertionError("loaded")

    cache = AnswerCache()
    model_under_test(cache, Echo()).generate(["a"], 9)
    model_under_test(cache, Echo()).losses([sample("a")])
    model = ModelUnderTest("m", load, cache, AnswerCache())
    assert model.generate(["a"], 9) == [GeneratedText("a", True)]
    assert model.losses([sample("a")]) == [(2.0, 1)]
    assert model.computed == 0


def test_the_loss_of_a_text_is_cached_by_its_path_and_content() -> None:
    cache, model = AnswerCache(), Echo()
    first, other = ("a.py", "code"), ("b.py", "code")
    assert model_under_test(cache, model).text_losses([first]) == [(4.0, 1)]
    again = model_under_test(cache, model).text_losses([first, other, other])
    assert again == [(4.0, 1)] * 3
    assert model.batches == [["a.py"], ["b.py"]]


def test_answers_are_cached_by_model_and_length_limit() -> None:
    cache, model = AnswerCache(), Echo()
    model_under_test(cache, model).generate(["question"], 9)
    model_under_test(cache, model, "other").generate(["question"], 9)
    cut = model_under_test(cache, model).generate(["question"], 2)
    assert cut == [GeneratedText("qu", False)]
    assert len(model.batches) == 3


def test_a_hole_is_asked_as_a_sample_and_cached() -> None:
    cache, model = AnswerCache(), Echo()
    hole = {"form": "fim", "question": "q", "prefix": "def f(", "suffix": "): ..."}
    other = {**hole, "suffix": "): pass"}
    asked = model_under_test(cache, model)
    assert texts(asked.generate([hole, other, hole], 3)) == ["def"] * 3
    assert texts(model_under_test(cache, model).generate([other], 3)) == ["def"]
    assert model.batches == [["def f(", "def f("]]


def test_progress_reaches_its_total_whatever_is_cached() -> None:
    cache, done = AnswerCache(), [0]

    def advance(count: int) -> None:
        done[0] += count

    model_under_test(cache, Echo()).generate(["a", "b"], 9, advance)
    model_under_test(cache, Echo()).generate(["a", "b", "c"], 9, advance)
    assert done == [5]


def test_a_question_asked_twice_is_generated_once() -> None:
    model = Echo()
    asked = model_under_test(AnswerCache(), model)
    assert texts(asked.generate(["a", "a"], 9)) == ["a", "a"]
    assert model.batches == [["a"]]


def test_the_key_of_a_loss_covers_the_answer_but_not_the_task() -> None:
    changed = {**sample("a"), "answer": "else"}
    assert sample_digest(sample("a")) != sample_digest(changed)
    assert sample_digest(sample("a")) == sample_digest({**sample("a"), "task": "x"})


def test_a_written_cache_is_read_back_unchanged(tmp_path: Path) -> None:
    cache = AnswerCache()
    asked = model_under_test(cache, Echo())
    asked.generate(["多字节\n\u2028 `x`", "b"], 9)
    asked.losses([sample("a")])
    cache.write(tmp_path / FILE)
    again = AnswerCache()
    again.read(tmp_path / FILE)
    assert again == cache


def test_the_same_answers_make_the_same_bytes(tmp_path: Path) -> None:
    one, other = AnswerCache(), AnswerCache()
    model_under_test(one, Echo()).generate(["a", "b"], 9)
    model_under_test(other, Echo()).generate(["b", "a"], 9)
    one.write(tmp_path / "one")
    other.write(tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_report_stores_only_the_answers_that_it_used() -> None:
    cache = AnswerCache()
    model_under_test(cache, Echo()).generate(["a", "b"], 9)
    later = model_under_test(cache, Echo())
    later.generate(["b"], 9)
    assert list(later.used.answers) == [("m", "b", 9)]


@pytest.mark.parametrize("cut", range(0, 120, 7))
def test_a_file_truncated_anywhere_is_a_cache_miss(tmp_path: Path, cut: int) -> None:
    cache = AnswerCache()
    model_under_test(cache, Echo()).generate(["a", "b"], 9)
    path = tmp_path / FILE
    cache.write(path)
    path.write_bytes(path.read_bytes()[:cut])
    again = AnswerCache()
    again.read(path)
    assert again.answers in ({}, cache.answers)


def test_an_answer_of_an_earlier_version_is_asked_again(tmp_path: Path) -> None:
    """It does not say whether the model ended it."""
    row = {"model": "m", "question": "a", "max_new_tokens": 9, "answer": "old"}
    path = tmp_path / FILE
    path.write_bytes(gzip.compress(json.dumps(row).encode()))
    cache = AnswerCache()
    cache.read(path)
    asked = model_under_test(cache, Echo())
    assert asked.generate(["a"], 9) == [GeneratedText("a", True)]
    asked.used.write(path)
    again = AnswerCache()
    again.read(path)
    assert again.ended == {("m", "a", 9): True}


def test_a_missing_file_is_a_cache_miss(tmp_path: Path) -> None:
    again = AnswerCache()
    again.read(tmp_path / FILE)
    assert again == AnswerCache()
