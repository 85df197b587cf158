"""One run in one process: passes, their batches, and what was right."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from repobuild.model.adapter.recipe import TrainingJob
from repobuild.model.adapter.training_run import (
    FINAL_SHARE,
    StepReport,
    TrainingRun,
)
from repobuild.model.base import Base
from repobuild.model.conversation import Example
from repobuild.model.teaching.scheduler import Certainty, Pace, TaughtFact
from tests.model.test_nano import recipe

FACTS = 23
ANSWER = 5  # tokens
TOKENS = 20
PACE = Pace(budget=100 * FACTS * TOKENS, pass_tokens=10_000, mastery=2, review=0.0)


def job(scratch: Path) -> TrainingJob:
    """Return a job of facts with two phrasings each."""
    made = recipe(mastery=PACE.mastery, batch_tokens=100, packing="bucketed")
    examples = [
        Example(str(n), "t", [n % 7] * TOKENS, TOKENS - ANSWER)
        for n in range(2 * FACTS)
    ]
    return TrainingJob(
        base=Base("b", "b", None, "0"), parent="", recipe=made, rate=1.0,
        facts=[TaughtFact((2 * n, 2 * n + 1)) for n in range(FACTS)],
        pace=PACE, deepspeed={}, scratch=scratch, examples=examples,
    )  # fmt: skip


def started(scratch: Path) -> TrainingRun:
    run = TrainingRun.start(job(scratch), lambda told: None)
    run.open_pass()
    return run


def marks(run: TrainingRun, wrong: frozenset[int] = frozenset()) -> torch.Tensor:
    """Return marks of the next step: one token is wrong in answers of these facts."""
    rows = []
    for number in (n for row in run.own_batch for n in row):
        last = Certainty.WRONG if number // 2 in wrong else Certainty.RIGHT
        rows.append([Certainty.SURE] * (ANSWER - 1) + [last])
    return torch.tensor(rows, dtype=torch.int8).flatten()


def finish_pass(run: TrainingRun, wrong: frozenset[int] = frozenset()) -> int:
    """Take the steps of a pass; return how many."""
    steps = 1
    run.take_step(1.0, marks(run, wrong))
    while not run.close_pass():
        run.take_step(1.0, marks(run, wrong))
        steps += 1
    return steps


def test_a_pass_shows_each_fact_once(tmp_path: Path) -> None:
    run = started(tmp_path)
    shown = Counter(n // 2 for batch in run.batches for row in batch for n in row)
    assert shown == Counter(range(FACTS))


def test_equal_jobs_have_equal_batches(tmp_path: Path) -> None:
    assert started(tmp_path).batches == started(tmp_path / "again").batches
    other = job(tmp_path)
    other = replace(other, recipe=replace(other.recipe, seed=2))
    run = TrainingRun.start(other, lambda told: None)
    run.open_pass()
    assert run.batches != started(tmp_path).batches


def test_one_wrong_token_makes_an_answer_wrong(tmp_path: Path) -> None:
    run = started(tmp_path)
    finish_pass(run, wrong=frozenset({3, 4}))
    boxes = {n: state.box for n, state in run.scheduler.states.items()}
    assert boxes == {n: int(n not in (3, 4)) for n in range(FACTS)}


def test_the_run_ends_when_every_fact_is_mastered(tmp_path: Path) -> None:
    run = started(tmp_path)
    while not run.ended:
        finish_pass(run)
    assert {s.box for s in run.scheduler.states.values()} == {PACE.mastery}
    assert run.tokens == PACE.mastery * FACTS * TOKENS < PACE.budget
    assert run.answer_tokens == PACE.mastery * FACTS * ANSWER


def test_the_next_pass_asks_another_phrasing(tmp_path: Path) -> None:
    run = started(tmp_path)
    first = {n for batch in run.batches for row in batch for n in row}
    finish_pass(run)
    second = {n for batch in run.batches for row in batch for n in row}
    assert not first & second


@pytest.mark.parametrize("world", [1, 2, 3])
def test_every_process_has_as_many_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: int
) -> None:
    monkeypatch.setenv("WORLD_SIZE", str(world))
    run = started(tmp_path)
    assert len(run.batches) % world == 0
    shown = {n // 2 for batch in run.batches for row in batch for n in row}
    assert shown == set(range(FACTS))
    tokens = [sum(map(len, batch)) * TOKENS for batch in run.batches]
    assert max(tokens) * world <= run.job.recipe.batch_tokens


def test_a_resumed_run_plans_the_pass_that_it_was_in(tmp_path: Path) -> None:
    run = started(tmp_path)
    finish_pass(run, wrong=frozenset({1}))
    run.take_step(1.0, marks(run))
    again = TrainingRun.start(run.job, lambda told: None)
    again.scheduler.load(run.before)
    again.open_pass()
    assert again.batches == run.batches


def test_a_run_from_nothing_stays_at_the_final_rate_after_its_curve(
    tmp_path: Path,
) -> None:
    """A rate that rose again would unlearn what was mastered."""
    made = job(tmp_path)
    run = TrainingRun.start(made, lambda told: None)
    assert run.rate_after(int(0.06 * run.planned)) > 0.9
    for share in (1.0, 1.05, 1.5, 2.06):
        assert run.rate_after(int(share * run.planned)) == FINAL_SHARE


def test_the_rate_of_a_delta_rises_again_after_its_curve(tmp_path: Path) -> None:
    """It is learnt beside reviews, in passes that are few."""
    made = replace(job(tmp_path), pace=replace(PACE, at_once=True))
    run = TrainingRun.start(made, lambda told: None)
    assert run.rate_after(run.planned) == 1.0
    assert 0.5 < run.rate_after(run.planned * 3 // 2) < 0.6


def test_equal_parts_end_in_every_part_of_a_run(tmp_path: Path) -> None:
    run = started(tmp_path)
    ends = 0
    while not run.ended and run.tokens < run.planned:
        before = run.tokens
        run.take_step(1.0, marks(run, wrong=frozenset(range(FACTS))))
        ends += run.passes_share(before, 4)
        run.close_pass()
    assert ends == 3  # the fourth is the end of the run, wherever that is


def test_a_report_counts_what_is_introduced_and_mastered(tmp_path: Path) -> None:
    told: list[StepReport] = []
    run = TrainingRun.start(job(tmp_path), told.append)
    run.open_pass()
    finish_pass(run)
    finish_pass(run, wrong=frozenset({0}))
    run.tell()
    assert (told[0].taught, told[0].mastered) == (FACTS, FACTS - 1)
    assert (told[0].step, told[0].tokens) == (run.step, 2 * FACTS * TOKENS)


def test_only_the_first_process_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    told: list[StepReport] = []
    run = TrainingRun.start(job(tmp_path), told.append)
    run.open_pass()
    run.losses.append(1.0)
    run.tell()
    assert not told


def test_a_loss_curve_has_at_most_so_many_points(tmp_path: Path) -> None:
    run = started(tmp_path)
    run.losses = [float(n) for n in range(10)]
    assert run.thin_losses(4) == [[3.0, 1.0], [6.0, 4.0], [9.0, 7.0], [10.0, 9.0]]
    run.losses = []
    assert run.thin_losses(4) == []
