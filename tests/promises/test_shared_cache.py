"""Sharing what is built, by the command line: fresh clones compute nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from repobuild.cli.main import run
from tests.model.test_nano import make_base
from tests.promises.test_from_commit_to_adapter import SETTINGS, module
from tests.repository import Repository, trust_settings

# transformers deprecates what peft still calls.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

QUESTIONS = "questions = 2\nseed_questions = 2\nloss_samples = 4\nmax_new_tokens = 8"
FEWER = "questions = 1\nseed_questions = 1\nloss_samples = 1\nmax_new_tokens = 1"
GOALS = '[build]\ngoals = ["adapter", "report"]\n'


def clone(source: Path, target: Path) -> Path:
    subprocess.run(["git", "clone", "-q", source, target], check=True)
    if (source / "repobuild.toml").is_file():
        shutil.copy(source / "repobuild.toml", target)
        trust_settings(target)
    return target


def events(folder: Path, name: str) -> list[dict[str, Any]]:
    lines = (folder / ".git/repobuild/events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == name]


@pytest.fixture
def remote(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("REPOBUILD_CACHE_REMOTE", str(tmp_path / "remote"))
    assert run(["cache", "key"]) == 0
    return tmp_path / "remote"


@pytest.fixture
def here(repository: Repository, monkeypatch) -> Repository:
    files = {f"pkg/m{n}.py": module(n) for n in range(6)}
    repository.commit({**files, "README.md": "# Steps\n\n`first_1` is one.\n"})
    monkeypatch.chdir(repository.path)
    return repository


def built(capsys, *more: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["build", "--json", "--until", "dataset", *more]) == 0
    return dict(json.loads(capsys.readouterr().out))


def pushed(monkeypatch) -> None:
    monkeypatch.setenv("REPOBUILD_BUILD_GOALS", '["dataset"]')
    assert run(["cache", "push"]) == 0
    monkeypatch.delenv("REPOBUILD_BUILD_GOALS")


def test_a_fresh_clone_parses_nothing(here, remote, tmp_path, monkeypatch, capsys):
    built(capsys)
    pushed(monkeypatch)
    other = clone(here.path, tmp_path / "clone")
    monkeypatch.chdir(other)

    def parsed(*_: object) -> None:
        raise AssertionError("a file was parsed")

    monkeypatch.setattr("tree_sitter.Parser.parse", parsed, raising=False)
    monkeypatch.setattr("repobuild.code.facts.parse.facts", parsed)
    facts = built(capsys)
    sources = {"files", "commits", "past_commits", "reviews", "own_questions"}
    for event in events(other, "table"):
        if event["table"] not in sources:
            assert event["built"] == [] and event["counts"]["built"] == 0
    assert facts["tables"]["facts"]["memo"] == 7
    assert facts["remote"]["refused"] == {} and facts["remote"]["down"] == ""
    monkeypatch.undo()
    monkeypatch.chdir(other)
    assert run(["verify"]) == 0


def test_a_clone_that_is_ahead_computes_the_difference(
    here, remote, tmp_path, monkeypatch, capsys
):
    built(capsys)
    pushed(monkeypatch)
    here.commit({"pkg/m1.py": module(1).replace("others build", "some build")})
    here.commit({"pkg/m7.py": module(7)})
    other = clone(here.path, tmp_path / "clone")
    monkeypatch.chdir(other)
    facts = built(capsys)
    assert facts["tables"]["facts"]["built"] == 2
    found = events(other, "table")
    computed = {key for e in found if e["table"] == "facts" for key in e["built"]}
    assert computed == {"pkg/m1.py", "pkg/m7.py"}
    assert run(["verify"]) == 0


def test_pull_then_build_has_nothing_to_do(here, remote, tmp_path, monkeypatch, capsys):
    built(capsys)
    pushed(monkeypatch)
    monkeypatch.chdir(clone(here.path, tmp_path / "clone"))
    monkeypatch.setenv("REPOBUILD_BUILD_GOALS", '["dataset"]')
    assert run(["cache", "pull"]) == 0
    monkeypatch.delenv("REPOBUILD_BUILD_GOALS")
    monkeypatch.delenv("REPOBUILD_CACHE_REMOTE")
    facts = built(capsys)
    assert all(not table["built"] for table in facts["tables"].values())


def test_a_second_push_sends_nothing(here, remote, monkeypatch, capsys):
    built(capsys)
    pushed(monkeypatch)
    before = {p: p.stat().st_mtime_ns for p in remote.rglob("*") if p.is_file()}
    pushed(monkeypatch)
    assert "nothing new to push" in capsys.readouterr().out
    assert before == {p: p.stat().st_mtime_ns for p in remote.rglob("*") if p.is_file()}


def test_a_build_pushes_only_when_it_may(here, remote, monkeypatch, capsys):
    built(capsys)
    assert not remote.exists()
    here.commit({"pkg/m8.py": module(8)})
    monkeypatch.setenv("REPOBUILD_CACHE_PUSH", "true")
    assert built(capsys)["remote"]["pushed"]["tables"]
    assert remote.exists()


def test_a_build_that_requires_the_remote_ends_with_5(
    here, tmp_path, capsys, monkeypatch
):
    assert run(["build", "--until", "facts", "--require-remote"]) == 5
    assert run(["cache", "pull"]) == 5
    assert run(["cache", "push"]) == 5
    assert "REPOBUILD_CACHE_REMOTE" in capsys.readouterr().err
    monkeypatch.setenv("REPOBUILD_CACHE_REMOTE", "http://127.0.0.1:9/cache")
    assert run(["build", "--until", "facts", "--require-remote"]) == 5
    assert run(["cache", "pull"]) == 5
    assert run(["build", "--until", "facts"]) == 0  # without, it goes on alone


def test_the_repositorys_own_file_decides_nothing_of_it(here, tmp_path, capsys):
    settings = f'[cache]\nremote = "{tmp_path / "remote"}"\npush = true\n'
    (here.path / "repobuild.toml").write_text(settings)
    assert run(["build", "--until", "facts"]) == 0
    assert "cache.remote" in capsys.readouterr().err  # named as left out
    assert not (tmp_path / "remote").exists()
    assert run(["cache", "push"]) == 2


def checked(capsys) -> dict[str, Any]:
    capsys.readouterr()
    run(["doctor", "--json"])
    checks = json.loads(capsys.readouterr().out)["checks"]
    return next((c for c in checks if c["name"] == "shared"), {})


def test_doctor_says_what_the_shared_cache_lacks(here, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert checked(capsys) == {}
    monkeypatch.setenv("REPOBUILD_CACHE_REMOTE", "https://user:pass@example.org/c")
    found = checked(capsys)
    assert not found["well"] and "cache.trusted_keys" in found["next"]
    assert "pass" not in found["text"]
    assert run(["cache", "key"]) == 0
    assert checked(capsys)["well"]
    monkeypatch.setenv("REPOBUILD_CACHE_PUSH", "true")
    assert "read only" in checked(capsys)["text"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "nano"
    make_base(folder)
    return folder


@pytest.mark.slow
def test_adapters_travel_and_are_continued(
    here, remote, base, tmp_path, monkeypatch, capsys
):
    settings = SETTINGS.format(base=base).replace(QUESTIONS, FEWER)
    (here.path / "repobuild.toml").write_text(GOALS + settings)
    trust_settings(here.path)
    assert run(["build", "-q"]) == 0
    assert run(["cache", "push"]) == 0
    # At the same commit nothing is trained.
    first = clone(here.path, tmp_path / "first")
    monkeypatch.chdir(first)
    capsys.readouterr()
    assert run(["build", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert all(not facts["tables"][name]["built"] for name in ("adapter", "report"))
    assert [e["table"] for e in events(first, "fetched")] == ["adapter", "report"]
    assert run(["verify"]) == 0
    # A commit later the delta is trained, on the adapter that came.
    here.commit({"pkg/m1.py": module(1).replace("others build", "nobody builds")})
    second = clone(here.path, tmp_path / "second")
    monkeypatch.chdir(second)
    capsys.readouterr()
    assert run(["build", "--json"]) == 0
    later = json.loads(capsys.readouterr().out)
    assert later["adapter"]["mode"] == "continue"
    assert later["adapter"]["parent"] == facts["adapter"]["object"]
