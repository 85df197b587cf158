"""Teach facts to adapters that begin differently, and count what they have mastered.

    zero        B is zero, as an ordinary adapter begins
    shared      the LoRA that is the same for all repositories
    generated   what the static network makes of the repository
    another's   what it makes of another repository

The facts are repobuild's own: the first ones that it would teach of the commit (what
is most used). All four see the same questions in the same order, at the same rate, and
are asked all facts after every few thousand tokens, in a phrasing that they are taught
and in one that they are not. A fact is mastered when the answer comes word for word.

    WORK/warm.jsonl     a line for each repository and beginning: the two curves
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.lora.layer import LoraLayer

from repobuild.git.snapshot import at_commit
from repobuild.model.adapter.packing import collate
from repobuild.model.base import load_tokenizer, resolve_base
from repobuild.model.bundled.pretrain import load_base
from repobuild.model.compute.loss import answer_loss
from repobuild.model.conversation import Conversation, Example
from repobuild.model.hypernet.lora_weights import LoraWeights
from repobuild.model.hypernet.start import cut_rank
from repobuild.model.teaching.curriculum import fact_of, order_facts
from repobuild.model.teaching.teachable import TaughtTexts, read_teachable
from repobuild.settings import use_command_line
from tests.benchmarks import table
from tests.benchmarks.repository_adapters.lora import TARGETS
from tests.benchmarks.repository_adapters.main_table import Study
from tests.benchmarks.repository_adapters.networks import as_factors
from tests.benchmarks.repository_adapters.repositories import open_mirror
from tests.benchmarks.repository_adapters.world import World
from tests.standard import Standard

# Small held-out repositories: the questions of each are made in half a minute.
REPOSITORIES = ("betamaxpy/betamax", "lundberg/respx", "psf/cachecontrol")
FACTS = 80
TOKENS, EVERY = 12_000, 1_500
BATCH = 8  # questions
RATE = 3e-3
RANK, ALPHA = 8, 16
LONGEST = 256  # tokens of a question with its answer
BEGINNINGS = ("zero", "shared", "generated", "another's")


@dataclass(frozen=True, slots=True)
class Lessons:
    """The questions of a repository's first facts."""

    taught: tuple[Example, ...]
    asked: tuple[Example, ...]  # one that is taught of each fact
    rephrased: tuple[Example, ...]  # one that is not, where there is one
    pad: int


def read_lessons(world: World, name: str) -> Lessons:
    """Build a repository's questions in a state of its own."""
    git = open_mirror(world.mirrors, name)
    commit = next(one.commit for one in world.listed if one.name == name)
    with tempfile.TemporaryDirectory() as place, use_command_line(["preset=tiny"]):
        standard = Standard(git, Path(place) / "state")
        standard.build("teachable", at_commit(git, commit))
        build: Any = standard.open(at_commit(git, commit))
        trained, asked = read_teachable(build)
        texts = TaughtTexts.of(build, trained, asked)
        facts = order_facts(trained)
        base = resolve_base(standard.settings)
        conversation = Conversation(load_tokenizer(base), base.fim)

        def examples(ids: Sequence[str]) -> tuple[Example, ...]:
            chat = [(i, texts[i]) for i in ids if texts[i].get("form") == "chat"]
            return tuple(conversation.tokenise(chat, LONGEST).kept)

        whole = [f for f in facts if len(examples(f.samples)) == len(f.samples)]
        chosen = whole[:FACTS]
        ids = {fact.id for fact in chosen}
        lessons = Lessons(
            examples([i for fact in chosen for i in fact.samples]),
            examples([fact.samples[0] for fact in chosen]),
            examples(_one_of_each([i for i in asked if fact_of(i) in ids])),
            int(load_tokenizer(base).pad_token_id),
        )
        standard.close()
    return lessons


def _one_of_each(ids: Sequence[str]) -> list[str]:
    return list({fact_of(i): i for i in sorted(ids)}.values())


# ---------------------------------------------------------------------------- training


def run_warm_start(study: Study, names: Sequence[str] = REPOSITORIES) -> str:
    """Train what is not there yet; return the table."""
    path = study.world.work / "warm.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    known = {(row["name"], row["beginning"]) for row in rows}
    for number, name in enumerate(names):
        if all((name, beginning) in known for beginning in BEGINNINGS):
            continue
        lessons = read_lessons(study.world, name)
        other = names[(number + 1) % len(names)]
        for beginning in BEGINNINGS:
            if (name, beginning) in known:
                continue
            weights = _beginning(study, beginning, name, other)
            row = {"name": name, "beginning": beginning} | teach(
                study, lessons, weights
            )
            rows.append(row)
            with path.open("a", encoding="utf-8") as out:
                out.write(json.dumps(row) + "\n")
            study.world.log(f"{name}, from {beginning}: {row['mastered']}")
    return warm_table(rows)


@torch.no_grad()
def _beginning(
    study: Study, beginning: str, name: str, other: str
) -> LoraWeights | None:
    match beginning:
        case "zero":
            return None
        case "shared":
            return study.network("shared, twice").weights("")
        case "generated":
            return study.network("static").weights(name)
    return study.network("static").weights(other)


def teach(
    study: Study, lessons: Lessons, weights: LoraWeights | None
) -> dict[str, list[int]]:
    """Teach all facts over and over; return how many are mastered after how much."""
    torch.manual_seed(study.seed)
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=TARGETS)
    model: Any = get_peft_model(load_base(study.world.bench.folder), config)
    if weights is not None:
        _begin_from(model, weights, study)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.0)
    found: dict[str, list[int]] = {
        "tokens": [0],
        "mastered": [_mastered(model, lessons.asked, lessons.pad)],
        "rephrased": [_mastered(model, lessons.rephrased, lessons.pad)],
        "facts": [len(lessons.asked)],
        "rephrased facts": [len(lessons.rephrased)],
    }
    spent, due = 0, EVERY
    for batch in _batches(lessons.taught, study.seed):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (spent + 500) / 2_000)
        _loss(model, batch, lessons.pad).backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        spent += sum(len(example.tokens) for example in batch)
        if spent >= due:
            found["tokens"].append(spent)
            found["mastered"].append(_mastered(model, lessons.asked, lessons.pad))
            found["rephrased"].append(_mastered(model, lessons.rephrased, lessons.pad))
            due += EVERY
        if spent >= TOKENS:
            return found
    return found


def _begin_from(model: Any, weights: LoraWeights, study: Study) -> None:
    """Copy matrices into a new adapter, as `adapter.start` does."""
    factors = as_factors(weights, study.shape)
    for path, module in model.named_modules():
        key = path.removeprefix("base_model.model.") + ".weight"
        if isinstance(module, LoraLayer) and f"{key}.A" in factors:
            low, high = cut_rank(factors[f"{key}.A"], factors[f"{key}.B"], RANK)
            layer: Any = module
            layer.lora_A["default"].weight.data.copy_(low)
            scale = layer.scaling["default"]
            layer.lora_B["default"].weight.data.copy_(high / scale)


def _batches(examples: Sequence[Example], seed: int) -> Iterator[list[Example]]:
    rng = random.Random(seed)
    while True:
        order = rng.sample(list(examples), len(examples))
        for begin in range(0, len(order), BATCH):
            yield order[begin : begin + BATCH]


def _loss(model: Any, batch: Sequence[Example], pad: int) -> torch.Tensor:
    states, labels, head = _states(model, batch, pad)
    loss, _ = answer_loss(states, labels, head, 8_192)
    return loss


def _states(
    model: Any, batch: Sequence[Example], pad: int
) -> tuple[torch.Tensor, torch.Tensor, Any]:
    """Return the states that predict answer tokens, those tokens, the output layer."""
    tensors = collate([[example] for example in batch], pad)
    inner = model.base_model.model
    with torch.autocast("cpu", torch.bfloat16):
        states = inner.model(
            input_ids=tensors["input_ids"],
            position_ids=tensors["position_ids"],
            use_cache=False,
        )[0]
    labels = tensors["labels"][:, 1:]
    chosen = labels != -100
    return states[:, :-1][chosen].float(), labels[chosen], inner.lm_head


@torch.no_grad()
def _mastered(model: Any, examples: Sequence[Example], pad: int) -> int:
    """Return how many answers greedy generation would give word for word."""
    right = 0
    order = sorted(examples, key=lambda example: len(example.tokens))
    for begin in range(0, len(order), 16):
        batch = order[begin : begin + 16]
        states, labels, head = _states(model, batch, pad)
        hits = head(states).argmax(-1) == labels
        counts = [len(example.tokens) - example.answer_start for example in batch]
        right += sum(bool(part.all()) for part in hits.split(counts))
    return right


# ----------------------------------------------------------------------------- writing


def warm_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the share of mastered facts over tokens, the mean over repositories."""
    points = [f"{n / 1000:g}k" for n in range(0, TOKENS + 1, EVERY)]
    lines = []
    for kind, of in (("mastered", "facts"), ("rephrased", "rephrased facts")):
        for beginning in BEGINNINGS:
            curves = [
                np.array(row[kind]) / max(1, row[of][0])
                for row in rows
                if row["beginning"] == beginning
            ]
            if curves:
                size = min(map(len, curves))
                mean = np.mean([curve[:size] for curve in curves], 0)
                name = "taught phrasing" if kind == "mastered" else "another phrasing"
                lines.append([name, beginning, *(f"{100 * x:.0f}" for x in mean)])
    return table.markdown(["% mastered", "begins from", *points], lines)
