"""The loss of a causal model over answer tokens, without logits of any other token.

With a vocabulary of 152 thousand the logits of 8,000 answer tokens are 5 GB in float32,
and as much again for their gradients. So above `loss_tokens` they are made piece by
piece, each piece's gradient taken at once: the head is frozen, so that all the rest of
the model needs is the gradient of the hidden states. The products are the same ones.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from peft import PeftModel
from torch.nn import functional as F
from transformers.modeling_outputs import CausalLMOutput

from repobuild.model.base import PLAIN
from repobuild.model.compute.attention import borders


def use_answer_loss(model: PeftModel, bf16: bool, loss_tokens: int = 1 << 30) -> None:
    """Replace the causal model's forward by one that looks at answers only.

    A model of a family that is not `PLAIN` computes its own loss.

    DeepSpeed switches autocast off around the engine, hence it is switched on inside.
    """
    causal = model.get_base_model()
    own = causal.forward
    family = str(getattr(causal.config, "model_type", ""))
    plain = family in PLAIN

    def forward(
        self: Any,
        input_ids: torch.Tensor,
        labels: torch.Tensor,
        position_ids: torch.Tensor,
        **ignored: Any,
    ) -> CausalLMOutput:
        place = input_ids.device.type
        with torch.autocast(place, torch.bfloat16, enabled=bf16):
            where: dict[str, Any] = {
                "input_ids": input_ids,
                "position_ids": position_ids,
            }
            where |= borders(position_ids, str(self.config._attn_implementation))
            if not plain:
                loss = own(**where, labels=labels, use_cache=False).loss
                return CausalLMOutput(loss=loss)
            hidden = self.model(**where, use_cache=False).last_hidden_state  # (B, T, C)
            wanted = labels[:, 1:] != -100  # (B, T - 1)
            asked, right = hidden[:, :-1][wanted], labels[:, 1:][wanted]
            return CausalLMOutput(
                loss=answer_loss(asked, right, self.lm_head, loss_tokens)
            )

    causal.forward = MethodType(forward, causal)


def answer_loss(
    hidden: torch.Tensor, right: torch.Tensor, head: Any, most: int
) -> torch.Tensor:
    """Mean loss of hidden states (N, C) with labels (N,), `most` logits at a time."""
    if len(right) <= most:
        return F.cross_entropy(head(hidden).float(), right)
    if not (torch.is_grad_enabled() and hidden.requires_grad):
        pieces = zip(torch.split(hidden, most), torch.split(right, most), strict=True)
        totals = [_total(h, r, head) for h, r in pieces]
        return torch.stack(totals).sum() / len(right)
    loss: torch.Tensor = _InPieces.apply(hidden, right, head, most)  # type: ignore[no-untyped-call]
    return loss


def _total(hidden: torch.Tensor, right: torch.Tensor, head: Any) -> torch.Tensor:
    return F.cross_entropy(head(hidden).float(), right, reduction="sum")


class _InPieces(torch.autograd.Function):
    """Loss and gradient of a piece before the logits of the next one are made."""

    @staticmethod
    def forward(ctx: Any, hidden: Any, right: Any, head: Any, most: int) -> Any:
        total = hidden.new_zeros((), dtype=torch.float32)
        gradient = torch.empty_like(hidden)
        for start in range(0, len(right), most):
            part = slice(start, start + most)
            with torch.enable_grad():
                piece = hidden[part].detach().requires_grad_()
                loss = _total(piece, right[part], head) / len(right)
            (gradient[part],) = torch.autograd.grad(loss, piece)
            total += loss.detach()
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (gradient,) = ctx.saved_tensors
        return gradient * gradients[0].to(gradient.dtype), None, None, None
