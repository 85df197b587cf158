"""Staleness: an answer with an old fact is stale, one that says so is not."""

from __future__ import annotations

from typing import Any

from repobuild.evaluate.mentions.mention_parser import KnownNames
from repobuild.evaluate.scoring import staleness
from repobuild.evaluate.scoring.staleness import OutdatedQuestion, StalenessMark
from tests.fakes import MemoryTable

KNOWN = KnownNames.of(["new.py", "old.py", "other.py"], ["f", "g", "load"])
WHERE = "Where can I find the source code of `f`?"
GONE = '`f` is not in `old.py` any more: commit 0123456789 ("Tidy") removed it.'
RENAMED = "`f` is not in `old.py` any more; it is `g` in `new.py` now."


def row(kind: str, expected: str, old: str, gone: bool, question: str = WHERE) -> Any:
    return {
        "kind": kind, "element": "new.py::f", "question": question, "language": "en",
        "expected": expected, "old": old, "gone": gone,
    }  # fmt: skip


def defined(path: str) -> str:
    return f"`f` is defined in `{path}`."


def code(text: str) -> str:
    return f"The signature of `load` in `new.py` is:\n```python\n{text}\n```"


MOVED = row("moved", defined("new.py"), defined("old.py"), False)
REMOVED = row("removed", GONE, defined("old.py"), True)
RENAMING = row("moved", RENAMED, defined("old.py"), True)
PASS = "What do I have to pass to `load`?"


def belief(found: Any, answer: str) -> tuple[bool, bool]:
    """Return whether an answer is right, and whether it is stale."""
    asked = OutdatedQuestion("id", found["kind"], found["question"], found["expected"],
                     found["old"], found["gone"], {})  # fmt: skip
    believed = asked.mark(answer, KNOWN)
    return believed.right, believed.stale


def test_a_moved_element_is_stale_in_its_old_file_only() -> None:
    assert belief(MOVED, defined("new.py")) == (True, False)
    assert belief(MOVED, defined("old.py")) == (False, True)
    assert belief(MOVED, "f is defined in old.py") == (False, True)
    assert belief(MOVED, defined("other.py")) == (False, False)
    assert belief(MOVED, "I do not know.") == (False, False)


def test_an_answer_that_describes_the_move_is_right_and_names_both_files() -> None:
    answer = "`f` is not in `old.py` any more; it is `f` in `new.py` now."
    assert belief(MOVED, answer) == (True, False)


def test_a_removed_element_is_stale_unless_the_answer_says_it_is_gone() -> None:
    assert belief(REMOVED, defined("old.py")) == (False, True)
    assert belief(REMOVED, GONE) == (True, False)
    assert belief(REMOVED, "`f` 已经没有了，原来在 `old.py` 中。") == (True, False)
    assert belief(REMOVED, defined("other.py")) == (False, False)


def test_a_moved_and_renamed_element_needs_its_new_name_and_path() -> None:
    assert belief(RENAMING, "That is `g` in `new.py`.") == (True, False)
    assert belief(RENAMING, "That is `g`.") == (False, False)
    assert belief(RENAMING, defined("old.py")) == (False, True)
    assert belief(RENAMING, "`f` was removed from `old.py`.") == (False, False)


def test_a_renamed_element_is_stale_by_its_old_name() -> None:
    answer = "That is the function `{}` in `new.py`."
    asked = 'Which part of it is responsible for this: "Load."'
    found = row("moved", answer.format("g"), answer.format("f"), False, asked)
    assert belief(found, answer.format("g")) == (True, False)
    assert belief(found, answer.format("f")) == (False, True)
    assert belief(found, answer.format("load")) == (False, False)


def test_a_removed_parameter_is_stale() -> None:
    was, now = code("def load(path, mode='r')"), code("def load(path)")
    found = row("changed", now, was, False, PASS)
    assert belief(found, now) == (True, False)
    assert belief(found, was) == (False, True)
    assert belief(found, code("def load(path, mode='r', x=1)")) == (False, True)
    assert belief(found, code("def load(path, x=1)")) == (False, False)


def test_if_parameters_were_only_added_the_old_signature_is_stale() -> None:
    was, now = code("def load(path)"), code("def load(path, mode='r')")
    found = row("changed", now, was, False, PASS)
    assert belief(found, was) == (False, True)
    assert belief(found, now) == (True, False)
    assert belief(found, code("def load(path, x=1)")) == (False, False)


def test_a_removed_caller_is_stale_even_without_a_replacement() -> None:
    old, now = "`f` is called by `g`, `load`.", "`f` is called by `g`."
    found = row("called", now, old, False, "Who calls `f`?")
    assert belief(found, now) == (True, False)
    assert belief(found, old) == (False, True)
    assert belief(found, "`f` is called by `main`.") == (False, False)


def tables() -> tuple[MemoryTable, MemoryTable]:
    rows = {f"old.py::m{n}": {**MOVED, "element": f"new.py::m{n}"} for n in range(9)}
    rows |= {f"old.py::r{n}": REMOVED for n in range(9)}
    rows["new.py::load"] = row(
        "changed", code("def load(a)"), code("def load(b)"), False
    )
    trained = {"#code_location.en.0": {"split": "train", "track": ""}}
    dropped = {"#code_change.en.20": {"dropped": "secret"}}
    dataset = {f"new.py::m{n}": trained for n in range(9)}
    dataset |= {f"history//old.py::r{n}": trained if n else dropped for n in range(9)}
    return MemoryTable(rows), MemoryTable(dataset)


def test_questions_about_trained_subjects_are_drawn_evenly_by_kind() -> None:
    stale, dataset = tables()
    found = staleness.draw_questions(stale, dataset, 8)
    assert sorted(q.kind for q in found) == ["moved"] * 4 + ["removed"] * 4
    every = staleness.draw_questions(stale, dataset, 100)
    assert len(every) == 9 + 8  # `load` is not trained, one removal is not trained
    assert [q.id for q in every[:8]] == [q.id for q in found]


def test_a_new_question_replaces_at_most_one() -> None:
    stale, dataset = tables()
    before = {q.id for q in staleness.draw_questions(stale, dataset, 6)}
    stale.put("old.py::more", {**MOVED, "element": "new.py::m1"})
    after = {q.id for q in staleness.draw_questions(stale, dataset, 6)}
    assert len(before - after) <= 1


def test_a_question_with_a_secret_is_not_asked() -> None:
    stale, dataset = tables()
    token = "ghp_" + "Aq3" * 12
    leaking = {**MOVED, "element": "new.py::m0", "expected": f"def f(key='{token}')"}
    stale = MemoryTable({"old.py::m0": leaking, "old.py::m1": stale.rows["old.py::m1"]})
    assert [q.id for q in staleness.draw_questions(stale, dataset, 9)] == [
        "old_answers//old.py::m1"
    ]


def test_shares_have_intervals_and_differences_are_paired() -> None:
    stale, dataset = tables()
    asked = staleness.draw_questions(stale, dataset, 8)
    old, new = StalenessMark(False, True), StalenessMark(True, False)
    beliefs = {"parent": [old] * 8, "adapter": [new] * 7 + [old]}
    found = staleness.section(asked, beliefs)
    assert found["n"] == 8
    assert found["parent"]["all"]["value"] == 1
    assert found["adapter"]["all"] == {
        "value": 0.125,
        "low": 0.0,
        "high": 0.375,
        "n": 8,
    }
    gap = found["difference"]["parent"]["all"]
    assert gap["value"] == -0.875 and gap["high"] < 0
    assert set(found["adapter"]) == {"all", "moved", "removed", "right"}


def test_without_changes_nothing_is_stale() -> None:
    found = staleness.section([], {"base": [], "adapter": []})
    assert found == {"n": 0, "base": {}, "adapter": {}, "difference": {"base": {}}}
