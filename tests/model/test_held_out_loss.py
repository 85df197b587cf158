"""Held-out loss during training: the curve, the best weights, early stopping."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from repobuild.errors import UsageError
from repobuild.model.adapter import held_out_loss
from repobuild.model.adapter.held_out_loss import (
    MIN_SAMPLES,
    HeldOutCurve,
    affordable_count,
    affordable_samples,
    split_by_process,
)
from repobuild.model.adapter.recipe import TrainingJob, TrainingResult
from repobuild.model.adapter.train import train
from repobuild.model.base import Base, load_tokenizer
from repobuild.model.compute.launch import launch
from repobuild.model.conversation import Conversation, Example
from tests.model.test_nano import make_base, recipe, samples
from tests.model.test_train import Killed, job, killed_at


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return make_base(tmp_path_factory.mktemp("nano"))


def measured(
    base: Base, scratch: Path, others: bool = False, **changes: Any
) -> TrainingJob:
    """Return a job whose held-out samples are its trained ones.

    With `others` they have other answers, so that training makes their loss worse.
    """
    rows = [
        (f"{i}.held", {**s, "answer": "%% 77 QZ ?? XW"} if others else s)
        for i, s in samples()
    ]
    held_out = Conversation(load_tokenizer(base)).tokenise(rows, 512).kept
    return replace(job(base, scratch, **changes), held_out=held_out)


def weights(made: TrainingJob) -> bytes:
    return (made.scratch / "trained" / "adapter_model.safetensors").read_bytes()


def lineage(made: TrainingJob) -> TrainingResult:
    return TrainingResult.read(made.scratch / "trained")


@pytest.fixture
def generous(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow measurements: a run of a hundred tokens could not afford any."""
    monkeypatch.setattr(held_out_loss, "SHARE", 100.0)


@pytest.mark.usefixtures("generous")
def test_measuring_changes_no_weight(base: Base, tmp_path: Path) -> None:
    plain = job(base, tmp_path / "plain", passes=3.0, evaluations=4)
    measuring = measured(base, tmp_path / "measuring", passes=3.0, evaluations=4)
    assert train(plain).held_out_losses == []
    outcome = train(measuring)
    assert weights(plain) == weights(measuring)
    steps = [step for step, _ in outcome.held_out_losses]
    assert len(steps) == 4 and steps[-1] == outcome.steps  # even, the last one too
    gaps = [after - before for before, after in pairwise([0, *steps])]
    assert max(gaps) - min(gaps) <= 2
    assert outcome.held_out_losses[-1][1] < outcome.held_out_losses[0][1]
    assert outcome.kept == outcome.steps


def test_a_measured_loss_equals_the_gates(base: Base, tmp_path: Path) -> None:
    """The gate computes the same figure with `TextGenerator`."""
    from repobuild.model.generate import TextGenerator

    made = measured(base, tmp_path, evaluations=1)
    outcome = train(made)
    generator = TextGenerator.load(base, tmp_path / "trained")
    used = affordable_samples(made.held_out, outcome.tokens, 1)
    losses = generator.example_losses(used)
    mean = sum(total for total, _ in losses) / sum(count for _, count in losses)
    assert outcome.held_out_losses[-1][1] == pytest.approx(mean, rel=2e-2)


def test_training_stops_when_it_only_gets_worse(base: Base, tmp_path: Path) -> None:
    made = measured(
        base, tmp_path, others=True, passes=12.0, evaluations=12, patience=2
    )
    outcome = train(made)
    losses = dict(outcome.held_out_losses)
    assert len(losses) < 12
    assert losses[outcome.kept] == min(losses.values())
    assert sum(step > outcome.kept for step in losses) == 2
    assert outcome.steps == max(losses)
    assert outcome.tokens < made.pace.budget - made.pace.pass_tokens


def test_the_best_weights_are_those_of_their_step(base: Base, tmp_path: Path) -> None:
    """The kept weights equal those in a checkpoint of that step."""
    made = measured(base, tmp_path, others=True, passes=9.0, evaluations=9, patience=9)
    kept = train(made).kept
    assert 0 < kept < lineage(made).steps  # patience as long as the run: none stopped
    again = replace(made, scratch=tmp_path / "again", checkpoint_every=kept)
    with pytest.raises(Killed):
        train(again, killed_at(kept + 1))
    at_that_step = load_file(again.scratch / "checkpoint/adapter_model.safetensors")
    best = load_file(tmp_path / "trained" / "adapter_model.safetensors")
    assert best.keys() == at_that_step.keys()
    assert all(torch.equal(best[name], at_that_step[name]) for name in best)


@pytest.mark.parametrize("zero", ["zero0", "zero2"])
def test_a_kill_changes_neither_the_curve_nor_the_best_weights(
    base: Base, tmp_path: Path, zero: str
) -> None:
    given = {"others": True, "zero": zero, "passes": 6.0, "evaluations": 6}
    whole = measured(base, tmp_path / "whole", patience=3, **given)
    train(whole)
    again = measured(base, tmp_path / "again", patience=3, **given)
    for step in (7, lineage(whole).steps):
        with pytest.raises(Killed):
            train(again, killed_at(step))
    train(again)
    assert weights(again) == weights(whole)
    assert lineage(again) == lineage(whole)


@pytest.mark.usefixtures("generous")
def test_a_continued_run_never_stops_early(base: Base, tmp_path: Path) -> None:
    first = measured(base, tmp_path / "first", passes=2.0)
    train(first)
    given = {"others": True, "passes": 9.0, "evaluations": 9, "patience": 1}
    second = measured(base, tmp_path / "second", **given)
    outcome = train(replace(second, parent=str(first.scratch / "trained")))
    assert len(outcome.held_out_losses) == 9
    assert outcome.kept == outcome.steps


def test_patience_is_part_of_the_recipe_and_measuring_is_not() -> None:
    assert recipe(evaluations=0).digest == recipe(evaluations=8).digest
    with_patience = recipe(evaluations=8, patience=2)
    assert with_patience.digest != recipe().digest
    assert with_patience.digest != recipe(evaluations=9, patience=2).digest


def test_patience_without_a_measurement_is_refused() -> None:
    with pytest.raises(UsageError, match=r"adapter\.evaluations"):
        recipe(evaluations=0, patience=2)


def test_measuring_costs_a_fiftieth_of_the_run() -> None:
    found = [Example(str(n), "t", [0] * 100, 50) for n in range(1000)]
    # 8 x 50 x 100 of 1,000,000 tokens
    assert len(affordable_samples(found, 1_000_000, 8)) == 50
    assert affordable_count(found, 1_000_000, 8) == 8
    assert affordable_count(found, 60_000, 8) == 3
    assert len(affordable_samples(found, 60_000, 3)) == MIN_SAMPLES
    assert affordable_count(found, 1_000, 8) == 1  # at the last step
    assert affordable_count([], 1_000, 8) == 0
    assert affordable_samples([], 1_000_000, 8) == []


@pytest.mark.parametrize("world", [1, 2, 5])
def test_every_sample_counts_once_however_many_processes(world: int) -> None:
    found = [Example(str(n), "t", [0] * (5 + n), 3) for n in range(30)]
    given = split_by_process(found, 64, world)
    assert len({len(share) for share in given}) == 1  # the same number of batches
    counted = [
        e.id for share in given for rows, counts in share if counts
        for row in rows for e in row
    ]  # fmt: skip
    assert sorted(counted) == sorted(e.id for e in found)
    assert all(rows for share in given for rows, _ in share)


def test_of_equal_losses_the_first_is_kept() -> None:
    held_out = HeldOutCurve()
    lowest = [held_out.add(step, loss) for step, loss in ((1, 2.0), (2, 1.0), (3, 1.0))]
    assert lowest == [True, True, False]
    assert held_out.best_step == 2
    assert held_out.should_stop(1)
    assert not held_out.should_stop(2) and not held_out.should_stop(0)


@pytest.mark.slow
@pytest.mark.parametrize("zero", ["zero0", "zero2", "zero3"])
def test_all_processes_stop_at_the_same_step(
    base: Base, tmp_path: Path, zero: str
) -> None:
    made = measured(
        base, tmp_path, others=True, zero=zero, passes=12.0, evaluations=12, patience=2
    )
    outcome = launch(made, 2, "", lambda told: None)
    losses = dict(outcome.held_out_losses)
    assert 2 < len(losses) < 12
    assert losses[outcome.kept] == min(losses.values())
    facts = json.loads((tmp_path / "trained" / "outcome.json").read_text())
    assert facts["held_out_losses"] == outcome.held_out_losses
