"""Count how often a base model must be shown a fact until it answers a new phrasing.

    python -m tests.benchmarks.base_exposures CORPUS REPOSITORY MODEL...

REPOSITORY is one of CORPUS whose package is held out. 40 places and 40 facts about
callers are taught together, LoRA rank 64 on all linear layers as in the task `adapter`;
a pass shows each once, in a trained phrasing drawn anew, eight facts a step. After each
pass each fact is asked in a phrasing that is never trained, and is right when every
token of the answer is the likeliest. The learning rate falls in a line.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch.nn import functional as F
from transformers import PreTrainedTokenizerFast

from repobuild.model.bundled.pretrain import load_base
from repobuild.model.bundled.question_facts import QuestionFact
from repobuild.model.bundled.question_texts import (
    AskedQuestion,
    Pool,
    RepositoryFacts,
    ask,
    held_out_phrasings,
    known_fields,
    read_repository,
)
from repobuild.model.bundled.training_rows import tokenise_chats
from repobuild.model.load.pretrained import read_tokenizer
from repobuild.samples.text.paraphrases import phrasings

KINDS = ("location", "callers")
EACH = 40  # facts of a kind
PASSES = 12
BATCH = 8
RATE = 1.5e-3  # of the first pass; it falls by as much after each
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

Batch = tuple[torch.Tensor, torch.Tensor]  # ids, weights of the targets


def draw_facts(repository: RepositoryFacts) -> list[QuestionFact]:
    """Return the facts that are taught: short ones, in English."""
    rng = random.Random(1)
    chosen = []
    for kind in KINDS:
        fitting = [
            fact
            for fact in repository.facts
            if fact.kind == kind and fact.language == "en" and len(fact.answer) < 160
        ]
        chosen += rng.sample(fitting, min(EACH, len(fitting)))
    return chosen


def asked_once(
    facts: Sequence[QuestionFact], project: str, rng: random.Random, pool: Pool
) -> list[AskedQuestion]:
    """Return each fact in one phrasing of the pool."""
    found = [ask(fact, known_fields(fact, project), rng, pool) for fact in facts]
    return [one for one in found if one is not None]


def batches(
    tokenizer: PreTrainedTokenizerFast, asked: Sequence[AskedQuestion]
) -> Iterator[Batch]:
    """Yield padded batches, in the order of the questions."""
    texts = tokenise_chats(tokenizer, asked, 512)
    for begin in range(0, len(texts), BATCH):
        part = texts[begin : begin + BATCH]
        width = max(len(ids) for ids, _ in part)
        ids = np.zeros((len(part), width), np.int64)
        weights = np.zeros((len(part), width), np.bool_)
        for row, (tokens, answer) in enumerate(part):
            ids[row, : len(tokens)] = tokens
            weights[row, : len(tokens)] = answer
        yield torch.from_numpy(ids), torch.from_numpy(weights[:, 1:])


def train_pass(
    model: PeftModel, optimizer: torch.optim.Optimizer, shown: Iterator[Batch]
) -> None:
    for ids, weights in shown:
        logits = model(input_ids=ids[:, :-1]).logits
        F.cross_entropy(logits[weights], ids[:, 1:][weights]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()


@torch.no_grad()
def right(model: PeftModel, exam: Iterator[Batch]) -> list[bool]:
    """Return for each question whether greedy decoding would give the answer."""
    result: list[bool] = []
    for ids, weights in exam:
        likeliest = model(input_ids=ids[:, :-1]).logits.argmax(-1)
        hits = (likeliest == ids[:, 1:]) | ~weights
        result += hits.all(1).tolist()
    return result


def learn(folder: Path, repository: RepositoryFacts) -> list[list[bool]]:
    """Return, for each pass, which facts are right in an unseen phrasing."""
    torch.manual_seed(1)
    tokenizer = read_tokenizer(folder)
    config = LoraConfig(r=64, lora_alpha=128, target_modules=TARGETS)
    model = get_peft_model(load_base(folder), config)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.0)
    facts = draw_facts(repository)
    rng = random.Random(2)
    exam = asked_once(facts, repository.project, rng, held_out_phrasings)
    result = [right(model, batches(tokenizer, exam))]
    for number in range(PASSES):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - number / PASSES)
        shown = asked_once(facts, repository.project, rng, phrasings)
        rng.shuffle(shown)
        train_pass(model, optimizer, batches(tokenizer, shown))
        result.append(right(model, batches(tokenizer, exam)))
    return result


def main() -> None:
    corpus, name, *models = sys.argv[1:]
    repository = read_repository(Path(corpus) / "facts" / f"{name}.jsonl")
    kinds = [fact.kind for fact in draw_facts(repository)]
    print("| base | facts | " + " | ".join(map(str, range(PASSES + 1))) + " |")
    for folder in models:
        passes = learn(Path(folder), repository)
        for kind in KINDS:
            numbers = [n for n, of in enumerate(kinds) if of == kind]
            shares = [sum(p[n] for n in numbers) / len(numbers) for p in passes]
            row = " | ".join(f"{100 * share:.0f}" for share in shares)
            print(f"| {folder} | {kind} ({len(numbers)}) | {row} |", flush=True)


if __name__ == "__main__":
    main()
