"""`repobuild graph`: one object as JSON, the same as text, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from repobuild.cli.main import run
from tests.query.test_graph_tools import Here
from tests.repository import Repository

ASKS = [
    ["search", "scaled"],
    ["fetch", "pkg/shapes.py::scaled"],
    ["explore", "scaled", "--direction", "callers"],
    ["tree", "--depth", "5"],
    ["impact", "scaled"],
    ["diff", "HEAD"],
]


@pytest.fixture
def here(repository: Repository, monkeypatch) -> Here:
    built = Here(repository)
    monkeypatch.chdir(repository.path)
    return built


def test_every_verb_prints_an_object_with_its_freshness_and_the_same_as_text(
    here, capsys
):
    for ask in ASKS:
        assert run(["graph", *ask, "--json"]) == 0
        reply = json.loads(capsys.readouterr().out)
        assert reply["version"] == 1 and reply["truncated"] is False
        assert reply["freshness"]["commits_behind"] == 0
        assert run(["graph", *ask]) == 0
        text = capsys.readouterr().out
        assert text.startswith("as of ")
        assert all(item["id"] in text for item in reply["items"])


def test_two_commits_that_are_too_far_apart_are_said_to_be(here, capsys):
    here.repository.commit({f"many/n{n}.py": "X = 1\n" for n in range(101)})
    assert run(["graph", "diff", "HEAD~1"]) == 0
    text = capsys.readouterr().out
    assert "files: 101\n" in text
    assert text.endswith("too much changed to compare it; give nearer commits\n")


def test_the_other_nodes_of_a_name_are_named(here, capsys):
    assert run(["graph", "impact", "area"]) == 0
    text = capsys.readouterr().out
    assert "of: pkg/shapes.py::Shape.area\n" in text
    assert "another node of this name: pkg/shapes.py::Square.area\n" in text


def test_a_reply_that_was_cut_says_how_to_go_on(here, capsys):
    assert run(["graph", "tree", "--depth", "5", "--budget", "300"]) == 0
    assert "go on with --next" in capsys.readouterr().out


def test_mistakes_end_with_two_and_name_the_next_step(here, capsys):
    assert run(["graph", "fetch", "nothing_zz"]) == 2
    assert "nearest: " in capsys.readouterr().err
    assert run(["graph", "explore", "scaled", "--edge", "cals"]) == 2
    assert 'did you mean "calls"' in capsys.readouterr().err
    assert run(["graph", "tree", "--budget", "10"]) == 2


def test_without_tables_a_reader_is_told_to_build(repository, monkeypatch, capsys):
    repository.commit({"a.py": "def f(): ...\n"})
    monkeypatch.chdir(repository.path)
    assert run(["graph", "search", "f"]) == 1
    assert "repobuild --until areas" in capsys.readouterr().err


def test_a_page_is_written_into_the_state_or_where_it_is_asked_for(here, capsys):
    assert run(["graph", "view", "--json"]) == 0
    reply = json.loads(capsys.readouterr().out)
    page = Path(reply["page"])
    assert page == here.repository.path / ".git/repobuild/graph.html"
    assert page.stat().st_size == reply["bytes"]
    assert reply["freshness"]["commits_behind"] == 0
    assert run(["graph", "view", "--output", "map.html", "--commits", "0"]) == 0
    text = capsys.readouterr().out
    assert (
        text.startswith("as of ") and "\nmap.html\n" in text and ", 0 commits" in text
    )
    assert Path("map.html").read_text("utf-8").startswith("<!doctype html>")
    assert run(["graph", "view", "--output", "map.html"]) == 0  # it is replaced
    assert sorted(path.name for path in Path().glob("*map*")) == ["map.html"]


def test_a_page_that_cannot_be_written_is_said_to_be(here, capsys):
    assert run(["graph", "view", "--output", "nowhere/map.html"]) == 2
    error = capsys.readouterr().err
    assert '"nowhere/map.html" cannot be written' in error
    assert "--output FILE" in error
