"""What a training run is told: plain records, no heavy imports.

A `Job` can be written to a folder and read back, so that the processes which a launcher
starts see the same job as the one that asked for it:

    SCRATCH/job.json        everything but the examples
    SCRATCH/examples.bin    msgpack: [[id, task, answer, tokens], ...]
    SCRATCH/checkpoint/     state of an interrupted run, see train.py
    SCRATCH/trained/        the result: PEFT files and outcome.json, renamed into place
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgpack

from repobuild.model.base import Base
from repobuild.model.conversation import Example

FORMAT = 1  # raised when the same settings would train another adapter
# Settings that came after the first adapters, and the value at which they do nothing:
# at it they are no part of a recipe's digest, else an upgrade would train anew.
LATER: dict[str, Any] = {"rslora": False, "dora": False}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings that decide what the weights become; another recipe is a re-base."""

    strategy: str
    rank: int
    alpha: int
    dropout: float
    targets: tuple[str, ...]
    learning_rate: float
    epochs: float
    max_tokens: int
    sequence_length: int
    batch_tokens: int
    packing: str
    checkpointing: bool
    warmup: float
    weight_decay: float
    max_grad_norm: float
    bf16: bool
    seed: int
    rslora: bool = False
    dora: bool = False

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Recipe:
        """Read `[adapter]`; targets are sorted so that equal sets are equal recipes."""
        values = {name: settings[f"adapter.{name}"] for name in cls.__slots__}
        values["targets"] = tuple(sorted(values["targets"]))
        return cls(**values)

    @property
    def digest(self) -> str:
        values = asdict(self)
        idle = [name for name, unused in LATER.items() if values[name] == unused]
        known = {name: v for name, v in values.items() if name not in idle}
        plain = json.dumps({"format": FORMAT, **known}, sort_keys=True)
        return hashlib.sha256(plain.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Job:
    """One training run."""

    base: Base
    parent: str  # folder of the adapter to go on from, "" = a new one
    recipe: Recipe
    rate: float  # peak learning rate of this run
    epochs: list[list[int]]  # indices of examples, in the order of training
    deepspeed: dict[str, Any]
    scratch: Path
    examples: list[Example]
    checkpoint_every: int = 25  # steps

    @property
    def digest(self) -> str:
        """A checkpoint of another job is not resumed."""
        plain = {**_plain(self), "scratch": "", "parent": Path(self.parent).name}
        body = json.dumps(plain, sort_keys=True).encode() + _packed(self.examples)
        return hashlib.sha256(body).hexdigest()

    def write(self) -> None:
        self.scratch.mkdir(parents=True, exist_ok=True)
        (self.scratch / "examples.bin").write_bytes(_packed(self.examples))
        (self.scratch / "job.json").write_text(json.dumps(_plain(self)), "utf-8")

    @classmethod
    def read(cls, scratch: Path) -> Job:
        body = json.loads((scratch / "job.json").read_text("utf-8"))
        rows = msgpack.unpackb((scratch / "examples.bin").read_bytes())
        body["base"] = Base(**body["base"])
        recipe = body["recipe"]
        body["recipe"] = Recipe(**{**recipe, "targets": tuple(recipe["targets"])})
        body["scratch"] = scratch
        return cls(**body, examples=[Example(i, t, ids, a) for i, t, a, ids in rows])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did; equal for equal jobs, hence without any time."""

    steps: int
    tokens: int  # non-padding tokens that went through the model
    answer_tokens: int  # of which the loss was taken
    losses: list[list[float]]  # [step, mean loss since the last entry]
    trainable: int  # parameters
    norm_b: float  # Frobenius norm over all lora_B

    @classmethod
    def read(cls, folder: Path) -> Outcome:
        return cls(**json.loads((folder / "outcome.json").read_text("utf-8")))

    def write(self, folder: Path) -> None:
        text = json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"
        (folder / "outcome.json").write_text(text, "utf-8")


def _plain(job: Job) -> dict[str, Any]:
    return {
        "base": asdict(job.base),
        "parent": job.parent,
        "recipe": asdict(job.recipe),
        "rate": job.rate,
        "epochs": job.epochs,
        "deepspeed": job.deepspeed,
        "checkpoint_every": job.checkpoint_every,
    }


def _packed(examples: list[Example]) -> bytes:
    rows = [[e.id, e.task, e.answer, e.tokens] for e in examples]
    packed: bytes = msgpack.packb(rows)
    return packed
