"""Dropping and splitting do not depend on the order of the samples."""

from __future__ import annotations

import random
from typing import Any

import pytest

from repobuild.samples.dataset import copies
from repobuild.samples.dataset.dataset import dataset
from repobuild.samples.dataset.quality_filter import (
    LengthBounds,
    drop_reason,
    format_error,
    near_duplicates,
)
from repobuild.samples.dataset.split import Split
from tests.fakes import MemoryView

SETTINGS = {
    "samples.min_answer": 50,
    "samples.max_answer": 1000,
    "samples.max_characters": 6000,
    "samples.max_tokens": 0,
    "samples.near_duplicate": 0.97,
    "split.generalise": 0.06,
    "split.salt": "1",
}
BOUNDS, SPLIT = LengthBounds.of(SETTINGS), Split.of(SETTINGS)
NOTHING_HIDDEN = Split(0.0, "1")
TOKEN = "gh" + "p_" + "aB3dE6gH9" * 4
GITHUB = {"dropped": "secret: GitHub Token"}
MISREAD = ("，版本历史".encode("gbk").decode("latin-1") + " ") * 9
LONG = "An answer of more than fifty characters, as the spec wants it to be. "


def sample(question: str, answer: str = LONG, **more: Any) -> dict[str, Any]:
    return {
        "task": "code_explanation",
        "language": "en",
        "form": "chat",
        "question": question,
        "answer": answer,
        "element": "a.py::f",
        "sources": ["a.py::f"],
        "difficulty": "easy",
        "held_out": False,
    } | more


def built(view: MemoryView, rows: dict[str, Any]) -> dict[str, Any]:
    dataset(view.advance(samples=rows))
    return dict(view.own.rows)


def test_every_drop_has_its_reason() -> None:
    for changed, expected in (
        ({"answer": ""}, "no answer"),
        ({"sources": []}, "no sources"),
        ({"answer": "```python\n" + LONG}, "open fence in the answer"),
        ({"answer": "short"}, "answer too short"),
        ({"answer": "short", "task": "code_location"}, ""),
        ({"answer": "x" * 1001}, "answer too long"),
        ({"question": "x" * 6000}, "sample too long"),
        ({"answer": "版本历史：修改了词典处理方法。" * 4}, ""),
        ({"answer": MISREAD}, "not text"),
        ({}, ""),
    ):
        assert (
            drop_reason(sample("Why?") | changed, BOUNDS, NOTHING_HIDDEN, {})
            == expected
        )


def test_a_sample_that_names_a_held_out_element_is_dropped() -> None:
    ids = [f"b.py::f{n}" for n in range(999)]
    hidden = next(id for id in ids if SPLIT.is_held_out(id))
    seen = next(id for id in ids if not SPLIT.is_held_out(id))
    about = sample("Why?", element=seen, sources=[seen, hidden])
    assert drop_reason(about, BOUNDS, SPLIT, {}) == "tells of a held-out element"
    own = sample("Why?", element=hidden, sources=[hidden, seen])
    assert drop_reason(own, BOUNDS, SPLIT, {}) == ""


def test_a_sample_without_a_field_is_malformed() -> None:
    assert format_error({"task": "x"}) == "no language"


def test_the_smallest_key_keeps_a_question_that_several_ask() -> None:
    rows = {
        key: {"#code_explanation.en.0": sample("Same?", element=key, sources=[key])}
        for key in ("a.py", "b.py", "c.py")
    }
    found = built(MemoryView(SETTINGS), rows)
    assert found["a.py"]["#code_explanation.en.0"]["split"] == "train"
    for key in ("b.py", "c.py"):
        assert found[key]["#code_explanation.en.0"] == {"dropped": "duplicate question"}


def test_a_question_moves_to_the_next_context_when_its_first_one_is_removed() -> None:
    one = {"#code_explanation.en.0": sample("Same?", element="a.py", sources=["a.py"])}
    two = {"#code_explanation.en.0": sample("Same?", element="b.py", sources=["b.py"])}
    view = MemoryView(SETTINGS)
    built(view, {"a.py": one, "b.py": two})
    found = built(view, {"b.py": two})
    trained = {"split": "train", "track": ""}
    assert found == {"b.py": {"#code_explanation.en.0": trained}}


AMBIGUOUS = {"dropped": "ambiguous"}
ONLY = "#code_explanation.en.0"
LESS = LONG + "But not here."


def asking(**answers: str) -> dict[str, Any]:
    """Return contexts that ask the same and answer as given."""
    return {
        key: {ONLY: sample("Same `f`?", answer, element=key, sources=[key])}
        for key, answer in answers.items()
    }


def test_a_question_with_two_answers_is_dropped_in_all_contexts() -> None:
    found = built(MemoryView(SETTINGS), asking(a=LONG, b=LESS, c=LONG))
    assert found == {key: {ONLY: AMBIGUOUS} for key in "abc"}


def test_questions_that_differ_in_white_space_and_capitals_are_one() -> None:
    rows = asking(a=LONG, b=LESS)
    rows["b"][ONLY]["question"] = "same  `f`?\n"
    found = built(MemoryView(SETTINGS), rows)
    assert found == {key: {ONLY: AMBIGUOUS} for key in "ab"}


def test_names_that_differ_in_capitals_are_two() -> None:
    rows = asking(a=LONG, b=LESS)
    rows["b"][ONLY]["question"] = "Same `F`?"
    found = built(MemoryView(SETTINGS), rows)
    assert [found[key][ONLY].get("split") for key in "ab"] == ["train", "train"]


def test_a_question_is_kept_when_its_other_answer_is_gone() -> None:
    view = MemoryView(SETTINGS)
    built(view, asking(a=LONG, b=LESS))
    found = built(view, asking(a=LONG, b=LONG))
    assert found["a"][ONLY]["split"] == "train"
    assert found["b"][ONLY] == {"dropped": "duplicate question"}


def test_a_question_with_two_answers_in_one_context_is_asked_in_no_other() -> None:
    rows = asking(a=LONG, b=LONG)
    other = "#code_explanation.en.1"
    rows["b"][other] = rows["b"][ONLY] | {"answer": LESS}
    found = built(MemoryView(SETTINGS), rows)
    assert found == {
        "a": {ONLY: AMBIGUOUS},
        "b": dict.fromkeys((ONLY, other), AMBIGUOUS),
    }


def test_what_a_task_knows_to_be_ambiguous_is_dropped() -> None:
    rows = asking(a=LONG)
    rows["a"][ONLY]["ambiguous"] = True
    assert built(MemoryView(SETTINGS), rows) == {"a": {ONLY: AMBIGUOUS}}


def test_near_duplicates_are_dropped_only_if_the_answers_are_equal() -> None:
    same = {
        "#a": sample("What does the function `x` of project do?"),
        "#b": sample("What does the function `x` of project do ?"),
    }
    assert near_duplicates(same, BOUNDS) == {"#b"}
    other = same | {"#b": same["#b"] | {"answer": LONG + "Another."}}
    assert near_duplicates(other, BOUNDS) == set()


def test_a_trained_phrasing_is_kept_before_a_held_out_one() -> None:
    rows = {
        "#a": sample("What does the function `x` of project do?", held_out=True),
        "#b": sample("What does the function `x` of project do ?"),
    }
    assert near_duplicates(rows, BOUNDS) == {"#a"}


def test_a_held_out_phrasing_of_an_untrained_fact_is_dropped() -> None:
    rows = {"a.py": {"#code_explanation.en.9": sample("Why?", held_out=True)}}
    found = built(MemoryView(SETTINGS | {"split.generalise": 0.0}), rows)
    assert found["a.py"]["#code_explanation.en.9"] == {
        "dropped": "held out but not trained"
    }


@pytest.mark.parametrize("field", ["question", "answer", "prefix", "suffix"])
def test_a_sample_that_holds_a_secret_is_dropped_without_its_value(field: str) -> None:
    planted = sample("Why?")
    planted[field] = planted.get(field, "") + f"\ntoken = '{TOKEN}'\n"
    found = built(MemoryView(SETTINGS), {"a.py": {"#code_explanation.en.1": planted}})
    assert found == {"a.py": {"#code_explanation.en.1": GITHUB}}


def test_a_secret_is_found_across_the_edge_of_masked_code() -> None:
    cut = sample("Fill in.", "s3!Kq9#" + 'Zt2"\n' + LONG, prefix='password = "')
    found = built(MemoryView(SETTINGS), {"a.py": {"#code_completion.en.1": cut}})
    assert found["a.py"]["#code_completion.en.1"]["dropped"] == "secret: Secret Keyword"


def test_a_secret_that_one_sample_reveals_drops_those_that_only_show_it() -> None:
    value = "s3!Kq9#" + "Zt2"
    rows = {
        "#code_explanation.en.1": sample(f'Why `password = "{value}"`?'),
        "#code_explanation.en.2": sample("Which default?", f"`{value}`. " + LONG),
        "#code_explanation.en.3": sample("Which name?"),
    }
    row = built(MemoryView(SETTINGS), {"a.py": rows})["a.py"]
    assert [item.get("dropped", "") for item in row.values()] == [
        "secret: Secret Keyword",
        "secret: Secret Keyword",
        "",
    ]


@pytest.mark.parametrize("common", [1, 3, copies.COMMON])
def test_an_update_equals_a_full_build_whatever_changes(common, monkeypatch) -> None:
    monkeypatch.setattr(copies, "COMMON", common)
    chance = random.Random(7)
    view = MemoryView(SETTINGS)
    rows: dict[str, Any] = {}
    for _ in range(150):
        for _ in range(chance.randint(1, 3)):
            key = f"m.py::f{chance.randrange(12)}"
            if chance.random() < 0.25:
                rows.pop(key, None)
            else:
                rows[key] = some_samples(chance, key)
        rows = dict(rows)
        updated = built(view, rows)
        clean = MemoryView(SETTINGS)
        assert updated == built(clean, rows)


def some_samples(chance: random.Random, key: str) -> dict[str, Any]:
    return {
        f"#code_explanation.en.{number}": sample(
            f"Question {chance.randrange(15)}?",
            chance.choice([LONG, LONG + "More.", "short", LONG + TOKEN]),
            element=key,
            sources=[key],
            held_out=chance.random() < 0.2,
        )
        for number in range(chance.randint(1, 5))
    }
