"""Train the bundled base model `tiny` on code and on questions about repositories.

    python -m repobuild.model.bundled.packages CORPUS SITE_PACKAGES...
    python -m repobuild.model.bundled.corpus_facts CORPUS
    python -m repobuild.model.bundled.pretrain CORPUS --out tiny --minutes 80 --compile
    python -m repobuild.model.bundled.pretrain CORPUS --out tiny    # again: continues

`--base MODEL` starts from the weights and the tokenizer of an earlier model; without it
both are learnt from nothing. `--out` always holds a complete model that
`from_pretrained` loads: every few minutes a new one is written next to it and renamed.
The float32 weights and the optimizer state are in `OUT.training/`, as safetensors; a
run that finds them there continues from them. Beside other work, two threads that wait
for each other lose most of their time unless they sleep: set OMP_WAIT_POLICY=PASSIVE
(1.4 s a step, where spinning took 5.5 s).

The learning rate depends on the clock, not on the step: it warms up, then falls along a
cosine that ends when the minutes are spent. A busy machine makes fewer steps, and the
last weights are still the best ones.

From top to bottom: recipe, model and loss, saved state, training, command line.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import random
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from repobuild.model.bundled import tokenizer as bpe
from repobuild.model.bundled.question_texts import render_chat
from repobuild.model.bundled.training_rows import (
    Corpus,
    Mix,
    Rows,
    draw_conversations,
    epoch_rows,
    held_out_rows,
    read_corpus,
)
from repobuild.model.load.pretrained import read_model, read_tokenizer

Clock = Callable[[], float]
BatchLoss = Callable[..., torch.Tensor]  # `batch_loss`, or compiled from it


@dataclass(frozen=True, slots=True)
class PretrainRecipe:
    """Everything that decides the weights, except the machine's speed."""

    # Model: 4096 * 256 + 5 * (256 * 256 * 2 + 256 * 128 * 2 + 3 * 256 * 768) = 5.0 M
    vocabulary: int = bpe.VOCABULARY  # entries; embedding and output share 1.0 M
    hidden: int = 256
    layers: int = 5
    heads: int = 4
    kv_heads: int = 2
    head_size: int = 64
    feed_forward: int = 768
    context: int = 4096  # positions in the model's configuration
    rope_theta: float = 100_000.0

    # Texts
    sequence: int = 512  # tokens; a piece of a file or six conversations
    mix: Mix = Mix()

    # Optimizer: 8 * 512 = 4,096 tokens a step
    batch: int = 8
    learning_rate: float = 1e-3
    last_rate: float = 0.02  # share of the peak when the minutes are spent
    warm_up: float = 0.02  # share of the minutes
    weight_decay: float = 0.1  # of matrices only
    beta1: float = 0.9
    beta2: float = 0.95
    clip: float = 1.0
    minutes: float = 80.0
    seed: int = 1

    # Reports
    first_save: float = 1.0  # minute
    save_every: float = 5.0  # minutes
    score_every: float = 8.0  # minutes
    score_windows: int = 24  # 24 * 512 = 12,288 held-out tokens of each kind


@dataclass(slots=True)
class PretrainProgress:
    """Position and scores of a run; saved in `state.json`."""

    step: int = 0
    epoch: int = 0
    window: int = 0  # next row of the epoch
    tokens: int = 0
    seconds: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)


# ------------------------------------------------------------------------- model


def build_model(recipe: PretrainRecipe) -> Qwen3ForCausalLM:
    """Return a Qwen3 model with random float32 weights."""
    torch.manual_seed(recipe.seed)
    special = {token: i for i, token in enumerate(bpe.SPECIAL_TOKENS)}
    config = Qwen3Config(
        vocab_size=recipe.vocabulary,
        hidden_size=recipe.hidden,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.kv_heads,
        head_dim=recipe.head_size,
        intermediate_size=recipe.feed_forward,
        max_position_embeddings=recipe.context,
        rope_parameters={"rope_type": "default", "rope_theta": recipe.rope_theta},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=special[bpe.TURN_END],
        pad_token_id=special[bpe.FIM_PAD],
    )
    return Qwen3ForCausalLM(config)


def load_base(folder: Path) -> Qwen3ForCausalLM:
    """Return an earlier model with its weights in float32."""
    return cast(Qwen3ForCausalLM, read_model(folder, torch.float32))


def build_optimizer(
    model: Qwen3ForCausalLM, recipe: PretrainRecipe
) -> torch.optim.AdamW:
    """Return AdamW with weight decay for matrices, none for norms.

    Source: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization".
    """
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [
        {"params": matrices, "weight_decay": recipe.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    betas = (recipe.beta1, recipe.beta2)
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=betas, fused=True)


def batch_loss(
    model: Qwen3ForCausalLM, rows: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Return the mean loss of rows (B, T + 1) over the targets of weight 1 (B, T).

    Products are in bfloat16; weights of the model and logits stay in float32.
    """
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(input_ids=rows[:, :-1], use_cache=False).logits  # (B, T, V)
    targets = rows[:, 1:].flatten()
    losses = F.cross_entropy(logits.float().flatten(0, 1), targets, reduction="none")
    mask = weights.flatten().float()
    return (losses * mask).sum() / mask.sum().clamp(min=1.0)


def learning_rate(recipe: PretrainRecipe, spent: float) -> float:
    """Return the rate after the share `spent` of the minutes: warm-up, then cosine.

    Source: Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm
    Restarts" (one cycle, no restart).
    """
    if spent < recipe.warm_up:
        return recipe.learning_rate * max(spent / recipe.warm_up, 0.01)
    phase = min(1.0, (spent - recipe.warm_up) / (1 - recipe.warm_up))
    cosine = 0.5 * (1 + math.cos(math.pi * phase))
    return recipe.learning_rate * (recipe.last_rate + (1 - recipe.last_rate) * cosine)


@torch.no_grad()
def held_out_loss(
    model: Qwen3ForCausalLM,
    held_out: Mapping[str, Rows],
    most: int,
    batch: int,
    loss: BatchLoss = batch_loss,
) -> dict[str, float]:
    """Return the held-out loss (nats) of each kind, per target token.

    At most `most` rows of each kind are measured, `batch` at a time.
    """
    result: dict[str, float] = {}
    for kind, rows in held_out.items():
        total = count = 0.0
        for begin in range(0, min(most, len(rows)), batch):
            part = np.arange(begin, min(begin + batch, most, len(rows)))
            ids, weights = tensors(rows.select(part))
            tokens = weights.sum().item()
            total += loss(model, ids, weights).item() * tokens
            count += tokens
        if count:
            result[f"{kind}_loss_per_token"] = round(total / count, 4)
    return result


def tensors(rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids (B, T + 1) and weights (B, T) as PyTorch wants them."""
    return torch.from_numpy(rows.ids.astype(np.int64)), torch.from_numpy(rows.weights)


# ------------------------------------------------------------------------- state


def replace_folder(folder: Path, new: Path) -> None:
    """Rename `new` to `folder`; a crash leaves the old or the new one complete."""
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def save_state(
    folder: Path,
    model: Qwen3ForCausalLM,
    optimizer: torch.optim.AdamW,
    progress: PretrainProgress,
    recipe: PretrainRecipe,
) -> None:
    """Save what a later run needs to equal an uninterrupted one, bit for bit."""
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    weights = dict(model.named_parameters())  # the tied output layer is not repeated
    save_file({n: p.detach() for n, p in weights.items()}, new / "weights.safetensors")
    moments = {
        f"{name}/{key}": value
        for name, weight in weights.items()
        for key, value in optimizer.state[weight].items()
    }
    save_file(moments, new / "optimizer.safetensors")
    state = {"progress": asdict(progress), "recipe": asdict(recipe)}
    (new / "state.json").write_text(json.dumps(state, indent=1) + "\n")
    replace_folder(folder, new)


def load_state(
    folder: Path,
    model: Qwen3ForCausalLM,
    optimizer: torch.optim.AdamW,
    recipe: PretrainRecipe,
) -> PretrainProgress:
    """Load what `save_state` saved; return a fresh `PretrainProgress` without a state.

    Raises `SystemExit` when the state is from another recipe.
    """
    if not (folder / "state.json").exists():
        return PretrainProgress()
    state = json.loads((folder / "state.json").read_text())
    if state["recipe"] != asdict(recipe):
        raise SystemExit(
            f"'{folder}' was trained by another recipe; remove it to start again"
        )
    model.load_state_dict(load_file(folder / "weights.safetensors"), strict=False)
    names = dict(model.named_parameters())
    for key, value in load_file(folder / "optimizer.safetensors").items():
        name, _, moment = key.rpartition("/")
        optimizer.state[names[name]][moment] = value
    return PretrainProgress(**state["progress"])


def export(
    run: PretrainRun, model: Qwen3ForCausalLM, progress: PretrainProgress
) -> None:
    """Write the model folder: bfloat16 weights, tokenizer, recipe and model card."""
    out = run.out
    new = out.with_name(f"{out.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    shipped = Qwen3ForCausalLM(model.config)
    shipped.load_state_dict(model.state_dict())
    shipped.bfloat16()
    ends = [model.config.eos_token_id, 0]  # end of turn, end of text
    shipped.generation_config = GenerationConfig.from_dict(
        {
            "do_sample": False,
            "eos_token_id": ends,
            "pad_token_id": model.config.pad_token_id,
        }
    )
    shipped.save_pretrained(new)
    run.tokenizer.save_pretrained(new)
    facts = {
        "recipe": asdict(run.recipe),
        "progress": asdict(progress),
        "parameters": sum(p.numel() for p in model.parameters()),
        "python": platform.python_version(),
        "machine": f"{os.cpu_count()} CPU cores, {platform.machine()}",
        "torch": torch.__version__,
        "command": " ".join(
            ["python -m repobuild.model.bundled.pretrain", *sys.argv[1:]]
        ),
        "base": None if run.base is None else base_recipe(run.base),
        "packages": list(run.packages),
    }
    (new / "recipe.json").write_text(json.dumps(facts, indent=1) + "\n")
    (new / "README.md").write_text(model_card(facts, progress))
    replace_folder(out, new)


def base_recipe(folder: Path) -> Mapping[str, object]:
    """Return how the model was trained that a run starts from."""
    recipe = folder / "recipe.json"
    facts: Mapping[str, object] = json.loads(recipe.read_text("utf-8"))
    return {"model": folder.resolve().name, **facts}


def model_card(facts: Mapping[str, object], progress: PretrainProgress) -> str:
    """Return the model card: what the model is, its scores, how it was made."""
    rows = [
        f"| {name.removesuffix('_loss_per_token')} | {loss:.3f} |"
        for name, loss in progress.scores.items()
    ]
    scores = "\n".join(rows or ["| not measured yet | |"])
    return f"""---
license: other
license_name: permissive-sources
language: [en, zh]
pipeline_tag: text-generation
---

# tiny: the embedded base model of repobuild

A causal language model of the Qwen3 architecture with {facts["parameters"]:,}
parameters and a byte-level BPE tokenizer of its own.  It was trained on the standard
library of Python {facts["python"]} and on permissively licensed packages: their code,
fill-in-the-middle, and questions about them in English and Chinese, with and without
facts before the question.  It is there to be adapted to a repository, not to be asked
about the world.

Held-out loss (nats per token; of questions, per token of the answer), on files and
packages that were never trained on:

| texts | loss |
|---|---|
{scores}

Trained on {progress.tokens:,} tokens in {progress.seconds / 60:.0f} minutes and
{progress.step:,} steps, on {facts["machine"]}, by

    {facts["command"]}

`recipe.json` holds every setting, the name, version, licence and digest of every
package, and how the model was trained that this one started from.
"""


# ---------------------------------------------------------------------- training


@dataclass(frozen=True, slots=True)
class PretrainRun:
    """One training run: its recipe, its texts, its output folder and its clock."""

    recipe: PretrainRecipe
    out: Path
    tokenizer: PreTrainedTokenizerFast
    corpus: Corpus
    held_out: Mapping[str, Rows]
    base: Path | None = None  # the model whose weights the run starts from
    packages: Sequence[Mapping[str, object]] = ()  # for the recipe
    clock: Clock = time.monotonic
    loss: BatchLoss = batch_loss
    most_steps: int | None = None  # stop early, as an interruption would
    log: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)

    @property
    def state(self) -> Path:
        """Return the folder of float32 weights, optimizer and progress."""
        return self.out.with_name(f"{self.out.name}.training")

    def rows(self, epoch: int) -> Rows:
        """Return the rows of an epoch."""
        recipe = self.recipe
        seed = (recipe.seed, epoch)
        return epoch_rows(
            self.corpus, recipe.mix, self.tokenizer, recipe.sequence, seed
        )


def train(run: PretrainRun) -> PretrainProgress:
    """Train until the minutes are spent; log, score and save on the way."""
    recipe = run.recipe
    model = build_model(recipe) if run.base is None else load_base(run.base)
    optimizer = build_optimizer(model, recipe)
    progress = load_state(run.state, model, optimizer, recipe)
    rows = run.rows(progress.epoch)
    run.log(f"{len(rows):,} rows an epoch; starting at step {progress.step:,}")

    began = run.clock() - progress.seconds
    first_step = progress.step
    reports = ReportSchedule.start(run, progress)
    while progress.seconds < recipe.minutes * 60:
        if run.most_steps is not None and progress.step - first_step >= run.most_steps:
            break
        if progress.window + recipe.batch > len(rows):
            progress.epoch, progress.window = progress.epoch + 1, 0
            rows = run.rows(progress.epoch)
        batch = rows.select(np.arange(progress.window, progress.window + recipe.batch))

        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, progress.seconds / recipe.minutes / 60)
        loss = run.loss(model, *tensors(batch))
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimizer.step()
        optimizer.zero_grad()

        progress.step += 1
        progress.window += recipe.batch
        progress.tokens += recipe.batch * recipe.sequence
        progress.seconds = run.clock() - began
        reports.after_step(model, optimizer, progress, loss.item())

    score(run, model, progress, 4 * recipe.score_windows)
    save(run, model, optimizer, progress)
    return progress


@dataclass(slots=True)
class ReportSchedule:
    """Log every 50 steps; score and save whenever their minutes have passed."""

    run: PretrainRun
    score_at: float  # seconds of training
    save_at: float
    logged_seconds: float
    logged_tokens: int
    mean_loss: float = math.nan  # moving average

    @classmethod
    def start(cls, run: PretrainRun, progress: PretrainProgress) -> ReportSchedule:
        """Return the schedule of a new or a continued run."""
        recipe, seconds = run.recipe, progress.seconds
        first_save = recipe.save_every if progress.step else recipe.first_save
        return cls(
            run,
            score_at=seconds + recipe.score_every * 60,
            save_at=seconds + first_save * 60,
            logged_seconds=seconds,
            logged_tokens=progress.tokens,
        )

    def after_step(
        self,
        model: Qwen3ForCausalLM,
        optimizer: torch.optim.AdamW,
        progress: PretrainProgress,
        loss: float,
    ) -> None:
        """Count the step's loss; do what is due."""
        run, recipe = self.run, self.run.recipe
        new = math.isnan(self.mean_loss)
        self.mean_loss = loss if new else 0.98 * self.mean_loss + 0.02 * loss
        if progress.step % 50 == 0:
            self._log(progress)
        if progress.seconds >= self.score_at:
            score(run, model, progress, recipe.score_windows)
            self.score_at += recipe.score_every * 60
        if progress.seconds >= self.save_at:
            save(run, model, optimizer, progress)
            self.save_at += recipe.save_every * 60

    def _log(self, progress: PretrainProgress) -> None:
        seconds = progress.seconds - self.logged_seconds
        rate = (progress.tokens - self.logged_tokens) / max(seconds, 1e-9)
        self.logged_seconds, self.logged_tokens = progress.seconds, progress.tokens
        self.run.log(
            f"step {progress.step:,} epoch {progress.epoch} loss {self.mean_loss:.3f} "
            f"{rate:,.0f} tokens/s {progress.tokens / 1e6:.1f} M tokens "
            f"{progress.seconds / 60:.1f} of {self.run.recipe.minutes:g} minutes"
        )


def score(
    run: PretrainRun,
    model: Qwen3ForCausalLM,
    progress: PretrainProgress,
    windows_of_kind: int,
) -> None:
    """Measure the held-out loss, keep it in the progress and log it."""
    progress.scores = held_out_loss(
        model, run.held_out, windows_of_kind, run.recipe.batch, run.loss
    )
    run.log(f"step {progress.step:,} held out {json.dumps(progress.scores)}")


def save(
    run: PretrainRun,
    model: Qwen3ForCausalLM,
    optimizer: torch.optim.AdamW,
    progress: PretrainProgress,
) -> None:
    """Save the state, then the model folder, which could be made from the state."""
    save_state(run.state, model, optimizer, progress, run.recipe)
    export(run, model, progress)
    run.log(f"step {progress.step:,} saved '{run.out}'")


def prepare(
    recipe: PretrainRecipe, folder: Path, out: Path, base: Path | None
) -> PretrainRun:
    """Read the texts and the tokenizer; learn one where there is none."""
    trained = read_corpus(folder, held_out=False)
    if base is None:
        tokenizer = learn_tokenizer(recipe, trained, out)
    else:
        tokenizer = cast(PreTrainedTokenizerFast, read_tokenizer(base))
    held_out = read_corpus(folder, held_out=True)
    rows = held_out_rows(held_out, tokenizer, recipe.sequence, 4 * recipe.score_windows)
    packages = json.loads((folder / "packages.json").read_text("utf-8"))
    return PretrainRun(recipe, out, tokenizer, trained, rows, base, packages)


def learn_tokenizer(
    recipe: PretrainRecipe, trained: Corpus, out: Path
) -> PreTrainedTokenizerFast:
    """Learn a tokenizer from all code and one epoch's questions, unless a run did."""
    folder = out.with_name(f"{out.name}.tokenizer")
    if not folder.exists():
        rng = random.Random(recipe.seed)
        texts = [*trained.library, *trained.packages]
        for asked in draw_conversations(trained.facts, recipe.mix, rng):
            texts.append("".join(render_chat(asked.question, asked.answer)))
        learned = bpe.train_tokenizer(texts, recipe.vocabulary, recipe.context)
        new = folder.with_name(f"{folder.name}.new")
        learned.save_pretrained(new)
        replace_folder(folder, new)
    return cast(PreTrainedTokenizerFast, read_tokenizer(folder))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, prepare the texts and train."""
    parser = argparse.ArgumentParser(prog="python -m repobuild.model.bundled.pretrain")
    parser.add_argument("corpus", type=Path, help="the folder of `packages`")
    parser.add_argument("--out", type=Path, required=True, help="the model's folder")
    parser.add_argument("--base", type=Path, help="a model whose weights to start from")
    parser.add_argument("--compile", action="store_true", help="needs a C++ compiler")
    for name in ("minutes", "seed", "layers", "batch", "sequence", "learning_rate"):
        default = getattr(PretrainRecipe(), name)
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=type(default), default=default
        )
    settings = vars(parser.parse_args(arguments))
    folder, out, base, compiled = (
        settings.pop(name) for name in ("corpus", "out", "base", "compile")
    )
    run = prepare(PretrainRecipe(**settings), folder, out, base)
    run.log(
        f"{len(run.corpus.facts):,} repositories; pieces of code: "
        f"{len(run.corpus.library):,} library, {len(run.corpus.packages):,} packages"
    )
    train(replace(run, loss=torch.compile(batch_loss) if compiled else batch_loss))


if __name__ == "__main__":
    main()
