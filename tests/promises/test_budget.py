"""More budget goes on teaching where the last one ended, without a new commit."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from repobuild.cli.main import run
from tests.model.test_nano import make_base
from tests.promises.test_from_commit_to_adapter import SETTINGS, module
from tests.repository import Repository, trust_settings


@pytest.fixture
def here(repository: Repository, tmp_path: Path, monkeypatch) -> Path:
    make_base(tmp_path / "nano")
    repository.commit({f"pkg/m{n}.py": module(n) for n in range(4)})
    text = SETTINGS.format(base=tmp_path / "nano")
    (repository.path / "repobuild.toml").write_text(text)
    trust_settings(repository.path)
    monkeypatch.chdir(repository.path)
    return repository.path


def built(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    capsys.readouterr()
    assert run(["--until", "adapter", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)["adapter"]


def test_a_budget_of_the_command_line_is_recorded_as_tokens_and_continues(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--budget", "1m", "--until", "adapter"]) == 2
    assert "no adapter was trained here yet" in capsys.readouterr().err
    small = built(capsys, "--budget", "3k")
    assert (small["mode"], small["budget"]) == ("first", 3_000)
    taught = small["coverage"]["taught"]
    assert 0 < taught < small["coverage"]["facts"]

    larger = built(capsys, "--budget", "9k")
    assert (larger["mode"], larger["budget"]) == ("continue", 9_000)
    assert larger["parent"] == small["object"]
    assert larger["coverage"]["taught"] > taught

    again = built(capsys)  # with the settings' 6,000, which taught less
    assert (again["mode"], again["object"]) == ("reuse", larger["object"])
    timed = built(capsys, "--budget", "9h")
    assert timed["budget"] > 9_000

    assert run(["status"]) in (0, 1)
    assert re.search(r"taught (all )?[\d,]+ ", capsys.readouterr().out)


def test_an_adapter_of_a_larger_budget_than_the_settings_name_is_current(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = here / "repobuild.toml"
    goals = '\n[build]\ngoals = ["adapter"]\n'
    settings.write_text(settings.read_text() + goals)
    trust_settings(here)
    built(capsys, "--budget", "9k")
    assert run(["status"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("current: ") and "the artifact stays" in said
    assert "run `repobuild`" not in said
    assert run(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stale"] is False
