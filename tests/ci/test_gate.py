"""The gate lets an adapter pass that was promoted, and nothing else is published."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from repobuild.ci.gate import gate_facts
from repobuild.cli.main import run
from repobuild.errors import StaleError
from tests.cases.verbs.test_review import FILES
from tests.repository import Repository

SCORES = {"parent_loss": 0.5, "loss": 0.4}
ROW = {"object": "1" * 64, "current": "", "promoted": True, "scores": SCORES}


def build(row: dict[str, Any] | None) -> Any:
    table = {} if row is None else {"c1": row}
    return SimpleNamespace(
        snapshot=SimpleNamespace(commit="c1"), table=lambda name: table
    )


def test_a_promoted_adapter_passes():
    facts = gate_facts(build(ROW))
    assert facts["passes"] and facts["adapter"] == ROW["object"]
    assert facts["scores"] == SCORES and facts["why"] == ""


@pytest.mark.parametrize(
    "row",
    [
        None,
        {**ROW, "promoted": False, "current": "2" * 64},
        {**ROW, "current": "2" * 64},
        {**ROW, "promoted": False},
    ],
)
def test_no_adapter_or_a_worse_one_does_not_pass(row):
    facts = gate_facts(build(row))
    assert not facts["passes"] and facts["why"]


def test_an_adapter_that_does_not_pass_is_not_exported(tmp_path: Path):
    from repobuild.cli.publish import _write_release

    with pytest.raises(StaleError, match="to publish"):
        _write_release(build({**ROW, "promoted": False}), tmp_path, None, "")
    assert list(tmp_path.iterdir()) == []


def test_the_verbs_say_what_to_do(repository: Repository, monkeypatch, capsys):
    repository.commit(FILES)
    monkeypatch.chdir(repository.path)
    assert run(["ci", "gate"]) == 1
    assert "no adapter was built for this commit" in capsys.readouterr().out
    assert run(["ci", "gate", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["passes"] is False
    assert run(["publish"]) == 2
    assert "there is no place to publish to" in capsys.readouterr().err
    assert run(["publish", "out"]) == 1
    assert "run `repobuild` first" in capsys.readouterr().err
    assert not (repository.path / "out").exists()


def test_a_repository_alone_does_not_say_where_to_publish(
    repository: Repository, monkeypatch, capsys
):
    repository.commit({**FILES, "repobuild.toml": '[publish]\nto = "hf://thief/x"\n'})
    monkeypatch.chdir(repository.path)
    assert run(["publish"]) == 2
    assert 'publish.to = "hf://thief/x"' in capsys.readouterr().err


def test_what_a_pointer_names_is_only_looked_up(repository: Repository):
    from repobuild.checkout import open_checkout
    from repobuild.cli.publish import _ancestry

    old = repository.commit(FILES)
    new = repository.commit({"more.py": "x = 1\n"})
    is_ancestor = _ancestry(open_checkout(repository.path))
    assert is_ancestor(old, new) and not is_ancestor(new, old)
    for name in ("--help", "../../etc", "", "0" * 40, "\x1b[31m", "HEAD"):
        assert not is_ancestor(old, name)
