"""Exact facts: which are stated, asked for, wrong and invented."""

from __future__ import annotations

import pytest

from repobuild.evaluate.mentions.mention_parser import KnownNames
from repobuild.evaluate.scoring import exact_facts
from repobuild.evaluate.scoring.exact_facts import (
    ExactFact,
    FactCounts,
    facts_in,
    signature_facts,
)

KNOWN = KnownNames.of(
    paths=["pkg/core.py", "pkg/cli/main.py", "README.md"],
    names=["Engine", "Engine.run", "load", "save", "timeout", "Base"],
)


def verdict(
    answer: str, expected: str, question: str = "?", task: str = ""
) -> FactCounts:
    return exact_facts.compare_facts(question, answer, expected, task, KNOWN)


def texts(found: frozenset[ExactFact] | set[ExactFact], kind: str) -> set[str]:
    return {fact.text for fact in found if fact.kind == kind}


def test_every_kind_of_fact_is_found() -> None:
    text = "`load()` is in `pkg/core.py`, lines 12-34; line 7 has the default `a or 3`."
    assert facts_in(text, "code_location", KNOWN) == {
        ExactFact("name", "load"),
        ExactFact("path", "pkg/core.py"),
        ExactFact("lines", "12-34"),
        ExactFact("lines", "7"),
        ExactFact("code", "a or 3"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "lines 3-9",
        "Lines 3–9",
        "lines 3 to 9",
        "第 3-9 行",
        "第 3 至 9 行",
        "`a/b.py:3-9`",
    ],
)
def test_lines_are_read_in_any_form(text: str) -> None:
    assert texts(facts_in(text, "", KNOWN), "lines") == {"3-9"}


def test_all_callers_are_right_and_some_count_as_a_share() -> None:
    expected = "`load` is called by `Engine.run`, `save` (in `pkg/cli/main.py`)."
    question = "Who calls `load`?"
    assert verdict(expected, expected, question).right == 1
    half = verdict("`load` is called by `save`.", expected, question)
    assert (half.share, half.right) == (pytest.approx(1 / 3, abs=1e-3), 0)


def test_a_fact_in_the_question_is_not_asked_for() -> None:
    expected = "`load` is defined in `pkg/core.py`."
    found = verdict("`load`", expected, "Where is `load`?")
    assert texts(found.wanted, "path") == {"pkg/core.py"}
    assert texts(found.wanted, "name") == set()
    assert verdict("x", expected, "Is `load` in `pkg/core.py`?").share is None


def test_code_in_a_question_states_its_names_and_prose_does_not() -> None:
    fenced = "What is this?\n```python\ndef load(path): ...\n```"
    assert verdict("", "This is `load`.", fenced).wanted == frozenset()
    spoken = 'Which function is described as "Engines load here."?'
    assert texts(verdict("", "This is `load`.", spoken).wanted, "name") == {"load"}


def test_wrong_facts_are_those_of_a_kind_that_was_asked_for() -> None:
    expected = "`f` is defined in `pkg/core.py`."
    found = verdict("`Base` in `pkg/cli/main.py`", expected, "Where is `f`?")
    assert found.wrong == {ExactFact("path", "pkg/cli/main.py")}
    assert found.invented == frozenset()
    made_up = verdict("in `pkg/none.py`", expected, "Where is `f`?")
    assert made_up.invented == made_up.wrong == {ExactFact("path", "pkg/none.py")}


def test_existing_names_beyond_a_shortened_list_are_not_wrong() -> None:
    answer = "`load` is called by `Engine.run`, `save`, `Motor`."
    whole = verdict(answer, "`load` is called by `Engine.run`.", "Who calls `load`?")
    assert texts(whole.wrong, "name") == {"save", "Motor"}
    for cut in ("`load` is called by `Engine.run` and others.", "有：`Engine.run`等。"):
        found = verdict(answer, cut, "Who calls `load`?")
        assert texts(found.wrong, "name") == {"Motor"}


def test_bare_words_count_if_nothing_is_in_backticks() -> None:
    expected = "`load` is called by `Engine.run`."
    assert verdict("load is called by Engine.run", expected, "`load`?").right == 1
    assert verdict("`save`, Engine.run", expected, "`load`?").right == 0


def test_a_signature_yields_its_parameters_and_the_whole() -> None:
    found = signature_facts(
        'def f(a, b: dict[str, int] = {}, *, sep=", ", **more) -> list[int]:\n    g()'
    )
    assert texts(found, "parameter") == {
        "a",
        "b: dict[str, int] = {}",
        "*",
        'sep=", "',
        "**more",
    }
    assert texts(found, "signature") == {
        'def f(a, b: dict[str, int] = {}, *, sep=", ", **more) -> list[int]'
    }


def test_a_signature_over_several_lines_has_the_same_parameters() -> None:
    spread = "async def f(\n    a,\n    b=3,\n) -> None: ..."
    assert signature_facts(spread) >= signature_facts("async def f(a, b=3)") - {
        ExactFact("signature", "async def f(a, b=3)")
    }
    assert texts(signature_facts("engine.run(x, timeout=3)"), "parameter") == {
        "x",
        "timeout=3",
    }
    assert signature_facts("x = 1") == set()


def test_parameters_count_one_by_one() -> None:
    def signature_answer(code: str) -> str:
        return f"The signature of `load` in `pkg/core.py` is:\n```python\n{code}\n```"

    expected = signature_answer("def load(path, timeout=3)")
    question = "What do I have to pass to `load`?"
    near = verdict(
        signature_answer("def load(path, timeout=5)"), expected, question, "api_usage"
    )
    assert texts(near.stated, "parameter") == {"path"}
    assert texts(near.wrong, "parameter") == {"timeout=5"}
    assert near.right == 0
    inline = "The signature of `load` in `pkg/core.py` is def load(path, timeout=3)"
    assert verdict(inline, expected, question, "api_usage").right == 1


def test_quoted_code_states_no_facts() -> None:
    text = "`load` is in `pkg/core.py`:\n```python\nsave(`made/up.py`)\n```"
    assert texts(facts_in(text, "implementation_path", KNOWN), "parameter") == set()
    assert texts(facts_in(text, "code_explanation", KNOWN), "path") == {"pkg/core.py"}
    changed = "`load` changed:\n```diff\n- save(path)\n+ save(path, 3)\n```"
    assert texts(facts_in(changed, "code_change", KNOWN), "parameter") == set()


def test_an_answer_without_facts_is_neither_right_nor_wrong() -> None:
    assert verdict("anything", "A library for shapes.", "What is it?").right is None
