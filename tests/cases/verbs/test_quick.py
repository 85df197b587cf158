"""A quick build shows everything at work, and touches nothing of the real one."""

from __future__ import annotations

import ast
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from repobuild.cli.main import run
from repobuild.cli.quick_summary import quick_text
from repobuild.settings import quick_settings, read_layers, use_command_line, use_quick
from tests.cases.commands import CODE, repobuild, start
from tests.cases.verbs.test_review import FILES
from tests.repository import Repository

# Bounded further, so that the test takes seconds.
SMALL = ("-c", "adapter.budget=2000", "-c", "report.questions=2")
SMALL += ("-c", "report.seed_questions=0", "-c", "report.general_pieces=0")
SMALL += ("-c", "report.max_new_tokens=4", "-c", "report.loss_samples=2")
SMALL += ("-c", "report.stale_questions=0")


def test_quick_settings_win_over_files_and_not_over_the_command_line(tmp_path: Path):
    (tmp_path / "repobuild.toml").write_text(
        'preset = "qwen3-8b"\n[adapter]\nlearning_rate = 1e-5\nprocesses = 4\n'
        '[samples]\nlanguages = ["en"]\n[report]\nquestions_file = "q.jsonl"\n'
    )
    real = read_layers(tmp_path).merged()
    with use_quick():
        quick = read_layers(tmp_path).merged()
        with use_command_line(["adapter.budget=99"]):
            assert read_layers(tmp_path).merged()["adapter.budget"] == 99
    assert (real["base.model"], quick["base.model"]) == ("Qwen/Qwen3-8B", "tiny")
    assert (quick["adapter.learning_rate"], quick["adapter.processes"]) == (1.4e-3, 1)
    assert quick["samples.languages"] == ["en"]
    assert quick["report.questions_file"] == "q.jsonl"
    assert read_layers(tmp_path).merged() == real


def test_a_quick_build_asks_for_no_trust():
    from repobuild.settings_schema import settings

    asked = quick_settings()
    assert not [n for n, s in settings().items() if n in asked and s.is_power(asked[n])]


@pytest.mark.parametrize(
    ("verb", "step"),
    [
        (["graph", "tree"], "run `repobuild --quick --until areas` first"),
        (["rollback"], "run `repobuild --quick` to build one"),
        (["ask", "Where?"], "run `repobuild --quick` to build one"),
        (["review"], "run `repobuild --quick --until dataset` first"),
        (["export", "dataset", "-o", "x"], "run `repobuild --quick --until dataset`"),
        (["verify", "--samples"], "run `repobuild --quick --until dataset` first"),
        (["verify"], "run `repobuild --quick` first"),
        (["show", "x.py::y"], "nothing is built yet\nrun `repobuild --quick` first"),
        (["why", "x.py::y"], "nothing is built yet\nrun `repobuild --quick` first"),
        (["publish"], "name one: repobuild --quick publish TARGET"),
    ],
)
def test_what_to_do_is_about_the_quick_build(
    repository: Repository, monkeypatch, capsys, verb: list[str], step: str
) -> None:
    repository.commit(FILES)
    monkeypatch.chdir(repository.path)
    assert run(["--quick", *verb]) in (1, 2)
    assert step in capsys.readouterr().err


def test_the_error_of_a_database_is_about_the_quick_build(
    repository: Repository, monkeypatch, capsys
) -> None:
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    repository.commit(FILES)
    monkeypatch.chdir(repository.path)
    monkeypatch.setattr("repobuild.cli.status.status_facts", fail)
    assert run(["--quick", "status"]) == 3
    said = capsys.readouterr().err
    assert said.startswith("error: the state cannot be read: disk I/O error\n")
    assert "`repobuild --quick cache verify`" in said


@pytest.mark.parametrize(
    ("beyond", "said"),
    [(0, "left out: changes before"), (1, "left out: 1 sample, changes before")],
)
def test_only_what_was_left_out_is_told(beyond: int, said: str) -> None:
    names = ("adapter.budget", "history.commits", "report.questions")
    settings = {name: [5, 60] for name in names}
    counts = {"trained": 81, "over_budget": beyond}
    assert said in quick_text({"folder": "f", "settings": settings, **counts})


# What a text calls: a build, or a verb that is about one. Hooks, trust, recipes and the
# settings' own verbs are the same for both.
CALL = re.compile(
    r"(?:`|: |run )repobuild(?:`| (?:-c|--until|--worktree|ask|build|cache (gc|verify)"
    r"|export|graph|locate|log|publish|report|review|rollback|serve|show|status|verify"
    r"|why)\b)"
)
# Texts that no quick build prints, or that are about the whole one.
APART = {
    "cli/init.py": "writes the settings of the whole one",
    "cli/hook.py": "a hook builds the whole one",
    "cli/hypernet.py": "a preset of the quick one has no hypernetwork",
    "cli/quick_summary.py": "names both",
    "cli/usage_message.py": "the line is not read yet",
    "hooks/hook_files.py": "a hook builds the whole one",
    "evaluate/page/page.py": "a title",
    "model/publish/serving_recipes.py": "a card that is read elsewhere",
    "model/publish/folder_destination.py": "says who wrote a folder",
    "model/publish/url_destination.py": "says who wrote a folder",
    "samples/review/review_sheet.py": "a sheet that is read elsewhere",
}


def texts(source: str) -> Iterator[str]:
    """Yield the strings of a module that are not docstrings."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    documents = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, documented)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value not in documents:
                yield node.value


def test_every_text_names_the_program_of_its_build() -> None:
    package = CODE / "repobuild"
    found = {
        path.relative_to(package).as_posix(): text
        for path in package.rglob("*.py")
        for text in texts(path.read_text("utf-8"))
        if CALL.search(text)
    }
    assert {name: found[name] for name in found.keys() - APART.keys()} == {}


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_quick_adapter_is_asked_and_is_no_parent(tmp_path: Path):
    place = start(tmp_path / "shop", FILES)
    done = repobuild(place, "--quick", *SMALL)
    assert done.returncode == 0, done.stderr
    assert "quick: " in done.stdout and "left out: " in done.stdout
    assert "kept apart in" in done.stdout
    assert not (place / ".git/repobuild/objects").exists()
    quick = json.loads(repobuild(place, "log", "--quick", "--json").stdout)
    assert len(quick["chain"] if "chain" in quick else quick["adapters"]) == 1
    real = repobuild(place, "status", "--json")
    facts = json.loads(real.stdout)
    assert facts["built"] in ("", None)
    answer = repobuild(
        place, *SMALL, "ask", "--quick", "Where is `discount`?", "--json"
    )
    assert answer.returncode == 0, answer.stderr
    assert repobuild(place, "ask", "Where is `discount`?").returncode != 0


def test_everything_after_two_dashes_is_the_verbs_own(tmp_path: Path):
    from repobuild.cli.main import _move_quick_first

    assert _move_quick_first(["ask", "--", "--quick"]) == ["ask", "--", "--quick"]
    assert _move_quick_first(["ask", "--quick", "Q"]) == ["--quick", "ask", "Q"]
