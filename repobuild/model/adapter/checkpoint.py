"""Where a training run stands, and how it is taken up again after a kill.

    SCRATCH/checkpoint/
        adapter_model.safetensors, adapter_config.json    float32, whole
        best.safetensors     weights of the lowest held-out loss, when they are kept
        rankN.safetensors    AdamW's moments and step of process N, its random state
        state.json           step, world size, ZeRO stage, losses, held-out losses,
                             digests of the job and of the files beside it (standing.py)

Adapter weights are the float32 masters and the order of batches is known beforehand, so
that a resumed run equals the uninterrupted one bit for bit at equal world size and ZeRO
stage. At another one the moments do not fit: training goes on with the weights and
fresh moments. DeepSpeed's own checkpoints would do the same with pickle, and refuse any
other world size.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file

from repobuild.model.adapter.adapter_files import write_peft
from repobuild.model.adapter.checkpoint_state import STATE, checkpoint_state, digests
from repobuild.model.adapter.held_out_loss import HeldOutCurve
from repobuild.model.adapter.packing import Batch
from repobuild.model.adapter.recipe import TrainingJob
from repobuild.model.compute import deepspeed_config

ReportStep = Callable[[int, int, float], None]  # step, steps in all, loss


@dataclass(slots=True)
class TrainingRun:
    """What one process knows while it trains."""

    job: TrainingJob
    plan: list[Batch]
    done: int  # steps of an interrupted run
    tell: ReportStep
    losses: list[float] = field(default_factory=list)
    held_out: HeldOutCurve = field(default_factory=HeldOutCurve)

    @property
    def checkpoint(self) -> Path:
        return self.job.scratch / "checkpoint"

    @property
    def world(self) -> int:
        return int(os.environ.get("WORLD_SIZE", "1"))

    @property
    def rank(self) -> int:
        return int(os.environ.get("RANK", "0"))

    @property
    def steps(self) -> int:
        return len(self.plan) // self.world

    def tokens(self, first: int, last: int) -> int:
        """Tokens of steps `first` to `last`, the latter excluded; padding left out."""
        batches = self.plan[first * self.world : last * self.world]
        examples = self.job.examples
        return sum(len(examples[n].tokens) for b in batches for row in b for n in row)


def write_checkpoint(
    run: TrainingRun, model: PeftModel, engine: Any, step: int
) -> None:
    """Fill a folder beside and rename it: a kill leaves the old one or the new one.

    Two renames, because a folder cannot take the place of another: between the two the
    old one lies at `checkpoint.old`, where `standing` finds it.
    """
    new = run.checkpoint.with_name("checkpoint.new")
    if run.rank == 0:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
    tensors = deepspeed_config.gathered(model)
    together(run)
    state = {"random": torch.get_rng_state()}
    for number, (_, moments) in enumerate(deepspeed_config.moments(engine)):
        state |= {f"{number}.{name}": value for name, value in moments.items()}
    save_file(state, new / f"rank{run.rank}.safetensors")
    if run.rank == 0:
        write_peft(new, model, tensors, run.job)
        facts = {"step": step, "world": run.world, "losses": run.losses}
        facts |= {"held_out": run.held_out.points}
        if run.held_out.best:
            save_file(run.held_out.best, new / "best.safetensors")
        facts |= {
            "stage": deepspeed_config.stage(run.job.deepspeed),
            "job": run.job.digest,
        }
        together(run)
        facts["files"] = digests(new)
        (new / STATE).write_text(json.dumps(facts), "utf-8")
        _replace(run.checkpoint, new)
    else:
        together(run)
    together(run)


def _replace(place: Path, new: Path) -> None:
    old = place.with_name("checkpoint.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.is_dir():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def read_progress(run: TrainingRun) -> None:
    """How far an interrupted run of this same job came."""
    facts = checkpoint_state(run.job.scratch, run.job.digest)
    if facts:
        run.done = min(int(facts["step"]), run.steps)
        run.losses = list(facts["losses"])
        best = run.checkpoint / "best.safetensors"
        kept = load_file(best) if best.is_file() else {}
        run.held_out = HeldOutCurve(list(facts["held_out"]), kept)


def read_moments(run: TrainingRun, engine: Any) -> None:
    """AdamW's moments, if they are of the same world size and stage."""
    if not run.done:
        return
    facts = json.loads((run.checkpoint / STATE).read_text("utf-8"))
    if [facts["world"], facts["stage"]] != [
        run.world,
        deepspeed_config.stage(run.job.deepspeed),
    ]:
        return
    state = load_file(run.checkpoint / f"rank{run.rank}.safetensors")
    for number, (parameter, moments) in enumerate(deepspeed_config.moments(engine)):
        for name in ("step", "exp_avg", "exp_avg_sq"):
            moments[name] = state[f"{number}.{name}"].to(parameter.device)
    torch.set_rng_state(state["random"])


def together(run: TrainingRun) -> None:
    if run.world > 1:
        torch.distributed.barrier()
