"""A build that ended is noticed once, and what goes wrong leaves the old adapter."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from repobuild.errors import UsageError
from repobuild.serve import watch
from repobuild.serve.watch import AdapterWatch
from tests.repository import Repository


class Builds:
    """A repository whose builds only write a seal, and a server that notes loads."""

    def __init__(self, repository: Repository, folder: Path) -> None:
        self.repository = repository
        self.seal = folder / "build.db.seal"
        self.loaded: list[str] = []
        self.told: list[str] = []
        self.problem: Exception | None = None
        self.watch = AdapterWatch(
            folder / "build.db", repository.git, self.find, self.load, self.told.append
        )

    def find(self) -> Any:
        if self.problem:
            raise self.problem
        return str(self.repository.git.head.target)

    def load(self, adapter: Any) -> None:
        self.loaded.append(adapter)

    def step(self, seal: str = "") -> int:
        """Write a seal, "" for a build that writes; return the loads there were."""
        self.seal.write_text(seal)
        before = len(self.loaded)
        self.watch.step()
        return len(self.loaded) - before


@pytest.fixture
def builds(repository: Repository, tmp_path: Path) -> Builds:
    repository.commit({"a.py": "A = 1\n"})
    made = Builds(repository, tmp_path)
    made.step("1")
    made.loaded.clear()
    return made


def test_a_build_that_ended_while_the_server_started_is_noticed(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's adapter was chosen before: vLLM takes minutes to start."""
    made = repository.commit({"a.py": "A = 1\n"})
    builds = Builds(repository, tmp_path)
    builds.seal.write_text("1")
    monkeypatch.setattr(watch, "SECONDS", 0.01)
    builds.watch.start()
    end = time.monotonic() + 30
    while not builds.loaded and time.monotonic() < end:
        time.sleep(0.01)
    builds.watch.stop()
    assert builds.loaded == [made]


def test_each_build_that_ended_is_looked_at_once(builds: Builds) -> None:
    assert [builds.step(seal) for seal in ("1", "2", "2", "3")] == [0, 1, 0, 1]


def test_nothing_is_opened_while_a_build_writes(builds: Builds) -> None:
    assert [builds.step(seal) for seal in ("", "", "2")] == [0, 0, 1]


def test_another_branch_is_another_adapter(builds: Builds) -> None:
    made = builds.repository.commit({"a.py": "A = 2\n"})
    assert builds.step("1") == 1 and builds.loaded == [made]


def test_what_goes_wrong_is_said_once_and_tried_at_the_next_build(
    builds: Builds,
) -> None:
    builds.problem = UsageError("another base")
    assert [builds.step(seal) for seal in ("2", "2", "3")] == [0, 0, 0]
    assert len(builds.told) == 1 and "another base" in builds.told[0]
    builds.problem = None
    assert builds.step("4") == 1
