"""Save the state of a training run and resume it after a kill.

    SCRATCH/checkpoint/
        adapter_model.safetensors, adapter_config.json    float32, whole
        best.safetensors     weights of the lowest held-out loss, when they are kept
        rankN.safetensors    AdamW's moments and step of process N, its random state
        state.json           step, the scheduler before the pass, the pass's results so
                             far, world size, ZeRO stage, losses, held-out losses, the
                             job's digest, and the SHA-256 of every file beside it
                             and of this state itself

Adapter weights are the float32 masters and a pass is planned from what is saved, so
that a resumed run equals the uninterrupted one bit for bit at equal world size and ZeRO
stage. At another one batches and moments do not fit: the pass starts again, with the
weights and fresh moments. DeepSpeed's own checkpoints would do the same with pickle,
and refuse any other world size.

A checkpoint with a damaged or missing file is not resumed: training from wrong weights
would look like training. tests/promises/test_damaged_checkpoint.py damages each file.

`read_checkpoint_state` runs in the builder and loads no torch; the other functions run
in every training process.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.model.adapter.held_out_loss import HeldOutCurve
from repobuild.model.adapter.recipe import TrainingJob
from repobuild.model.compute import deepspeed_config

if TYPE_CHECKING:
    import torch
    from peft import PeftModel

    from repobuild.model.adapter.training_run import TrainingRun

STATE = "state.json"
HISTORY = "history"  # folder of kept weights

# ------------------------------------------------------------------------------ write


def write_checkpoint(run: TrainingRun, model: PeftModel, engine: Any) -> None:
    """Fill a new folder and rename it: a kill leaves the old one or the new one.

    A rename cannot replace a folder, so that two are needed: between them the old
    checkpoint is at `checkpoint.old`, where `read_checkpoint_state` finds it. Every
    process must call this.
    """
    import torch
    from safetensors.torch import save_file

    new = run.checkpoint.with_name("checkpoint.new")
    if run.rank == 0:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
    tensors = deepspeed_config.gather_lora_tensors(model)
    barrier(run)  # the folder exists
    run.share_results()
    moments = {"random": torch.get_rng_state()}
    for number, (_, values) in enumerate(deepspeed_config.optimizer_states(engine)):
        moments |= {f"{number}.{name}": value for name, value in values.items()}
    save_file(moments, new / f"rank{run.rank}.safetensors")
    if run.rank == 0:
        write_peft(new, model, tensors, run.job)
        if run.held_out.best:
            save_file(run.held_out.best, new / "best.safetensors")
    barrier(run)  # all files are written
    if run.rank == 0:
        finish_checkpoint(run.checkpoint, _state_of(run))
    barrier(run)


def finish_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write `state.json`, the last file of `checkpoint.new`, and rename the folder.

    `read_checkpoint_state` reads it, so that a state has at least "step" and "job".
    """
    new, old = (folder.with_name(f"{folder.name}.{end}") for end in ("new", "old"))
    state = {**state, "files": _file_digests(new)}
    whole = {**state, "digest": _state_digest(state)}
    (new / STATE).write_text(json.dumps(whole), "utf-8")
    shutil.rmtree(old, ignore_errors=True)
    if folder.is_dir():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _state_of(run: TrainingRun) -> dict[str, Any]:
    return {
        "step": run.step,
        "tokens": [run.tokens, run.answer_tokens],
        "scheduler": run.before,
        "done": run.done,
        "results": sorted(run.results.items()),
        "world": run.world,
        "losses": run.losses,
        "drifts": run.drifts,
        "held_out": run.held_out.points,
        "stage": deepspeed_config.zero_stage(run.job.deepspeed),
        "job": run.job_digest,
    }


def keep_weights(run: TrainingRun, model: PeftModel) -> None:
    """Keep the weights of this step as PEFT files; every process must call this.

    A resumed run writes those of the steps that it repeats again, with equal bytes.
    """
    tensors = deepspeed_config.gather_lora_tensors(model)
    if run.rank == 0:
        folder = run.job.scratch / HISTORY / f"checkpoint-{run.step}"
        new = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        write_peft(new, model, tensors, run.job)
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
    barrier(run)


def write_peft(
    folder: Path, model: PeftModel, tensors: dict[str, torch.Tensor], job: TrainingJob
) -> None:
    """Write PEFT's two files, with equal bytes for equal adapters.

    PEFT itself writes `target_modules` in random order.
    """
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    state = get_peft_model_state_dict(model, state_dict=tensors)
    by_name = {name: state[name].contiguous() for name in sorted(state)}
    save_file(by_name, folder / "adapter_model.safetensors", {"format": "pt"})
    config = model.peft_config["default"].to_dict()
    config |= {"inference_mode": True, "base_model_name_or_path": job.base.name}
    plain = {k: sorted(v) if isinstance(v, set) else v for k, v in config.items()}
    text = json.dumps(plain, indent=2, sort_keys=True, default=str) + "\n"
    (folder / "adapter_config.json").write_text(text, "utf-8")


def barrier(run: TrainingRun) -> None:
    """Wait for the other processes."""
    if run.world > 1:
        import torch

        torch.distributed.barrier()


# ------------------------------------------------------------------------------- read


def read_checkpoint_state(scratch: Path, job: str) -> dict[str, Any] | None:
    """Return `state.json` if it belongs to this job and all files are undamaged.

    A kill between the two renames of `write_checkpoint` leaves the older checkpoint at
    `checkpoint.old`; it is moved back here.
    """
    folder, older = scratch / "checkpoint", scratch / "checkpoint.old"
    if older.is_dir() and not folder.is_dir():
        older.rename(folder)
    try:
        state: dict[str, Any] = json.loads((folder / STATE).read_bytes())
        digest = state.pop("digest")
        valid = digest == _state_digest(state) and state["job"] == job
        valid = valid and state["files"] == _file_digests(folder)
        return state if valid and int(state["step"]) > 0 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _state_digest(state: dict[str, Any]) -> str:
    """Return the SHA-256 of a state: a changed digit of a box is valid JSON, too."""
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def _file_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file but `state.json`, by name."""
    digests = {}
    for path in sorted(path for path in folder.iterdir() if path.name != STATE):
        with path.open("rb") as file:
            digests[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def restore_progress(run: TrainingRun) -> None:
    """Open the run's first pass, or the one that this job's checkpoint was in."""
    from safetensors.torch import load_file

    state = read_checkpoint_state(run.job.scratch, run.job_digest)
    if not state:
        run.open_pass()
        return
    run.scheduler.load(state["scheduler"])
    run.open_pass()
    run.step = int(state["step"])
    run.tokens, run.answer_tokens = state["tokens"]
    run.losses, run.drifts = list(state["losses"]), list(state["drifts"])
    best = run.checkpoint / "best.safetensors"
    weights = load_file(best) if best.is_file() else {}
    run.held_out = HeldOutCurve(list(state["held_out"]), weights)
    if state["world"] == run.world:
        run.done = int(state["done"])
        run.results = dict(map(tuple, state["results"]))


def restore_moments(run: TrainingRun, engine: Any) -> None:
    """Restore AdamW's moments, if they have the same world size and ZeRO stage."""
    import torch
    from safetensors.torch import load_file

    if not run.step:
        return
    state = json.loads((run.checkpoint / STATE).read_text("utf-8"))
    stage = deepspeed_config.zero_stage(run.job.deepspeed)
    if (state["world"], state["stage"]) != (run.world, stage):
        return
    saved = load_file(run.checkpoint / f"rank{run.rank}.safetensors")
    for number, (parameter, values) in enumerate(
        deepspeed_config.optimizer_states(engine)
    ):
        for name in ("step", "exp_avg", "exp_avg_sq"):
            values[name] = saved[f"{number}.{name}"].to(parameter.device)
    torch.set_rng_state(saved["random"])
