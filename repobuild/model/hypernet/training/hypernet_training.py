r"""Train a hypernetwork: one run, from top to bottom.

    prepare     encode the repositories of the list, make their tasks (training_set.py)
    split       a share of the repositories is only measured
    start       join the process group, build the network, fit its whitening
    train       each step shows one repository to each process, under DeepSpeed
    checkpoint  every few steps: weights, moments, step; the same run resumes
    measure     on the held-out repositories: own adapter, mean, another's, none
    write       hypernet.json and hypernet.safetensors

    OUT/prepared/      the encoded repositories
    OUT/checkpoint/    weights.safetensors, rankN.safetensors (moments), state.json; a
                       damaged one is not resumed (model/adapter/checkpoint.py)
    OUT/train.jsonl    step, loss, own and other, in nats a token

In one process it is a function call. On several devices a launcher starts this file in
every process, once `repobuild hypernet train --prepare` has written the job:

    torchrun --nproc_per_node 2 \
        -m repobuild.model.hypernet.training.hypernet_training OUT

The step alone decides what is shown, so that a resumed run equals the uninterrupted
one. Evo sums the losses of a whole window of commits before a step, so that the state
gets credit for what it kept over 8 to 16 commits; the published training detaches it
after each.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import random
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file

from repobuild.errors import UsageError
from repobuild.model.adapter.checkpoint import (
    finish_checkpoint,
    read_checkpoint_state,
)
from repobuild.model.adapter.packing import collate
from repobuild.model.adapter.training_run import rate_at
from repobuild.model.base import Base, load_model, load_tokenizer
from repobuild.model.compute import deepspeed_config
from repobuild.model.conversation import Conversation, Example
from repobuild.model.hypernet.file_encoder import EncoderSettings, FileEncoder
from repobuild.model.hypernet.folder import Hypernet, describe
from repobuild.model.hypernet.lora_weights import LoraWeights
from repobuild.model.hypernet.repository_input import RepositoryInput
from repobuild.model.hypernet.residual_head import ResidualHead
from repobuild.model.hypernet.shapes import ModelShape
from repobuild.model.hypernet.training.objective import Objective, Tensors
from repobuild.model.hypernet.training.training_set import (
    ListedRepository,
    SetSettings,
    TrainingRepository,
    prepare,
)
from repobuild.model.load.libraries import (
    computes_in_bfloat16,
    pick_device,
    silence_libraries,
)

_MEASURED_TASKS = 64  # of a held-out repository
_FEWEST_SPLIT = 8  # repositories; of fewer, none is held out


@dataclass(frozen=True, slots=True)
class HypernetRecipe:
    """What decides the weights, beside the base and the repositories."""

    kind: str = "residual"
    evo: bool = False
    steps: int = 2000
    batch_tasks: int = 16  # of a step and process
    learning_rate: float = 1e-3
    warmup: float = 0.05
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    margin: float = 0.1  # nats a token
    margin_weight: float = 0.5
    held_out: float = 0.15  # share of the repositories
    bf16: bool = True
    seed: int = 1
    sizes: Mapping[str, Any] = field(default_factory=dict)  # of the head


@dataclass(frozen=True, slots=True)
class HypernetJob:
    """One run."""

    base: Base
    recipe: HypernetRecipe
    encoder: EncoderSettings
    data: SetSettings
    listed: Sequence[ListedRepository]
    out: Path
    deepspeed: Mapping[str, Any]
    checkpoint_every: int = 50  # steps

    @property
    def digest(self) -> str:
        """SHA-256 of what decides the weights; another job's checkpoint is not used."""
        names = [[one.place.name, one.digest] for one in self.listed]
        parts = [asdict(self.recipe), asdict(self.encoder), asdict(self.data), names]
        text = json.dumps([self.base.digest, *parts], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def write(self) -> None:
        """Write the job for the processes that a launcher starts."""
        listed = [
            [str(one.place.resolve()), str(one.tasks or ""), one.digest]
            for one in self.listed
        ]
        plain = {
            "base": asdict(self.base),
            "recipe": asdict(self.recipe),
            "encoder": asdict(self.encoder),
            "data": asdict(self.data),
            "listed": listed,
            "deepspeed": dict(self.deepspeed),
            "checkpoint_every": self.checkpoint_every,
        }
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / "job.json").write_text(json.dumps(plain, indent=1), "utf-8")

    @classmethod
    def read(cls, out: Path) -> HypernetJob:
        """Read what `write` wrote."""
        plain = json.loads((out / "job.json").read_text("utf-8"))
        return cls(
            Base(**plain["base"]),
            HypernetRecipe(**plain["recipe"]),
            EncoderSettings(**plain["encoder"]),
            SetSettings(**plain["data"]),
            [
                ListedRepository(Path(place), Path(tasks) if tasks else None, digest)
                for place, tasks, digest in plain["listed"]
            ],
            out,
            plain["deepspeed"],
            plain["checkpoint_every"],
        )


class HypernetStep(NamedTuple):
    """What is told of a step; losses in nats a token."""

    step: int
    steps: int
    loss: float
    own: float
    other: float


class HeldOutScores(NamedTuple):
    """Mean loss on the held-out repositories, each counted once, in nats a token."""

    repositories: int
    base: float  # no adapter
    own: float
    mean: float  # the adapter of the mean repository
    shuffled: float  # that of another held-out repository


ReportStep = Callable[[HypernetStep], None]


def train_hypernet(
    job: HypernetJob,
    report: ReportStep = lambda step: None,
    tell: Callable[[str], None] = lambda line: None,
) -> HeldOutScores | None:
    """Train a job, or resume it; the hypernetwork is then in `job.out`.

    Returns the scores of the held-out repositories, None with too few for a split.
    """
    if deepspeed_config.zero_stage(job.deepspeed) == 3:
        raise UsageError(
            "ZeRO-3 would partition the matrices that a hypernetwork puts together\n"
            'set adapter.deepspeed to "zero0" or "zero2"'
        )
    silence_libraries()
    repositories = prepare_job(job, tell)
    trained, held_out = split(repositories, job.recipe)
    deepspeed_config.join_process_group()
    run = HypernetRun.start(job, trained)
    run.train(report)
    scores = measure_held_out(run.objective, held_out, run.pad) if held_out else None
    if run.rank == 0:
        run.write(scores)
    return scores


# -------------------------------------------------------------------------- prepare


def prepare_job(
    job: HypernetJob, tell: Callable[[str], None] = lambda line: None
) -> list[TrainingRepository]:
    """Encode the repositories that are not encoded yet, and return all."""
    encoder_base = job.encoder.resolve(job.base)
    conversation = Conversation(load_tokenizer(job.base), job.base.fim)
    known = job.out / "prepared" / "settings.json"
    text = json.dumps(
        [encoder_base.digest, job.base.digest, asdict(job.encoder), asdict(job.data)],
        sort_keys=True,
    )
    if not known.is_file() or known.read_text("utf-8") != text:
        shutil.rmtree(known.parent, ignore_errors=True)
        known.parent.mkdir(parents=True)
        known.write_text(text, "utf-8")

    @cache
    def load_encoder() -> FileEncoder:  # a whole model, for what is not encoded yet
        return FileEncoder.load(encoder_base, job.encoder)

    return prepare(job.listed, known.parent, load_encoder, conversation, job.data, tell)


def split(
    repositories: Sequence[TrainingRepository], recipe: HypernetRecipe
) -> tuple[list[TrainingRepository], list[TrainingRepository]]:
    """Return the repositories to train on and to measure, by the hash of their names.

    At least 2 are held out, so that each has another one, or none of a short list.
    """
    if len(repositories) < _FEWEST_SPLIT or not recipe.held_out:
        return list(repositories), []

    def draw(one: TrainingRepository) -> str:
        name = one.name.partition("-")[2]
        return hashlib.sha256(f"{recipe.seed}.{name}".encode()).hexdigest()

    ordered = sorted(repositories, key=draw)
    count = max(2, round(recipe.held_out * len(ordered)))
    return ordered[count:], ordered[:count]


def build_network(job: HypernetJob, repositories: Sequence[TrainingRepository]) -> Any:
    """Return a new network, with its whitening fitted on the training repositories."""
    torch.manual_seed(job.recipe.seed)
    shape = ModelShape.read(job.base.folder())
    first = repositories[0].windows[0].own
    encoded = first.files.shape[1]
    recipe = job.recipe
    network = Hypernet(
        describe(
            recipe.kind, job.base, shape, encoded, job.encoder, recipe.evo,
            **recipe.sizes,
        )
    )  # fmt: skip
    windows = [window for one in repositories for window in one.windows]
    head: Any = network.head
    head.fit_whitening([window.own for window in windows])
    diffs = [window.diffs for window in windows if window.diffs is not None]
    if diffs and hasattr(network.state, "whitening"):
        state: Any = network.state
        state.whitening.fit(torch.cat(diffs))
    return network


# ---------------------------------------------------------------------------- train


@dataclass(slots=True)
class HypernetRun:
    """The state of a run in one process."""

    job: HypernetJob
    repositories: Sequence[TrainingRepository]
    objective: Objective
    engine: Any
    optimizer: Any
    pad: int
    rank: int
    world: int
    step: int = 0

    @classmethod
    def start(
        cls, job: HypernetJob, repositories: Sequence[TrainingRepository]
    ) -> HypernetRun:
        """Build the network, or that of the checkpoint, and wrap it with DeepSpeed."""
        import deepspeed

        recipe = job.recipe
        network = build_network(job, repositories)
        step = read_checkpoint_step(job)
        if step:
            weights = load_file(job.out / "checkpoint" / "weights.safetensors")
            network.load_state_dict(weights)
        bf16 = recipe.bf16 and computes_in_bfloat16()
        dtype = torch.bfloat16 if bf16 else torch.float32
        base: Any = load_model(job.base, dtype)
        objective = Objective(
            network, base, recipe.margin, recipe.margin_weight, bf16
        ).to(pick_device())
        world = int(os.environ["WORLD_SIZE"])
        optimizer = torch.optim.AdamW(
            network.parameters(),
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
        )
        engine, *_ = deepspeed.initialize(
            model=objective,
            optimizer=optimizer,
            config=fill_config(job.deepspeed, world, recipe.max_grad_norm),
            dist_init_required=False,
        )
        if world == 1 and not deepspeed_config.zero_stage(job.deepspeed):
            deepspeed_config.skip_unneeded_work(engine)
        pad = int(load_tokenizer(job.base).pad_token_id)
        rank = int(os.environ["RANK"])
        run = cls(
            job, repositories, objective, engine, optimizer, pad, rank, world, step
        )
        run._restore_moments()
        return run

    def train(self, report: ReportStep = lambda step: None) -> None:
        """Train all steps that are left."""
        recipe = self.job.recipe
        self.objective.network.train()
        curve = self.job.out / "train.jsonl"
        while self.step < recipe.steps:
            for group in self.engine.optimizer.param_groups:
                share = rate_at(self.step / recipe.steps, recipe.warmup)
                group["lr"] = recipe.learning_rate * share
            found = self.engine(*self._inputs())
            self.engine.backward(found.loss)
            self.engine.step()
            self.step += 1
            values = [float(part.detach()) for part in found]
            if not all(map(math.isfinite, values)):
                raise RuntimeError(f"the loss of step {self.step} is {values[0]}")
            done = HypernetStep(self.step, recipe.steps, *values)
            if self.rank == 0:
                report(done)
                with curve.open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(done._asdict()) + "\n")
            if self.step % self.job.checkpoint_every == 0 or self.step == recipe.steps:
                self._write_checkpoint()
        self.objective.network.eval()

    def _inputs(self) -> tuple[Any, ...]:
        """Return the step's batches, its repository, another one, and its diffs."""
        recipe, count = self.job.recipe, len(self.repositories)
        number = self.step * self.world + self.rank
        epoch, place = divmod(number, count)
        order = list(range(count))
        random.Random(f"{recipe.seed}.{epoch}").shuffle(order)
        chance = random.Random(f"{recipe.seed}.{number}")
        one = order[place]
        window = chance.choice(self.repositories[one].windows)
        other = chance.choice([n for n in range(count) if n != one])
        foreign = chance.choice(self.repositories[other].windows).own
        batches = [
            self._batch(chance.sample(tasks, min(recipe.batch_tasks, len(tasks))))
            for tasks in window.tasks
        ]
        device = next(self.objective.network.parameters()).device
        diffs = None if window.diffs is None else window.diffs.to(device)
        return batches, window.own.to(device), foreign.to(device), diffs

    def _batch(self, examples: Sequence[Example]) -> Tensors:
        return make_batch(examples, self.pad, self.objective)

    # ------------------------------------------------------------------ checkpoint

    def _write_checkpoint(self) -> None:
        """Fill a new folder and rename it; every process must call this."""
        folder = self.job.out / "checkpoint"
        new = folder.with_name("checkpoint.new")
        if self.rank == 0:
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(parents=True)
        self._barrier()
        states = deepspeed_config.optimizer_states(self.engine)
        moments = {
            f"{number}.{name}": value
            for number, (_, values) in enumerate(states)
            for name, value in values.items()
        }
        save_file(moments, new / f"rank{self.rank}.safetensors")
        if self.rank == 0:
            tensors = self.objective.network.state_dict()
            weights = {n: t.detach().cpu().contiguous() for n, t in tensors.items()}
            save_file(weights, new / "weights.safetensors")
        self._barrier()
        if self.rank == 0:
            stage = deepspeed_config.zero_stage(self.job.deepspeed)
            state = {"step": self.step, "job": self.job.digest}
            finish_checkpoint(folder, {**state, "world": self.world, "stage": stage})
        self._barrier()

    def _restore_moments(self) -> None:
        """Restore AdamW's moments, if the same number of processes wrote them."""
        if not self.step:
            return
        folder = self.job.out / "checkpoint"
        state = json.loads((folder / "state.json").read_text("utf-8"))
        stage = deepspeed_config.zero_stage(self.job.deepspeed)
        if (state["world"], state["stage"]) != (self.world, stage):
            return
        saved = load_file(folder / f"rank{self.rank}.safetensors")
        states = deepspeed_config.optimizer_states(self.engine)
        for number, (parameter, values) in enumerate(states):
            for name in ("step", "exp_avg", "exp_avg_sq"):
                value = saved[f"{number}.{name}"].clone()
                values[name] = value if name == "step" else value.to(parameter.device)

    def _barrier(self) -> None:
        if self.world > 1:
            torch.distributed.barrier()

    # ----------------------------------------------------------------------- write

    def write(self, scores: HeldOutScores | None) -> None:
        """Write the hypernetwork with how it was trained."""
        network, recipe = self.objective.network, self.job.recipe
        training: dict[str, Any] = {
            "recipe": asdict(recipe),
            "data": asdict(self.job.data),
            "repositories": len(self.repositories),
            "held_out": scores._asdict() if scores else {},
        }
        network.description = replace(network.description, training=training)
        network.save(self.job.out)


def make_batch(examples: Sequence[Example], pad: int, objective: Objective) -> Tensors:
    """Return the tensors (B, T) of examples on the model's device, {} of none."""
    if not examples:
        return {}
    device = next(objective.network.parameters()).device
    tensors = collate([[example] for example in examples], pad)
    return {name: tensor.to(device) for name, tensor in tensors.items()}


def fill_config(
    config: Mapping[str, Any], world: int, max_grad_norm: float
) -> dict[str, Any]:
    """Return DeepSpeed's settings with what its "auto" leaves to the caller."""
    values = {
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": 1,
        "train_batch_size": world,
        "gradient_clipping": max_grad_norm,
        "zero_allow_untested_optimizer": True,
    }
    return {n: v for n, v in config.items() if v != "auto"} | values


def read_checkpoint_step(job: HypernetJob) -> int:
    """Return the step of this job's checkpoint; 0 when there is no whole one."""
    state = read_checkpoint_state(job.out, job.digest)
    return int(state["step"]) if state else 0


# -------------------------------------------------------------------------- measure


def measure_held_out(
    objective: Objective, repositories: Sequence[TrainingRepository], pad: int
) -> HeldOutScores:
    """Return the losses of repositories that were not trained on.

    An own adapter below `base` may be a better generic one. Only `own` below `mean` and
    below `shuffled` shows that the network reads the repository.
    """
    network, device = objective.network, next(objective.network.parameters()).device
    rows = []
    with torch.no_grad():
        mean = mean_adapter(network, [one.windows[0].own for one in repositories])
        for number, one in enumerate(repositories):
            window = one.windows[0]
            foreign = repositories[(number + 1) % len(repositories)].windows[0].own
            made = (network(window.own.to(device)), mean, network(foreign.to(device)))
            examples = [e for group in window.tasks for e in group][:_MEASURED_TASKS]
            if batch := make_batch(examples, pad, objective):
                losses = (objective.answer_loss(lora, batch) for lora in (None, *made))
                rows.append([float(loss) for loss in losses])
    columns = (round(sum(column) / len(rows), 4) for column in zip(*rows, strict=True))
    return HeldOutScores(len(rows), *columns)


def mean_adapter(network: Hypernet, inputs: Sequence[RepositoryInput]) -> LoraWeights:
    """Return the adapter of the mean repository; of other heads, of the mean input."""
    if isinstance(network.head, ResidualHead):
        return network.head.generate(network.head.mean_context())
    vector = torch.stack([each.vector for each in inputs]).mean(0)
    files = torch.stack([each.files.mean(0) for each in inputs])
    even = torch.full((len(files),), 1 / len(files))
    device = next(network.parameters()).device
    made: LoraWeights = network(RepositoryInput(vector, files, even).to(device))
    return made


# ---------------------------------------------------------------- one of many processes


def main(out: Path) -> None:
    """Train in one of several processes; the first one prints its progress."""
    from repobuild.engine.run.child_processes import end_with_builder

    def report(step: HypernetStep) -> None:
        print(json.dumps(step), flush=True)

    end_with_builder()
    train_hypernet(HypernetJob.read(out), report)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
