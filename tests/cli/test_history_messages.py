"""`show` and `why` print commits and what they removed."""

from __future__ import annotations

from repobuild.cli.main import run
from tests.promises.test_history import DOUBLE, NUMBERS, without
from tests.repository import Repository


def test_a_commit_and_what_it_removed_can_be_shown(
    repository: Repository, monkeypatch, capsys
):
    repository.commit({"numbers.py": NUMBERS})
    commit = repository.commit({"numbers.py": without(NUMBERS, DOUBLE)})
    monkeypatch.chdir(repository.path)
    assert run(["--until", "history", "--quiet"]) == 0
    assert run(["show", commit[:8]]) == 0
    said = capsys.readouterr().out
    assert "subject: a change" in said and '"what": "removed"' in said
    assert run(["show", "numbers.py::double"]) == 0
    key = capsys.readouterr().out.splitlines()[-1].strip()
    assert key.startswith("history//numbers.py::double#code_change.")
    assert run(["show", key]) == 0
    assert commit[:10] in capsys.readouterr().out
    assert run(["why", commit]) == 0
    assert f"changes {commit}" in capsys.readouterr().out
