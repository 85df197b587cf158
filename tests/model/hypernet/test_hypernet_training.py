"""A run resumes where it was killed, and says whether it reads repositories."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from repobuild.errors import UsageError
from repobuild.model.compute.deepspeed_config import read_config
from repobuild.model.hypernet.file_encoder import EncoderSettings, FileEncoder
from repobuild.model.hypernet.folder import Hypernet
from repobuild.model.hypernet.training import hypernet_training
from repobuild.model.hypernet.training.hypernet_training import (
    HypernetJob,
    HypernetRecipe,
    prepare_job,
    read_checkpoint_step,
    train_hypernet,
)
from repobuild.model.hypernet.training.training_set import (
    ListedRepository,
    SetSettings,
)
from tests.model.hypernet.test_heads import base
from tests.repository import Repository

__all__ = ["base"]  # a fixture
SIZES = {"width": 16, "bases": 4, "rank": 2, "bank_rank": 2, "latents": 2}
WORDS = ("load", "store", "parse", "render")


def project(place: Path, word: str, commits: int = 1) -> ListedRepository:
    repository = Repository(place)
    for number in range(commits):
        name = f"{word}_part_{number}"
        repository.commit(
            {
                f"pkg/{word}_{number}.py": f"def {name}():\n    return {number}\n",
                f"tests/test_{number}.py": (
                    f"from pkg.{word}_{number} import {name}\n\n"
                    f"def test_it():\n    assert {name}() == {number}\n"
                ),
            }
        )
    return ListedRepository.of(place, None)


def make_job(place: Path, base, commits: int = 1, **recipe) -> HypernetJob:
    listed = [project(place / word, word, commits) for word in WORDS]
    values = {"steps": 4, "batch_tasks": 4, "sizes": SIZES, "bf16": False, **recipe}
    evo = bool(values.get("evo"))
    return HypernetJob(
        base=base,
        recipe=HypernetRecipe(**values),
        encoder=EncoderSettings(),
        data=SetSettings(prompt_tokens=32, evo=evo, commits=3),
        listed=listed,
        out=place / "out",
        deepspeed=read_config("zero0"),
        checkpoint_every=2,
    )


def test_a_killed_run_ends_with_the_weights_of_a_whole_one(
    tmp_path, base, monkeypatch: pytest.MonkeyPatch
):
    whole = make_job(tmp_path / "whole", base)
    train_hypernet(whole)
    killed = replace(whole, out=tmp_path / "killed")
    steps = []

    def kill(step):
        steps.append(step.step)
        if steps[-1] == 3 and len(steps) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_hypernet(killed, kill)
    assert read_checkpoint_step(killed) == 2
    assert read_checkpoint_step(replace(killed, base=replace(base, digest="x"))) == 0
    train_hypernet(killed, kill)
    assert steps == [1, 2, 3, 3, 4]
    one, two = (Hypernet.load(job.out).state_dict() for job in (whole, killed))
    assert all(torch.equal(one[name], two[name]) for name in one)
    lines = (whole.out / "train.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["weights.safetensors", "state.json"])
def test_a_damaged_checkpoint_is_none(tmp_path, base, name):
    job = make_job(tmp_path, base)
    train_hypernet(job)
    assert read_checkpoint_step(job) == 4
    path = job.out / "checkpoint" / name
    data = path.read_bytes()
    if name == "state.json":  # another number is valid JSON
        changed = data.replace(b'"step": 4', b'"step": 2')
    else:
        changed = data[:-1] + bytes([data[-1] ^ 1])
    assert changed != data
    path.write_bytes(changed)
    assert read_checkpoint_step(job) == 0


def test_evo_is_trained_through_a_window_of_commits(tmp_path, base):
    job = make_job(tmp_path, base, commits=5, evo=True, steps=3)
    train_hypernet(job)
    made = Hypernet.load(job.out)
    state = made.state
    assert state is not None
    assert made.description.evo
    assert bool(state.change.weight.any())  # type: ignore[union-attr]


def test_held_out_repositories_are_measured_with_their_controls(
    tmp_path, base, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hypernet_training, "_FEWEST_SPLIT", 4)
    job = make_job(tmp_path, base, steps=1)
    scores = train_hypernet(job)
    assert scores is not None
    assert scores.repositories == 2
    assert min(scores.base, scores.own, scores.mean, scores.shuffled) > 0
    assert Hypernet.load(job.out).description.training["held_out"] == scores._asdict()


def test_a_file_of_tasks_takes_the_place_of_those_that_are_made(tmp_path, base):
    given = tmp_path / "tasks.jsonl"
    rows = [
        {"prompt": "total = ", "answer": "load_part"},
        {"question": "Where is `load`?", "answer": "In `pkg`."},
    ]
    given.write_text("".join(json.dumps(row) + "\n" for row in rows))
    job = make_job(tmp_path, base)
    listed = [replace(one, tasks=given) for one in job.listed[:2]]
    one, _ = prepare_job(replace(job, listed=listed))
    made = one.windows[0].tasks[0]
    assert len(made) == 2
    assert all(0 < task.answer_start < len(task.tokens) for task in made)
    given.write_text("[]\n")
    with pytest.raises(UsageError, match="line 1 is no task"):
        prepare_job(replace(job, listed=listed, out=tmp_path / "again"))


def test_prepared_repositories_are_read_without_the_encoder(
    tmp_path, base, monkeypatch: pytest.MonkeyPatch
):
    job = make_job(tmp_path, base)
    first = prepare_job(job)

    def load(*_: object) -> None:
        raise AssertionError("the encoder is loaded")

    monkeypatch.setattr(FileEncoder, "load", load)
    again = prepare_job(job)
    assert [one.name for one in again] == [one.name for one in first]


def test_what_changed_is_encoded_again_and_trained_from_the_start(tmp_path, base):
    job = make_job(tmp_path, base)
    train_hypernet(job)
    assert read_checkpoint_step(job) == 4
    first = {path.name for path in (job.out / "prepared").glob("*.safetensors")}
    place = job.listed[0].place
    Repository(place).commit({"pkg/late.py": "def late():\n    return 1\n"})
    listed = [ListedRepository.of(one.place, one.tasks) for one in job.listed]
    later = replace(job, listed=listed)
    prepare_job(later)
    second = {path.name for path in (job.out / "prepared").glob("*.safetensors")}
    assert len(first) == len(second) and len(first & second) == len(first) - 1
    assert read_checkpoint_step(later) == 0
    tasks = tmp_path / "tasks.jsonl"
    digests = set()
    for answer in ("a", "b"):
        tasks.write_text(json.dumps({"prompt": "x = ", "answer": answer}) + "\n")
        digests.add(ListedRepository.of(place, tasks).digest)
    assert len(digests) == 2


def test_zero_3_is_refused(tmp_path, base):
    job = replace(make_job(tmp_path, base), deepspeed=read_config("zero3"))
    with pytest.raises(UsageError, match="ZeRO-3"):
        train_hypernet(job)


def test_a_job_reads_back_as_it_was_written(tmp_path, base):
    job = make_job(tmp_path, base)
    job.write()
    assert HypernetJob.read(job.out).digest == job.digest
