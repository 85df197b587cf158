"""Generate greedy answers to many prompts at once, with a key-value cache.

A row that has ended leaves the batch together with its cache. The plain way, `generate`
of transformers, computes every row until the longest one is done and applies the
model's own generation settings, such as a repetition penalty; of 32 answers only a few
are long. 64 questions took 5.4 s before and 3.5 s now, with the same answers
(docs/benchmarks.md). Prompts are padded on the left.

An answer that goes round in a circle is stopped: greedy generation hardly ever leaves
one, and the last rows of a batch are such answers (of 23 answers of a small adapter
that did not end within 128 tokens, 22).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from repobuild.model.copying import FactCopier

if TYPE_CHECKING:
    import torch

Tokens = list[int]
CIRCLING = 36  # tokens at the end of an answer that are one part again and again
LONGEST_PART = 12  # tokens: it is there three times at least


class Continuation(NamedTuple):
    """The generated tokens, and whether the model ended them itself."""

    tokens: Tokens
    ended: bool


def greedy(
    model: Any, prompts: Sequence[Tokens], ends: Collection[int], limit: int, pad: int,
    copiers: Sequence[FactCopier | None] = (),
) -> list[Continuation]:  # fmt: skip
    """Return the most likely continuation of each prompt, without its end token.

    A continuation has at most `limit` tokens and stops before the first token of
    `ends`, or when it goes round in a circle. `copiers` are those of the prompts that
    hold facts.
    """
    import torch
    from transformers import DynamicCache

    answers: list[Tokens] = [[] for _ in prompts]
    ended = [False] * len(prompts)
    active = list(range(len(prompts)))  # prompt number of each row of the batch
    window, mask = _pad_left(prompts, pad, model.device)  # (B, T)
    cache = DynamicCache()
    with torch.inference_mode():
        for _ in range(limit):
            positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -window.shape[1] :]
            out = model(
                input_ids=window, attention_mask=mask, position_ids=positions,
                past_key_values=cache, use_cache=True, logits_to_keep=1,
            )  # fmt: skip
            logits = out.logits[:, -1]  # (rows, V)
            for row, number in enumerate(active if copiers else ()):
                help_copying(logits[row], copiers[number], answers[number])
            chosen: Tokens = logits.argmax(-1).tolist()
            kept = [row for row, token in enumerate(chosen) if token not in ends]
            for number in set(active) - {active[row] for row in kept}:
                ended[number] = True
            for row in kept:
                answers[active[row]].append(chosen[row])
            kept = [row for row in kept if not goes_in_circle(answers[active[row]])]
            if not kept:
                break
            if len(kept) < len(active):
                active = [active[row] for row in kept]
                mask = _keep_rows(kept, mask, cache)
            window = torch.tensor([[chosen[row]] for row in kept], device=mask.device)
            mask = torch.cat([mask, mask.new_ones(len(kept), 1)], 1)
    return [Continuation(*pair) for pair in zip(answers, ended, strict=True)]


def _keep_rows(kept: Tokens, mask: torch.Tensor, cache: Any) -> torch.Tensor:
    """Let the other rows leave the cache; return the mask (rows, T) without them."""
    import torch

    rows = torch.tensor(kept, device=mask.device)
    cache.batch_select_indices(rows)
    return mask[rows]


def help_copying(
    logits: torch.Tensor, copier: FactCopier | None, answer: Sequence[int]
) -> None:
    """Add the bonus to the logits (V,) of the tokens with which a fact goes on."""
    if copier is not None and (wanted := copier.next_tokens(answer)):
        logits[list(wanted)] += copier.bonus(answer)


def goes_in_circle(tokens: Sequence[int]) -> bool:
    """Return whether the last `CIRCLING` tokens repeat one part of a few tokens."""
    tail = tokens[-CIRCLING:]
    return len(tail) == CIRCLING and any(
        tail[part:] == tail[:-part] for part in range(1, LONGEST_PART + 1)
    )


def _pad_left(
    prompts: Sequence[Tokens], pad: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and attention mask, both (B, T)."""
    import torch

    width = max(map(len, prompts))
    rows = [[pad] * (width - len(p)) + p for p in prompts]
    mask = [[0] * (width - len(p)) + [1] * len(p) for p in prompts]
    return torch.tensor(rows, device=device), torch.tensor(mask, device=device)
