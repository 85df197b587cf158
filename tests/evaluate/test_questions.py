"""Drawing questions: the same ones after every commit."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from repobuild.code.usage.prose_language import is_chinese
from repobuild.evaluate import questions
from repobuild.evaluate.questions import GraphElement
from tests.fakes import MemoryTable

TASKS = ("api_usage", "code_explanation", "code_location", "relations")


def tables(numbers: range) -> tuple[MemoryTable, MemoryTable]:
    """Dataset and samples: four tasks of every element, a third of them held out."""
    dataset, samples = MemoryTable(), MemoryTable()
    for n in numbers:
        key = f"pkg/m{n % 7}.py::f{n}"
        track = ("", "recall", "generalise")[n % 3]
        split = "test" if n % 2 else "val"
        dataset.put(key, {f"#{t}.en.9": _split(split, track) for t in TASKS})
        samples.put(key, {f"#{t}.en.9": _sample(t, key) for t in TASKS})
    return dataset, samples


def _split(split: str, track: str) -> dict[str, str]:
    return {"split": split if track else "train", "track": track}


def _sample(task: str, element: str) -> dict[str, Any]:
    name = element.partition("::")[2]
    question = f"{task} of `{name}`?"
    return {"task": task, "question": question, "answer": name, "element": element}


def asked(numbers: range, track: str = "recall", count: int = 16) -> list[str]:
    dataset, samples = tables(numbers)
    held = questions.held_out_rows(dataset)[track]
    return [s.id for s in questions.draw_questions(track, held, samples, count)]


def test_half_of_the_questions_ask_for_a_file_and_the_rest_take_turns() -> None:
    tasks = Counter(i.partition("#")[2].split(".")[0] for i in asked(range(300)))
    assert tasks["code_location"] == 8
    assert {tasks[t] for t in TASKS if t != "code_location"} <= {2, 3}


def test_the_same_questions_are_drawn_in_any_order_of_the_rows() -> None:
    assert asked(range(300)) == asked(range(299, -1, -1))


def test_one_new_element_replaces_few_questions() -> None:
    before = asked(range(3000))
    after = asked(range(3002))
    assert len(set(before) & set(after)) >= len(before) - len(TASKS)


def test_trained_and_dropped_samples_are_never_asked() -> None:
    dataset, samples = tables(range(0, 300, 3))
    dataset.put("x", {"#code_location.en.1": {"dropped": "too long"}})
    assert questions.held_out_rows(dataset) == {"recall": [], "generalise": []}


def test_tracks_do_not_mix() -> None:
    assert not set(asked(range(300))) & set(asked(range(300), "generalise"))


def test_the_test_split_comes_before_the_validation_split() -> None:
    dataset, _ = tables(range(300))
    splits = [row.split for row in questions.held_out_rows(dataset)["recall"]]
    assert splits == sorted(splits)


def test_a_question_that_contains_the_path_does_not_ask_for_it() -> None:
    row = {"element": "a/b.py::f", "question": "", "answer": ""}
    given = questions.HeldOutSample(
        "i", "recall", "code_location", "Is it in `a/b.py`?", "", row
    )
    asking = questions.HeldOutSample(
        "i", "recall", "code_location", "Where is `f`?", "", row
    )
    assert not given.asks_for_path
    assert asking.asks_for_path


def test_equal_questions_are_asked_once() -> None:
    dataset, samples = tables(range(300))
    for key, rows in samples.rows.items():
        samples.put(key, {s: {**row, "question": "Same?"} for s, row in rows.items()})
    held = questions.held_out_rows(dataset)["recall"]
    assert len(questions.draw_questions("recall", held, samples, 16)) == 1


def test_with_few_samples_all_are_asked() -> None:
    assert len(asked(range(6), count=40)) == 2 * len(TASKS)
    assert asked(range(0), count=40) == []


def test_losses_are_measured_evenly_by_task() -> None:
    dataset, samples = tables(range(300))
    held = questions.held_out_rows(dataset)["recall"]
    drawn = questions.draw_evenly("recall", held, samples, 40)
    assert set(Counter(s.task for s in drawn).values()) == {10}


def test_only_the_drawn_samples_are_rendered() -> None:
    class Counting(MemoryTable):
        reads = 0

        def get(self, key: str) -> Any:
            self.reads += 1
            return super().get(key)

    dataset, samples = tables(range(3000))
    counting = Counting(samples.rows)
    questions.draw_questions(
        "recall", questions.held_out_rows(dataset)["recall"], counting, 16
    )
    assert counting.reads < 64


def test_elements_come_from_the_graph_without_edges_and_files() -> None:
    row = {
        "": {"kind": "file"},
        "::A": {"kind": "class"},
        "::A.run#2": {"kind": "method"},
        "::A contains a.py::A.run": {"confidence": 1.0},
        " imports b.py": {"confidence": 1.0},
    }
    found = list(questions.graph_elements(MemoryTable({"a.py": row})))
    assert [(e.id, e.kind) for e in found] == [
        ("a.py::A", "class"),
        ("a.py::A.run#2", "method"),
    ]
    assert (found[1].qualified_name, found[1].name) == ("A.run", "run")


BOTH = ["zh", "en"]
ELEMENTS = [GraphElement(f"m.py::f{n}", "function") for n in range(50)]


def test_first_report_cases_have_all_three_types_and_their_files() -> None:
    found = questions.first_report_cases("Laddr", ELEMENTS, 16, BOTH)
    assert Counter(c.type for c in found) == {
        "repo_specific": 4,
        "code_specific": 8,
        "general": 4,
    }
    assert "Laddr 项目的主要功能是什么？" in {c.question for c in found}
    assert all(c.reference_files for c in found if c.type == "code_specific")


@pytest.mark.parametrize(("language", "others"), [("en", "zh"), ("zh", "en")])
def test_a_project_of_one_language_is_asked_in_it_alone(
    language: str, others: str
) -> None:
    found = questions.first_report_cases("Laddr", ELEMENTS, 16, [language])
    assert len({c.question for c in found}) == 16
    assert {is_chinese(c.question) for c in found} == {language == "zh"}


def test_languages_are_those_of_the_held_out_samples() -> None:
    subs = ("#code_location.en.1", "#code_location.fr.1", "#relations.zh.11")
    rows = [questions.HeldOutRow("m.py::f", sub, "test") for sub in subs]
    assert questions.languages_of(rows[:2]) == ["en"]
    assert questions.languages_of(rows) == ["zh", "en"]
    assert questions.languages_of([]) == ["en"]


def test_a_new_element_changes_no_other_first_report_case() -> None:
    newcomer = [*ELEMENTS, GraphElement("m.py::new", "function")]
    before, after = (
        {c.question for c in questions.first_report_cases("Laddr", elements, 16, BOTH)}
        for elements in (ELEMENTS, newcomer)
    )
    assert len(before - after) <= 1


def test_private_elements_and_sections_are_no_first_report_cases() -> None:
    hidden = [
        GraphElement("m.py::_f", "function"),
        GraphElement("a.md::intro", "section"),
    ]
    types = {c.type for c in questions.first_report_cases("Laddr", hidden, 16, BOTH)}
    assert "code_specific" not in types


def test_tests_are_no_first_report_cases() -> None:
    paths = ("tests/test_a.py", "pkg/test_b.py", "pkg/b_test.go", "pkg/conftest.py")
    tests = [
        GraphElement(f"{p}::check{n}", "function") for n in range(9) for p in paths
    ]
    own = [GraphElement(f"pkg/m{n}.py::f{n}", "function") for n in range(8)]
    found = questions.first_report_cases("Laddr", [*tests, *own], 16, BOTH)
    files = {case.reference_files for case in found if case.type == "code_specific"}
    assert files == {(f"pkg/m{n}.py",) for n in range(8)}
