"""Compute the loss of a causal model: over answer tokens, and against its base.

    answers     mean cross-entropy of the answer tokens, and which of them the model
                would have said itself, and how surely
    general     mean divergence of the adapter's next-token distribution from the base
                model's, KL(base, adapter), over windows of general text

The plain way makes logits of every token. Here only the hidden states that predict an
answer token reach the output layer. With a vocabulary of 152 thousand the logits of
8,000 answer tokens still take 5 GB in float32, and their gradients as much again; so
above `loss_tokens` they are made chunk by chunk, and each chunk's gradient is taken at
once. That works because the output layer is frozen: the rest of the model needs the
gradient of the hidden states only. The products are the same, so the loss is too
(tests/model/test_attention.py).

The base is the same model with its adapter switched off, so no second copy is needed.
What it says of a window never changes, so its hidden states are kept in memory from the
first time on (of other families, whose logits alone are known, nothing is kept).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from peft import PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer
from torch.nn import functional as F
from transformers.utils.generic import ModelOutput

from repobuild.model.compute.attention import varlen_arguments
from repobuild.model.load.weight_check import LLAMA_LIKE

# Nats by which each token of a sure answer leads. Of the answers of a chain that led by
# less than 1.3 a fifth was lost in the next run, of those by more than 5.4 a hundredth.
SURE_BY = 3.0


@dataclass
class StepOutput(ModelOutput):
    """What a step's forward pass returns."""

    loss: torch.Tensor | None = None
    answers: torch.Tensor | None = None  # loss of the answers alone
    marks: torch.Tensor | None = None  # (N,): of each answer token, see mark_tokens
    drift: torch.Tensor | None = None  # KL(base, adapter) a token, with general text


def use_answer_loss(
    model: PeftModel, bf16: bool, loss_tokens: int = 1 << 30, keep_weight: float = 0.0
) -> None:
    """Replace the causal model's forward by one that returns a `StepOutput`."""
    causal: Any = model.get_base_model()
    causal.forward = StepForward(model, causal, bf16, loss_tokens, keep_weight).forward


class StepForward:
    """The forward pass of a training step.

    A model of a family outside `LLAMA_LIKE` computes its own logits. DeepSpeed switches
    autocast off around the engine, so it is switched on inside.
    """

    def __init__(
        self,
        model: PeftModel,
        causal: Any,
        bf16: bool,
        loss_tokens: int,
        keep_weight: float,
    ) -> None:
        self.model, self.causal = model, causal
        self.original_forward = causal.forward
        self.is_llama_like = getattr(causal.config, "model_type", "") in LLAMA_LIKE
        self.bf16, self.loss_tokens, self.keep_weight = bf16, loss_tokens, keep_weight
        self.said_by_base: dict[int, torch.Tensor] = {}  # window -> (1, T, C)

    def forward(
        self,
        input_ids: torch.Tensor,
        labels: torch.Tensor,
        position_ids: torch.Tensor,
        general: torch.Tensor | None = None,
        window: int = 0,
        **ignored: Any,
    ) -> StepOutput:
        """Return the losses; `input_ids`, `labels` and `position_ids` are (B, T).

        `general`, a window of text (1, T), adds its divergence, times `keep_weight`;
        `window` is its number.
        """
        with torch.autocast(input_ids.device.type, torch.bfloat16, enabled=self.bf16):
            states = self.last_states(input_ids, position_ids)[:, :-1]
            targets = labels[:, 1:]  # position t predicts label t + 1
            is_answer = targets != -100
            answers, marks = answer_loss(
                states[is_answer], targets[is_answer], self.head, self.loss_tokens
            )
            if general is None:
                return StepOutput(answers, answers, marks)
            drift = self.divergence(general, window)
            loss = answers + self.keep_weight * drift
            return StepOutput(loss, answers, marks, drift)

    def divergence(self, general: torch.Tensor, window: int) -> torch.Tensor:
        """Return KL(base, adapter) of a window, a token."""
        positions = torch.arange(general.shape[1], device=general.device)[None]
        said = self.said_by_base.get(window)
        with torch.no_grad():
            if said is None:
                with without_adapter(self.model):
                    said = self.last_states(general, positions)
                if self.is_llama_like:
                    self.said_by_base[window] = said.cpu()
            teacher = F.log_softmax(self.head(said.to(general.device)).float(), -1)
        student = F.log_softmax(
            self.head(self.last_states(general, positions)).float(), -1
        )
        total = F.kl_div(student, teacher, reduction="sum", log_target=True)
        return total / general.shape[1]

    def last_states(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """Return what the output layer takes, or the logits of another family."""
        kernel = str(self.causal.config._attn_implementation)
        inputs: dict[str, Any] = {"input_ids": ids, "position_ids": positions}
        inputs |= varlen_arguments(positions, kernel)
        if self.is_llama_like:
            states = self.causal.model(**inputs, use_cache=False).last_hidden_state
        else:
            states = self.original_forward(**inputs, use_cache=False).logits
        return states  # type: ignore[no-any-return]

    def head(self, states: torch.Tensor) -> torch.Tensor:
        return self.causal.lm_head(states) if self.is_llama_like else states


@contextmanager
def without_adapter(model: PeftModel) -> Iterator[None]:
    """Switch the adapter off inside.

    peft's `disable_adapter` also makes its weights untrainable meanwhile, which a step
    that is under way must not see.
    """
    layers: list[Any] = [m for m in model.modules() if isinstance(m, BaseTunerLayer)]
    for layer in layers:
        layer._disable_adapters = True
    try:
        yield
    finally:
        for layer in layers:
            layer._disable_adapters = False


def answer_loss(
    hidden: torch.Tensor, labels: torch.Tensor, head: Any, chunk: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mean loss of hidden states (N, C) with labels (N,), and marks (N,).

    `head` maps (N, C) to logits (N, V); at most `chunk` rows of logits exist at a time.
    """
    if len(labels) <= chunk:
        logits = head(hidden)
        return F.cross_entropy(logits.float(), labels), mark_tokens(logits, labels)
    if not (torch.is_grad_enabled() and hidden.requires_grad):
        parts = [
            _loss_sum(h, right, head)
            for h, right in zip(
                torch.split(hidden, chunk), torch.split(labels, chunk), strict=True
            )
        ]
        total = torch.stack([loss for loss, _ in parts]).sum() / len(labels)
        return total, torch.cat([marks for _, marks in parts])
    loss, marks = _ChunkedLoss.apply(hidden, labels, head, chunk)  # type: ignore[no-untyped-call]
    return loss, marks


def mark_tokens(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return a `Certainty` for each label: logits (N, V), labels (N,) -> (N,) of int8.

    Right is the likeliest token, sure one that leads by `SURE_BY`. The greatest of the
    other logits takes 0.3 ms of a step on a CPU, where `argmax` and `topk` take 4.
    """
    logits, own = logits.detach(), labels.unsqueeze(-1)
    others = logits.scatter(-1, own, float("-inf")).amax(-1)
    lead = logits.gather(-1, own).squeeze(-1).float() - others.float()
    return (lead > 0).to(torch.int8) + (lead >= SURE_BY)


def _loss_sum(
    hidden: torch.Tensor, labels: torch.Tensor, head: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    logits = head(hidden)
    loss = F.cross_entropy(logits.float(), labels, reduction="sum")
    return loss, mark_tokens(logits, labels)


class _ChunkedLoss(torch.autograd.Function):
    """Take loss and gradient of a chunk before the logits of the next one are made."""

    @staticmethod
    def forward(ctx: Any, hidden: Any, labels: Any, head: Any, chunk: int) -> Any:
        total = hidden.new_zeros((), dtype=torch.float32)
        gradient = torch.empty_like(hidden)
        marks = torch.empty_like(labels, dtype=torch.int8)
        for start in range(0, len(labels), chunk):
            part = slice(start, start + chunk)
            with torch.enable_grad():
                leaf = hidden[part].detach().requires_grad_()
                loss, marks[part] = _loss_sum(leaf, labels[part], head)
                loss = loss / len(labels)
            (gradient[part],) = torch.autograd.grad(loss, leaf)
            total += loss.detach()
        ctx.save_for_backward(gradient)
        ctx.mark_non_differentiable(marks)
        return total, marks

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (gradient,) = ctx.saved_tensors
        return gradient * gradients[0].to(gradient.dtype), None, None, None
