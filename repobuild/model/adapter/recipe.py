"""Define the records of a training run (recipe, job, result) without heavy imports.

    Recipe            settings that decide the weights
    ComputeOptions    settings that change how fast they are computed
    MetricsTarget     where the curves are written
    TrainingJob       one run: base, parent, recipe, facts and their examples
    TrainingResult    what the run did

A `TrainingJob` can be written to a folder and read back, so that the processes which a
launcher starts train the same job:

    SCRATCH/job.json        everything but the examples
    SCRATCH/examples.bin    msgpack: [[id, task, answer, tokens], ...]
    SCRATCH/held_out.bin    the same for the examples that are only measured
    SCRATCH/general.bin     msgpack: [[token, ...], ...], windows of general text
    SCRATCH/history/        checkpoint-STEP/: weights along the run that are kept
    SCRATCH/checkpoint/     state of an interrupted run (checkpoint.py)
    SCRATCH/trained/        the result: PEFT files, outcome.json and facts.json (what is
                            known of each fact now), renamed into place
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgpack

from repobuild.errors import UsageError
from repobuild.model import base as bases
from repobuild.model.base import Base
from repobuild.model.compute.deepspeed_config import read_config, zero_stage
from repobuild.model.conversation import Example
from repobuild.model.hypernet.chosen import hypernet_ingredients
from repobuild.model.teaching.scheduler import Pace, TaughtFact

FORMAT = 2  # raised when the same settings would train another adapter
# Settings that were added later, and the value that switches each off. At that value
# they are left out of a recipe's digest, else an upgrade of repobuild would train every
# adapter again.
ADDED_LATER: dict[str, Any] = {
    "rslora": False,
    "dora": False,
    "patience": 0,
    "start": "base",
}
LORA = "lora"  # the strategy that trains

ATTENTION = (
    "auto",
    "eager",
    "flash_attention_2",
    "flash_attention_3",
    "sdpa",
    "short",
    "varlen",
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings that decide the weights; another recipe starts from the base model.

    Sources: LoRA (Hu et al. 2021), rsLoRA (Kalajdzievski 2023) for `rslora`, DoRA
    (Liu et al. 2024) for `dora`.
    """

    strategy: str
    rank: int
    alpha: int
    dropout: float
    targets: tuple[str, ...]
    learning_rate: float
    mastery: int
    keep: float
    keep_weight: float
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
    evaluations: int = 0
    patience: int = 0
    start: str = "base"

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Recipe:
        """Read `[adapter]`; raises `UsageError` for patience without measurements."""
        values = {name: settings[f"adapter.{name}"] for name in cls.__slots__}
        values["targets"] = tuple(sorted(values["targets"]))  # a set
        if values["patience"] > 0 and values["evaluations"] < 1:
            raise UsageError(
                f"adapter.patience is {values['patience']}, but held-out loss is never "
                "measured\nset adapter.evaluations to how often a run measures it"
            )
        return cls(**values)

    @property
    def digest(self) -> str:
        """SHA-256 of the settings that have an effect on the weights."""
        values = asdict(self)
        unused = [name for name, off in ADDED_LATER.items() if values[name] == off]
        if not self.patience:
            unused.append("evaluations")  # without patience, measuring changes nothing
        used = {name: v for name, v in values.items() if name not in unused}
        plain = json.dumps({"format": FORMAT, **used}, sort_keys=True)
        return hashlib.sha256(plain.encode()).hexdigest()


def ingredients(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of the base and of a hypernetwork; check DeepSpeed's settings.

    All raise `UsageError`, so a build ends before it makes samples.
    """
    config = read_config(settings["adapter.deepspeed"], settings.get("root", ""))
    if settings.get("base.quantize") and zero_stage(config) == 3:
        raise UsageError(
            "ZeRO-3 cannot partition quantised weights (base.quantize)\n"
            'set adapter.deepspeed to "zero0" or "zero2", or base.quantize to ""'
        )
    return bases.ingredients(settings) | hypernet_ingredients(settings)


def read_share(settings: Mapping[str, Any], name: str) -> float:
    """Return the share `adapter.NAME`; raises `UsageError` when it is not in [0, 1)."""
    share = float(settings[f"adapter.{name}"])
    if 0 <= share < 1:
        return share
    raise UsageError(
        f"adapter.{name} is {share:g}, but it is a share of what is trained\n"
        "set it to 0 or more and less than 1"
    )


@dataclass(frozen=True, slots=True)
class MetricsTarget:
    """Where the curves of a run are written; part of no key and no digest."""

    folder: str = ""  # "" = nowhere
    writers: tuple[str, ...] = ()
    project: str = ""


@dataclass(frozen=True, slots=True)
class ComputeOptions:
    """How a run is computed; they change roundings at most, so are in no recipe."""

    attention: str = "auto"  # one of ATTENTION, see compute/attention.py
    compile: bool = False
    loss_tokens: int = 8192  # answer tokens whose logits are in memory at once
    recomputed: float = 1.0  # share of the layers, with gradient checkpointing

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> ComputeOptions:
        """Read `[adapter]`; raises `UsageError` for an unknown attention."""
        values = {name: settings[f"adapter.{name}"] for name in cls.__slots__}
        if values["attention"] not in ATTENTION:
            raise UsageError(
                f'unknown adapter.attention "{values["attention"]}"\n'
                f"known: {', '.join(ATTENTION)}"
            )
        return cls(**values)


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """One training run."""

    base: Base
    parent: str  # folder of the adapter to continue, "" = a new one on the base
    recipe: Recipe
    rate: float  # peak learning rate of this run
    facts: list[TaughtFact]  # in order of teaching
    pace: Pace
    deepspeed: dict[str, Any]
    scratch: Path
    examples: list[Example]
    held_out: list[Example] = field(default_factory=list)
    general: list[list[int]] = field(default_factory=list)  # windows of equal length
    checkpoint_every: int = 25  # steps
    keep_checkpoints: int = 0  # weights along the run that are kept
    log: MetricsTarget = MetricsTarget()
    compute_options: ComputeOptions = ComputeOptions()
    start: str = ""  # folder of the adapter whose matrices a new one begins with

    @property
    def patience(self) -> int:
        """The recipe's patience; a continued run is short and never stops early."""
        return 0 if self.parent else self.recipe.patience

    @property
    def digest(self) -> str:
        """SHA-256 of the job; a checkpoint with another digest is not resumed.

        Without the metrics target and what is kept along the run, and with the parent's
        name instead of its path.
        """
        plain = {**_plain(self), "parent": Path(self.parent).name}
        if self.start:
            weights = Path(self.start, "adapter_model.safetensors").read_bytes()
            plain["start"] = hashlib.sha256(weights).hexdigest()
        del plain["log"], plain["keep_checkpoints"]
        body = json.dumps(plain, sort_keys=True).encode()
        body += _packed(self.examples) + _packed(self.held_out)
        body += _packed_windows(self.general)
        return hashlib.sha256(body).hexdigest()

    def write(self) -> None:
        self.scratch.mkdir(parents=True, exist_ok=True)
        (self.scratch / "examples.bin").write_bytes(_packed(self.examples))
        (self.scratch / "held_out.bin").write_bytes(_packed(self.held_out))
        (self.scratch / "general.bin").write_bytes(_packed_windows(self.general))
        (self.scratch / "job.json").write_text(json.dumps(_plain(self)), "utf-8")

    @classmethod
    def read(cls, scratch: Path) -> TrainingJob:
        body = json.loads((scratch / "job.json").read_text("utf-8"))
        body["base"] = Base(**body["base"])
        recipe, log = body["recipe"], body["log"]
        body["recipe"] = Recipe(**{**recipe, "targets": tuple(recipe["targets"])})
        body["log"] = MetricsTarget(**{**log, "writers": tuple(log["writers"])})
        body["compute_options"] = ComputeOptions(**body.pop("means"))
        body["facts"] = [TaughtFact(tuple(e), *rest) for e, *rest in body["facts"]]
        body["pace"] = Pace(**body["pace"])
        body["general"] = msgpack.unpackb((scratch / "general.bin").read_bytes())
        body["scratch"] = scratch
        for name in ("examples", "held_out"):
            body[name] = _unpacked((scratch / f"{name}.bin").read_bytes())
        return cls(**body)


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a run did; without times, so that equal jobs have equal results."""

    steps: int
    tokens: int  # non-padding tokens that went through the model
    answer_tokens: int  # those with a loss
    losses: list[list[float]]  # [step, mean loss since the last entry]
    trainable: int  # parameters
    norm_b: float  # Frobenius norm over all lora_B
    passes: int = 0
    shown: int = 0  # examples, each time that one was trained
    drift: float = 0.0  # mean divergence from the base on general text, last tenth
    held_out_losses: list[list[float]] = field(default_factory=list)  # [step, loss]
    kept: int = 0  # step that the adapter's weights are from

    @classmethod
    def read(cls, folder: Path) -> TrainingResult:
        return cls(**json.loads((folder / "outcome.json").read_text("utf-8")))

    def write(self, folder: Path) -> None:
        text = json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"
        (folder / "outcome.json").write_text(text, "utf-8")


def write_boxes(folder: Path, boxes: Mapping[int, tuple[int, int]]) -> None:
    """Write what is known of each fact that was introduced: its box, times shown."""
    rows = [[number, *known] for number, known in sorted(boxes.items())]
    (folder / "facts.json").write_text(json.dumps(rows), "utf-8")


def read_boxes(folder: Path) -> dict[int, tuple[int, int]]:
    """Return {number of the fact: (box, times shown)}."""
    rows = json.loads((folder / "facts.json").read_text("utf-8"))
    return {number: (box, shown) for number, box, shown in rows}


def _plain(job: TrainingJob) -> dict[str, Any]:
    """Return the job as JSON, without scratch folder and examples."""
    return {
        "base": asdict(job.base),
        "parent": job.parent,
        **({"start": job.start} if job.start else {}),
        "recipe": asdict(job.recipe),
        "rate": job.rate,
        "facts": [[list(f.examples), f.box, f.guarded, f.denies] for f in job.facts],
        "pace": asdict(job.pace),
        "deepspeed": job.deepspeed,
        "checkpoint_every": job.checkpoint_every,
        "keep_checkpoints": job.keep_checkpoints,
        "log": asdict(job.log),
        "means": asdict(job.compute_options),
    }


def _packed_windows(windows: list[list[int]]) -> bytes:
    packed: bytes = msgpack.packb(windows)
    return packed


def _packed(examples: list[Example]) -> bytes:
    rows = [[e.id, e.task, e.answer_start, e.tokens] for e in examples]
    packed: bytes = msgpack.packb(rows)
    return packed


def _unpacked(packed: bytes) -> list[Example]:
    return [Example(i, t, ids, a) for i, t, a, ids in msgpack.unpackb(packed)]
