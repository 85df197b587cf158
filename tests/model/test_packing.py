from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
import torch

from repobuild.model.adapter.packing import (
    bucketed_batches,
    collate,
    packed_batches,
)
from repobuild.model.base import load_model, load_tokenizer
from repobuild.model.compute.loss import use_answer_loss
from repobuild.model.conversation import Conversation, Example
from tests.model.test_nano import make_base, samples

CHANCE = random.Random(3)
LENGTHS = [CHANCE.randint(5, 120) for _ in range(500)]


@pytest.mark.parametrize("packed", [False, True])
def test_every_example_is_in_one_batch(packed: bool) -> None:
    order = list(range(len(LENGTHS)))
    found = (
        packed_batches(LENGTHS, order, 1024, 128, 1)
        if packed
        else bucketed_batches(LENGTHS, order, 1024, 1)
    )
    assert Counter(i for batch in found for row in batch for i in row) == Counter(order)
    for batch in found:
        width = max(sum(LENGTHS[i] for i in row) for row in batch)
        assert width * len(batch) <= 1024


def test_little_is_padding() -> None:
    order = list(range(len(LENGTHS)))
    CHANCE.shuffle(order)
    padded = sum(
        len(batch) * max(LENGTHS[row[0]] for row in batch)
        for batch in bucketed_batches(LENGTHS, order, 1024, 1)
    )
    assert padded < 1.12 * sum(LENGTHS)
    rows = sum(len(b) for b in packed_batches(LENGTHS, order, 1024, 512, 1))
    assert rows * 512 < 1.05 * sum(LENGTHS)


def test_an_example_longer_than_a_batch_is_a_batch_of_its_own() -> None:
    assert sorted(bucketed_batches([50, 5], [0, 1], 10, 1)) == [[[0]], [[1]]]


def test_packed_and_single_rows_give_the_same_losses(tmp_path: Path) -> None:
    """A sample in a row must not see the one before it."""
    base = make_base(tmp_path)
    made = Conversation(load_tokenizer(base)).tokenise(samples(4), 999).kept[:6]
    model = load_model(base, torch.float32)
    alone = [float(_loss(model, [[e]])) for e in made]
    for row in (made[:3], made[3:]):
        packed = collate([row], 0)
        weights = [len(e.tokens) - e.answer_start for e in row]
        places = [made.index(e) for e in row]
        mean = sum(w * alone[i] for w, i in zip(weights, places, strict=True))
        assert float(model_loss(model, packed)) == pytest.approx(
            mean / sum(weights), abs=1e-4
        )
    both = collate([made[:3], made[3:]], 0)
    weights = [len(e.tokens) - e.answer_start for e in made]
    mean = sum(w * x for w, x in zip(weights, alone, strict=True)) / sum(weights)
    assert float(model_loss(model, both)) == pytest.approx(mean, abs=1e-4)


def _loss(model: torch.nn.Module, rows: list[list[Example]]) -> torch.Tensor:
    return model_loss(model, collate(rows, 0))


def model_loss(
    model: torch.nn.Module, tensors: dict[str, torch.Tensor]
) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model(**tensors, use_cache=False).loss
    return found


def test_the_answer_loss_equals_the_models_own(tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    base = make_base(tmp_path)
    made = Conversation(load_tokenizer(base)).tokenise(samples(3), 999).kept
    tensors = collate([[e] for e in made], 0)
    model = get_peft_model(
        load_model(base, torch.float32), LoraConfig(r=2, target_modules=["q_proj"])
    )
    own = float(model_loss(model, tensors))
    use_answer_loss(model, bf16=False)
    assert float(model_loss(model, tensors)) == pytest.approx(own, abs=1e-5)


def test_an_adapter_that_does_nothing_is_at_no_distance_from_its_base(
    tmp_path: Path,
) -> None:
    from peft import LoraConfig, get_peft_model

    base = make_base(tmp_path)
    made = Conversation(load_tokenizer(base)).tokenise(samples(3), 999).kept
    tensors = collate([[e] for e in made], 0)
    text = torch.tensor([made[0].tokens])
    model = get_peft_model(
        load_model(base, torch.float32), LoraConfig(r=2, target_modules=["q_proj"])
    )
    use_answer_loss(model, bf16=False, keep_weight=3.0)
    drift = model(**tensors, general=text, window=0).drift
    assert float(drift.detach()) == pytest.approx(0.0, abs=1e-6)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight)
    out = model(**tensors, general=text, window=0)
    assert out.drift.item() > 1e-3
    assert out.loss.item() == pytest.approx((out.answers + 3 * out.drift).item())
    out.loss.backward()
    assert all(
        weight.grad is not None and bool(weight.grad.abs().sum() > 0)
        for name, weight in model.named_parameters()
        if "lora" in name
    )
    own = model(**tensors).marks
    assert own.dtype == torch.int8
    assert len(own) == sum(len(e.tokens) - e.answer_start for e in made)
