"""The no-op cache: which calls it answers, and what invalidates an answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from repobuild.cli.main import run
from repobuild.noop_cache import answer
from tests.repository import Repository

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


@pytest.fixture
def here(repository: Repository, monkeypatch) -> Repository:
    repository.commit({"flat.py": '"""Flat."""\n\n\ndef area():\n    return 1\n'})
    monkeypatch.chdir(repository.path)
    return repository


@pytest.fixture
def to_graph(here: Repository) -> Repository:
    """A repository whose own settings end its build at `graph`, built."""
    (here.path / "repobuild.toml").write_text('[build]\ngoals = ["graph"]\n')
    assert run(["--quiet"]) == 0
    return here


def call_program(*arguments: str) -> tuple[str, set[str]]:
    """Run the program; return what it printed and which modules it imported."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "repobuild", *arguments],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    )
    lines = [line for line in done.stderr.splitlines() if line.count("|") == 2]
    return done.stdout, {line.rsplit("|", 1)[1].strip() for line in lines}


def is_from_cache(modules: set[str]) -> bool:
    return "repobuild.noop_cache" in modules and not modules & {"click", "pygit2"}


@pytest.mark.parametrize("call", [[], ["build"], ["-q"], ["build", "--quiet"]])
def test_a_plain_call_is_answered_from_the_cache(to_graph, call):
    said, modules = call_program(*call)
    assert is_from_cache(modules)
    assert said.startswith("nothing to do") != ("q" in "".join(call))


@pytest.mark.parametrize(
    "call",
    [
        ["--until", "graph"],
        ["--until=graph"],
        ["build", "--until", "graph", "-q"],
        ["-q", "--until=graph"],
    ],
)
def test_a_call_with_a_goal_is_answered_from_the_cache(here, call):
    run(["--until", "graph", "--quiet"])
    said, modules = call_program(*call)
    assert is_from_cache(modules)
    assert said.startswith("nothing to do") == ("-q" not in call)


@pytest.mark.parametrize(
    "call",
    [
        ["--until", "facts"],
        ["--until"],
        ["--until", "graph", "--worktree"],
        ["--until", "graph", "-n"],
        ["--until", "graph", "-j1"],
        ["--json", "build", "--until", "graph"],
    ],
)
def test_any_other_call_is_not_answered_from_the_cache(here, call):
    run(["--until", "graph", "--quiet"])
    _, modules = call_program(*call)
    assert not is_from_cache(modules)


def test_the_last_goal_of_a_call_counts(here):
    run(["--until", "graph", "--quiet"])
    assert is_from_cache(call_program("--until", "files", "--until", "graph")[1])


@pytest.mark.parametrize("call", [["--json"], ["--json", "--quiet"]])
def test_cached_json_equals_what_a_build_prints(here, capsys, call):
    run(["--until", "graph", "--quiet"])
    said, modules = call_program("--until", "graph", *call)
    assert is_from_cache(modules)
    short = json.loads(said)
    capsys.readouterr()
    run(["--until", "graph", "--json"])
    long = json.loads(capsys.readouterr().out)
    assert short == long


def test_nothing_is_imported_that_costs_more_than_the_answer(to_graph):
    _, modules = call_program()
    assert not modules & {"re", "typing", "pathlib", "subprocess", "json", "sqlite3"}


def test_an_answer_holds_for_its_goal_and_its_tree(here):
    run(["--until", "graph"])
    assert answer("graph") is not None
    assert answer("") is None
    here.commit({"flat.py": "x = 1\n"})
    assert answer("graph") is None


def test_an_answer_of_another_format_or_cut_short_is_no_answer(here):
    run(["--until", "graph"])
    file = here.path / ".git/repobuild/current"
    whole = file.read_bytes()
    for broken in (b"", whole[:20], whole.replace(b"\0", b""), b"\xff\0\0\0", b"{}"):
        file.write_bytes(broken)
        assert answer("graph") is None
    file.write_bytes(whole)
    assert answer("graph") is not None


def test_a_lost_database_invalidates_the_answer(here):
    run(["--until", "graph"])
    (here.path / ".git/repobuild/build.db").unlink()
    assert answer("graph") is None


def test_a_changed_setting_invalidates_the_answer(here):
    run(["--until", "graph"])
    (here.path / "repobuild.toml").write_text("[samples]\nlanguages = ['en']\n")
    assert answer("graph") is None


def test_another_layer_of_settings_invalidates_the_answer(here, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    run(["--until", "graph"])
    assert answer("graph")
    with monkeypatch.context() as patch:
        patch.setenv("REPOBUILD_SAMPLES_LANGUAGES", '["en"]')
        assert answer("graph") is None
    (tmp_path / "repobuild.toml").write_text("[samples]\nlanguages = ['en']\n")
    assert answer("graph") is None


def test_a_build_with_an_option_leaves_no_answer_to_one_without(here):
    run(["--until", "graph"])
    assert run(["-c", "project.languages=[]", "build", "--until", "graph"]) == 0
    assert answer("graph") is None
    said, modules = call_program("--until", "graph")
    assert not is_from_cache(modules)
    assert "files" in said


def test_the_process_of_a_builder_invalidates_nothing(here, monkeypatch):
    run(["--until", "graph"])
    monkeypatch.setenv("REPOBUILD_BUILDER", "77")
    assert answer("graph")


def test_a_pipe_in_the_place_of_the_settings_is_not_waited_for(here):
    run(["--until", "graph"])
    os.mkfifo(here.path / "repobuild.toml")
    assert answer("graph")


def test_a_lost_artifact_invalidates_the_answer(here):
    run(["--until", "graph"])
    file = here.path / ".git/repobuild/current"
    key, _, rest = file.read_text().split("\0", 2)
    file.write_text("\0".join((key, "ab/cdef", rest)))
    assert answer("graph") is None


def test_outside_a_repository_there_is_no_answer(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert answer() is None


def test_without_git_there_is_no_answer(here, monkeypatch):
    run(["--until", "graph"])
    monkeypatch.setenv("PATH", "/nowhere")
    assert answer("graph") is None


def test_settings_that_cannot_be_read_end_the_answer(here):
    run(["--until", "graph"])
    assert answer("graph")
    (here.path / "repobuild.toml").symlink_to("/nowhere/at/all")
    assert not answer("graph")
