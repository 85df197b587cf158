"""Real training runs on a CPU, with a model of 60 thousand parameters."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from repobuild.errors import BuildError, UsageError
from repobuild.model.adapter import train as train_module
from repobuild.model.adapter.recipe import TrainingJob, TrainingResult
from repobuild.model.adapter.train import train
from repobuild.model.adapter.training_run import StepReport, TrainingRun, rate_at
from repobuild.model.base import Base, load_model, load_tokenizer
from repobuild.model.compute import deepspeed_config
from repobuild.model.compute.deepspeed_config import read_config
from repobuild.model.compute.launch import launch, process_environment
from repobuild.model.conversation import Conversation
from repobuild.model.teaching.general_text import read_windows, window_tokens
from repobuild.model.teaching.scheduler import Pace, TaughtFact
from tests.model.test_nano import make_base, recipe, samples


class Killed(Exception):
    """Simulates a kill at a step."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return make_base(tmp_path_factory.mktemp("nano"))


def job(
    base: Base,
    scratch: Path,
    zero: str = "zero0",
    passes: float = 2.0,
    **changes: Any,
) -> TrainingJob:
    """Return a job of so many passes over all samples: nothing counts as mastered."""
    made = recipe(mastery=20, **changes)
    conversation = Conversation(load_tokenizer(base))
    examples = conversation.tokenise(samples(), 512).kept
    tokens = sum(len(example.tokens) for example in examples)
    return TrainingJob(
        base=base,
        parent="",
        recipe=made,
        rate=made.learning_rate,
        facts=[TaughtFact((number,)) for number in range(len(examples))],
        pace=Pace(int(passes * tokens), tokens, made.mastery, review=0.0),
        deepspeed=read_config(zero),
        scratch=scratch,
        examples=examples,
        general=read_windows(conversation, window_tokens(256, made.keep)),
        checkpoint_every=3,
    )


def digest(scratch: Path) -> str:
    trained = scratch / "trained"
    names = ("adapter_model.safetensors", "adapter_config.json", "outcome.json")
    files = b"".join((trained / name).read_bytes() for name in names)
    return hashlib.sha256(files).hexdigest()


def check_adapter(scratch: Path) -> dict[str, torch.Tensor]:
    tensors = load_file(scratch / "trained" / "adapter_model.safetensors")
    assert len(tensors) == 2 * 7 * 2  # A and B of seven targets in two layers
    assert all(t.dim() == 2 and t.numel() for t in tensors.values())
    assert {t.dtype for t in tensors.values()} == {torch.float32}
    assert sum(float(t.abs().sum()) for n, t in tensors.items() if "lora_B" in n) > 0
    return tensors


def killed_at(step: int) -> Any:
    def report(told: StepReport) -> None:
        if told.step == step:
            raise Killed

    return report


def test_training_lowers_the_loss_and_equal_jobs_are_equal_bytes(
    base: Base, tmp_path: Path
) -> None:
    one, two = (job(base, tmp_path / n, passes=4.0) for n in ("one", "two"))
    outcome = train(one)
    assert outcome.losses[-1][1] < outcome.losses[0][1] - 0.3
    assert outcome.norm_b > 0
    check_adapter(one.scratch)
    assert train(two) == outcome
    assert digest(one.scratch) == digest(two.scratch)


def test_the_number_of_threads_changes_no_bit(base: Base, tmp_path: Path) -> None:
    """The thread tuner changes it during a run."""
    threads = torch.get_num_threads()
    digests = set()
    for count in (1, 2):
        torch.set_num_threads(count)
        made = job(base, tmp_path / str(count), bf16=True, batch_tokens=512)
        train(made)
        digests.add(digest(made.scratch))
    torch.set_num_threads(threads)
    assert len(digests) == 1


def test_the_shortcuts_of_one_process_change_no_bit(
    base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (job(base, tmp_path / n, passes=1.0) for n in ("one", "two"))
    train(one)
    monkeypatch.setattr(deepspeed_config, "skip_unneeded_work", lambda engine: None)
    train(two)
    assert digest(one.scratch) == digest(two.scratch)


def test_the_config_is_sorted_and_names_no_folder(base: Base, tmp_path: Path) -> None:
    made = job(base, tmp_path, passes=1.0)
    train(made)
    text = (tmp_path / "trained" / "adapter_config.json").read_text()
    config = json.loads(text)
    assert config["target_modules"] == sorted(config["target_modules"])
    assert config["base_model_name_or_path"] == base.name
    assert str(tmp_path) not in text and base.source not in text


def test_zero_2_trains_the_same_adapter(base: Base, tmp_path: Path) -> None:
    plain, sharded = job(base, tmp_path / "0"), job(base, tmp_path / "2", "zero2")
    train(plain)
    train(sharded)
    ours, theirs = check_adapter(plain.scratch), check_adapter(sharded.scratch)
    assert all(torch.allclose(ours[n], theirs[n], atol=1e-5) for n in ours)


def test_bf16_saves_float32(base: Base, tmp_path: Path) -> None:
    train(job(base, tmp_path, bf16=True))
    tensors = check_adapter(tmp_path)
    name = next(n for n in sorted(tensors) if "lora_B" in n)
    assert not torch.equal(tensors[name], tensors[name].bfloat16().float())


@pytest.mark.parametrize("fast", [True, False])
def test_bfloat16_is_taken_where_the_processor_computes_in_it(
    base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    """Elsewhere a step takes 15 times as long as in float32."""
    wanted, without = (job(base, tmp_path / str(b), bf16=b) for b in (True, False))
    train(without)
    with monkeypatch.context() as patch:
        patch.setattr(train_module, "computes_in_bfloat16", lambda: fast)
        train(wanted)
    assert (digest(wanted.scratch) == digest(without.scratch)) is not fast


def test_a_continued_adapter_starts_where_its_parent_stopped(
    base: Base, tmp_path: Path
) -> None:
    first = job(base, tmp_path / "first", passes=6.0)
    before = train(first)
    parent = str(first.scratch / "trained")
    second = replace(first, scratch=tmp_path / "second", parent=parent, rate=1e-3)
    after = train(second)
    assert after.losses[0][1] == pytest.approx(before.losses[-1][1], abs=0.4)
    assert after.losses[0][1] < before.losses[0][1] - 0.3
    assert after.trainable == before.trainable > 0


def test_the_adapter_loads_with_plain_peft(base: Base, tmp_path: Path) -> None:
    from peft import PeftModel

    train(job(base, tmp_path))
    model = PeftModel.from_pretrained(
        load_model(base, torch.float32), str(tmp_path / "trained")
    )
    assert model.peft_config["default"].r == 8


@pytest.mark.parametrize("option", ["rslora", "dora"])
def test_an_option_is_kept_by_the_continued_adapter(
    base: Base, tmp_path: Path, option: str
) -> None:
    first = job(base, tmp_path / "first", passes=4.0, **{option: True})
    before = train(first)
    parent = str(first.scratch / "trained")
    after = train(replace(first, scratch=tmp_path / "next", parent=parent, rate=1e-3))
    assert after.losses[0][1] == pytest.approx(before.losses[-1][1], abs=0.4)
    for scratch in (first.scratch, tmp_path / "next"):
        config = json.loads((scratch / "trained/adapter_config.json").read_text())
        assert config[f"use_{option}"] is True
        tensors = load_file(scratch / "trained/adapter_model.safetensors")
        lengths = [t for n, t in tensors.items() if "magnitude" in n]
        assert len(lengths) == (14 if option == "dora" else 0)


def test_rslora_scales_by_the_root_of_the_rank(base: Base, tmp_path: Path) -> None:
    from repobuild.model.adapter.train import build_model

    scales = set()
    for rslora in (False, True):
        made = job(base, tmp_path, rslora=rslora)
        model = build_model(TrainingRun.start(made, killed_at(0)))
        layer = model.get_submodule("base_model.model.model.layers.0.mlp.up_proj")
        scales.add(round(layer.scaling["default"], 4))
    assert scales == {round(16 / 8, 4), round(16 / 8**0.5, 4)}


def test_an_option_that_is_off_does_not_change_the_recipes_digest() -> None:
    """Else an upgrade would train every adapter again; the digest predates them."""
    assert recipe(mastery=3, keep_weight=0.5).digest.startswith("a602fb5979f287a2")
    options = [{}, {"rslora": True}, {"dora": True}]
    assert len({recipe(**changes).digest for changes in options}) == 3


@pytest.mark.parametrize(("zero", "step"), [("zero0", 7), ("zero2", 4)])
def test_a_killed_run_ends_in_the_same_bytes(
    base: Base, tmp_path: Path, zero: str, step: int
) -> None:
    whole = job(base, tmp_path / "whole", zero, passes=3.0)
    train(whole)
    again = job(base, tmp_path / "again", zero, passes=3.0)
    with pytest.raises(Killed):
        train(again, killed_at(step))
    steps: list[int] = []
    train(again, lambda told: steps.append(told.step))
    assert steps[0] == step - step % 3 + 1  # from the checkpoint, not from the start
    assert digest(again.scratch) == digest(whole.scratch)


def test_a_checkpoint_holds_no_pickle(base: Base, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        train(job(base, tmp_path), killed_at(4))
    suffixes = {p.suffix for p in tmp_path.rglob("*") if p.is_file()}
    assert suffixes <= {".json", ".safetensors"}


def test_a_checkpoint_of_another_job_is_not_resumed(base: Base, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        train(job(base, tmp_path), killed_at(4))
    steps: list[int] = []
    train(job(base, tmp_path, seed=2), lambda told: steps.append(told.step))
    assert steps[0] == 1


def test_a_finished_run_is_not_trained_again(base: Base, tmp_path: Path) -> None:
    outcome = train(job(base, tmp_path))
    assert train(job(base, tmp_path), killed_at(1)) == outcome


def test_a_job_survives_its_file(base: Base, tmp_path: Path) -> None:
    made = job(base, tmp_path)
    made.write()
    assert TrainingJob.read(tmp_path) == made
    assert TrainingJob.read(tmp_path).digest == made.digest


def test_the_rate_rises_and_falls() -> None:
    rates = [rate_at(percent / 100, 0.05) for percent in range(100)]
    assert rates[5] == 1.0
    assert rates == sorted(rates[:5]) + sorted(rates[5:], reverse=True)
    assert rates[0] > 0
    assert rates[-1] == pytest.approx(0.1, abs=0.01)
    assert rate_at(1.0, 0.05) == rate_at(2.5, 0.05) == 0.1  # not done when planned
    assert rate_at(1.0, 1.0) == rate_at(1.5, 1.0) == 0.1  # all of it was warm-up


# ---------------------------------------------------------------- several processes


def test_progress_of_another_process_is_passed_on(
    base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (
        "print('[1, 50, 90, 0.5, 3, 0]'); print('[rank0]: [2, 90, 90, 0.25, 3, 1]');"
        "print('no room left')"
    )
    failing = [sys.executable, "-c", f"{said}; raise SystemExit(3)"]
    monkeypatch.setattr(
        "repobuild.model.compute.launch.launcher_command", lambda *_: failing
    )
    reported: list[StepReport] = []
    with pytest.raises(BuildError, match="2 processes failed:\nno room left"):
        launch(job(base, tmp_path), 2, "", reported.append)
    assert [told.loss for told in reported] == [0.5, 0.25]
    assert reported[-1].mastered == 1


def test_a_missing_host_file_is_named(base: Base, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no-hosts"):
        launch(job(base, tmp_path), 1, str(tmp_path / "no-hosts"), killed_at(0))


@pytest.mark.slow
@pytest.mark.parametrize("zero", ["zero0", "zero1", "zero2", "zero3", "zero3-offload"])
@pytest.mark.parametrize("processes", [1, 2])
def test_every_stage_trains_in_one_and_two_processes(
    base: Base, tmp_path: Path, zero: str, processes: int
) -> None:
    steps: list[int] = []
    outcome = launch(
        job(base, tmp_path, zero), processes, "", lambda told: steps.append(told.step)
    )
    check_adapter(tmp_path)
    assert steps == list(range(1, outcome.steps + 1))
    assert all(torch.isfinite(torch.tensor(outcome.losses)).flatten())


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_dora_reads_weights_that_are_sharded(
    base: Base, tmp_path: Path, processes: int
) -> None:
    """DoRA reads the base's weight outside of the layer's own forward."""
    config = read_config("zero3")
    never = ("param_persistence_threshold", "max_live_parameters", "max_reuse_distance")
    config["zero_optimization"] |= {f"stage3_{name}": 0 for name in never}
    whole = job(base, tmp_path / "whole", dora=True)
    sharded = replace(whole, scratch=tmp_path / "sharded", deepspeed=config)
    launch(whole, processes, "", lambda told: None)
    launch(sharded, processes, "", lambda told: None)
    ours, theirs = (
        load_file(made.scratch / "trained" / "adapter_model.safetensors")
        for made in (whole, sharded)
    )
    assert ours.keys() == theirs.keys()
    assert all(torch.allclose(ours[n], theirs[n], atol=1e-4) for n in ours)


@pytest.mark.slow
@pytest.mark.parametrize("zero", ["zero0", "zero2", "zero3"])
def test_another_world_size_resumes_with_the_weights(
    base: Base, tmp_path: Path, zero: str
) -> None:
    made = job(base, tmp_path, zero, passes=4.0)
    with pytest.raises(Killed):
        train(made, killed_at(7))
    steps: list[int] = []
    outcome = launch(made, 2, "", lambda told: steps.append(told.step))
    assert 1 < steps[0] < outcome.steps
    check_adapter(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("zero", ["zero2", "zero3"])
def test_sigkill_at_any_step_ends_in_the_same_bytes(
    base: Base, tmp_path: Path, zero: str
) -> None:
    whole = job(base, tmp_path / "whole", zero, passes=30.0)
    launch(whole, 1, "", lambda told: None)
    again = job(base, tmp_path / "again", zero, passes=30.0)
    again.write()
    for pause in (0.2, 0.4):
        kill_after_first_step(again, pause)
        assert not (again.scratch / "trained").exists()
    launch(again, 1, "", lambda told: None)
    assert digest(again.scratch) == digest(whole.scratch)
    assert TrainingResult.read(again.scratch / "trained").steps > 3


def kill_after_first_step(made: TrainingJob, pause: float) -> None:
    """Send SIGKILL to the process group, `pause` seconds after its first step."""
    started = subprocess.Popen(
        [sys.executable, "-m", "repobuild.model.adapter.train", str(made.scratch)],
        env=process_environment(1), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    assert started.stdout is not None
    started.stdout.readline()
    time.sleep(pause)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    started.stdout.close()


def test_weights_along_a_run_are_kept_and_change_nothing(
    base: Base, tmp_path: Path
) -> None:
    plain, kept = job(base, tmp_path / "plain"), job(base, tmp_path / "kept")
    kept = replace(kept, keep_checkpoints=2)
    assert kept.digest == plain.digest
    steps = train(plain, lambda told: None).steps
    train(kept, lambda told: None)
    assert digest(kept.scratch) == digest(plain.scratch)
    folders = sorted((kept.scratch / "history").iterdir())
    first, second = sorted(int(f.name.removeprefix("checkpoint-")) for f in folders)
    assert 0 < first < second < steps
    weights = [load_file(f / "adapter_model.safetensors") for f in folders]
    weights.append(check_adapter(kept.scratch))
    name = next(name for name in weights[0] if "lora_B" in name)
    assert not torch.equal(weights[0][name], weights[1][name])
    assert not torch.equal(weights[1][name], weights[2][name])


def test_a_killed_run_keeps_the_weights_of_an_uninterrupted_one(
    base: Base, tmp_path: Path
) -> None:
    whole = replace(job(base, tmp_path / "whole"), keep_checkpoints=3)
    steps = train(whole, lambda told: None).steps
    again = replace(job(base, tmp_path / "again"), keep_checkpoints=3)
    with pytest.raises(Killed):
        train(again, killed_at(steps // 2))
    train(again, lambda told: None)
    for folder in (whole.scratch / "history").iterdir():
        other = again.scratch / "history" / folder.name
        for file in folder.iterdir():
            assert file.read_bytes() == (other / file.name).read_bytes()
