"""Train a LoRA adapter: one run, from top to bottom.

    prepare     join the process group, load the base model, put the adapter on it
    passes      what is shown next, from what was right before (scheduler.py)
    rate        linear warm-up, then a cosine, by tokens (training_run.py)
    train       transformers' Trainer, under DeepSpeed
    general     some steps hold the adapter to its base on other text (general_text.py)
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
    barrier,
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
    split_by_process,
)
from repobuild.model.adapter.metrics_log import MetricsLog, open_metrics_log
from repobuild.model.adapter.packing import collate
from repobuild.model.adapter.recipe import (
    TrainingJob,
    TrainingResult,
    write_boxes,
)
from repobuild.model.adapter.training_run import ReportStep, StepReport, TrainingRun
from repobuild.model.base import load_model, load_tokenizer
from repobuild.model.compute import deepspeed_config
from repobuild.model.compute.compute_options import (
    apply_compute_options,
    limit_recomputation,
)
from repobuild.model.compute.threads import make_thread_tuner
from repobuild.model.conversation import Example
from repobuild.model.load.libraries import computes_in_bfloat16, silence_libraries
from repobuild.model.load.pretrained import read_adapter
from repobuild.model.teaching.general_text import steps_between

LOSS_POINTS = 100  # points of the loss curve in a result, at most
STEPS = 1 << 30  # more than any run has: it ends when its scheduler says so
OUTSIDE_TEXT = r"(?!.*\blanguage_model\.).*"  # names of modules of other parts
MAGNITUDE = "lora_magnitude_vector"  # DoRA's, one number for each row of a weight


def train(job: TrainingJob, report: ReportStep = lambda step: None) -> TrainingResult:
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
        run = TrainingRun.start(job, report)
        restore_progress(run)
        # TrainingArguments first: ZeRO-3 shards the base while it is loaded.
        arguments = training_arguments(run)
        set_seed(job.recipe.seed)
        model = build_model(run)
        if not run.ended and not run.held_out.should_stop(job.patience):
            with open_metrics_log(run) as log:
                AdapterTrainer(run, model, arguments, log).train()
        return write_adapter(run, model)
    finally:
        torch.set_num_threads(threads)
        deepspeed_config.reset_zero3_setting()


# -------------------------------------------------------------------------- prepare


def training_arguments(run: TrainingRun) -> TrainingArguments:
    """Return the Trainer's arguments; one item of its dataset is a step's number."""
    recipe = run.job.recipe
    return TrainingArguments(
        output_dir=str(run.job.scratch / "trainer"),
        deepspeed=run.job.deepspeed,
        per_device_train_batch_size=1,
        max_steps=STEPS,
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
    bf16 = recipe.bf16 and computes_in_bfloat16()
    base = load_model(job.base, torch.bfloat16 if bf16 else torch.float32)
    source = str(run.checkpoint) if run.step else job.parent
    if source:
        model: PeftModel = read_adapter(base, Path(source), trainable=True)
    else:
        model = get_peft_model(base, lora_config(job, base))
        if job.start:
            from repobuild.model.hypernet.start import copy_matrices

            copy_matrices(Path(job.start), model)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert trainable > 0, f"no trainable parameter in {source!r}"
    if recipe.checkpointing:
        model.enable_input_require_grads()
    apply_compute_options(model, job, bf16)
    return model.train()


def lora_config(job: TrainingJob, base: Any) -> LoraConfig:
    """Return the settings of a new adapter.

    Target modules are named: `all-linear` writes their names in random order. In a
    model that also reads images, layers outside the text model may have those names
    too; no text would ever train them.
    """
    recipe = job.recipe
    sees = hasattr(base.config, "vision_config")
    return LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        use_rslora=recipe.rslora,
        use_dora=recipe.dora,
        target_modules=list(recipe.targets),
        exclude_modules=OUTSIDE_TEXT if sees else None,
        bias="none",
        task_type="CAUSAL_LM",
        base_model_name_or_path=job.base.name,
        revision=job.base.revision,
    )


# ---------------------------------------------------------------------------- train


class AdapterTrainer(Trainer):
    """The Trainer, with the run's own batches and rates.

    Its dataset are numbers. A batch is made when its step begins, because the Trainer
    fetches an item ahead, and the batch after a pass depends on that pass.
    """

    def __init__(
        self, run: TrainingRun, model: PeftModel, arguments: Any, log: MetricsLog
    ) -> None:
        self.run = run
        self.pad = int(load_tokenizer(run.job.base).pad_token_id)
        windows = list(range(len(run.job.general)))
        random.Random(run.job.recipe.seed).shuffle(windows)
        self.windows = windows  # of general text, in the order of being shown
        recipe = run.job.recipe
        self.steps_between = steps_between(recipe.batch_tokens, recipe.keep)
        numbers: Any = range(STEPS * run.world)
        super().__init__(
            model=model,
            args=arguments,
            train_dataset=numbers,
            data_collator=lambda items: {"step": torch.tensor(items)},
            callbacks=[TrainingCallback(self, log)],
        )
        self.remove_callback(PrinterCallback)
        self.model_accepts_loss_kwargs = False

    def to_device(self, rows: list[list[Example]]) -> dict[str, torch.Tensor]:
        """Return the tensors (B, T) of rows of examples, on the model's device."""
        tensors: dict[str, torch.Tensor] = self._on_device(collate(rows, self.pad))
        return tensors

    def _on_device(self, tensors: Any) -> Any:
        return super()._prepare_inputs(tensors)

    def _prepare_inputs(self, inputs: Any) -> dict[str, Any]:
        """Return the tensors of the next step, whatever number was fetched."""
        run = self.run
        examples = run.job.examples
        rows = [[examples[number] for number in row] for row in run.own_batch]
        tensors: dict[str, Any] = self.to_device(rows)
        shown, wait = divmod(run.step, self.steps_between)
        if self.windows and not wait:
            number = (shown * run.world + run.rank) % len(self.windows)
            window = self.windows[number]
            text = torch.tensor([run.job.general[window]])
            tensors |= self._on_device({"general": text}) | {"window": window}
        return tensors

    def _get_train_sampler(self, *_: Any) -> torch.utils.data.Sampler[int]:
        planned: Any = self.train_dataset
        return torch.utils.data.SequentialSampler(planned)

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        chosen: Any = optimizer or self.optimizer
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            chosen, lambda _: self.run.rate_after(self.run.tokens)
        )
        return self.lr_scheduler

    def floating_point_ops(self, inputs: Any) -> int:
        return 0  # the estimate is not used, and it walks all parameters every step

    def compute_loss(self, model: Any, inputs: Any, *_: Any, **__: Any) -> torch.Tensor:
        out = model(**inputs)
        self.run.take_step(out.answers.item(), out.marks.cpu())
        if out.drift is not None:
            self.run.drifts.append(out.drift.item())
        loss: torch.Tensor = out.loss
        return loss


class TrainingCallback(TrainerCallback):
    """Restores the moments; after a step reports, measures and writes checkpoints."""

    def __init__(self, trainer: AdapterTrainer, log: MetricsLog) -> None:
        self.trainer, self.log = trainer, log
        run, recipe = trainer.run, trainer.run.job.recipe
        threads = 1 if torch.cuda.is_available() else torch.get_num_threads()
        self.threads = make_thread_tuner(threads, run.world, torch.set_num_threads)
        count = recipe.evaluations
        if not run.job.patience:  # patience needs all of them, whatever they cost
            count = affordable_count(run.job.held_out, run.planned, count)
        samples = affordable_samples(run.job.held_out, run.planned, count)
        of_all = split_by_process(samples, recipe.batch_tokens, run.world)
        self.held_out_batches = of_all[run.rank]
        self.measurements = count if samples else 0
        self.tokens = run.tokens  # after the last step

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        run, trainer = self.trainer.run, self.trainer
        if run.job.recipe.checkpointing:  # the Trainer has enabled it for all layers
            limit_recomputation(trainer.model, run.job.compute_options.recomputed)
        if run.world == 1 and not deepspeed_config.zero_stage(run.job.deepspeed):
            deepspeed_config.skip_unneeded_work(trainer.model_wrapped)
        restore_moments(run, trainer.model_wrapped)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        run = self.trainer.run
        before, self.tokens = self.tokens, run.tokens
        self.threads.step(run.tokens - before)
        values = {"loss": run.losses[-1], "rate": run.job.rate * run.rate_after(before)}
        self.log.step(run.step, run.tokens - before, values)
        run.close_pass()
        if run.ended or run.passes_share(before, self.measurements):
            self.measure_held_out()
        stop = run.ended or run.held_out.should_stop(run.job.patience)
        control.should_training_stop |= stop
        run.tell()
        trainer: Any = self.trainer
        if run.step % run.job.checkpoint_every == 0 and not stop:
            write_checkpoint(run, trainer.model, trainer.model_wrapped)
        if run.passes_share(before, run.job.keep_checkpoints + 1) and not stop:
            keep_weights(run, trainer.model)

    def measure_held_out(self) -> None:
        """Measure the held-out loss; with patience, keep the weights of the lowest."""
        run, trainer = self.trainer.run, self.trainer
        if not self.measurements:
            return
        loss = measure(trainer.model_wrapped, self.held_out_batches, trainer.to_device)
        if run.held_out.add(run.step, loss) and run.job.patience:
            model: Any = trainer.model
            run.held_out.best = deepspeed_config.gather_lora_tensors(model)
        self.log.held_out(run.step, loss)


# ---------------------------------------------------------------------------- write


def write_adapter(run: TrainingRun, model: PeftModel) -> TrainingResult:
    """Check the tensors and write the adapter, in a folder renamed into place."""
    tensors = run.held_out.best or deepspeed_config.gather_lora_tensors(model)
    states = run.scheduler.states
    last = run.drifts[-max(1, len(run.drifts) // 10) :]
    result = TrainingResult(
        steps=run.step,
        tokens=run.tokens,
        answer_tokens=run.answer_tokens,
        losses=run.thin_losses(LOSS_POINTS),
        trainable=sum(t.numel() for t in tensors.values()),
        norm_b=check_tensors(tensors),
        passes=run.scheduler.passes,
        shown=sum(state.shown for state in states.values()),
        drift=round(sum(last) / max(1, len(last)), 6),
        held_out_losses=run.held_out.points,
        kept=run.held_out.best_step if run.held_out.best else run.step,
    )
    if run.rank == 0:
        new = run.job.scratch / "trained.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        write_peft(new, model, tensors, run.job)
        result.write(new)
        write_boxes(new, {n: (s.box, s.shown) for n, s in states.items()})
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


# ---------------------------------------------------------------- one of many processes


def main(scratch: Path) -> None:
    """Train in one of several processes; the first one prints its progress.

    The launcher reads the printed lines: the fields of `StepReport`.
    """

    def report(step: StepReport) -> None:
        print(json.dumps(step), flush=True)

    end_with_builder()
    train(TrainingJob.read(scratch), report)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
