"""Train ordinary LoRA adapters on the base, and measure any change of its weights.

An adapter is a PEFT folder's tensors, A (rank, in) and B (out, rank) of each linear
layer; what is measured is its change of the weights, s B A, because means and mixtures
of adapters are means and mixtures of changes, not of their factors. Of the 5 M
parameters of the embedded base 3.9 M can change. All adapters begin with the same A.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from peft import LoraConfig, get_peft_model
from torch.nn import functional as F
from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

from repobuild.model.base import bundled_model
from repobuild.model.bundled.corpus import code_documents
from repobuild.model.bundled.pretrain import load_base
from repobuild.model.bundled.tokenizer import FIM_PAD
from repobuild.model.compute.lora import fuse_lora_layers
from repobuild.model.load.pretrained import read_tokenizer
from tests.benchmarks.repository_adapters.repositories import Repository
from tests.benchmarks.repository_adapters.tasks import Task, Windows

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
LONGEST = 640  # tokens of a window or a document
OTHER_STEP = 6  # every sixth of the tokens that no task counts is measured too
Change = dict[str, torch.Tensor]  # change of a weight (out, in), by its name
Factors = dict[str, torch.Tensor]  # NAME.A (rank, in) and NAME.B (out, rank), scaled


@dataclass(frozen=True, slots=True)
class LoraRecipe:
    """How an ordinary adapter is trained."""

    rank: int = 8
    alpha: int = 16
    tokens: int = 24_000
    batch: int = 2  # documents of at most 640 tokens
    rate: float = 6e-3
    warm_up: float = 0.1  # share of the tokens; then the rate falls in a line
    clip: float = 1.0
    seed: int = 1


@dataclass(frozen=True)
class Bench:
    """The base and its tokenizer."""

    folder: Path
    tokenizer: PreTrainedTokenizerFast
    model: Qwen3ForCausalLM  # bfloat16

    @classmethod
    def load(cls) -> Bench:
        folder, _ = bundled_model()
        model = load_base(Path(folder)).bfloat16().eval().requires_grad_(False)
        return cls(Path(folder), read_tokenizer(Path(folder)), model)  # type: ignore[arg-type]

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text, cut on the left."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids[-LONGEST:]


# -------------------------------------------------------------------------- training


def source_documents(repository: Repository) -> list[str]:
    """Return what a repository's adapter is trained on: its source, never a test."""
    return [text for file in repository.source for text in code_documents(file)]


def document_batches(
    bench: Bench, texts: Sequence[str], recipe: LoraRecipe
) -> Iterator[torch.Tensor]:
    """Yield padded batches (B, T) until the tokens are spent; pads are -100."""
    rng = random.Random(recipe.seed)
    spent = 0
    while True:
        for text_batch in _shuffled(texts, recipe.batch, rng):
            rows = [bench.tokens(text) for text in text_batch]
            width = max(map(len, rows))
            yield torch.tensor([row + [-100] * (width - len(row)) for row in rows])
            spent += sum(map(len, rows))
            if spent >= recipe.tokens:
                return


def _shuffled(
    texts: Sequence[str], batch: int, rng: random.Random
) -> Iterator[list[str]]:
    order = list(texts)
    rng.shuffle(order)
    for begin in range(0, len(order), batch):
        yield order[begin : begin + batch]


def train_lora(bench: Bench, texts: Sequence[str], recipe: LoraRecipe) -> Factors:
    """Train an ordinary adapter on texts; return its factors."""
    torch.manual_seed(recipe.seed)  # the same A for every repository
    config = LoraConfig(
        r=recipe.rank, lora_alpha=recipe.alpha, target_modules=TARGETS, lora_dropout=0.0
    )
    model = get_peft_model(load_base(bench.folder), config)
    fuse_lora_layers(model)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=recipe.rate, weight_decay=0.0)
    pad = bench.tokenizer.convert_tokens_to_ids(FIM_PAD)
    spent = 0
    for rows in document_batches(bench, texts, recipe):
        share = spent / recipe.tokens
        rate = recipe.rate * min((share + 0.01) / recipe.warm_up, 1.0 - share, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = max(rate, 0.02 * recipe.rate)
        ids = rows.masked_fill(rows < 0, pad)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(input_ids=ids[:, :-1], use_cache=False).logits
        F.cross_entropy(logits.float().flatten(0, 1), rows[:, 1:].flatten()).backward()
        torch.nn.utils.clip_grad_norm_(trained, recipe.clip)
        optimizer.step()
        optimizer.zero_grad()
        spent += int((rows >= 0).sum())
    return _factors_of(model)


def _factors_of(model: Any) -> Factors:
    factors = {}
    for name, layer in model.named_modules():
        if hasattr(layer, "lora_A") and "default" in layer.lora_A:
            key = name.removeprefix("base_model.model.") + ".weight"
            high = layer.scaling["default"] * layer.lora_B["default"].weight
            factors[f"{key}.A"] = layer.lora_A["default"].weight.detach().clone()
            factors[f"{key}.B"] = high.detach().clone()
    return factors


def change_of(factors: Factors) -> Change:
    """Return the change of the weights that an adapter makes."""
    names = [key.removesuffix(".A") for key in factors if key.endswith(".A")]
    return {name: factors[f"{name}.B"] @ factors[f"{name}.A"] for name in names}


def mixture(changes: Sequence[Change], weights: Sequence[float]) -> Change:
    """Return the weighted sum of changes."""
    return {
        name: sum(
            (w * change[name] for w, change in zip(weights, changes, strict=True)),
            torch.zeros(()),
        )
        for name in changes[0]
    }


class Spread(NamedTuple):
    """How much the changes of different repositories differ; not centred."""

    cosine: float  # the mean of all pairs
    residual: float  # |own - mean| / |own|, the mean over repositories


def spread(changes: Sequence[Change]) -> Spread:
    """Compare changes with each other; cosine 1 and residual 0: all are one."""
    flat = torch.stack(
        [torch.cat([c[name].flatten() for name in sorted(c)]) for c in changes]
    )
    norms = flat.norm(dim=1)
    unit = flat / norms[:, None]
    size = len(flat)
    pairs = float((unit @ unit.T).sum()) - size
    residual = ((flat - flat.mean(0)).norm(dim=1) / norms).mean()
    return Spread(pairs / (size * (size - 1)), float(residual))


# ------------------------------------------------------------------------- measuring


@dataclass(frozen=True, slots=True)
class Exam:
    """Windows of one repository as tokens, and where their tasks are in them."""

    repository: str
    windows: Windows
    tasks: tuple[Task, ...]
    ids: tuple[torch.Tensor, ...]  # a window each
    # Of each task: its window's number in `ids`, and the tokens that are counted.
    places: tuple[tuple[int, tuple[int, ...]], ...]
    # Some of a window's other tokens: what an adapter must not pay with.
    others: tuple[tuple[int, ...], ...]

    @property
    def tokens(self) -> int:
        return sum(len(ids) for ids in self.ids)


def make_exam(
    bench: Bench, windows: Windows, tasks: Sequence[Task], needed: bool = True
) -> Exam:
    """Return the exam of some tasks.

    With `needed` only tokens of identifiers that a task needs are counted, else all
    tokens of its target.
    """
    numbers = sorted({task.window for task in tasks})
    where = {window: n for n, window in enumerate(numbers)}
    ids, offsets = [], []
    for number in numbers:
        found = bench.tokenizer(
            windows.texts[number], add_special_tokens=False, return_offsets_mapping=True
        )
        ids.append(torch.tensor(found["input_ids"][:LONGEST]))
        offsets.append(found["offset_mapping"][:LONGEST])
    kept, places = [], []
    for task in tasks:
        spans = (
            task.needed if needed else ((task.start, task.start + len(task.target)),)
        )
        n = where[task.window]
        counted = tuple(
            i
            for i, (a, b) in enumerate(offsets[n])
            if i and any(a < end and begin < b for begin, end in spans)
        )
        if counted:
            kept.append(task)
            places.append((n, counted))
    used = [
        {i for n, at in places if n == window for i in at} for window in where.values()
    ]
    others = tuple(
        tuple(i for i in range(1, len(row), OTHER_STEP) if i not in used[n])
        for n, row in enumerate(ids)
    )
    return Exam(
        windows.repository, windows, tuple(kept), tuple(ids), tuple(places), others
    )


class Changed:
    """The base with a change of its weights, while the context lasts."""

    def __init__(self, bench: Bench, change: Change | None) -> None:
        self.weights = dict(bench.model.named_parameters())
        self.change = change or {}
        self.before: Change = {}

    def __enter__(self) -> None:
        for name, change in self.change.items():
            weight = self.weights[name]
            self.before[name] = weight.data
            weight.data = (weight.data.float() + change).to(weight.dtype)

    def __exit__(self, *_: object) -> None:
        for name, data in self.before.items():
            self.weights[name].data = data


class Losses(NamedTuple):
    """What was measured of an exam, in nats a token."""

    tasks: NDArray[np.float64]  # the mean of each task's counted tokens
    other: float  # the mean of other tokens of the same windows


@torch.no_grad()
def task_losses(
    bench: Bench,
    exam: Exam,
    change: Change | None,
    bias: torch.Tensor | None = None,
) -> Losses:
    """Return the losses of an exam under a change of the weights.

    `bias` (V,) is added to the logits. Only measured positions reach the output layer.
    """
    result = np.zeros(len(exam.tasks))
    other: list[torch.Tensor] = []
    by_window: list[list[int]] = [[] for _ in exam.ids]
    for number, (window, _) in enumerate(exam.places):
        by_window[window].append(number)
    with Changed(bench, change):
        for batch in _batches(exam.ids, 4):
            width = max(len(exam.ids[w]) for w in batch)
            rows = torch.zeros(len(batch), width, dtype=torch.long)
            for row, window in enumerate(batch):
                rows[row, : len(exam.ids[window])] = exam.ids[window]
            hidden = bench.model.model(input_ids=rows, use_cache=False)[0]
            for row, window in enumerate(batch):
                parts = [exam.places[n][1] for n in by_window[window]]
                parts.append(exam.others[window])
                at = torch.tensor([i for part in parts for i in part])
                logits = bench.model.lm_head(hidden[row, at - 1]).float()
                if bias is not None:
                    logits = logits + bias
                losses = F.cross_entropy(
                    logits, exam.ids[window][at], reduction="none"
                ).split([len(part) for part in parts])
                other.append(losses[-1])
                for number, of in zip(by_window[window], losses, strict=False):
                    result[number] = float(of.mean())
    return Losses(result, float(torch.cat(other).mean()))


def _batches(ids: Sequence[torch.Tensor], size: int) -> Iterator[list[int]]:
    order = sorted(range(len(ids)), key=lambda n: len(ids[n]))
    for begin in range(0, len(order), size):
        yield order[begin : begin + size]
