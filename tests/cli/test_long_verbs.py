"""Each verb that may take longer than two seconds says what it is doing.

When a line is written is tested in test_progress.py; here, that there is a step.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace

import pytest

from repobuild.cli import ask
from repobuild.cli.main import run
from repobuild.cli.progress import ProgressLog, Step
from repobuild.engine.storage.lock import hold_lock
from repobuild.model.compare import Comparison
from tests.cases.commands import CODE
from tests.cases.verbs.test_review import FILES
from tests.repository import Repository


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the labels of the steps that begin from now on."""
    labels: list[str] = []
    begin = ProgressLog.step

    def step(log: ProgressLog, label: str, total: int) -> AbstractContextManager[Step]:
        labels.append(label)
        return begin(log, label, total)

    monkeypatch.setattr(ProgressLog, "step", step)
    return labels


@pytest.fixture
def here(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Repository]:
    repository.commit(FILES)
    monkeypatch.chdir(repository.path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("REPOBUILD_CACHE_REMOTE", str(tmp_path / "remote"))
    monkeypatch.setenv("REPOBUILD_BUILD_GOALS", '["facts"]')
    assert run(["build", "--quiet"]) == 0
    assert run(["cache", "key"]) == 0
    yield repository


@pytest.mark.parametrize(
    ("verb", "step"),
    [
        (["cache", "push"], "pushing"),
        (["cache", "verify"], "the database"),
        (["cache", "gc"], "gc"),
        (["ci", "deepen"], "fetching commits"),
        (["clone", ".", "../clone"], "fetching commits"),
        (["doctor"], "checking"),
        (["export", "facts", "-o", "../facts"], "writing facts"),
        (["graph", "view"], "drawing the map"),
        (["publish", "../adapters"], "writing the adapter"),
    ],
)
def test_it_says_what_it_is_doing(
    here: Repository, steps: list[str], verb: list[str], step: str
) -> None:
    run(verb)
    assert step in steps


def test_ask_says_that_it_loads_the_base(
    monkeypatch: pytest.MonkeyPatch, steps: list[str]
) -> None:
    base = SimpleNamespace(name="tiny")
    monkeypatch.setattr(ask, "base_of", lambda *_: base)
    monkeypatch.setattr(Comparison, "load", lambda *_: None)
    asked = SimpleNamespace(commit="", row={})
    ask._load_comparison(SimpleNamespace(settings={}), asked, Path())  # type: ignore[arg-type]
    assert steps == ["loading tiny"]


def test_gc_says_that_it_waits_for_a_build(here: Repository) -> None:
    state = here.path / ".git/repobuild"
    with hold_lock(state / "lock", "building 1234567", wait=False):
        waiting = subprocess.Popen(
            [sys.executable, "-P", "-m", "repobuild", "cache", "gc"],
            cwd=here.path, env={**os.environ, "PYTHONPATH": str(CODE)},
            stdout=subprocess.DEVNULL, stderr=-1, text=True,
        )  # fmt: skip
        assert waiting.stderr is not None
        said = waiting.stderr.readline()
    waiting.communicate()
    assert "building 1234567" in said and waiting.returncode == 0
