"""Greedy answers of many prompts at once, with a cache of keys and values.

A row that has ended leaves the batch, cache and all: of 32 answers a few are long, and
`generate` of transformers computes every row until the last one is done, repetition
penalties of the model's own settings included. Prompts are padded on the left.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

Tokens = list[int]


def greedy(
    model: Any, prompts: Sequence[Tokens], ends: Collection[int], limit: int, pad: int
) -> list[Tokens]:
    """At most `limit` tokens behind each prompt, up to the first end, without it."""
    import torch
    from transformers import DynamicCache

    said: list[Tokens] = [[] for _ in prompts]
    alive = list(range(len(prompts)))
    window, mask = _padded(prompts, pad, model.device)
    cache = DynamicCache()
    with torch.inference_mode():
        for _ in range(limit):
            places = (mask.cumsum(1) - 1).clamp(min=0)[:, -window.shape[1] :]
            out = model(
                input_ids=window, attention_mask=mask, position_ids=places,
                past_key_values=cache, use_cache=True, logits_to_keep=1,
            )  # fmt: skip
            chosen: Tokens = out.logits[:, -1].argmax(-1).tolist()
            kept = [row for row, token in enumerate(chosen) if token not in ends]
            for row in kept:
                said[alive[row]].append(chosen[row])
            if not kept:
                break
            if len(kept) < len(alive):
                alive = [alive[row] for row in kept]
                rows = torch.tensor(kept, device=mask.device)
                cache.batch_select_indices(rows)
                mask = mask[rows]
            window = torch.tensor([[chosen[row]] for row in kept], device=mask.device)
            mask = torch.cat([mask, mask.new_ones(len(kept), 1)], 1)
    return said


def _padded(
    prompts: Sequence[Tokens], pad: int, place: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens and mask (B, T) of prompts that end together."""
    import torch

    width = max(map(len, prompts))
    rows = [[pad] * (width - len(p)) + p for p in prompts]
    mask = [[0] * (width - len(p)) + [1] * len(p) for p in prompts]
    return torch.tensor(rows, device=place), torch.tensor(mask, device=place)
