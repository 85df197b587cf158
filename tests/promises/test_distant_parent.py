"""A branch continues its own adapter, however many commits ago that was built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from repobuild.checkout import open_checkout
from repobuild.cli.adapter_lookup import find_adapter
from repobuild.cli.ask import AskedAdapter
from repobuild.cli.main import run
from repobuild.engine.run.task import find_chain_parent
from tests.model.test_nano import make_base
from tests.promises.test_from_commit_to_adapter import SETTINGS, module
from tests.repository import Repository, trust_settings

# transformers deprecates what peft still calls.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

DISTANCE = 500  # commits from the branch's own adapter to its HEAD
GOAL = '[build]\ngoals = ["adapter"]\n'


@pytest.fixture
def here(repository: Repository, tmp_path: Path, monkeypatch) -> Repository:
    make_base(tmp_path / "nano")
    settings = SETTINGS.format(base=tmp_path / "nano")
    (repository.path / "repobuild.toml").write_text(GOAL + settings)
    trust_settings(repository.path)
    repository.commit({f"pkg/m{n}.py": module(n) for n in range(4)})
    monkeypatch.chdir(repository.path)
    return repository


def built(capsys) -> dict[str, Any]:
    """Build HEAD and return the adapter's row."""
    assert run(["build", "--json"]) == 0
    return json.loads(capsys.readouterr().out)["adapter"]


def changed(n: int) -> dict[str, str]:
    return {f"pkg/m{n}.py": module(n).replace("others build", "nobody builds")}


def test_an_adapter_500_commits_ago_comes_before_a_newer_one_elsewhere(here, capsys):
    fork = str(here.git.head.target)
    own = built(capsys)
    here.checkout(fork)
    here.commit(changed(1))
    elsewhere = built(capsys)
    assert elsewhere["object"] != own["object"] == elsewhere["parent"]

    here.checkout(fork)
    for _ in range(DISTANCE - 1):
        here.commit()
    here.commit(changed(2))

    checkout = open_checkout()
    build = checkout.view(checkout.snapshot(), checkout.state())
    assert find_chain_parent(build, build.rules["adapter"]) == own["object"]
    assert find_adapter(build)[0] == fork
    asked = AskedAdapter.of(build)
    assert (asked.commit, asked.behind) == (fork, DISTANCE)

    row = built(capsys)
    assert row["follows"] == own["object"]  # what the key holds
    assert row["parent"] == own["object"]  # what training started from
