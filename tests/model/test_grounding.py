"""Facts before a question: the form that the base model is trained to read."""

from __future__ import annotations

import pytest

from repobuild.model.grounding import LONGEST_CODE, fact_line, is_fact, with_facts


def test_facts_come_one_a_line_before_the_question() -> None:
    message = with_facts(["`f` is in `a.py`.", "`g` calls `f`."], "Where is `f`?")
    assert message == "- `f` is in `a.py`.\n- `g` calls `f`.\n\nWhere is `f`?"


def test_without_facts_the_question_is_asked_as_it_is() -> None:
    assert with_facts([], "Where is `f`?") == "Where is `f`?"


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ("`f` is in\n`a.py`.", "`f` is in `a.py`."),
        (
            "`f` is a function.\n\n**Purpose**: Run.",
            "`f` is a function. **Purpose**: Run.",
        ),
        ("`f` is a function.\n\n**Calls**:\n- `g`", "`f` is a function."),
        ("`f` 是函数。\n\n**步骤**：\n\n1. 读", "`f` 是函数。"),
        (f"`f` is a function.\n\n{'Long. ' * 60}", "`f` is a function."),
        (
            "The signature is:\n```python\ndef f(a) -> int\n```",
            "The signature is: ```python def f(a) -> int ```",
        ),
        (
            "`f` is this:\n\n```python\ndef f(a):\n    return a\n```\n\nMore.",
            "`f` is this: ```python def f(a): ```",
        ),
    ],
)
def test_a_fact_is_the_beginning_of_an_answer_on_one_line(
    answer: str, line: str
) -> None:
    assert fact_line(answer) == line


def test_long_code_is_cut_at_the_end_of_a_line() -> None:
    code = "\n".join(f"    value_{n} = {n}" for n in range(90))
    line = fact_line(f"`f` is in `a.py`:\n```python\ndef f():\n{code}\n```")
    assert LONGEST_CODE - 20 < len(line) < LONGEST_CODE + 20
    assert line.startswith("`f` is in `a.py`: ```python def f(): value_0 = 0")
    assert line.endswith(" ```") and "value_9 = 9" in line


def test_a_line_that_only_announces_something_is_no_fact() -> None:
    assert not is_fact("To change `f`:")
    assert not is_fact("") and not is_fact("x" * 5_000)
    assert is_fact("`f` is in `a.py`.")
