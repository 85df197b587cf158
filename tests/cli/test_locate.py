"""`repobuild locate`: from a text to files and functions of HEAD."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from repobuild.cli.main import run
from repobuild.engine.storage.lock import hold_lock
from tests.repository import Repository

FILES = {
    "pkg/door.py": "class Door:\n    def open_wide(self):\n        '''Let in.'''\n",
    "pkg/lamp.py": "def shine(bulb):\n    '''Light the lamp.'''\n",
    "tests/test_door.py": "def test_open_wide():\n    pass\n",
}


@pytest.fixture
def here(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
    repository.commit(FILES)
    monkeypatch.chdir(repository.path)
    return repository


def located(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert run(["locate", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_it_needs_no_build_before(here, capsys):
    found = located(capsys, "`open_wide` lets nobody in")
    assert found["version"] == 1
    assert found["commit"] == str(here.git.head.target)
    assert found["files"][0]["path"] == "pkg/door.py"
    assert found["functions"][0]["id"] == "pkg/door.py::Door.open_wide"
    assert set(found["files"][0]) == {"path", "score"}
    scores = [one["score"] for one in found["files"]]
    assert scores == sorted(scores, reverse=True)


def test_it_follows_head(here, capsys):
    located(capsys, "lamp")
    here.commit({"pkg/bulb.py": "def screw_in(lamp):\n    '''Fix the socket.'''\n"})
    found = located(capsys, "the socket is loose after `screw_in`")
    assert found["files"][0]["path"] == "pkg/bulb.py"


def test_a_text_can_come_from_standard_input(here, capsys, monkeypatch):
    text = io.TextIOWrapper(io.BytesIO(b"shine is dim\n\nThe lamp does not light.\n"))
    monkeypatch.setattr(sys, "stdin", text)
    assert located(capsys, "-")["files"][0]["path"] == "pkg/lamp.py"


def test_as_many_as_were_asked_for(here, capsys):
    found = located(capsys, "lamp", "-k", "1")
    assert (len(found["files"]), len(found["functions"])) == (1, 1)


def test_people_get_two_lists(here, capsys):
    assert run(["locate", "shine"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("files, as of ")
    assert out[1].split()[0] == "pkg/lamp.py"
    assert any(line.startswith("functions, as of ") for line in out)


def test_no_text_is_a_mistake_that_says_what_to_do(here, capsys):
    assert run(["locate", " \n"]) == 2
    assert "standard input" in capsys.readouterr().err


def test_a_repository_without_code_says_so(repository, monkeypatch, capsys):
    repository.commit({"README.md": "# Nothing\n"})
    monkeypatch.chdir(repository.path)
    assert run(["locate", "door"]) == 0
    assert "no code" in capsys.readouterr().out


def test_while_another_build_runs_the_last_one_answers(here, capsys):
    before = located(capsys, "lamp")
    here.commit({"pkg/lamp.py": "def shine(bulb):\n    '''Brighter.'''\n"})
    lock = Path(here.git.path) / "repobuild" / "lock"
    with hold_lock(lock, "a test", wait=False):
        assert located(capsys, "lamp")["commit"] == before["commit"]
        assert run(["locate", "lamp"]) == 0
    assert "another build runs" in capsys.readouterr().err


def test_a_current_lexicon_is_read_without_a_build(here, capsys):
    located(capsys, "lamp")
    lock = Path(here.git.path) / "repobuild" / "lock"
    with hold_lock(lock, "a test", wait=False):
        assert run(["locate", "lamp"]) == 0
    assert "another build runs" not in capsys.readouterr().err


def test_nothing_of_what_was_committed_later_is_known(here, capsys):
    first = str(here.git.head.target)
    here.commit({"pkg/later.py": "def shine_more():\n    '''The lamp.'''\n"})
    located(capsys, "lamp")
    here.git.set_head(here.git[first].id)
    found = located(capsys, "`shine_more` of the lamp")
    assert "pkg/later.py" not in [one["path"] for one in found["files"]]


def test_after_commits_the_tables_equal_those_of_a_clean_build(here, capsys):
    located(capsys, "lamp")
    here.commit(
        {"pkg/door.py": "from pkg.lamp import shine\n\n\ndef enter():\n    shine()\n"}
    )
    here.commit({"pkg/lamp.py": None, "pkg/light/lamp.py": FILES["pkg/lamp.py"]})
    located(capsys, "lamp")
    assert run(["verify", "--json"]) == 0
    tables = json.loads(capsys.readouterr().out)["tables"]
    equal = {table["name"]: table["equal"] for table in tables}
    assert equal["lexicon"] and equal["touches"]


def test_secrets_are_not_shown(here, capsys):
    token = "ghp_" + "a1B2" * 9
    here.commit({"pkg/odd.py": f"def {token}():\n    '''The lid.'''\n"})
    assert token not in json.dumps(located(capsys, "the lid"))
