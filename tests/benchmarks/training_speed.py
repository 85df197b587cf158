"""Trained answer tokens a second: our training against a plain Trainer.

    python -m tests.benchmarks.training_speed REPOSITORY [--steps 80] [--rounds 5]

The samples are those of the repository, as exported; every run trains the same ones,
each once, on the embedded model, with LoRA of the default rank on the same layers, in
bfloat16, with the same number of tokens a step. Runs are whole processes in turn.

    ours      `repobuild.model.adapter.train.train`, as the task `adapter` calls it
    plain     transformers' Trainer and peft as most people write it: samples in random
              order, padded to the longest of a batch, logits of all tokens
    defaults  the same with the Trainer's own batch of 8 samples

Counted from the end of the first step to the end of the last, in seconds of CPU time,
because other work shares the machine; wall time stands beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.table import Bar, bars, machine, markdown
from tests.benchmarks.tool import ENVIRONMENT, ROOT

KINDS = ("ours", "plain", "defaults")
SEED = 7
LEAST = 1.5


@dataclass
class Clock:
    """Times at the end of each step, and the answer tokens that it trained."""

    answers: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    padded: list[int] = field(default_factory=list)
    ends: list[tuple[float, float]] = field(default_factory=list)

    def tick(self, *_: Any) -> None:
        self.ends.append((time.perf_counter(), time.process_time()))

    def rows(self, rows: Sequence[Sequence[Any]]) -> None:
        """Note a batch; a row is a list of examples."""
        lengths = [sum(len(e.tokens) for e in row) for row in rows]
        self.tokens.append(sum(lengths))
        self.padded.append(max(lengths) * len(rows))
        self.answers.append(
            sum(len(e.tokens) - e.answer_start for r in rows for e in r)
        )

    def found(self) -> dict[str, float]:
        """What one run says of itself."""
        steps = len(self.ends)
        wall, cpu = (self.ends[-1][n] - self.ends[0][n] for n in (0, 1))
        answers = sum(self.answers[1:steps])
        return {
            "steps": steps,
            "cpu": answers / cpu,
            "wall": answers / wall,
            "tokens": sum(self.tokens[:steps]) / steps,
            "padding": 1 - sum(self.tokens[:steps]) / sum(self.padded[:steps]),
        }


def settings() -> dict[str, Any]:
    from repobuild.settings_schema import defaults

    return defaults()


def examples(export: Path, tokens: int) -> list[Any]:
    """So many tokens of trained samples, drawn evenly, tokenised as `adapter` does."""
    from repobuild.model.base import load_tokenizer, resolve_base
    from repobuild.model.conversation import Conversation

    chosen = settings()
    conversation = Conversation(load_tokenizer(resolve_base(chosen)))
    rows = list(map(json.loads, (export / "train.jsonl").open(encoding="utf-8")))
    random.Random(SEED).shuffle(rows)
    kept: list[Any] = []
    while rows and tokens > 0:
        part = [_sample(rows.pop()) for _ in range(min(64, len(rows)))]
        found = conversation.tokenise(part, chosen["adapter.sequence_length"]).kept
        kept += found
        tokens -= sum(len(e.tokens) for e in found)
    return kept


def _sample(row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    about = row["metadata"]
    question, answer = (turn["content"] for turn in row["conversations"][:2])
    sample = {"task": about["task_type"], "question": question, "answer": answer}
    return about["id"], sample


# ------------------------------------------------------------------------------ runs


def ours(made: list[Any], scratch: Path, clock: Clock) -> None:
    """Bucketed rows, logits of answers, general text, DeepSpeed, checkpoints."""
    from repobuild.model.adapter.recipe import ComputeOptions, Recipe, TrainingJob
    from repobuild.model.adapter.train import train
    from repobuild.model.adapter.training_run import TrainingRun
    from repobuild.model.base import load_tokenizer, resolve_base
    from repobuild.model.compute.deepspeed_config import read_config
    from repobuild.model.conversation import Conversation
    from repobuild.model.teaching.general_text import read_windows, window_tokens
    from repobuild.model.teaching.scheduler import Pace, TaughtFact

    chosen = settings()
    base, recipe = resolve_base(chosen), Recipe.of(chosen)
    conversation = Conversation(load_tokenizer(base), base.fim)
    tokens = sum(len(example.tokens) for example in made)
    job = TrainingJob(
        base=base, parent="", recipe=recipe, rate=recipe.learning_rate,
        facts=[TaughtFact((number,)) for number in range(len(made))],
        pace=Pace(tokens, tokens, recipe.mastery, review=0.0),  # one pass over all
        deepspeed=read_config(chosen["adapter.deepspeed"]),
        scratch=scratch, examples=made, compute_options=ComputeOptions.of(chosen),
        general=read_windows(
            conversation, window_tokens(recipe.batch_tokens, recipe.keep)
        ),
    )  # fmt: skip
    run = TrainingRun.start(job, clock.tick)
    run.open_pass()
    for batch in run.batches:
        clock.rows([[made[number] for number in row] for row in batch])
    train(job, clock.tick)


def trainer(made: list[Any], scratch: Path, clock: Clock, size: int) -> None:
    """As most people write it; `size` samples a batch."""
    import torch
    from peft import LoraConfig, get_peft_model
    from torch.nn.utils.rnn import pad_sequence
    from transformers import (
        AutoModelForCausalLM,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    from repobuild.model.adapter.recipe import Recipe
    from repobuild.model.base import resolve_base

    chosen = settings()
    recipe = Recipe.of(chosen)

    class Ticks(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            clock.tick()

    def padded(batch: list[Any]) -> dict[str, torch.Tensor]:
        clock.rows([[e] for e in batch])
        parts = {
            "input_ids": ([e.tokens for e in batch], 0),
            "attention_mask": ([[1] * len(e.tokens) for e in batch], 0),
            "labels": ([e.labels for e in batch], -100),
        }
        return {
            name: pad_sequence([torch.tensor(r) for r in rows], True, fill)
            for name, (rows, fill) in parts.items()
        }

    base = AutoModelForCausalLM.from_pretrained(
        resolve_base(chosen).source, dtype=torch.bfloat16
    )
    config = LoraConfig(
        r=recipe.rank, lora_alpha=recipe.alpha, task_type="CAUSAL_LM",
        target_modules=list(recipe.targets),
    )  # fmt: skip
    arguments = TrainingArguments(
        output_dir=str(scratch), per_device_train_batch_size=size, num_train_epochs=1,
        learning_rate=recipe.learning_rate, bf16=True, use_cpu=True, report_to="none",
        save_strategy="no", disable_tqdm=True, remove_unused_columns=False,
    )  # fmt: skip
    Trainer(
        model=get_peft_model(base, config), args=arguments, train_dataset=made,
        data_collator=padded, callbacks=[Ticks()],
    ).train()  # fmt: skip


def run(kind: str, data: Path, threads: int) -> dict[str, float]:
    """One run, in this process."""
    import torch

    from repobuild.model.conversation import Example

    torch.set_num_threads(threads)
    made = [Example(**row) for row in json.loads(data.read_text("utf-8"))]
    mean = sum(len(e.tokens) for e in made) / len(made)
    clock = Clock()
    with tempfile.TemporaryDirectory() as scratch:
        if kind == "ours":
            ours(made, Path(scratch), clock)
        else:
            tokens = settings()["adapter.batch_tokens"]
            # As many samples as our batches hold, whose padding counts.
            size = max(1, round(0.9 * tokens / mean)) if kind == "plain" else 8
            trainer(made, Path(scratch), clock, size)
    return clock.found()


# ---------------------------------------------------------------------------- report


def race(data: Path, rounds: int, threads: int) -> dict[str, list[dict[str, float]]]:
    """Every kind in turn, again and again, each in a process of its own."""
    times: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    own = [sys.executable, "-m", "tests.benchmarks.training_speed", "--data", str(data)]
    environment = {**ENVIRONMENT, "OMP_NUM_THREADS": str(threads)}
    for number in range(rounds):
        for kind in KINDS:
            words = [*own, "--one", kind, "--threads", str(threads)]
            done = subprocess.run(
                words, env=environment, cwd=ROOT, check=True,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
            times[kind].append(json.loads(done.stdout.splitlines()[-1]))
            print(number, kind, times[kind][-1], file=sys.stderr, flush=True)
    return times


def report(times: dict[str, list[dict[str, float]]]) -> str:
    middle = {
        kind: {name: statistics.median(run[name] for run in runs) for name in runs[0]}
        for kind, runs in times.items()
    }
    ratios = {
        kind: statistics.median(
            mine["cpu"] / other["cpu"]
            for mine, other in zip(times["ours"], runs, strict=True)
        )
        for kind, runs in times.items()
    }
    measures = ("answer tokens a CPU second", "a second of wall time", "ours to it")
    head = ["", "tokens a step", "padding", *measures]
    rows = [
        [
            kind,
            f"{found['tokens']:.0f}",
            f"{found['padding']:.1%}",
            f"{found['cpu']:,.0f}",
            f"{found['wall']:,.0f}",
            f"{ratios[kind]:.2f} x",
        ]
        for kind, found in middle.items()
    ]
    bar = Bar(
        "trained answer tokens, to a plain Trainer", f"at least {LEAST} times",
        f"{ratios['plain']:.2f} times", ratios["plain"] >= LEAST,
    )  # fmt: skip
    return f"{bars([bar])}\n\n{markdown(head, rows)}"


def exported(repository: Path, folder: Path) -> Path:
    """A clone of the repository built up to `dataset`, and its samples."""
    place, out = folder / "clone", folder / "dataset"
    words = [sys.executable, "-P", "-m", "repobuild"]
    subprocess.run(["git", "clone", "-q", str(repository), str(place)], check=True)
    for more in (["--until", "dataset"], ["export", "dataset", "-o", str(out)]):
        subprocess.run(
            [*words, *more], cwd=place, env=ENVIRONMENT, check=True,
            capture_output=True,
        )  # fmt: skip
    return out


def versions() -> Iterator[tuple[str, str]]:
    from importlib.metadata import version

    for name in ("deepspeed", "peft", "torch", "transformers"):
        yield name, version(name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path, nargs="?")
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--one", choices=KINDS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(run(given.one, given.data, given.threads)))
        return
    print(machine(dict(versions())))
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "examples.json"
        tokens = given.steps * settings()["adapter.batch_tokens"]
        made = examples(exported(given.repository.resolve(), Path(folder)), tokens)
        data.write_text(json.dumps([asdict(e) for e in made]))
        print(report(race(data, given.rounds, given.threads)))


if __name__ == "__main__":
    os.environ.setdefault("DS_ACCELERATOR", "cpu")
    main()
