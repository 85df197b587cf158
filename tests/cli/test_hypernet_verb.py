"""`repobuild hypernet`: a network is trained from the command line, and described."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from repobuild.cli.hypernet import _scores_text
from repobuild.cli.main import run
from repobuild.model.hypernet.description import DESCRIPTION, HypernetDescription
from repobuild.model.hypernet.shapes import ModelShape, TargetShape


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shape = ModelShape(2, 32, (TargetShape("q_proj", 32, 64),))
    made = HypernetDescription("residual", True, "a base", "0123" * 16, shape, 32)
    (tmp_path / DESCRIPTION).write_text(json.dumps(made.plain()))
    return tmp_path


def test_a_network_is_described(folder, capsys):
    assert run(["hypernet", "show", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "residual, follows commits" in shown
    assert "a base 012301230123" in shown
    assert run(["hypernet", "show", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["base"]["name"] == "a base"


def test_a_folder_that_is_none_is_explained(tmp_path, capsys):
    assert run(["hypernet", "show", str(tmp_path)]) == 2
    assert "it is no hypernetwork" in capsys.readouterr().err


def test_a_newer_format_is_refused(folder, capsys):
    path = folder / DESCRIPTION
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    assert run(["hypernet", "show", str(folder)]) == 2
    assert "newer repobuild" in capsys.readouterr().err


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_a_description_that_is_cut_anywhere_is_explained(folder, capsys, cut):
    path = folder / DESCRIPTION
    text = path.read_text()
    path.write_text(text[: min(cut, len(text) - 1)])
    assert run(["hypernet", "show", str(folder)]) == 2
    assert DESCRIPTION in capsys.readouterr().err


def test_a_list_that_is_too_short_ends_before_anything_is_loaded(tmp_path, capsys):
    (tmp_path / "list.txt").write_text("one\n")
    out = tmp_path / "out"
    told = ["hypernet", "train", str(tmp_path / "list.txt"), "--out", str(out)]
    assert run(told) == 2
    assert "2 at least" in capsys.readouterr().err
    assert not out.exists()


def test_the_verdict_needs_both_controls():
    scores = {"repositories": 4, "base": 3.0, "mean": 2.0, "shuffled": 2.1, "own": 1.9}
    assert "own is the lowest" in _scores_text(scores)
    for control in ("mean", "shuffled"):
        assert "does not read repositories" in _scores_text({**scores, control: 1.8})
    assert "nothing is known" in _scores_text({})
