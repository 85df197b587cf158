"""Train a LoRA adapter. The whole story, top to bottom:

    prepare     join the process group, load the base, put the adapter on it
    plan        every batch of the run is known beforehand, from the seed
    train       transformers' Trainer, under DeepSpeed
    measure     loss on held-out samples, a few times a run; the best weights if wanted
    checkpoint  every few steps; after a kill the same job goes on where it stopped
    write       float32 LoRA tensors, checked, as a PEFT folder

In process, on one CPU or GPU, it is a function call: `train(job)`. On several devices a
launcher starts this file in every process, with the folder of the job:

    torchrun --nproc_per_node 2 -m repobuild.model.adapter.train SCRATCH
    deepspeed --hostfile HOSTS --module repobuild.model.adapter.train SCRATCH

Base weights are bfloat16 and frozen, LoRA weights are float32, products run under
autocast. Logits are computed for answer tokens only (loss.py).
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
from repobuild.model.adapter.adapter_files import check, curve, write_peft
from repobuild.model.adapter.checkpoint import (
    ReportStep,
    TrainingRun,
    read_moments,
    read_progress,
    together,
    write_checkpoint,
)
from repobuild.model.adapter.held_out_loss import due, fitting, measure, shares, times
from repobuild.model.adapter.metrics_log import MetricsLog, metrics_log
from repobuild.model.adapter.packing import Batch, batches, collate, packed_batches
from repobuild.model.adapter.recipe import TrainingJob, TrainingResult
from repobuild.model.base import load_model, load_tokenizer, quiet
from repobuild.model.compute import deepspeed_config
from repobuild.model.compute.compute_options import apply_compute_options, recompute
from repobuild.model.compute.threads import thread_tuner
from repobuild.model.conversation import Example

LAST_RATE = 0.1  # of the peak, at the last step


def train(
    job: TrainingJob, tell: ReportStep = lambda step, steps, loss: None
) -> TrainingResult:
    """Train as the job says; `job.scratch / "trained"` holds the adapter."""
    trained = job.scratch / "trained"
    if trained.is_dir():  # killed after the last step
        return TrainingResult.read(trained)
    quiet()
    deepspeed_config.start()
    threads = torch.get_num_threads()
    try:
        run = TrainingRun(job, make_plan(job), 0, tell)
        read_progress(run)
        outcome = run_trainer(run)
    finally:
        torch.set_num_threads(threads)
        deepspeed_config.forget()
    return outcome


def run_trainer(run: TrainingRun) -> TrainingResult:
    # TrainingArguments first: ZeRO-3 shards the base while it is loaded.
    arguments = training_arguments(run)
    set_seed(run.job.recipe.seed)
    model = build_model(run)
    if run.done < run.steps and not run.held_out.stopped(run.job.patience):
        with metrics_log(run) as shown:
            AdapterTrainer(run, model, arguments, shown).train()
    return write_adapter(run, model)


# -------------------------------------------------------------------------- prepare


def training_arguments(run: TrainingRun) -> TrainingArguments:
    """One item of the dataset is one whole batch, so batch sizes are 1."""
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
    """Base and adapter: the checkpoint's, the parent's, or a fresh one."""
    job, recipe = run.job, run.job.recipe
    base = load_model(job.base, torch.bfloat16 if recipe.bf16 else torch.float32)
    source = str(run.checkpoint) if run.done else job.parent
    if source:
        model = PeftModel.from_pretrained(base, source, is_trainable=True)
    else:
        model = get_peft_model(base, lora_config(job))
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert trainable > 0, f"no trainable parameter in {source!r}"
    if recipe.checkpointing:
        model.enable_input_require_grads()
    apply_compute_options(model, job)
    return model.train()


def lora_config(job: TrainingJob) -> LoraConfig:
    """Explicit suffixes: `all-linear` writes module names in random order."""
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


# ----------------------------------------------------------------------------- plan


def make_plan(job: TrainingJob) -> list[Batch]:
    """Every batch of the run; as many as a multiple of the processes.

    Tokens of one step stay the same on any number of processes.
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
            plan += batches(lengths, order, size, seed)
    chance = random.Random(recipe.seed)
    while plan and len(plan) % world:
        plan.append(chance.choice(plan))
    return plan


def rate_at(step: int, steps: int, warmup: float) -> float:
    """Share of the peak rate: a linear rise, then a cosine down to a tenth."""
    rise = max(1, math.ceil(steps * warmup))
    if step < rise:
        return (step + 1) / rise
    turn = (step - rise) / max(1, steps - rise)
    return LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * turn))


# ---------------------------------------------------------------------------- train


class AdapterTrainer(Trainer):
    """The Trainer, with batches as planned and the schedule of the whole run."""

    def __init__(
        self, run: TrainingRun, model: PeftModel, arguments: Any, shown: MetricsLog
    ) -> None:
        self.run = run
        self.pad = int(load_tokenizer(run.job.base).pad_token_id)
        super().__init__(
            model=model,
            args=arguments,
            train_dataset=run.plan[run.done * run.world :],
            data_collator=self.tensors,
            callbacks=[TrainingCallback(self, shown)],
        )
        self.remove_callback(PrinterCallback)
        self.model_accepts_loss_kwargs = False

    def tensors(self, items: list[Batch]) -> dict[str, torch.Tensor]:
        examples = self.run.job.examples
        rows = [[examples[number] for number in row] for row in items[0]]
        return collate(rows, self.pad)

    def placed(self, rows: list[list[Example]]) -> dict[str, torch.Tensor]:
        found: dict[str, torch.Tensor] = self._prepare_inputs(collate(rows, self.pad))
        return found

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
        return 0  # nobody reads the estimate, and it walks all parameters every step

    def compute_loss(self, model: Any, inputs: Any, *_: Any, **__: Any) -> torch.Tensor:
        loss: torch.Tensor = model(**inputs).loss
        self.run.losses.append(loss.item())
        return loss


class TrainingCallback(TrainerCallback):
    """Reports and measures, saves every few steps, and brings the moments back."""

    def __init__(self, trainer: AdapterTrainer, shown: MetricsLog) -> None:
        self.trainer, self.shown = trainer, shown
        run, recipe = trainer.run, trainer.run.job.recipe
        threads = 1 if torch.cuda.is_available() else torch.get_num_threads()
        self.pace = thread_tuner(threads, run.world, torch.set_num_threads)
        trained = run.tokens(0, run.steps)
        count = recipe.evaluations
        if not run.job.patience:
            count = times(run.job.held_out, trained, count)
        held_out = fitting(run.job.held_out, trained, count)
        self.share = shares(held_out, recipe.batch_tokens, run.world)[run.rank]
        self.due = due(run.steps, count if held_out else 0)

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        run, trainer = self.trainer.run, self.trainer
        if run.job.recipe.checkpointing:  # the Trainer has switched it on for all
            recompute(trainer.model, run.job.means.recomputed)
        if run.world == 1 and not deepspeed_config.stage(run.job.deepspeed):
            deepspeed_config.lighten(trainer.model_wrapped)
        read_moments(run, trainer.model_wrapped)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        run = self.trainer.run
        step = run.done + state.global_step
        tokens = run.tokens(step - 1, step)
        self.pace.step(tokens)
        if run.rank == 0:
            run.tell(step, run.steps, run.losses[-1])
        rate = run.job.rate * rate_at(step - 1, run.steps, run.job.recipe.warmup)
        self.shown.step(step, tokens, {"loss": run.losses[-1], "rate": rate})
        if step in self.due:
            self.measure(step)
            control.should_training_stop |= run.held_out.stopped(run.job.patience)
        if step % run.job.checkpoint_every == 0 and step < run.steps:
            trainer: Any = self.trainer
            write_checkpoint(run, trainer.model, trainer.model_wrapped, step)

    def measure(self, step: int) -> None:
        """Held-out loss; with patience, the weights of the lowest one are kept."""
        run, trainer = self.trainer.run, self.trainer
        loss = measure(trainer.model_wrapped, self.share, trainer.placed)
        if run.held_out.add(step, loss) and run.job.patience:
            model: Any = trainer.model
            run.held_out.best = deepspeed_config.gathered(model)
        self.shown.held_out(step, loss)


# ---------------------------------------------------------------------------- write


def write_adapter(run: TrainingRun, model: PeftModel) -> TrainingResult:
    """Check and write the adapter; the folder appears whole."""
    tensors = run.held_out.best or deepspeed_config.gathered(model)
    steps = len(run.losses)  # fewer than planned after an early stop
    seen = [run.job.examples[i] for i in every(run.plan[: steps * run.world])]
    outcome = TrainingResult(
        steps=steps,
        tokens=sum(len(example.tokens) for example in seen),
        answer_tokens=sum(len(e.tokens) - e.answer for e in seen),
        losses=curve(run.losses),
        trainable=sum(t.numel() for t in tensors.values()),
        norm_b=check(tensors),
        held_out_losses=run.held_out.points,
        kept=run.held_out.kept if run.held_out.best else steps,
    )
    if run.rank == 0:
        new = run.job.scratch / "trained.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        write_peft(new, model, tensors, run.job)
        outcome.write(new)
        new.rename(run.job.scratch / "trained")
    together(run)
    return outcome


def every(plan: list[Batch]) -> list[int]:
    return [number for batch in plan for row in batch for number in row]


def main(scratch: Path) -> None:
    """One process of several; the first one reports to whoever started it."""

    def tell(step: int, steps: int, loss: float) -> None:
        print(json.dumps([step, steps, loss]), flush=True)

    end_with_builder()
    train(TrainingJob.read(scratch), tell)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
