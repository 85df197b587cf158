"""A project's own questions are read from the commit, asked, and scored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from repobuild.errors import UsageError
from repobuild.evaluate.own_questions import parse_questions
from repobuild.settings import read_layers
from tests.cases.commands import repobuild, start
from tests.repository import Repository
from tests.standard import Standard

QUESTION = {"question": "Where?", "answer": "In `a.py`.", "files": ["a.py"]}


def test_questions_of_a_settings_file_are_an_array_of_tables(tmp_path: Path):
    (tmp_path / "repobuild.toml").write_text(
        '[[report.questions]]\nquestion = "Where?"\nanswer = "In `a.py`."\n'
        'files = ["a.py"]\n[[report.questions]]\nquestion = "Why?"\nanswer = "So."\n'
    )
    settings = read_layers(tmp_path).merged()
    assert settings["report.own_questions"] == [
        QUESTION,
        {"question": "Why?", "answer": "So."},
    ]
    assert settings["report.questions"] == 60


@pytest.mark.parametrize(
    "text",
    [
        '[[report.questions]]\nquestion = "Where?"\n',
        '[[report.questions]]\nquestion = "Where?"\nanswer = 3\n',
        '[[report.questions]]\nquestion = "W"\nanswer = "A"\nfile = ["a.py"]\n',
        "[report]\nown_questions = [1]\n",
    ],
)
def test_a_bad_question_of_a_settings_file_is_refused(tmp_path: Path, text: str):
    (tmp_path / "repobuild.toml").write_text(text)
    with pytest.raises(UsageError, match="a table of question, answer, files"):
        read_layers(tmp_path)


def test_one_bad_line_of_a_file_is_reported_and_the_others_are_asked():
    lines = [
        json.dumps(QUESTION),
        "no json",
        "[]",
        '{"question": "Why?"}',
        '{"question": "Why?", "reference_answer": "So.", "reference_files": ["b.py"]}',
        '{"question": "Why?", "answer": "So.", "files": "b.py"}',
    ]
    rows, problems = parse_questions("\n".join(lines).encode())
    assert rows == [
        QUESTION,
        {"question": "Why?", "answer": "So.", "files": ["b.py"]},
    ]
    assert [problem.partition(":")[0] for problem in problems] == [
        "line 2", "line 3", "line 4", "line 6",
    ]  # fmt: skip


def test_the_file_is_read_from_the_commit(repository: Repository, tmp_path: Path):
    repository.commit({"ask/own.jsonl": json.dumps(QUESTION), "a.py": "def f(): ...\n"})
    setting = {"report.questions_file": "ask/own.jsonl"}
    standard = Standard(repository.git, tmp_path / "state", **setting)
    standard.build("own_questions")
    row = standard.table("own_questions").get("ask/own.jsonl")
    assert row == {"questions": [QUESTION]}
    repository.commit({"ask/own.jsonl": None})
    standard.build("own_questions")
    assert list(standard.table("own_questions").keys()) == []
    (problem,) = standard.last.problems
    assert problem.text == "report.questions_file names no file of this commit"


def test_a_repository_sets_a_judge_only_after_trust(tmp_path: Path):
    judge = '[report.judge]\nurl = "http://127.0.0.1:9/v1"\nmodel = "m"\n'
    place = start(tmp_path / "shop", {"repobuild.toml": judge, "a.py": "x = 1\n"})
    done = repobuild(place)
    assert done.returncode == 2
    assert "sends questions and answers to a server" in done.stderr
    assert repobuild(place, "--until", "dataset").returncode == 0


def test_a_judge_without_a_model_ends_a_build_at_once(tmp_path: Path):
    place = start(tmp_path / "shop", {"a.py": "x = 1\n"})
    done = repobuild(place, "-c", "report.judge.url=http://127.0.0.1:9/v1")
    assert done.returncode == 2
    assert "report.judge.model" in done.stderr
    assert (
        not (place / ".git/repobuild/build.db").exists() or "built" not in done.stdout
    )
