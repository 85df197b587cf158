"""The loss of a causal model over answer tokens, without logits of any other token."""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from peft import PeftModel
from torch.nn import functional as F
from transformers.modeling_outputs import CausalLMOutput

# Families whose forward is: backbone, then lm_head. Others compute their own loss.
PLAIN_HEADS = frozenset({"llama", "mistral", "qwen2", "qwen3"})


def use_answer_loss(model: PeftModel, bf16: bool) -> None:
    """Replace the causal model's forward by one that looks at answers only.

    DeepSpeed switches autocast off around the engine, hence it is switched on inside.
    """
    causal = model.get_base_model()
    own = causal.forward
    family = str(getattr(causal.config, "model_type", ""))
    plain = family in PLAIN_HEADS

    def forward(
        self: Any,
        input_ids: torch.Tensor,
        labels: torch.Tensor,
        position_ids: torch.Tensor,
        **ignored: Any,
    ) -> CausalLMOutput:
        place = input_ids.device.type
        with torch.autocast(place, torch.bfloat16, enabled=bf16):
            where = {"input_ids": input_ids, "position_ids": position_ids}
            if not plain:
                loss = own(**where, labels=labels, use_cache=False).loss
                return CausalLMOutput(loss=loss)
            hidden = self.model(**where, use_cache=False).last_hidden_state  # (B, T, C)
            wanted = labels[:, 1:] != -100  # (B, T - 1)
            logits = self.lm_head(hidden[:, :-1][wanted])  # (answer tokens, V)
        loss = F.cross_entropy(logits.float(), labels[:, 1:][wanted])
        return CausalLMOutput(loss=loss)

    causal.forward = MethodType(forward, causal)
