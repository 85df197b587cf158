"""Train the embedded base model `tiny` from scratch on the standard library.

    python -m repobuild.model.bundled.pretrain --out cache/tiny --minutes 80 --compile
    python -m repobuild.model.bundled.pretrain --out cache/tiny     # again: continues
    python -m repobuild.model.bundled.pretrain --out /tmp/t --minutes 2 --layers 2

`--out` always holds a model that `from_pretrained` loads: it is written beside and
swapped in every few minutes.  The float32 weights and the optimizer live in
`OUT.training/`, as safetensors; a run that finds them there goes on from them.

The learning rate follows the clock, not the step: it warms up, then falls along a
cosine that ends when the minutes are spent.  A busy machine makes fewer steps, and the
last weights are still the best ones.
"""

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

from repobuild.model.bundled import corpus
from repobuild.model.bundled import tokenizer as bpe

QUESTIONS = Path(__file__).parents[2] / "configs" / "questions"
KINDS = ("code", "fim", "chat")
Tokens = npt.NDArray[np.uint16]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class PretrainRecipe:
    """Everything that decides what the weights become, but for the machine's speed."""

    # Model: 4096 * 256 + 5 * (256 * 256 * 2 + 256 * 128 * 2 + 3 * 256 * 768) = 5.0 M
    vocabulary: int = bpe.VOCABULARY  # entries; embedding and output share 1.0 M
    hidden: int = 256
    layers: int = 5
    heads: int = 4
    kv_heads: int = 2
    head_size: int = 64
    feed_forward: int = 768
    context: int = 4096  # positions the configuration promises
    rope_theta: float = 100_000.0

    # Texts
    sequence: int = 512  # tokens; a piece of a file or four questions
    fim_share: float = 0.2  # of the pieces get a hole
    chat_share: float = 0.25  # of the tokens are questions and answers
    chat_longest: int = 256  # tokens

    # Optimizer: 8 * 512 = 4,096 tokens a step
    batch: int = 8
    learning_rate: float = 2e-3
    last_rate: float = 0.02  # of the peak, when the minutes are spent
    warm_up: float = 0.02  # of the minutes
    weight_decay: float = 0.1  # matrices only
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
    """Where the run stands; all of `state.json`."""

    step: int = 0
    epoch: int = 0
    window: int = 0  # in the epoch
    tokens: int = 0
    seconds: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TokenisedTexts:
    """Tokenised documents of one kind, end to end, and how many bytes they were."""

    ids: Tokens
    starts: npt.NDArray[np.int64]  # one more than documents
    size: int

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
    """Every piece as code and with a hole, in the same order; and every question."""
    chance = random.Random(seed)
    found: list[corpus.CorpusDocument] = []
    for file in files:
        for code in corpus.code_documents(file):
            found += [code, corpus.fim_document(code, chance)]
        found += corpus.chat_documents(file, questions, chance)
    return found


def tokenizer_texts(found: Sequence[corpus.CorpusDocument]) -> Iterator[str]:
    """Code and a third of the questions: as many bytes as teaching one epoch takes."""
    chats = 0
    for document in found:
        if document.held_out or document.kind == "fim":
            continue
        chats += document.kind == "chat"
        if document.kind == "code" or chats % 3 == 0:
            yield document.text


def tokenise(
    tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], longest: int
) -> TokenisedTexts:
    """Each text with the end-of-text token; those over `longest` are left out."""
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
    found: Sequence[corpus.CorpusDocument],
    recipe: PretrainRecipe,
    held_out: bool,
) -> dict[str, TokenisedTexts]:
    """The trained or the held-out texts by kind."""
    result = {}
    for kind in KINDS:
        longest = recipe.chat_longest if kind == "chat" else 1 << 30
        texts = [d.text for d in found if d.kind == kind and d.held_out == held_out]
        result[kind] = tokenise(tokenizer, texts, longest)
    return result


def epoch_windows(
    texts: Mapping[str, TokenisedTexts], recipe: PretrainRecipe, epoch: int
) -> Tokens:
    """One pass over the code, mixed and cut: (windows, sequence + 1)."""
    chance = np.random.default_rng([recipe.seed, epoch])
    code, fim, chat = (texts[kind] for kind in KINDS)
    holes = chance.random(len(code)) < recipe.fim_share
    chosen = [fim[i] if holes[i] else code[i] for i in range(len(code))]
    share = recipe.chat_share / (1 - recipe.chat_share)
    wanted = share * sum(map(len, chosen))
    for i in chance.permutation(len(chat)):
        if wanted <= 0:
            break
        chosen.append(chat[i])
        wanted -= len(chat[i])
    order = chance.permutation(len(chosen))
    return windows(np.concatenate([chosen[i] for i in order]), recipe.sequence)


def windows(ids: Tokens, sequence: int) -> Tokens:
    """Rows of `sequence` inputs and one more target; each token is a target once."""
    count = (len(ids) - 1) // sequence
    rows = [ids[i * sequence : (i + 1) * sequence + 1] for i in range(count)]
    return np.stack(rows) if rows else np.zeros((0, sequence + 1), dtype=np.uint16)


# ------------------------------------------------------------------------- model


def build_model(recipe: PretrainRecipe) -> Qwen3ForCausalLM:
    """Random float32 weights of the Qwen3 architecture."""
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
    """AdamW; norms are not decayed."""
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [
        {"params": matrices, "weight_decay": recipe.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    betas = (recipe.beta1, recipe.beta2)
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=betas, fused=True)


def loss_of(model: Qwen3ForCausalLM, rows: torch.Tensor) -> torch.Tensor:
    """Mean loss of (B, T + 1) tokens; products in bfloat16, weights in float32."""
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(input_ids=rows[:, :-1], use_cache=False).logits  # (B, T, V)
    return F.cross_entropy(logits.float().flatten(0, 1), rows[:, 1:].flatten())


def learning_rate(recipe: PretrainRecipe, spent: float) -> float:
    """The rate when the share `spent` of the minutes is gone."""
    if spent < recipe.warm_up:
        return recipe.learning_rate * max(spent / recipe.warm_up, 0.01)
    turn = min(1.0, (spent - recipe.warm_up) / (1 - recipe.warm_up))
    height = 0.5 * (1 + math.cos(math.pi * turn))
    return recipe.learning_rate * (recipe.last_rate + (1 - recipe.last_rate) * height)


@torch.no_grad()
def score(
    model: Qwen3ForCausalLM,
    held_out: Mapping[str, TokenisedTexts],
    recipe: PretrainRecipe,
    most: int,
) -> dict[str, float]:
    """Held-out loss of each kind, per token and per byte of its text."""
    result: dict[str, float] = {}
    for kind, texts in held_out.items():
        rows = torch.from_numpy(windows(texts.ids, recipe.sequence)[:most].astype(int))
        if not len(rows):
            continue
        starts = range(0, len(rows), recipe.batch)
        parts = [rows[i : i + recipe.batch] for i in starts]
        loss = sum(loss_of(model, p).item() * len(p) for p in parts) / len(rows)
        result[f"{kind}_loss_per_token"] = round(loss, 4)
        result[f"{kind}_loss_per_byte"] = round(loss * len(texts.ids) / texts.size, 4)
    return result


# ------------------------------------------------------------------------- state


def swap_in(new: Path, place: Path) -> None:
    """Readers see the old folder or the new one; a crash leaves one of them whole."""
    old = place.with_name(f"{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def save_state(
    folder: Path,
    model: Qwen3ForCausalLM,
    optimizer: torch.optim.AdamW,
    progress: PretrainProgress,
    recipe: PretrainRecipe,
) -> None:
    """What a later run needs to go on as if it had never stopped."""
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    weights = dict(model.named_parameters())  # the tied output is not named twice
    save_file({n: p.detach() for n, p in weights.items()}, new / "weights.safetensors")
    moments = {
        f"{name}/{key}": value
        for name, weight in weights.items()
        for key, value in optimizer.state[weight].items()
    }
    save_file(moments, new / "optimizer.safetensors")
    state = {"progress": asdict(progress), "recipe": asdict(recipe)}
    (new / "state.json").write_text(json.dumps(state, indent=1) + "\n")
    swap_in(new, folder)


def load_state(
    folder: Path,
    model: Qwen3ForCausalLM,
    optimizer: torch.optim.AdamW,
    recipe: PretrainRecipe,
) -> PretrainProgress:
    """The inverse of `save_state`; a fresh `PretrainProgress` when there is nothing."""
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
    """The model folder: bfloat16 weights, tokenizer, recipe and card."""
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
    (new / "README.md").write_text(card(facts, progress))
    swap_in(new, out)


def card(facts: Mapping[str, object], progress: PretrainProgress) -> str:
    """The model card: what it is, how good it is, how it was made."""
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
    """One training run: the places it writes to, its texts and its clock."""

    recipe: PretrainRecipe
    out: Path
    tokenizer: PreTrainedTokenizerFast
    trained: Mapping[str, TokenisedTexts]
    held_out: Mapping[str, TokenisedTexts]
    clock: Clock = time.monotonic
    compile: bool = False
    most_steps: int | None = None  # stop early, as an interruption would
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)

    @property
    def state(self) -> Path:
        return self.out.with_name(f"{self.out.name}.training")


def train(run: PretrainRun) -> PretrainProgress:
    """Train until the minutes are spent; save, score and say where it stands."""
    recipe, clock = run.recipe, run.clock
    model = build_model(recipe)
    optimizer = build_optimizer(model, recipe)
    progress = load_state(run.state, model, optimizer, recipe)
    loss_fn = torch.compile(loss_of) if run.compile else loss_of
    rows = epoch_windows(run.trained, recipe, progress.epoch)
    run.say(f"{len(rows):,} windows an epoch; starting at step {progress.step:,}")

    began = clock() - progress.seconds
    shown, seen = progress.seconds, progress.tokens
    wait = recipe.save_every if progress.step else recipe.first_save
    save_at = progress.seconds + wait * 60
    score_at = progress.seconds + recipe.score_every * 60
    first_step = progress.step
    mean = math.nan
    while progress.seconds < recipe.minutes * 60:
        if run.most_steps is not None and progress.step - first_step >= run.most_steps:
            break
        if progress.window + recipe.batch > len(rows):
            progress.epoch, progress.window = progress.epoch + 1, 0
            rows = epoch_windows(run.trained, recipe, progress.epoch)
        part = rows[progress.window : progress.window + recipe.batch]
        batch = torch.from_numpy(part.astype(np.int64))  # (B, T + 1)

        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, progress.seconds / recipe.minutes / 60)
        loss = loss_fn(model, batch)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimizer.step()
        optimizer.zero_grad()

        progress.step += 1
        progress.window += recipe.batch
        progress.tokens += recipe.batch * recipe.sequence
        progress.seconds = clock() - began
        value = loss.item()
        mean = value if math.isnan(mean) else 0.98 * mean + 0.02 * value
        if progress.step % 50 == 0:
            rate = (progress.tokens - seen) / max(progress.seconds - shown, 1e-9)
            shown, seen = progress.seconds, progress.tokens
            run.say(
                f"step {progress.step:,} epoch {progress.epoch} loss {mean:.3f} "
                f"{rate:,.0f} tokens/s {progress.tokens / 1e6:.1f} M tokens "
                f"{progress.seconds / 60:.1f} of {recipe.minutes:g} minutes"
            )
        if progress.seconds >= score_at:
            progress.scores = score(model, run.held_out, recipe, recipe.score_windows)
            run.say(f"step {progress.step:,} held out {json.dumps(progress.scores)}")
            score_at += recipe.score_every * 60
        if progress.seconds >= save_at:
            save(run, model, optimizer, progress)
            save_at += recipe.save_every * 60

    progress.scores = score(model, run.held_out, recipe, 8 * recipe.score_windows)
    run.say(f"step {progress.step:,} held out {json.dumps(progress.scores)}")
    save(run, model, optimizer, progress)
    return progress


def save(
    run: PretrainRun,
    model: Qwen3ForCausalLM,
    optimizer: torch.optim.AdamW,
    progress: PretrainProgress,
) -> None:
    """The state first: the model folder can be made from it, not the reverse."""
    save_state(run.state, model, optimizer, progress, run.recipe)
    export(run.out, model, run.tokenizer, progress, run.recipe)
    run.say(f"step {progress.step:,} saved '{run.out}'")


def prepare(
    recipe: PretrainRecipe, out: Path, questions: Sequence[corpus.QuestionLanguage]
) -> PretrainRun:
    """Read and tokenise; the tokenizer is trained once and kept beside the state."""
    place = out.with_name(f"{out.name}.tokenizer")
    found = documents(
        list(corpus.source_files(corpus.library_root())), questions, recipe.seed
    )
    if not place.exists():
        learned = bpe.train(tokenizer_texts(found), recipe.vocabulary, recipe.context)
        new = place.with_name(f"{place.name}.new")
        learned.save_pretrained(new)
        swap_in(new, place)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(place)
    trained = tokenise_split(tokenizer, found, recipe, held_out=False)
    held_out = tokenise_split(tokenizer, found, recipe, held_out=True)
    return PretrainRun(recipe, out, tokenizer, trained, held_out)


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse, prepare, train."""
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
        run.say(
            f"{kind}: {len(run.trained[kind]):,} texts, "
            f"{len(run.trained[kind].ids) / 1e6:.1f} M tokens, "
            f"{run.trained[kind].size / len(run.trained[kind].ids):.2f} bytes a token"
        )
    train(replace(run, compile=compile_it))


if __name__ == "__main__":
    main()
