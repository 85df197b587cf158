"""Batched answers and losses equal those of the plain, slower computation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch.nn import functional as F

from repobuild.model import generate
from repobuild.model.base import resolve_base
from repobuild.model.decode import CIRCLING, Continuation, goes_in_circle, greedy
from repobuild.model.generate import TextGenerator, attach_adapter
from tests.model.test_nano import make_base, samples


@pytest.fixture(scope="module")
def generator() -> TextGenerator:
    return TextGenerator.load(resolve_base({"base.model": "tiny"}))


def prompts(generator: TextGenerator) -> list[list[int]]:
    texts = [
        "a",
        "Where is `load_0`?",
        "def f(x):\n    return",
        "What is it? " * 6,
        "b",
    ]
    return generator.conversation.encode(texts)


def generated(model: Any, prompt: list[int], limit: int) -> list[int]:
    """Return the continuation of one prompt by transformers, without an end token."""
    out = model.generate(
        input_ids=torch.tensor([prompt]), max_new_tokens=limit, do_sample=False,
        eos_token_id=-1, pad_token_id=0,
    )  # fmt: skip
    return [int(token) for token in out[0, len(prompt) :]]


def ends_at_different_steps(answers: list[list[int]]) -> set[int]:
    """Return the token that is first in the answers at the most different steps."""

    def steps(token: int) -> int:
        return len({ids.index(token) for ids in answers if token in ids})

    return {max(sorted({token for ids in answers for token in ids}), key=steps)}


def test_answers_of_a_batch_are_those_of_each_prompt_alone(
    generator: TextGenerator,
) -> None:
    """Rows end at different steps and leave the batch."""
    batch = prompts(generator)
    alone = [generated(generator.model, prompt, 24) for prompt in batch]
    unlimited = [Continuation(ids, False) for ids in alone]
    assert greedy(generator.model, batch, (), 24, 0) == unlimited
    ends = ends_at_different_steps(alone)
    lengths = [
        next((i for i, token in enumerate(ids) if token in ends), 24) for ids in alone
    ]
    assert len(set(lengths)) > 2
    cut = [
        Continuation(ids[:end], end < 24)
        for ids, end in zip(alone, lengths, strict=True)
    ]
    assert greedy(generator.model, batch, ends, 24, 0) == cut


def test_answers_come_in_the_order_of_the_questions_however_they_are_batched(
    generator: TextGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = ["What is it? " * 6, "Where is `load_0`?", "a", "Who calls `f`?"]
    together: list[int] = []
    apart: list[int] = []
    answers = generator.generate(questions, 8, together.append)
    monkeypatch.setattr(generate, "CACHE_TOKENS", 40)
    assert generator.generate(questions, 8, apart.append) == answers
    assert together == [4]
    assert len(apart) > 1
    assert sum(apart) == 4


def test_losses_are_those_of_all_logits(generator: TextGenerator) -> None:
    made = generator.conversation.tokenise(samples(5), 999).kept
    for example, (total, count) in zip(
        made, generator.example_losses(made), strict=True
    ):
        tokens = torch.tensor([example.tokens])
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            logits = generator.model(tokens).logits.float()
        answer = example.tokens[example.answer_start :]
        losses = F.cross_entropy(
            logits[0, example.answer_start - 1 : -1],
            torch.tensor(answer),
            reduction="sum",
        )
        assert count == len(answer)
        assert total == pytest.approx(float(losses), rel=1e-2)


def test_an_adapter_beside_the_base_gives_the_losses_of_a_merged_one(
    tmp_path: Path,
) -> None:
    """On a GPU the adapter is not merged."""
    base = make_base(tmp_path / "base")
    config = LoraConfig(r=4, target_modules=["q_proj"], init_lora_weights=False)
    get_peft_model(TextGenerator.load(base).model, config).save_pretrained(tmp_path)
    found = []
    for merge in (False, True):
        plain = TextGenerator.load(base)
        model = attach_adapter(plain.model, tmp_path, merge).eval()
        adapted = TextGenerator(model, plain.conversation)
        made = adapted.conversation.tokenise(samples(5), 999).kept
        found.append(adapted.example_losses(made))
    for (beside, _), (merged, _) in zip(*found, strict=True):
        assert beside == pytest.approx(merged, rel=1e-2)


@pytest.mark.parametrize("part", [[7], [1, 2, 3], list(range(12))])
def test_an_answer_goes_in_a_circle_when_its_end_is_one_part_again_and_again(
    part: list[int],
) -> None:
    rounds = part * CIRCLING
    assert not goes_in_circle([99, *rounds[: CIRCLING - 1]])
    assert goes_in_circle([99, *rounds[:CIRCLING]])


def test_a_list_of_like_entries_is_no_circle() -> None:
    """Entries of a list share their frame, and differ in a name."""
    entries = [[5, 6, name, 7, 8] for name in range(20, 40)]
    assert not goes_in_circle([token for entry in entries for token in entry])


def test_an_answer_that_goes_in_a_circle_is_stopped_and_has_not_ended(
    generator: TextGenerator,
) -> None:
    """The base alone says the same word for ever after a row of it."""
    (prompt,) = generator.conversation.encode(["x = 0, " + "0, " * 80])
    (answer,) = greedy(generator.model, [prompt], (), 200, 0)
    assert CIRCLING <= len(answer.tokens) < 200
    assert not answer.ended
