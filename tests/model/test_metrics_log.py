"""Curves of a training run, read back from the event files."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from repobuild.errors import UsageError
from repobuild.model.adapter import metrics_log
from repobuild.model.adapter.metrics_log import (
    POINTS,
    MetricsLog,
    make_run_folder,
    metrics_target,
)
from repobuild.model.adapter.recipe import MetricsTarget, TrainingJob
from repobuild.model.adapter.train import train
from repobuild.model.base import Base
from tests.model.test_held_out_loss import measured
from tests.model.test_nano import make_base, settings
from tests.model.test_train import Killed, digest, killed_at

NAMES = {"loss", "rate", "tokens_per_second", "held_out_loss"}


class Task:
    def __init__(self, logs: Path, **changes: Any) -> None:
        self.logs, self.settings = logs, settings(**changes)


class Notes:
    """A writer that keeps its points in memory."""

    def __init__(self) -> None:
        self.points: list[tuple[int, dict[str, float]]] = []

    def write(self, step: int, values: Any) -> None:
        self.points.append((step, dict(values)))

    def close(self) -> None: ...


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return make_base(tmp_path_factory.mktemp("nano"))


def watched(base: Base, scratch: Path, folder: Path, *writers: str) -> TrainingJob:
    log = MetricsTarget(str(folder), writers or ("tensorboard",))
    return replace(measured(base, scratch, passes=3.0, evaluations=3), log=log)


def points(folder: Path) -> dict[str, list[int]]:
    """Return the steps of each curve from the event files, without purged ones."""
    from tensorboardX.proto.event_pb2 import Event

    found: dict[str, list[int]] = {}
    for file in sorted(folder.glob("events.*"), key=lambda path: path.stat().st_mtime):
        data = file.read_bytes()
        while data:
            size = int.from_bytes(data[:8], "little")
            event = Event.FromString(data[12 : 12 + size])
            data = data[16 + size :]
            if event.HasField("session_log"):  # a resumed run starts
                found = {n: [s for s in v if s < event.step] for n, v in found.items()}
            for value in event.summary.value:
                found.setdefault(value.tag, []).append(event.step)
    return found


def test_a_run_leaves_its_curves(base: Base, tmp_path: Path) -> None:
    made = watched(base, tmp_path / "run", tmp_path / "logs" / "c1")
    outcome = train(made)
    found = points(tmp_path / "logs" / "c1")
    assert set(found) == NAMES
    assert found["loss"] == list(range(1, outcome.steps + 1))
    assert found["held_out_loss"] == [int(step) for step, _ in outcome.held_out_losses]


def test_the_metrics_target_changes_nothing(base: Base, tmp_path: Path) -> None:
    made = watched(base, tmp_path / "one", tmp_path / "logs")
    other = replace(made, scratch=tmp_path / "two", log=MetricsTarget())
    train(made)
    train(other)
    assert digest(made.scratch) == digest(other.scratch)
    assert made.digest == other.digest  # a checkpoint is resumed with any target
    assert not list(made.scratch.rglob("events.*"))


def test_a_resumed_run_continues_its_curves(base: Base, tmp_path: Path) -> None:
    made = watched(base, tmp_path / "run", tmp_path / "logs")
    with pytest.raises(Killed):
        train(made, killed_at(8))
    outcome = train(made)
    found = points(tmp_path / "logs")
    assert found["loss"] == list(range(1, outcome.steps + 1))
    assert len(list((tmp_path / "logs").iterdir())) == 2


def test_a_long_run_is_thinned_to_means() -> None:
    notes = Notes()
    curve = MetricsLog([notes], 1000 * POINTS)
    for step in range(1, 10 * POINTS + 1):
        curve.step(step, 100, {"loss": float(step)})
    assert len(notes.points) == POINTS
    step, values = notes.points[0]
    assert (step, values["loss"]) == (10, 5.5)
    assert values["tokens_per_second"] > 0


def test_the_newest_runs_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_log, "KEPT", 3)
    for number in range(5):
        make_run_folder(tmp_path / str(number))
        (tmp_path / str(number) / "events").write_text("x")
        os.utime(tmp_path / str(number), (number, number))
    make_run_folder(tmp_path / "4")  # the same run, resumed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2", "3", "4"]


def test_an_unknown_or_missing_writer_is_refused_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r'"wandbb" in log\.to .did you mean "wandb"'):
        metrics_target(Task(tmp_path, log__to=["wandbb"]))  # type: ignore[arg-type]
    monkeypatch.setitem(metrics_log.PACKAGES, "wandb", "no_such_package")
    with pytest.raises(UsageError, match="pip install no_such_package"):
        metrics_target(Task(tmp_path, log__to=["wandb"]))  # type: ignore[arg-type]
    log = metrics_target(Task(tmp_path, log__to=[]))  # type: ignore[arg-type]
    assert log.writers == ()


def test_wandb_keeps_a_run_offline(
    base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb", reason="W&B is an extra: pip install wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    made = watched(base, tmp_path / "run", tmp_path / "logs", "wandb")
    with pytest.raises(Killed):
        train(made, killed_at(8))
    train(made)
    stored = list((tmp_path / "logs" / "wandb").glob("offline-run-*/*.wandb"))
    assert len(stored) == 2
    assert any(b"held_out_loss" in file.read_bytes() for file in stored)
