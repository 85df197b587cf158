"""An editor that asks NAME@latest is answered by the adapter of the last build."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from repobuild.cli.main import run
from tests.promises.test_from_commit_to_adapter import module
from tests.repository import Repository

openai = pytest.importorskip("openai")
pytest.importorskip("fastapi")

SETTINGS = """
[adapter]
rank = 4
alpha = 8
budget = 4000
batch_tokens = 512
margin = 100.0

[report]
questions = 2
seed_questions = 2
loss_samples = 4
max_new_tokens = 8
"""
WITHHELD = '\n[serve]\nhost = "0.0.0.0"\n'


@pytest.fixture
def here(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
    repository.commit({f"pkg/m{n}.py": module(n) for n in range(4)})
    (repository.path / "repobuild.toml").write_text(SETTINGS)
    monkeypatch.chdir(repository.path)
    return repository


@pytest.fixture
def served(here: Repository) -> Iterator[Any]:
    """A client of `repobuild serve` in a process of its own, after a build."""
    assert run(["--quiet"]) == 0
    command = [sys.executable, "-P", "-m", "repobuild", "serve", "--port", "0"]
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [*command, "--json"], stdout=-1, text=True, env=child_environment(root)
    ) as child:
        assert child.stdout
        text = ""
        while not text.endswith("}\n"):
            text += child.stdout.readline()
        with openai.OpenAI(base_url=json.loads(text)["url"], api_key="none") as client:
            yield client
        child.terminate()
        assert child.wait(60) == 0


def child_environment(root: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": root}


def answer(client: Any, model: str) -> str:
    asked = [{"role": "user", "content": "In which file is `first_1` defined?"}]
    made = client.chat.completions.create(model=model, messages=asked, max_tokens=24)
    return str(made.choices[0].message.content).strip()


def own_answer(capsys: Any) -> str:
    """What `repobuild ask` says."""
    capsys.readouterr()
    assert run(["ask", "--json", "In which file is `first_1` defined?"]) == 0
    return str(json.loads(capsys.readouterr().out)["answers"]["adapter"]["text"])


@pytest.mark.slow
def test_a_commit_is_served_without_a_restart(
    served: Any, here: Repository, capsys: Any
) -> None:
    first = [model.id for model in served.models.list()]
    latest = first[0]
    assert first == [latest, first[1], "repobuild/tiny"]
    assert answer(served, latest).startswith(own_answer(capsys).strip()[:20])
    base = answer(served, "repobuild/tiny")

    here.commit({"pkg/m1.py": None, "pkg/moved.py": module(1)})
    assert run(["--quiet"]) == 0
    for _ in range(200):
        names = [model.id for model in served.models.list()]
        if names[1] != first[1]:
            break
        time.sleep(0.1)
    assert names == [latest, names[1], first[1], "repobuild/tiny"]
    assert names[1].endswith(str(here.git.head.target)[:12])
    assert answer(served, latest).startswith(own_answer(capsys).strip()[:20])
    assert answer(served, "repobuild/tiny") == base
    gap = served.completions.create(
        model=latest, prompt="def first_1(", suffix="\n    return 1", max_tokens=8
    )
    assert gap.model == names[1] and not gap.choices[0].text.endswith("return 1")


def test_without_an_adapter_there_is_nothing_to_serve(
    here: Repository, capsys: Any
) -> None:
    assert run(["serve"]) == 1
    assert "no adapter yet" in capsys.readouterr().err


def test_a_repository_cannot_open_a_server_to_others(
    here: Repository, capsys: Any
) -> None:
    (here.path / "repobuild.toml").write_text(SETTINGS + WITHHELD)
    assert run(["serve"]) == 2
    said = capsys.readouterr().err
    assert "serve.host" in said and "opens a server to other machines" in said
    assert run(["serve", "--host", "127.0.0.1"]) == 1  # the user's own word
