"""The general text: shipped, held out, and the same for every model."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.evaluate.scoring import general_loss
from repobuild.evaluate.scoring.general_loss import PIECES, GeneralText, TextPiece
from repobuild.model.bundled.corpus import is_file_held_out
from repobuild.resources import data_folder


def test_the_shipped_text_comes_from_files_that_the_base_never_saw() -> None:
    pieces = GeneralText.read().pieces
    assert len(pieces) == PIECES
    assert len({piece.path for piece in pieces}) >= 30
    assert all(is_file_held_out(piece.path) for piece in pieces)
    assert sum(len(piece.text) for piece in pieces) > 60_000


def test_the_licence_of_the_text_is_in_the_same_folder() -> None:
    text = (data_folder("configs") / "general" / "LICENSE.txt").read_text("utf-8")
    assert "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2" in text


def test_fewer_pieces_are_a_subset() -> None:
    few = GeneralText.read(5)
    assert set(few.pieces) < set(GeneralText.read().pieces)
    assert few.digest != GeneralText.read().digest == GeneralText.read(PIECES).digest


def test_writing_the_shipped_pieces_again_gives_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "again.gz"
    pieces = sorted(GeneralText.read().pieces, key=lambda p: (p.path, p.text))
    GeneralText(tuple(pieces)).write(path)
    assert (
        path.read_bytes()
        == (data_folder("configs") / "general" / general_loss.FILE).read_bytes()
    )


def test_pieces_are_drawn_from_every_held_out_file_and_no_other(
    tmp_path: Path,
) -> None:
    names = [f"m{n}.py" for n in range(200)]
    held = {name for name in names if is_file_held_out(name)}
    line = "value = compute(another_value)  # what this line is for\n"
    for name in names:
        (tmp_path / name).write_text(line * 200)
    found = general_loss.draw_pieces(tmp_path)
    assert {piece.path for piece in found.pieces} == held
    assert general_loss.draw_pieces(tmp_path) == found
    of_each = [sum(p.path == name for p in found.pieces) for name in held]
    assert max(of_each) <= 4


def test_the_relative_change_is_a_share_of_the_other_loss() -> None:
    text = GeneralText((TextPiece("a.py", "x"), TextPiece("b.py", "y")))
    losses = {"base": [(10.0, 10), (30.0, 10)], "adapter": [(11.0, 10), (31.0, 10)]}
    found = general_loss.section(text, losses)
    assert found["base"]["loss"]["value"] == 2
    gap = found["difference"]["base"]
    assert gap["loss"]["value"] == pytest.approx(0.1)
    assert gap["relative"]["value"] == pytest.approx(0.05)
    assert gap["relative"]["low"] <= 0.05 <= gap["relative"]["high"]
