"""Compute the loss that trains a hypernetwork: on answers, and own against other.

    loss    cross-entropy of the answer tokens with the repository's own adapter
          + weight * max(0, margin - (other - own))

`other` is the cross-entropy of the same tasks with the adapter of another repository.
Without this term one good adapter for all repositories is a solution, and it is the one
that the published training finds. The base model is frozen, but its activations are
not: the gradient of a later layer's matrices passes through the earlier ones.

One module holds both models, so that DeepSpeed can wrap it; only the hypernetwork is
trained.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from repobuild.model.compute.loss import answer_loss
from repobuild.model.hypernet.folder import Hypernet
from repobuild.model.hypernet.lora_weights import LoraWeights, inject
from repobuild.model.hypernet.repository_input import RepositoryInput

_LOSS_TOKENS = 8192  # answer tokens whose logits are in memory at once

Tensors = dict[str, torch.Tensor]  # of one batch, as `collate` makes them


class StepLoss(NamedTuple):
    """What a step is trained on, and the two losses behind it, in nats a token."""

    loss: torch.Tensor
    own: torch.Tensor
    other: torch.Tensor  # of another repository's adapter; `own` without a margin


class Objective(nn.Module):
    """A hypernetwork beside the frozen base model that it adapts."""

    def __init__(
        self,
        network: Hypernet,
        base: Any,
        margin: float = 0.1,
        margin_weight: float = 0.5,
        bf16: bool = True,
    ) -> None:
        super().__init__()
        self.network, self.base = network, base
        self.margin, self.margin_weight, self.bf16 = margin, margin_weight, bf16

    def forward(
        self,
        batches: list[Tensors],
        own: RepositoryInput,
        other: RepositoryInput | None,
        diffs: torch.Tensor | None = None,
    ) -> StepLoss:
        """Return the loss of one repository's tasks.

        Without `diffs` there is one batch, for the snapshot's adapter. With diffs
        (T, 2C) there are T batches, one for each commit after it (empty where a commit
        has no tasks), and the loss is the mean over all commits with tasks: its
        gradient goes back through all of them.
        """
        if diffs is None:
            adapters = [self.network(own)]
        else:
            adapters = self._follow(own, diffs)
        foreign = self._foreign(other, diffs)
        losses = [
            self._step(lora, foreign, batch)
            for lora, batch in zip(adapters, batches, strict=True)
            if batch
        ]
        means = (torch.stack(part).mean() for part in zip(*losses, strict=True))
        return StepLoss(*means)

    def _follow(self, own: RepositoryInput, diffs: torch.Tensor) -> list[LoraWeights]:
        """Return the adapter after each commit."""
        state = self.network.begin(own)
        adapters = []
        for diff in diffs:
            state = self.network.advance(state, diff)
            adapters.append(self.network.of_state(state))
        return adapters

    def _foreign(
        self, other: RepositoryInput | None, diffs: torch.Tensor | None
    ) -> LoraWeights | None:
        if other is None or not self.margin_weight:
            return None
        if diffs is None:
            made: LoraWeights = self.network(other)
            return made
        return self.network.of_state(self.network.begin(other))

    def _step(
        self, lora: LoraWeights, foreign: LoraWeights | None, batch: Tensors
    ) -> StepLoss:
        own = self.answer_loss(lora, batch)
        if foreign is None:
            return StepLoss(own, own, own)
        other = self.answer_loss(foreign, batch)
        behind = F.relu(self.margin - (other - own))
        return StepLoss(own + self.margin_weight * behind, own, other)

    def answer_loss(self, lora: LoraWeights | None, batch: Tensors) -> torch.Tensor:
        """Return the mean loss of a batch's answer tokens; None is the base itself."""
        ids, labels = batch["input_ids"], batch["labels"][:, 1:]
        inputs: Any = {"input_ids": ids, "position_ids": batch["position_ids"]}
        with torch.autocast(ids.device.type, torch.bfloat16, enabled=self.bf16):
            if lora is None:
                states = self.base.model(**inputs, use_cache=False).last_hidden_state
            else:
                with inject(self.base, lora):
                    out = self.base.model(**inputs, use_cache=False)
                states = out.last_hidden_state
            chosen = labels != -100
            loss, _ = answer_loss(
                states[:, :-1][chosen], labels[chosen], self.base.lm_head, _LOSS_TOKENS
            )
        return loss
