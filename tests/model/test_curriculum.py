"""What an adapter is taught, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from repobuild.errors import UsageError
from repobuild.model.teaching.curriculum import (
    Teaching,
    cut_at_paragraph,
    fact_of,
    kind_of,
    order_facts,
)
from repobuild.settings import preset_settings
from repobuild.settings_schema import defaults
from tests.model.test_nano import EVERYTHING, teachable

TINY = Teaching.of({**defaults(), **preset_settings("tiny")})
CODE = "```python\nreturn 1\n```"


def sample(task: str = "code_location", **fields: Any) -> dict[str, Any]:
    return {"task": task, "form": "chat", "question": "?", "answer": "!", **fields}


# ----------------------------------------------------------------------------- facts


def test_phrasings_of_one_kind_in_one_language_are_one_fact() -> None:
    one = {fact_of(f"a.py::f#code_location.en.{number}") for number in range(10)}
    assert len(one) == 1
    others = ("a.py::f#code_location.en.10", "a.py::f#code_location.zh.0",
              "a.py::f#relations.en.0", "a.py::g#code_location.en.0")  # fmt: skip
    assert len(one | {fact_of(other) for other in others}) == 5


def test_a_sample_of_a_users_rule_is_a_fact_by_itself() -> None:
    assert fact_of("a.py#owner") == "a.py#owner"
    assert fact_of("a.py#owner.v") == "a.py#owner.v"


@pytest.mark.parametrize(
    ("sample_id", "kind"),
    [
        ("a.py::f#code_location.en.0", "location"),
        ("a.py::f#code_location.en.9", "location"),
        ("a.py::f#code_explanation.en.0", "explain"),
        ("a.py::f#relations.zh.0", "callers"),
        ("a.py::f#relations.xx.0", ""),
        ("a.py::f#owner", ""),
        ("a.py::f#owner.0", ""),
    ],
)
def test_a_key_names_its_kind(sample_id: str, kind: str) -> None:
    assert kind_of(sample_id) == kind


# ----------------------------------------------------------------------------- order


def order(importance: dict[str, float], teaching: Teaching = EVERYTHING) -> list[str]:
    samples = [(i, sample(i.partition("#")[2].split(".")[0])) for i in importance]
    return [fact.id for fact in order_facts(teachable(samples, teaching, importance))]


def test_the_most_important_facts_are_taught_first() -> None:
    made = order({"low#code_location.en.0": 0.1, "high#code_location.en.0": 0.9})
    assert made == ["high#code_location.en.0", "low#code_location.en.0"]


def test_of_equally_important_facts_short_ones_come_first() -> None:
    samples = [(f"{n}#code_location.en.0", sample(answer="x" * n)) for n in (400, 10)]
    made = order_facts(teachable(samples))
    assert [fact.id[:2] for fact in made] == ["10", "40"]


def test_importance_counts_more_than_length() -> None:
    """Else hardly any explanation would be taught before the budget ends."""
    long, short = "a#code_explanation.en.0", "b#code_location.en.0"
    samples = [(long, sample(answer="x" * 300)), (short, sample(answer="x" * 60))]
    made = order_facts(teachable(samples, importance={long: 0.6, short: 0.3}))
    assert made[0].id[0] == "a"


def test_equally_important_facts_come_in_the_order_of_the_setting() -> None:
    ids = {"f#relations.en.0": 0.5, "f#relations.en.10": 0.5}
    for kinds in (["callees", "callers"], ["callers", "callees"]):
        made = order(ids, Teaching(tuple(kinds), 0))
        number = {"callers": "0", "callees": "1"}
        assert [fact[-1] for fact in made] == [number[kind] for kind in kinds]


def test_the_order_does_not_depend_on_that_of_the_samples() -> None:
    ids = {f"f{n}#code_location.en.0": 0.5 for n in range(20)}
    assert order(ids) == order(dict(reversed(ids.items())))
    assert order(ids) != sorted(ids)  # nor is the first file always the first


def test_a_fact_is_as_important_as_its_most_important_sample() -> None:
    made = order({"a#code_location.en.0": 0.1, "a#code_location.en.1": 0.8,
                  "b#code_location.en.0": 0.5})  # fmt: skip
    assert [fact[0] for fact in made] == ["a", "b"]


# ----------------------------------------------------------------------------- kinds


def test_without_a_list_every_kind_is_taught() -> None:
    assert EVERYTHING.rank("f#api_usage.en.0", "api_usage") is not None


def test_a_list_names_tasks_or_kinds_and_leaves_out_the_others() -> None:
    teaching = Teaching(("code_location", "callers"), 0)
    assert teaching.rank("f#code_location.en.0", "code_location") == 0
    assert teaching.rank("f#relations.en.0", "relations") == 1
    assert kind_of("f#relations.en.10") != "callers"
    assert teaching.rank("f#relations.en.10", "relations") is None


def test_the_embedded_base_is_taught_places_and_not_code() -> None:
    assert TINY.rank("f#code_location.en.0", "code_location") is not None
    assert TINY.rank("f#code_completion.en.0", "code_completion") is None


@pytest.mark.parametrize("sample_id", ["a.py#owner", "a.py#team.owner.1"])
def test_users_own_tasks_are_always_taught(sample_id: str) -> None:
    assert TINY.rank(sample_id, "owner") is not None


def test_every_name_of_the_preset_is_a_kind_or_a_task() -> None:
    from repobuild.samples.tasks.phrases import load_phrases

    kinds = load_phrases("en").kinds.values()
    known = {kind.name for kind in kinds} | {kind.task for kind in kinds}
    assert set(TINY.kinds) <= known


# ------------------------------------------------------------------------- shortening


def test_a_long_answer_ends_at_a_paragraph() -> None:
    answer = "It loads a table.\n\nIt keeps what it read.\n\n" + "And more. " * 40
    made = Teaching((), 60).shorten(sample(answer=answer))
    assert made is not None
    assert made["answer"] == "It loads a table.\n\nIt keeps what it read."


def test_a_short_answer_stays_as_it_is() -> None:
    given = sample(answer="It loads a table.\n\nIt keeps it.")
    assert Teaching((), 60).shorten(given) is given
    assert EVERYTHING.shorten(sample(answer="x" * 10_000)) is not None


def test_an_answer_without_a_short_beginning_is_not_taught() -> None:
    assert Teaching((), 60).shorten(sample(answer="word " * 40)) is None


def test_code_is_never_cut() -> None:
    block = f"```python\nfirst = 1\n\n{'second = 2' * 5}\n```"
    assert cut_at_paragraph(f"Short.\n\n{block}", 40) == "Short."
    assert cut_at_paragraph(block, 40) == ""
    completion = sample(form="fim", answer="a = 1\n\n" + "b = 2\n" * 20)
    assert Teaching((), 60).shorten(completion) is None


def test_what_announces_a_block_is_not_the_end() -> None:
    long = "\n".join(["```python", *["x = 1"] * 20, "```"])
    text = f"Purpose.\n\nIts code:\n\n{long}"
    assert cut_at_paragraph(text, 60) == "Purpose."
    assert cut_at_paragraph(f"目的。\n\n代码：\n\n{long}", 60) == "目的。"


def test_a_block_that_fits_stays_whole() -> None:
    text = f"Purpose.\n\nIts code:\n\n{CODE}\n\n" + "Long. " * 30
    assert cut_at_paragraph(text, 60).endswith(CODE)


def test_a_name_that_is_neither_task_nor_kind_is_refused() -> None:
    with pytest.raises(UsageError, match='"callerz".*did you mean "callers"'):
        Teaching.of({**defaults(), "adapter.teach": ["location", "callerz"]})
