"""Train the bundled base model `tiny` from scratch on the standard library.

    python -m repobuild.model.bundled.pretrain --out cache/tiny --minutes 80 --compile
    python -m repobuild.model.bundled.pretrain --out cache/tiny     # again: continues
    python -m repobuild.model.bundled.pretrain --out /tmp/t --minutes 2 --layers 2

`--out` always holds a complete model that `from_pretrained` loads: every few minutes a
new one is written next to it and renamed. The float32 weights and the optimizer state
are in `OUT.training/`, as safetensors; a run that finds them there continues from them.

The learning rate depends on the clock, not on the step: it warms up, then falls along a
cosine that ends when the minutes are spent. A busy machine makes fewer steps, and the
last weights are still the best ones.

From top to bottom: recipe, texts, model and loss, saved state, training, command line.
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from repobuild import resources
from repobuild.model.bundled import corpus
from repobuild.model.bundled import tokenizer as bpe
from repobuild.model.load.pretrained import read_tokenizer

QUESTIONS = resources.data_folder("configs") / "questions"
KINDS = ("code", "fim", "chat")
Tokens = npt.NDArray[np.uint16]
Clock = Callable[[], float]


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
    sequence: int = 512  # tokens; a piece of a file or four questions
    fim_share: float = 0.2  # share of pieces that get a hole
    chat_share: float = 0.25  # share of tokens in questions and answers
    chat_longest: int = 256  # tokens

    # Optimizer: 8 * 512 = 4,096 tokens a step
    batch: int = 8
    learning_rate: float = 2e-3
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
    save_every: float = 8.0  # minutes
    score_every: float = 4.0  # minutes
    score_windows: int = 24  # 24 * 512 = 12,288 held-out tokens of each kind


@dataclass(slots=True)
class PretrainProgress:
    """Position and scores of a run; saved in `state.json`."""

    step: int = 0
    epoch: int = 0
    window: int = 0  # next window of the epoch
    tokens: int = 0
    seconds: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TokenisedTexts:
    """Tokenised documents of one kind, laid end to end."""

    ids: Tokens  # (tokens,)
    starts: npt.NDArray[np.int64]  # (documents + 1,)
    size: int  # bytes of the texts

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, index: int) -> Tokens:
        return self.ids[self.starts[index] : self.starts[index + 1]]


# ------------------------------------------------------------------------- texts


def documents(
    files: Sequence[corpus.SourceFile],
    questions: Sequence[corpus.QuestionLanguage],
    seed: int,
) -> list[corpus.CorpusDocument]:
    """Return every piece as code and with a hole, in the same order, and all chats."""
    rng = random.Random(seed)
    result: list[corpus.CorpusDocument] = []
    for file in files:
        for code in corpus.code_documents(file):
            result += [code, corpus.fim_document(code, rng)]
        result += corpus.chat_documents(file, questions, rng)
    return result


def tokenizer_texts(texts: Sequence[corpus.CorpusDocument]) -> Iterator[str]:
    """Yield code and a third of the chats: the proportion of one training epoch."""
    chats = 0
    for document in texts:
        if document.held_out or document.kind == "fim":
            continue
        chats += document.kind == "chat"
        if document.kind == "code" or chats % 3 == 0:
            yield document.text


def tokenise(
    tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], longest: int
) -> TokenisedTexts:
    """Tokenise each text and add the end-of-text token.

    Texts that would have more than `longest` tokens are left out.
    """
    end = tokenizer.convert_tokens_to_ids(bpe.END_OF_TEXT)
    rows: list[Tokens] = []
    size = 0
    for begin in range(0, len(texts), 4096):
        batch = texts[begin : begin + 4096]
        for text, row in zip(batch, tokenizer(list(batch))["input_ids"], strict=True):
            if len(row) < longest:
                rows.append(np.array([*row, end], dtype=np.uint16))
                size += len(text.encode())
    starts = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    ids = np.concatenate(rows) if rows else np.zeros(0, dtype=np.uint16)
    return TokenisedTexts(ids, starts, size)


def tokenise_split(
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[corpus.CorpusDocument],
    recipe: PretrainRecipe,
    held_out: bool,
) -> dict[str, TokenisedTexts]:
    """Return the training texts or the held-out texts, tokenised, by kind."""
    result = {}
    for kind in KINDS:
        longest = recipe.chat_longest if kind == "chat" else 1 << 30
        chosen = [d.text for d in texts if d.kind == kind and d.held_out == held_out]
        result[kind] = tokenise(tokenizer, chosen, longest)
    return result


def epoch_windows(
    texts: Mapping[str, TokenisedTexts], recipe: PretrainRecipe, epoch: int
) -> Tokens:
    """Return one pass over the code, mixed with chats: (windows, sequence + 1) ids.

    A share of the pieces has a hole, and chats are drawn until they have their share of
    the tokens.
    """
    rng = np.random.default_rng([recipe.seed, epoch])
    code, fim, chat = (texts[kind] for kind in KINDS)
    holes = rng.random(len(code)) < recipe.fim_share
    chosen = [fim[i] if holes[i] else code[i] for i in range(len(code))]
    chat_per_code = recipe.chat_share / (1 - recipe.chat_share)
    tokens_left = chat_per_code * sum(map(len, chosen))
    for i in rng.permutation(len(chat)):
        if tokens_left <= 0:
            break
        chosen.append(chat[i])
        tokens_left -= len(chat[i])
    order = rng.permutation(len(chosen))
    return windows(np.concatenate([chosen[i] for i in order]), recipe.sequence)


def windows(ids: Tokens, sequence: int) -> Tokens:
    """Cut ids into rows (windows, sequence + 1): inputs and one more target.

    Neighbouring rows share one token, so every token but the first is a target once.
    """
    count = (len(ids) - 1) // sequence
    rows = [ids[i * sequence : (i + 1) * sequence + 1] for i in range(count)]
    return np.stack(rows) if rows else np.zeros((0, sequence + 1), dtype=np.uint16)


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


def batch_loss(model: Qwen3ForCausalLM, rows: torch.Tensor) -> torch.Tensor:
    """Return the mean loss of rows (B, T + 1), with products in bfloat16.

    Weights and logits stay in float32.
    """
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(input_ids=rows[:, :-1], use_cache=False).logits  # (B, T, V)
    return F.cross_entropy(logits.float().flatten(0, 1), rows[:, 1:].flatten())


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
    held_out: Mapping[str, TokenisedTexts],
    recipe: PretrainRecipe,
    most: int,
) -> dict[str, float]:
    """Return the held-out loss (nats) of each kind, per token and per byte of text.

    At most `most` windows of each kind are measured.
    """
    result: dict[str, float] = {}
    for kind, texts in held_out.items():
        rows = torch.from_numpy(windows(texts.ids, recipe.sequence)[:most].astype(int))
        if not len(rows):
            continue
        starts = range(0, len(rows), recipe.batch)
        parts = [rows[i : i + recipe.batch] for i in starts]
        loss = sum(batch_loss(model, p).item() * len(p) for p in parts) / len(rows)
        result[f"{kind}_loss_per_token"] = round(loss, 4)
        result[f"{kind}_loss_per_byte"] = round(loss * len(texts.ids) / texts.size, 4)
    return result


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
    out: Path,
    model: Qwen3ForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    progress: PretrainProgress,
    recipe: PretrainRecipe,
) -> None:
    """Write the model folder: bfloat16 weights, tokenizer, recipe and model card."""
    new = out.with_name(f"{out.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    shipped = Qwen3ForCausalLM(model.config)
    shipped.load_state_dict(model.state_dict())
    shipped.bfloat16()
    ends = [model.config.eos_token_id, 0]  # end of turn, end of text
    shipped.generation_config = GenerationConfig.from_dict(
        {"eos_token_id": ends, "pad_token_id": model.config.pad_token_id}
    )
    shipped.save_pretrained(new)
    tokenizer.save_pretrained(new)
    facts = {
        "recipe": asdict(recipe),
        "progress": asdict(progress),
        "parameters": sum(p.numel() for p in model.parameters()),
        "python": platform.python_version(),
        "machine": f"{os.cpu_count()} CPU cores, {platform.machine()}",
        "torch": torch.__version__,
        "command": " ".join(
            ["python -m repobuild.model.bundled.pretrain", *sys.argv[1:]]
        ),
    }
    (new / "recipe.json").write_text(json.dumps(facts, indent=1) + "\n")
    (new / "README.md").write_text(model_card(facts, progress))
    replace_folder(out, new)


def model_card(facts: Mapping[str, object], progress: PretrainProgress) -> str:
    """Return the model card: what the model is, its scores, how it was made."""
    rows = [
        f"| {kind} | {progress.scores[f'{kind}_loss_per_token']:.3f} "
        f"| {progress.scores[f'{kind}_loss_per_byte']:.3f} |"
        for kind in KINDS
        if f"{kind}_loss_per_token" in progress.scores
    ]
    scores = "\n".join(rows or ["| not measured yet | | |"])
    return f"""---
license: psf-2.0
language: [en, zh]
pipeline_tag: text-generation
---

# tiny: the embedded base model of repobuild

A causal language model of the Qwen3 architecture with {facts["parameters"]:,}
parameters and a byte-level BPE tokenizer of its own, trained from scratch on the
standard library of Python {facts["python"]} and on questions about it in English and
Chinese.  It knows code, fill-in-the-middle and ChatML; it is there to be adapted to a
repository, not to be asked about the world.

Held-out loss (nats), on files that were never trained on:

| texts | per token | per byte |
|---|---|---|
{scores}

Trained on {progress.tokens:,} tokens in {progress.seconds / 60:.0f} minutes and
{progress.step:,} steps, on {facts["machine"]}, by

    {facts["command"]}

`recipe.json` holds every setting.
"""


# ---------------------------------------------------------------------- training


@dataclass(frozen=True, slots=True)
class PretrainRun:
    """One training run: its recipe, its texts, its output folder and its clock."""

    recipe: PretrainRecipe
    out: Path
    tokenizer: PreTrainedTokenizerFast
    trained: Mapping[str, TokenisedTexts]
    held_out: Mapping[str, TokenisedTexts]
    clock: Clock = time.monotonic
    compile: bool = False
    most_steps: int | None = None  # stop early, as an interruption would
    log: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)

    @property
    def state(self) -> Path:
        """Return the folder of float32 weights, optimizer and progress."""
        return self.out.with_name(f"{self.out.name}.training")


def train(run: PretrainRun) -> PretrainProgress:
    """Train until the minutes are spent; log, score and save on the way."""
    recipe = run.recipe
    model = build_model(recipe)
    optimizer = build_optimizer(model, recipe)
    progress = load_state(run.state, model, optimizer, recipe)
    compute_loss = torch.compile(batch_loss) if run.compile else batch_loss
    rows = epoch_windows(run.trained, recipe, progress.epoch)
    run.log(f"{len(rows):,} windows an epoch; starting at step {progress.step:,}")

    began = run.clock() - progress.seconds
    first_step = progress.step
    reports = ReportSchedule.start(run, progress)
    while progress.seconds < recipe.minutes * 60:
        if run.most_steps is not None and progress.step - first_step >= run.most_steps:
            break
        if progress.window + recipe.batch > len(rows):
            progress.epoch, progress.window = progress.epoch + 1, 0
            rows = epoch_windows(run.trained, recipe, progress.epoch)
        batch = rows[progress.window : progress.window + recipe.batch]

        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, progress.seconds / recipe.minutes / 60)
        loss = compute_loss(model, torch.from_numpy(batch.astype(np.int64)))
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimizer.step()
        optimizer.zero_grad()

        progress.step += 1
        progress.window += recipe.batch
        progress.tokens += recipe.batch * recipe.sequence
        progress.seconds = run.clock() - began
        reports.after_step(model, optimizer, progress, loss.item())

    score(run, model, progress, 8 * recipe.score_windows)
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
    progress.scores = held_out_loss(model, run.held_out, run.recipe, windows_of_kind)
    run.log(f"step {progress.step:,} held out {json.dumps(progress.scores)}")


def save(
    run: PretrainRun,
    model: Qwen3ForCausalLM,
    optimizer: torch.optim.AdamW,
    progress: PretrainProgress,
) -> None:
    """Save the state, then the model folder, which could be made from the state."""
    save_state(run.state, model, optimizer, progress, run.recipe)
    export(run.out, model, run.tokenizer, progress, run.recipe)
    run.log(f"step {progress.step:,} saved '{run.out}'")


def prepare(
    recipe: PretrainRecipe, out: Path, questions: Sequence[corpus.QuestionLanguage]
) -> PretrainRun:
    """Read and tokenise the texts; train the tokenizer unless a run has saved one."""
    folder = out.with_name(f"{out.name}.tokenizer")
    texts = documents(
        list(corpus.source_files(corpus.library_root())), questions, recipe.seed
    )
    if not folder.exists():
        learned = bpe.train_tokenizer(
            tokenizer_texts(texts), recipe.vocabulary, recipe.context
        )
        new = folder.with_name(f"{folder.name}.new")
        learned.save_pretrained(new)
        replace_folder(folder, new)
    tokenizer = cast(PreTrainedTokenizerFast, read_tokenizer(folder))
    trained = tokenise_split(tokenizer, texts, recipe, held_out=False)
    held_out = tokenise_split(tokenizer, texts, recipe, held_out=True)
    return PretrainRun(recipe, out, tokenizer, trained, held_out)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, prepare the texts and train."""
    parser = argparse.ArgumentParser(prog="python -m repobuild.model.bundled.pretrain")
    parser.add_argument("--out", type=Path, required=True, help="the model's folder")
    parser.add_argument(
        "--questions", type=Path, default=QUESTIONS, help="folder of templates"
    )
    parser.add_argument("--compile", action="store_true", help="needs a C++ compiler")
    for name in ("minutes", "seed", "layers", "batch", "sequence", "learning_rate"):
        default = getattr(PretrainRecipe(), name)
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=type(default), default=default
        )
    options = parser.parse_args(arguments)
    settings = vars(options).copy()
    out, folder, compile_it = (
        settings.pop(name) for name in ("out", "questions", "compile")
    )
    run = prepare(PretrainRecipe(**settings), out, corpus.read_questions(folder))
    for kind in KINDS:
        run.log(
            f"{kind}: {len(run.trained[kind]):,} texts, "
            f"{len(run.trained[kind].ids) / 1e6:.1f} M tokens, "
            f"{run.trained[kind].size / len(run.trained[kind].ids):.2f} bytes a token"
        )
    train(replace(run, compile=compile_it))


if __name__ == "__main__":
    main()
