"""Compute the loss of a causal model over answer tokens only.

The plain way makes logits of every token. Here only the hidden states that predict an
answer token reach the output layer. With a vocabulary of 152 thousand the logits of
8,000 answer tokens still take 5 GB in float32, and their gradients as much again; so
above `loss_tokens` they are made chunk by chunk, and each chunk's gradient is taken at
once. That works because the output layer is frozen: the rest of the model needs the
gradient of the hidden states only. The products are the same, so the loss is too
(tests/model/test_attention.py).
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from peft import PeftModel
from torch.nn import functional as F
from transformers.modeling_outputs import CausalLMOutput

from repobuild.model.compute.attention import varlen_arguments
from repobuild.model.load.weight_check import LLAMA_LIKE


def use_answer_loss(model: PeftModel, bf16: bool, loss_tokens: int = 1 << 30) -> None:
    """Replace the causal model's forward by one that returns the loss over answers.

    A model of a family outside `LLAMA_LIKE` computes its own loss. DeepSpeed switches
    autocast off around the engine, so the new forward switches it on inside.
    """
    causal = model.get_base_model()
    original_forward = causal.forward
    llama_like = str(getattr(causal.config, "model_type", "")) in LLAMA_LIKE

    def forward(
        self: Any,
        input_ids: torch.Tensor,
        labels: torch.Tensor,
        position_ids: torch.Tensor,
        **ignored: Any,
    ) -> CausalLMOutput:
        """`input_ids`, `labels` and `position_ids` are (B, T)."""
        with torch.autocast(input_ids.device.type, torch.bfloat16, enabled=bf16):
            inputs: dict[str, Any] = {
                "input_ids": input_ids,
                "position_ids": position_ids,
            }
            inputs |= varlen_arguments(
                position_ids, str(self.config._attn_implementation)
            )
            if not llama_like:
                loss = original_forward(**inputs, labels=labels, use_cache=False).loss
                return CausalLMOutput(loss=loss)
            hidden = self.model(**inputs, use_cache=False).last_hidden_state
            hidden = hidden[:, :-1]  # (B, T - 1, C): position t predicts label t + 1
            targets = labels[:, 1:]
            is_answer = targets != -100
            loss = answer_loss(
                hidden[is_answer], targets[is_answer], self.lm_head, loss_tokens
            )
            return CausalLMOutput(loss=loss)

    causal.forward = MethodType(forward, causal)


def answer_loss(
    hidden: torch.Tensor, labels: torch.Tensor, head: Any, chunk: int
) -> torch.Tensor:
    """Return the mean loss of hidden states (N, C) with labels (N,).

    `head` maps (N, C) to logits (N, V); at most `chunk` rows of logits exist at a time.
    """
    if len(labels) <= chunk:
        return F.cross_entropy(head(hidden).float(), labels)
    if not (torch.is_grad_enabled() and hidden.requires_grad):
        chunks = zip(
            torch.split(hidden, chunk), torch.split(labels, chunk), strict=True
        )
        totals = [_loss_sum(h, right, head) for h, right in chunks]
        return torch.stack(totals).sum() / len(labels)
    loss: torch.Tensor = _ChunkedLoss.apply(hidden, labels, head, chunk)  # type: ignore[no-untyped-call]
    return loss


def _loss_sum(hidden: torch.Tensor, labels: torch.Tensor, head: Any) -> torch.Tensor:
    return F.cross_entropy(head(hidden).float(), labels, reduction="sum")


class _ChunkedLoss(torch.autograd.Function):
    """Take loss and gradient of a chunk before the logits of the next one are made."""

    @staticmethod
    def forward(ctx: Any, hidden: Any, labels: Any, head: Any, chunk: int) -> Any:
        total = hidden.new_zeros((), dtype=torch.float32)
        gradient = torch.empty_like(hidden)
        for start in range(0, len(labels), chunk):
            part = slice(start, start + chunk)
            with torch.enable_grad():
                leaf = hidden[part].detach().requires_grad_()
                loss = _loss_sum(leaf, labels[part], head) / len(labels)
            (gradient[part],) = torch.autograd.grad(loss, leaf)
            total += loss.detach()
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (gradient,) = ctx.saved_tensors
        return gradient * gradients[0].to(gradient.dtype), None, None, None
