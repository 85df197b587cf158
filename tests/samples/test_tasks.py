"""The questions and answers of one context."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import repobuild
from repobuild.errors import UsageError
from repobuild.resources import data_folder
from repobuild.samples.changes.change_samples import TASK as CHANGE
from repobuild.samples.dataset.split import Split
from repobuild.samples.tasks.answer_parts import list_elements
from repobuild.samples.tasks.facts import FactScope
from repobuild.samples.tasks.phrases import (
    HELD_OUT,
    NUMBERS,
    load_phrases,
    read_phrases,
)
from repobuild.samples.tasks.registry import TASKS, ingredients, samples
from repobuild.samples.tasks.usage import argument_list, example_call

SETTINGS: dict[str, Any] = {
    "samples.languages": ["en", "zh"],
    "samples.tasks": [],
    "split.generalise": 0.0,
    "split.salt": "1",
}
FUNCTION = {
    "kind": "function",
    "id": "pkg/io.py::read_rows",
    "name": "read_rows",
    "label": "read_rows",
    "path": "pkg/io.py",
    "project": "demo",
    "fence": "python",
    "summary": "Read every row of a table that is stored in a file.",
    "signature": "def read_rows(path: str, limit: int = 10) -> list[Row]",
    "params": [
        ["path", "str", "", "Where the table is.", ""],
        ["limit", "int", "10", "", ""],
        ["*more", "", "", "", ""],
        ["strict", "bool", "", "", "k"],
    ],
    "returns": "list[Row]",
    "callers": ["pkg/app.py::main", "pkg/io.py::copy"],
    "callees": ["pkg/io.py::open_table", "pkg/row.py::Row"],
    "callee_summaries": {"pkg/io.py::open_table": "Open a table."},
    "tests": ["tests/test_io.py::test_read"],
    "head": "def read_rows(path: str, limit: int = 10) -> list[Row]:",
    "body": "    table = open_table(path)\n    rows = []\n    for cells in table:\n"
    "        rows.append(Row(cells))\n    return rows[:limit]",
    "outline": ["def copy(path: str)"],
}


def make(context: dict[str, Any], **settings: Any) -> dict[str, Any]:
    scope: Any = SimpleNamespace(settings=SETTINGS | settings)
    return samples(context, scope) or {}


def of_task(rows: dict[str, Any], task: str, language: str = "en") -> list[Any]:
    return [s for s in rows.values() if (s["task"], s["language"]) == (task, language)]


def test_every_sample_has_the_fields_of_the_format() -> None:
    for sub, sample in make(FUNCTION).items():
        task, language, number = sub.removeprefix("#").split(".")
        assert (task, language) == (sample["task"], sample["language"])
        assert int(number) % NUMBERS == HELD_OUT or not sample["held_out"]
        assert sample["element"] == FUNCTION["id"]
        assert sample["element"] in sample["sources"]
        assert {"form", "question", "answer", "difficulty"} <= sample.keys()
        assert "{" not in sample["question"].partition("```")[0]


def test_a_location_answer_is_short_and_has_the_path() -> None:
    answers = {s["answer"] for s in of_task(make(FUNCTION), "code_location")}
    assert "`read_rows` is defined in `pkg/io.py`." in answers
    chinese = {s["answer"] for s in of_task(make(FUNCTION), "code_location", "zh")}
    assert "`read_rows` 位于 `pkg/io.py`。" in chinese


def test_an_explanation_has_the_structure_of_the_specification() -> None:
    answer = of_task(make(FUNCTION), "code_explanation", "zh")[0]["answer"]
    for part in ("功能描述", "函数签名", "参数", "返回值"):
        assert f"**{part}**" in answer
    assert "- `limit`（`int`），默认值 `10`" in answer


def test_an_element_without_a_docstring_is_not_explained_by_one() -> None:
    bare = {k: v for k, v in FUNCTION.items() if k != "summary"}
    questions = [s["question"] for s in of_task(make(bare), "code_explanation")]
    assert not any("What does `read_rows` do?" == question for question in questions)


def test_masked_code_is_filled_by_the_answer() -> None:
    rows = [s for s in make(FUNCTION).values() if s["form"] == "fim"]
    assert rows
    for sample in rows:
        whole = sample["prefix"] + sample["answer"] + sample["suffix"]
        assert FUNCTION["body"] in whole
        assert sample["prefix"] + "<...>" + sample["suffix"] in sample["question"]


def test_lists_omit_held_out_elements_and_end_with_and_others() -> None:
    salt = next(
        str(n)
        for n in range(999)
        if Split(0.3, str(n)).is_held_out("pkg/app.py::main")
        and not Split(0.3, str(n)).is_held_out("pkg/io.py::read_rows")
        and not Split(0.3, str(n)).is_held_out("pkg/io.py::copy")
    )
    rows = make(FUNCTION, **{"split.generalise": 0.3, "split.salt": salt})
    for sample in rows.values():
        assert "pkg/app.py::main" not in sample["sources"]
        assert "`main`" not in sample["answer"]
    answers = [s["answer"] for s in rows.values()]
    called = [text for text in answers if text.startswith("`read_rows` is called")]
    assert all("and others" in text for text in called)


def test_a_test_gets_no_question_of_its_own() -> None:
    names = ("kind", "id", "name", "label", "path", "project")
    row = {name: FUNCTION[name] for name in names} | {"brief": True}
    scope: Any = SimpleNamespace(settings=SETTINGS)
    assert samples(row, scope) is None  # no row is stored for it


def test_line_numbers_are_answered_by_their_own_row_only() -> None:
    names = ("id", "name", "label", "path", "project")
    row = {n: FUNCTION[n] for n in names} | {"kind": "lines", "start": 3, "end": 9}
    languages = {"samples.languages": ["en"]}
    (first, *_) = of_task(make(row, **languages), "code_location")
    assert first["answer"] == "`read_rows` is defined in `pkg/io.py`, lines 3-9."
    assert not any("lines" in s["answer"] for s in make(FUNCTION).values())


def test_the_project_is_described() -> None:
    row = {
        "kind": "project",
        "id": "@project",
        "name": "demo",
        "label": "demo",
        "path": "",
        "project": "demo",
        "description": "Reads tables.",
        "style": "layered",
        "technologies": ["msgpack", "click"],
        "modules": [["pkg/io.py", "Reads and writes."], ["pkg/app.py", ""]],
        "counts": {"files": 3, "classes": 1, "functions": 4, "methods": 2},
    }
    rows = make(row)
    answers = [s["answer"] for s in of_task(rows, "project_overview")]
    assert "Reads tables." in answers
    assert any("`pkg/io.py`: Reads and writes." in answer for answer in answers)
    chinese = [s["answer"] for s in of_task(rows, "project_overview", "zh")]
    assert any("分层架构" in answer for answer in chinese)


def test_both_languages_have_the_same_kinds_words_and_parts() -> None:
    english, chinese = load_phrases("en"), load_phrases("zh")
    for one, other in zip(english.kinds.values(), chinese.kinds.values(), strict=True):
        assert len(one.questions) == len(other.questions), one.name
        for field in ("name", "task", "number", "ask", "one_language", "share"):
            assert getattr(one, field) == getattr(other, field), one.name
    assert english.words.keys() == chinese.words.keys()
    assert english.parts.keys() == chinese.parts.keys()


def test_every_word_and_part_is_used() -> None:
    """A name is written in the code, or put together there: `plan_table`, `verb_class`.

    Of a name that is put together, each part is written, too.
    """
    english = load_phrases("en")
    literals, patterns = _texts_in_code()
    kinds = re.compile(rf"({'|'.join(english.words)})_(\w+)")  # a word for a kind

    def is_used(name: str) -> bool:
        return name in literals or any(
            all(map(is_used, match.groups()))
            for pattern in (*patterns, kinds)
            if (match := pattern.fullmatch(name))
        )

    names = [*english.words, *english.parts, *english.kinds]
    assert [name for name in names if not is_used(name)] == []
    assert not any(map(is_used, ("nobody_asks", "plan_nothing", "made_nobody")))


def _texts_in_code() -> tuple[set[str], list[re.Pattern[str]]]:
    """Return the texts in what makes samples, and patterns of what is made of them."""
    literals: set[str] = set()
    patterns: set[str] = set()
    root = Path(repobuild.__file__).parent
    for path in (
        path for room in ("code", "samples") for path in root.glob(f"{room}/**/*.py")
    ):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                literals.add(node.value.replace(" ", "_"))
            elif isinstance(node, ast.JoinedStr):
                parts = [
                    re.escape(one.value) if isinstance(one, ast.Constant) else r"(\w+)"
                    for one in node.values
                ]
                patterns.add("".join(parts))
    patterns |= {rf"{one}(\w+)" for one in literals if re.fullmatch(r"[a-z_]+_", one)}
    patterns |= {rf"(\w+){one}" for one in literals if re.fullmatch(r"_[a-z_]+", one)}
    named = re.compile(r"(?=.*[a-z]{3})(?:[a-z_]|\(\\w\+\))+")
    return literals, [re.compile(one) for one in patterns if named.fullmatch(one)]


def test_every_task_has_kinds_and_every_kind_a_task() -> None:
    tasks = {kind.task for kind in load_phrases("en").kinds.values()}
    assert tasks == {*TASKS, CHANGE}


def test_an_unknown_language_names_the_near_one() -> None:
    with pytest.raises(UsageError, match='did you mean "zh"'):
        load_phrases("zhh")


def test_a_question_file_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    text = (data_folder("configs") / "questions" / "en.toml").read_text("utf-8")
    path = tmp_path / "en.toml"
    path.write_text(text.replace("held_out =", "heldout =", 1), "utf-8")
    with pytest.raises(UsageError, match='did you mean "held_out"'):
        read_phrases(path)


def test_a_property_is_not_shown_as_a_call() -> None:
    row = FUNCTION | {"kind": "method", "decorators": ["property"], "params": []}
    assert not of_task(make(row), "api_usage")


def test_a_call_shows_what_is_required_and_how_a_method_is_reached() -> None:
    method = {"kind": "method", "name": "read", "container": "RowTable"}
    scope = FactScope(FUNCTION | method, load_phrases("en"), ("en",), lambda id: False)
    assert example_call(scope) == "row_table.read(path, strict=strict)"
    on_class = FUNCTION | method | {"decorators": ["classmethod"], "async": True}
    scope = FactScope(on_class, load_phrases("en"), ("en",), lambda id: False)
    assert example_call(scope) == "await RowTable.read(path, strict=strict)"


def test_names_keep_their_file_next_to_the_file_itself() -> None:
    scope = FactScope(FUNCTION, load_phrases("en"), ("en",), lambda id: False)
    ids = ["tests/t.py", "tests/t.py::test_a", "tests/t.py::test_b"]
    expected = "`tests/t.py` (at its top level), `test_a`, `test_b` (in `tests/t.py`)"
    # Without the file, `test_a` would be read as one of the function's own file.
    assert list_elements(scope, ids) == expected


def test_positional_only_defaults_are_omitted_and_keyword_only_ones_are_named() -> None:
    rows = [["other", "", "()", "", "/"], ["strict", "", "", "", "k"]]
    scope = FactScope(
        FUNCTION | {"params": rows}, load_phrases("en"), ("en",), lambda id: False
    )
    assert example_call(scope) == "read_rows(strict=strict)"
    assert ", ".join(argument_list(rows)) == "(), strict=strict"


def test_a_held_out_phrasing_is_not_a_trained_one() -> None:
    for language in ("en", "zh"):
        for kind in load_phrases(language).kinds.values():
            assert kind.held_out not in kind.questions


def test_rewording_a_question_file_changes_the_key() -> None:
    found = ingredients({"samples.languages": ["en", "xx"]})
    assert found["questions.en"] != found["questions.xx"]


def test_only_chosen_tasks_and_languages_are_made() -> None:
    chosen = {"samples.tasks": ["relations"], "samples.languages": ["zh"]}
    rows = make(FUNCTION, **chosen)
    assert {(s["task"], s["language"]) for s in rows.values()} == {("relations", "zh")}
