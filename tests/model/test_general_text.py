"""The text on which an adapter is held to its base."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from repobuild.evaluate.scoring.general_loss import GeneralText
from repobuild.model.base import load_tokenizer
from repobuild.model.conversation import Conversation
from repobuild.model.teaching.general_text import (
    EVERY,
    LEAST_TOKENS,
    MOST_TOKENS,
    NAME,
    TEXTS,
    read_windows,
    steps_between,
    window_tokens,
)
from repobuild.resources import data_folder
from tests.model.test_nano import make_base


def texts() -> list[dict[str, str]]:
    path = data_folder("configs") / "general" / NAME
    lines = gzip.decompress(path.read_bytes()).decode("ascii").splitlines()
    return [json.loads(line) for line in lines]


def test_windows_are_the_share_of_all_steps() -> None:
    steps, tokens = steps_between(512, 0.12), window_tokens(512, 0.12)
    assert steps == EVERY
    assert tokens / (steps * 512 + tokens) == pytest.approx(0.12, abs=0.002)


def test_large_steps_show_a_window_each() -> None:
    assert steps_between(1_000_000, 0.12) == 1
    assert window_tokens(1_000_000, 0.12) == MOST_TOKENS
    assert window_tokens(512, 0.5) == MOST_TOKENS


def test_small_steps_show_no_tiny_window() -> None:
    assert window_tokens(16, 0.01) == EVERY * LEAST_TOKENS


def test_without_a_share_there_is_no_window() -> None:
    assert window_tokens(512, 0.0) == 0


def test_every_window_has_the_same_length(tmp_path: Path) -> None:
    conversation = Conversation(load_tokenizer(make_base(tmp_path)))
    windows = read_windows(conversation, 64)
    assert len(windows) > TEXTS
    assert {len(window) for window in windows} == {64}
    assert read_windows(conversation, 64) == windows
    assert read_windows(conversation, 0) == []


def test_the_texts_are_none_that_the_report_measures() -> None:
    measured = {piece.path for piece in GeneralText.read().pieces}
    kept = texts()
    assert len(kept) == TEXTS
    assert measured and not {text["path"] for text in kept} & measured
