"""Train a LoRA adapter: one run, from top to bottom.

    prepare     join the process group, load the base model, put the adapter on it
    batches     every batch of the run is known beforehand, from the seed (packing.py)
    schedule    linear warm-up, then a cosine (schedule.py)
    train       transformers' Trainer, under DeepSpeed
    measure     loss on held-out samples, a few times a run (held_out_loss.py)
    checkpoint  every few steps; after a kill the same job resumes (checkpoint.py)
    write       float32 LoRA tensors, checked, as a PEFT folder

On one CPU or GPU it is a function call: `train(job)`. On several devices a launcher
(compute/launch.py) starts this file in every process, with the folder of the job:

    torchrun --nproc_per_node 2 -m repobuild.model.adapter.train SCRATCH
    deepspeed --hostfile HOSTS --module repobuild.model.adapter.train SCRATCH

Base weights are bfloat16 and frozen, LoRA weights are float32, products run under
autocast. Logits are computed for answer tokens only (compute/loss.py).

Sources: LoRA (Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models"),
rsLoRA (Kalajdzievski 2023, "A Rank Stabilization Scaling Factor for Fine-Tuning with
LoRA"), DoRA (Liu et al. 2024, "DoRA: Weight-Decomposed Low-Rank Adaptation").
"""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed
from transformers.trainer_callback import PrinterCallback

from repobuild.engine.run.child_processes import end_with_builder
from repobuild.model.adapter.checkpoint import (
    ReportStep,
    TrainingRun,
    barrier,
    history_steps,
    keep_weights,
    restore_moments,
    restore_progress,
    write_checkpoint,
    write_peft,
)
from repobuild.model.adapter.held_out_loss import (
    affordable_count,
    affordable_samples,
    measure,
    measuring_steps,
    split_by_process,
)
from repobuild.model.adapter.metrics_log import MetricsLog, open_metrics_log
from repobuild.model.adapter.packing import (
    Batch,
    bucketed_batches,
    collate,
    packed_batches,
)
from repobuild.model.adapter.recipe import TrainingJob, TrainingResult
from repobuild.model.adapter.schedule import rate_at
from repobuild.model.base import load_model, load_tokenizer, silence_libraries
from repobuild.model.compute import deepspeed_config
from repobuild.model.compute.compute_options import (
    apply_compute_options,
    limit_recomputation,
)
from repobuild.model.compute.threads import make_thread_tuner
from repobuild.model.conversation import Example
from repobuild.model.load.pretrained import read_adapter

LOSS_POINTS = 100  # points of the loss curve in a result, at most
MAGNITUDE = "lora_magnitude_vector"  # DoRA's, one number for each row of a weight


def train(
    job: TrainingJob, report: ReportStep = lambda step, steps, loss: None
) -> TrainingResult:
    """Train a job, or resume it; the adapter is then in `job.scratch / "trained"`.

    `report` is called after every step, in the first process.
    """
    trained = job.scratch / "trained"
    if trained.is_dir():  # killed after the last step
        return TrainingResult.read(trained)
    silence_libraries()
    deepspeed_config.join_process_group()
    threads = torch.get_num_threads()
    try:
        run = TrainingRun(job, plan_batches(job), 0, report)
        restore_progress(run)
        # TrainingArguments first: ZeRO-3 shards the base while it is loaded.
        arguments = training_arguments(run)
        set_seed(job.recipe.seed)
        model = build_model(run)
        if run.done < run.steps and not run.held_out.should_stop(job.patience):
            with open_metrics_log(run) as log:
                AdapterTrainer(run, model, arguments, log).train()
        return write_adapter(run, model)
    finally:
        torch.set_num_threads(threads)
        deepspeed_config.reset_zero3_setting()


# -------------------------------------------------------------------------- prepare


def training_arguments(run: TrainingRun) -> TrainingArguments:
    """Return the Trainer's arguments; one item of its dataset is a whole batch."""
    recipe = run.job.recipe
    return TrainingArguments(
        output_dir=str(run.job.scratch / "trainer"),
        deepspeed=run.job.deepspeed,
        per_device_train_batch_size=1,
        max_steps=run.steps - run.done or 1,
        learning_rate=run.job.rate,
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        optim="adamw_torch_fused",  # DeepSpeed's own is compiled on first use
        gradient_checkpointing=recipe.checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        use_cpu=not torch.cuda.is_available(),
        seed=recipe.seed,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )


def build_model(run: TrainingRun) -> PeftModel:
    """Load the base with the checkpoint's adapter, the parent's or a new one."""
    job, recipe = run.job, run.job.recipe
    base = load_model(job.base, torch.bfloat16 if recipe.bf16 else torch.float32)
    source = str(run.checkpoint) if run.done else job.parent
    if source:
        model: PeftModel = read_adapter(base, Path(source), trainable=True)
    else:
        model = get_peft_model(base, lora_config(job))
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert trainable > 0, f"no trainable parameter in {source!r}"
    if recipe.checkpointing:
        model.enable_input_require_grads()
    apply_compute_options(model, job)
    return model.train()


def lora_config(job: TrainingJob) -> LoraConfig:
    """Return the settings of a new adapter.

    Target modules are named: `all-linear` writes their names in random order.
    """
    recipe = job.recipe
    return LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        use_rslora=recipe.rslora,
        use_dora=recipe.dora,
        target_modules=list(recipe.targets),
        bias="none",
        task_type="CAUSAL_LM",
        base_model_name_or_path=job.base.name,
        revision=job.base.revision,
    )


# -------------------------------------------------------------------------- batches


def plan_batches(job: TrainingJob) -> list[Batch]:
    """Return every batch of the run; their number is a multiple of the processes.

    A step has the same number of tokens on any number of processes.
    """
    recipe = job.recipe
    world = int(os.environ.get("WORLD_SIZE", "1"))
    lengths = [len(example.tokens) for example in job.examples]
    size = max(recipe.batch_tokens // world, max(lengths, default=1))
    packed = recipe.packing == "packed" or (
        recipe.packing == "auto" and torch.cuda.is_available()
    )
    plan: list[Batch] = []
    for number, order in enumerate(job.epochs):
        seed = recipe.seed * 1000 + number
        if packed:
            row = max(recipe.sequence_length, max(lengths, default=1))
            plan += packed_batches(lengths, order, size, row, seed)
        else:
            plan += bucketed_batches(lengths, order, size, seed)
    chance = random.Random(recipe.seed)
    while plan and len(plan) % world:
        plan.append(chance.choice(plan))
    return plan


# ---------------------------------------------------------------------------- train


class AdapterTrainer(Trainer):
    """The Trainer, with the planned batches and the schedule of the whole run."""

    def __init__(
        self, run: TrainingRun, model: PeftModel, arguments: Any, log: MetricsLog
    ) -> None:
        self.run = run
        self.pad = int(load_tokenizer(run.job.base).pad_token_id)
        super().__init__(
            model=model,
            args=arguments,
            train_dataset=run.batches[run.done * run.world :],
            data_collator=self.collate_batch,
            callbacks=[TrainingCallback(self, log)],
        )
        self.remove_callback(PrinterCallback)
        self.model_accepts_loss_kwargs = False

    def collate_batch(self, items: list[Batch]) -> dict[str, torch.Tensor]:
        """Return the tensors (B, T) of the one batch in `items`."""
        examples = self.run.job.examples
        rows = [[examples[number] for number in row] for row in items[0]]
        return collate(rows, self.pad)

    def to_device(self, rows: list[list[Example]]) -> dict[str, torch.Tensor]:
        """Return the tensors (B, T) of held-out rows, on the model's device."""
        tensors: dict[str, torch.Tensor] = self._prepare_inputs(collate(rows, self.pad))
        return tensors

    def _get_train_sampler(self, *_: Any) -> torch.utils.data.Sampler[int]:
        planned: Any = self.train_dataset
        return torch.utils.data.SequentialSampler(planned)

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        run, warmup = self.run, self.run.job.recipe.warmup
        chosen: Any = optimizer or self.optimizer
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            chosen,
            lambda step: rate_at(step + run.done, run.steps, warmup),
        )
        return self.lr_scheduler

    def floating_point_ops(self, inputs: Any) -> int:
        return 0  # the estimate is not used, and it walks all parameters every step

    def compute_loss(self, model: Any, inputs: Any, *_: Any, **__: Any) -> torch.Tensor:
        loss: torch.Tensor = model(**inputs).loss
        self.run.losses.append(loss.item())
        return loss


class TrainingCallback(TrainerCallback):
    """Restores the moments; after a step reports, measures and writes checkpoints."""

    def __init__(self, trainer: AdapterTrainer, log: MetricsLog) -> None:
        self.trainer, self.log = trainer, log
        run, recipe = trainer.run, trainer.run.job.recipe
        threads = 1 if torch.cuda.is_available() else torch.get_num_threads()
        self.threads = make_thread_tuner(threads, run.world, torch.set_num_threads)
        trained = run.count_tokens(0, run.steps)
        count = recipe.evaluations
        if not run.job.patience:  # patience needs all of them, whatever they cost
            count = affordable_count(run.job.held_out, trained, count)
        samples = affordable_samples(run.job.held_out, trained, count)
        of_all = split_by_process(samples, recipe.batch_tokens, run.world)
        self.held_out_batches = of_all[run.rank]
        self.history_steps = history_steps(run.steps, run.job.keep_checkpoints)
        self.measuring_steps = measuring_steps(run.steps, count if samples else 0)

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        run, trainer = self.trainer.run, self.trainer
        if run.job.recipe.checkpointing:  # the Trainer has enabled it for all layers
            limit_recomputation(trainer.model, run.job.compute_options.recomputed)
        if run.world == 1 and not deepspeed_config.zero_stage(run.job.deepspeed):
            deepspeed_config.skip_unneeded_work(trainer.model_wrapped)
        restore_moments(run, trainer.model_wrapped)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        run = self.trainer.run
        step = run.done + state.global_step
        tokens = run.count_tokens(step - 1, step)
        self.threads.step(tokens)
        if run.rank == 0:
            run.report(step, run.steps, run.losses[-1])
        rate = run.job.rate * rate_at(step - 1, run.steps, run.job.recipe.warmup)
        self.log.step(step, tokens, {"loss": run.losses[-1], "rate": rate})
        if step in self.measuring_steps:
            self.measure_held_out(step)
            control.should_training_stop |= run.held_out.should_stop(run.job.patience)
        if step % run.job.checkpoint_every == 0 and step < run.steps:
            trainer: Any = self.trainer
            write_checkpoint(run, trainer.model, trainer.model_wrapped, step)
        if step in self.history_steps:
            self.keep_weights(step)

    def keep_weights(self, step: int) -> None:
        model: Any = self.trainer.model
        keep_weights(self.trainer.run, model, step)

    def measure_held_out(self, step: int) -> None:
        """Measure the held-out loss; with patience, keep the weights of the lowest."""
        run, trainer = self.trainer.run, self.trainer
        loss = measure(trainer.model_wrapped, self.held_out_batches, trainer.to_device)
        if run.held_out.add(step, loss) and run.job.patience:
            model: Any = trainer.model
            run.held_out.best = deepspeed_config.gather_lora_tensors(model)
        self.log.held_out(step, loss)


# ---------------------------------------------------------------------------- write


def write_adapter(run: TrainingRun, model: PeftModel) -> TrainingResult:
    """Check the tensors and write the adapter, in a folder renamed into place."""
    tensors = run.held_out.best or deepspeed_config.gather_lora_tensors(model)
    steps = len(run.losses)  # fewer than planned after an early stop
    trained = run.batches[: steps * run.world]
    seen = [run.job.examples[i] for batch in trained for row in batch for i in row]
    result = TrainingResult(
        steps=steps,
        tokens=sum(len(example.tokens) for example in seen),
        answer_tokens=sum(len(e.tokens) - e.answer_start for e in seen),
        losses=thin_curve(run.losses),
        trainable=sum(t.numel() for t in tensors.values()),
        norm_b=check_tensors(tensors),
        held_out_losses=run.held_out.points,
        kept=run.held_out.best_step if run.held_out.best else steps,
    )
    if run.rank == 0:
        new = run.job.scratch / "trained.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        write_peft(new, model, tensors, run.job)
        result.write(new)
        new.rename(run.job.scratch / "trained")
    barrier(run)
    return result


def check_tensors(tensors: dict[str, torch.Tensor]) -> float:
    """Return the Frobenius norm over all lora_B.

    Raises `RuntimeError` for an empty, flat, infinite or untrained tensor: older stacks
    wrote empty or flat tensors under ZeRO-3 or left every lora_B at zero, and PEFT only
    warns.
    """
    for name, tensor in tensors.items():
        dimensions = 1 if MAGNITUDE in name else 2
        valid = tensor.dim() == dimensions and tensor.numel()
        if not valid or not tensor.isfinite().all():
            raise RuntimeError(f"{name} is broken: shape {tuple(tensor.shape)}")
    squares = [
        float(tensor.double().square().sum())
        for name, tensor in tensors.items()
        if "lora_B" in name
    ]
    norm = math.sqrt(sum(squares))
    if not norm > 0:
        raise RuntimeError("training left every lora_B at zero")
    return round(norm, 6)


def thin_curve(losses: list[float]) -> list[list[float]]:
    """Return at most `LOSS_POINTS` points: [step, mean loss since the last point]."""
    size = math.ceil(len(losses) / LOSS_POINTS) or 1
    parts = [losses[i : i + size] for i in range(0, len(losses), size)]
    ends = [min((i + 1) * size, len(losses)) for i in range(len(parts))]
    return [
        [float(end), round(sum(part) / len(part), 4)]
        for end, part in zip(ends, parts, strict=True)
    ]


# ---------------------------------------------------------------- one of many processes


def main(scratch: Path) -> None:
    """Train in one of several processes; the first one prints its progress.

    The launcher reads the printed lines: [step, steps, loss].
    """

    def report(step: int, steps: int, loss: float) -> None:
        print(json.dumps([step, steps, loss]), flush=True)

    end_with_builder()
    train(TrainingJob.read(scratch), report)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
