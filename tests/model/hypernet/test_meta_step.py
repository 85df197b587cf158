"""A training step on a model of 1.5 billion parameters, without its memory.

    python -m tests.model.hypernet.test_meta_step

prints what a step needs, for the table in docs/code2lora.md.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import torch
from torch.nn import functional as F

from repobuild.model.hypernet.lora_weights import inject
from repobuild.model.hypernet.paper_head import PaperHead
from repobuild.model.hypernet.repository_input import RepositoryInput
from repobuild.model.hypernet.residual_head import ResidualHead
from repobuild.model.hypernet.shapes import ModelShape
from tests.model.hypernet.test_heads import QWEN_CODER_1_5B, parameters

FILES = 400


class StepMemory(NamedTuple):
    """What a step needs beside workspace, in bytes."""

    trained: int  # parameters
    states: int  # of them: weights, gradients, two moments, in float32
    base: int  # frozen weights, in bfloat16
    saved: int  # for the backward pass
    without_gradient: list[str]


def build(kind: str) -> tuple[Any, Any]:
    """Return head and base on the meta device."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    shape = ModelShape.of(QWEN_CODER_1_5B)
    config = Qwen2Config(
        **{n: v for n, v in QWEN_CODER_1_5B.items() if n != "model_type"},
        vocab_size=151_936,
        tie_word_embeddings=True,
    )
    with torch.device("meta"):
        head = PaperHead(shape, 2048) if kind == "paper" else ResidualHead(shape, 1536)
        base = Qwen2ForCausalLM(config).to(torch.bfloat16).requires_grad_(False)
    return head, base


def meta_step(kind: str, tasks: int = 16, tokens: int = 320) -> StepMemory:
    """Run forward and backward, and count what autograd keeps between them."""
    head, base = build(kind)
    encoded = 1024 if kind == "paper" else 1536
    given = RepositoryInput(
        torch.empty(2 * encoded, device="meta"),
        torch.empty(FILES, encoded, device="meta"),
        torch.empty(FILES, device="meta"),
    )
    ids = torch.zeros(tasks, tokens, dtype=torch.long, device="meta")
    # Given whole: transformers would look at values to make it, and there are none.
    size = (tasks, 1, tokens, tokens)
    mask = torch.zeros(*size, dtype=torch.bfloat16, device="meta")
    kept: dict[int, int] = {}
    weights = {id(p) for module in (head, base) for p in module.parameters()}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if id(tensor) not in weights:
            kept[storage._cdata] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        with inject(base, head(given)):
            out = base.model(ids, attention_mask=mask, use_cache=False)
        # Logits of 8 answer tokens a task, as the objective computes them.
        logits = base.lm_head(out.last_hidden_state[:, -8:].flatten(0, 1)).float()
        loss = F.cross_entropy(logits, torch.zeros_like(ids)[:, -8:].flatten())
    loss.backward()
    still = [n for n, p in head.named_parameters() if p.grad is None]
    count = parameters(head)
    frozen = 2 * parameters(base)
    return StepMemory(count, 16 * count, frozen, sum(kept.values()), still)


@pytest.mark.parametrize("kind", ["paper", "residual"])
def test_a_step_on_a_large_base_reaches_every_parameter(kind):
    step = meta_step(kind, tasks=2, tokens=16)
    assert step.without_gradient == []
    assert step.base == 2 * 1_543_714_304
    assert step.states == 16 * step.trained


def main() -> None:
    for kind in ("residual", "paper"):
        step = meta_step(kind)
        numbers = (step.states, step.base, step.saved)
        sizes = [f"{number / 1e9:.2f} GB" for number in numbers]
        print(kind, f"{step.trained:,}", *sizes, f"{sum(numbers) / 1e9:.1f} GB")


if __name__ == "__main__":
    main()
