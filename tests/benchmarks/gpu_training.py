"""How fast a model of Qwen3-8B's shape is trained on one GPU, by our own training.

    python -m tests.benchmarks.gpu_training [--steps 14] [--only varlen]
    python -m tests.benchmarks.gpu_training --layers 2 --hidden 64 --vocabulary 500 \
        --length 256 --steps 6                  # shows on a CPU that everything works

Weights are random, made on the device from a configuration; nothing is downloaded.
LoRA of rank 16 on all linear layers, bfloat16, samples packed into rows of 4,096. Each
variant is a process of its own, and goes the way of the task `adapter`: the same plan,
Trainer and DeepSpeed engine. Only the base is put in the place of a loaded one, and no
general text is shown.

    tokens/s       of samples, padding left out; the first steps do not count
    share of peak  tokens/s * (4 + 2 r) N / peak. N: parameters of the layers, whose
                   weights get no gradient, so that a token costs 2 N forward and 2 N
                   backward; r: share of the layers that are computed again. Attention
                   scores, LoRA's own products and the head are left out
    leak           loss of packed rows against that of single ones, of a small model in
                   bfloat16; behind it the same where samples do see each other

Floor and goal for one H200 or H100: 6,000 and 10,000 tokens/s (references/training.md).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.table import Bar, bars, markdown
from tests.benchmarks.tool import ENVIRONMENT, ROOT

FLOOR, GOAL = 6_000, 10_000  # tokens/s
PEAK = 989e12  # dense bfloat16, H100 and H200
UNTIMED = 4  # steps: kernels are chosen, and compiled
PROCESS_SECONDS = 420
VARIANTS: dict[str, dict[str, Any]] = {
    "sdpa": {"attention": "sdpa"},
    "varlen": {"attention": "varlen"},
    "varlen, compiled": {"attention": "varlen", "compile": True},
    "varlen, loss in pieces": {"attention": "varlen", "loss_tokens": 1024},
    "varlen, half recomputed": {
        "attention": "varlen", "checkpointing": True, "recomputed": 0.5,
    },
    "varlen, all recomputed": {"attention": "varlen", "checkpointing": True},
    "flash-attn": {"attention": "flash_attention_2"},
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """Of the model and its batches; the defaults are Qwen3-8B's."""

    layers: int = 36
    hidden: int = 4096
    intermediate: int = 12288
    heads: int = 32
    shared: int = 8  # heads of keys and values
    head: int = 128
    vocabulary: int = 151_936
    rank: int = 16
    length: int = 4096
    rows: int = 2  # a step
    steps: int = 14

    @property
    def parameters(self) -> int:
        """N: what a token is multiplied with in all layers."""
        attention = self.hidden * self.head * (2 * self.heads + 2 * self.shared)
        return self.layers * (attention + 3 * self.hidden * self.intermediate)

    def small(self) -> Shape:
        return Shape(2, 256, 512, 4, 2, 64, 1000, 4, 512, 2, 1)


def model(shape: Shape, spread: float = 0.02) -> Any:
    """A Qwen3 with random weights of that deviation, on the device."""
    import torch
    from transformers import AutoModelForCausalLM, Qwen3Config

    config = Qwen3Config(
        num_hidden_layers=shape.layers, hidden_size=shape.hidden,
        intermediate_size=shape.intermediate, num_attention_heads=shape.heads,
        num_key_value_heads=shape.shared, head_dim=shape.head,
        vocab_size=shape.vocabulary, max_position_embeddings=shape.length,
        tie_word_embeddings=False, initializer_range=spread,
    )  # fmt: skip
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        made = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    return made.requires_grad_(False).train(False)


def examples(shape: Shape) -> list[Any]:
    """Samples of the lengths that repositories have, of random tokens."""
    from repobuild.model.conversation import Example

    chance, made, left = random.Random(1), [], shape.steps * shape.rows * shape.length
    while left > 0:
        length = min(shape.length, max(16, int(chance.lognormvariate(4.9, 0.8))))
        tokens = [chance.randrange(8, shape.vocabulary) for _ in range(length)]
        made.append(Example(str(len(made)), "", tokens, max(1, int(0.45 * length))))
        left -= length
    return made


def job(shape: Shape, variant: dict[str, Any], scratch: Path, zero: str) -> Any:
    from repobuild.model.adapter.recipe import ComputeOptions, Recipe, TrainingJob
    from repobuild.model.base import resolve_base
    from repobuild.model.compute.deepspeed_config import read_config
    from repobuild.model.teaching.scheduler import Pace, TaughtFact
    from repobuild.settings_schema import defaults

    plain = defaults()
    own: dict[str, Any] = {"rank": shape.rank, "alpha": 2 * shape.rank}
    own |= {"packing": "packed", "sequence_length": shape.length, **variant}
    own |= {"batch_tokens": shape.rows * shape.length, "learning_rate": 1e-4}
    plain |= {f"adapter.{name}": value for name, value in own.items()}
    recipe, made = Recipe.of(plain), examples(shape)
    tokens = sum(len(example.tokens) for example in made)
    return TrainingJob(
        base=resolve_base(plain), parent="", recipe=recipe, rate=recipe.learning_rate,
        facts=[TaughtFact((number,)) for number in range(len(made))],
        pace=Pace(tokens, tokens, recipe.mastery, review=0.0),  # one pass over all
        deepspeed=read_config(zero), scratch=scratch, examples=made,
        checkpoint_every=1 << 30,
        compute_options=ComputeOptions.of(plain),
    )  # fmt: skip


# ------------------------------------------------------------------------------ runs


def run(shape: Shape, variant: dict[str, Any], zero: str) -> dict[str, float]:
    """Train in this process; seconds, memory and the leak."""
    import torch

    from repobuild.model.adapter import train
    from repobuild.model.adapter.training_run import TrainingRun

    ends: list[float] = []
    train.load_model = lambda *_: model(shape)
    with tempfile.TemporaryDirectory() as scratch:
        made = job(shape, variant, Path(scratch), zero)
        started = TrainingRun.start(made, lambda told: None)
        started.open_pass()
        plan = started.batches
        train.train(made, lambda told: ends.append(time.perf_counter()))
    tokens = [sum(len(made.examples[n].tokens) for r in b for n in r) for b in plan]
    rows = [sum(map(len, batch)) / len(batch) for batch in plan]
    timed = slice(min(UNTIMED, len(ends) - 2) + 1, len(ends))
    seconds = ends[-1] - ends[timed.start - 1]
    apart, joined = leak(shape.small(), variant)
    found = {
        "speed": sum(tokens[timed]) / seconds,
        "padding": 1 - sum(tokens) / (len(plan) * shape.rows * shape.length),
        "samples": sum(rows) / len(rows),
        "leak": apart,
        "joined": joined,
    }
    if torch.cuda.is_available():
        found["memory"] = torch.cuda.max_memory_allocated() / 2**30
    return found


def leak(shape: Shape, variant: dict[str, Any]) -> tuple[float, float]:
    """Relative difference of the loss of packed rows to that of single ones.

    And what it is when the samples of a row do see each other.
    """
    import torch

    from repobuild.model.adapter.packing import collate
    from repobuild.model.compute.attention import use_attention
    from repobuild.model.compute.loss import use_answer_loss

    made = examples(shape)[:6]
    causal = model(shape, 0.2)
    use_attention(causal, variant["attention"])
    causal.get_base_model = lambda: causal
    use_answer_loss(causal, bf16=True)

    def loss(rows: list[Any], joined: bool = False) -> float:
        tensors = {k: v.to(causal.device) for k, v in collate(rows, 0).items()}
        if joined:
            one = torch.arange(tensors["input_ids"].shape[1], device=causal.device)
            tensors["position_ids"] = one.expand(len(rows), -1)
        with torch.no_grad():
            return float(causal(**tensors).loss)

    sizes = [len(e.tokens) - e.answer_start for e in made]
    apart = sum(loss([[e]]) * n for e, n in zip(made, sizes, strict=True)) / sum(sizes)
    packed = [made[:3], made[3:]]
    found = (loss(packed), loss(packed, joined=True))
    return abs(found[0] - apart) / apart, abs(found[1] - apart) / apart


# ---------------------------------------------------------------------------- report


def measured(given: argparse.Namespace) -> Iterator[tuple[str, dict[str, float]]]:
    """Each variant that can run here, in a process of its own."""
    own = [sys.executable, "-m", "tests.benchmarks.gpu_training", *sys.argv[1:]]
    for name, variant in VARIANTS.items():
        flash = variant["attention"].startswith("flash")
        if given.only not in name or (
            flash and not importlib.util.find_spec("flash_attn")
        ):
            continue
        if variant.get("compile") and not gpu():
            continue  # a minute of a C++ compiler, and no figure
        done = one([*own, "--one", name])
        if isinstance(done, str):
            print(f"{name}: failed\n{done}", file=sys.stderr, flush=True)
        else:
            yield name, done


def one(words: list[str]) -> dict[str, float] | str:
    """What a run says, or the end of its complaint."""
    try:
        done = subprocess.run(
            words, env=ENVIRONMENT, cwd=ROOT, text=True, capture_output=True,
            timeout=PROCESS_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"not done after {PROCESS_SECONDS} s"
    if done.returncode:
        return done.stderr[-800:]
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def report(shape: Shape, found: dict[str, dict[str, float]], device: str) -> str:
    rows = []
    for name, run in found.items():
        variant = VARIANTS[name]
        again = variant.get("recomputed", 1.0) * variant.get("checkpointing", False)
        share = run["speed"] * (4 + 2 * again) * shape.parameters / PEAK
        rows.append([
            name, f"{run['speed']:,.0f}", f"{share:.1%}",
            f"{run['memory']:.1f} GiB" if "memory" in run else "",
            f"{run['padding']:.1%}", f"{run['samples']:.0f}",
            f"{run['leak']:.0e}, {run['joined']:.0e}",
        ])  # fmt: skip
    head = [
        "",
        "tokens/s",
        "share of peak",
        "peak memory",
        "padding",
        "samples a row",
        "leak",
    ]
    told = [f"{device}; {shape}; N = {shape.parameters:,}", markdown(head, rows)]
    return "\n\n".join([*told, bars(held(found))] if gpu() else told)


def held(found: dict[str, dict[str, float]]) -> Iterator[Bar]:
    best = max((run["speed"] for run in found.values()), default=0.0)
    for what, bar in (("floor", FLOOR), ("goal", GOAL)):
        yield Bar(what, f"{bar:,} tokens/s", f"{best:,.0f} tokens/s", best >= bar)


def gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in vars(Shape()).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--only", default="", help="part of a variant's name")
    parser.add_argument("--deepspeed", default="zero0")
    parser.add_argument("--one", choices=list(VARIANTS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    shape = Shape(**{name: getattr(given, name) for name in vars(Shape())})
    if given.one:
        print(json.dumps(run(shape, VARIANTS[given.one], given.deepspeed)))
        return
    import torch

    device = torch.cuda.get_device_name() if gpu() else "CPU, no figure of worth"
    print(report(shape, dict(measured(given)), device))


if __name__ == "__main__":
    main()
