"""Select how attention is computed, and keep the samples of a packed row apart.

    auto                 `short` on a CPU in bfloat16 where the model allows it, else
                         `sdpa`
    sdpa                 the plain way: torch's scaled_dot_product_attention.
                         transformers sees where positions restart and builds a
                         block-diagonal mask. Exact, but with a mask no flash kernel
                         runs on a GPU
    varlen               torch's FlashAttention for rows of several samples (needs
                         torch 2.10, nothing to install); on a CPU one sample at a time
    flash_attention_2/3  the flash-attn package, if it is installed
    short                on a CPU: product, softmax, product over whole short rows

`short` is faster because torch's CPU kernel takes two to four times as long on rows of
50 to 500 tokens, mostly in the backward pass; a training step of 400 tokens drops from
156 to 127 ms of CPU (docs/benchmarks.md). Rows above LONGEST_SHORT_ROW go to torch's
kernel. In float32 the products of `short` depend on the number of threads, so a resumed
run would not equal the uninterrupted one; `auto` therefore takes it in bfloat16 only.

transformers passes sample boundaries to FlashAttention only where a batch has one row;
with more rows it lets packed samples see each other. `varlen_arguments` therefore
always passes the boundaries, for any number of rows (tests/model/test_attention.py).

Source: Dao et al. 2022, "FlashAttention: Fast and Memory-Efficient Exact Attention with
IO-Awareness"; grouped queries: Ainslie et al. 2023, "GQA".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional as F

from repobuild.model.load.weight_check import LLAMA_LIKE

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Our kernels by the name under which transformers knows them.
REGISTERED = {"short": "repobuild_short", "varlen": "repobuild_varlen"}
LONGEST_SHORT_ROW = 640  # tokens


def use_attention(model: PreTrainedModel, kind: str) -> None:
    """Set the attention of a loaded model; `kind` is one of `recipe.ATTENTION`."""
    if kind == "auto":
        # Only here does `short` give the same bits on any number of threads.
        exact = model.device.type == "cpu" and model.dtype is torch.bfloat16
        kind = "short" if exact and has_plain_attention(model) else "sdpa"
    if kind in REGISTERED:
        from transformers import AttentionInterface

        kernels = {"short": short_attention, "varlen": varlen_attention}
        AttentionInterface.register(REGISTERED[kind], kernels[kind])
    model.set_attn_implementation(REGISTERED.get(kind, kind))


def has_plain_attention(model: PreTrainedModel) -> bool:
    """Return whether every layer has full causal attention without a window."""
    config = model.config
    windows = "sliding_attention" in (getattr(config, "layer_types", None) or ())
    return (
        str(getattr(config, "model_type", "")) in LLAMA_LIKE
        and not windows
        and not getattr(config, "sliding_window", None)
    )


def varlen_arguments(position_ids: torch.Tensor, kind: str) -> dict[str, Any]:
    """Return the sample boundaries as flash kernels take them; nothing for `sdpa`.

    `position_ids` (B, T) restart at 0 for each sample. The offsets (samples + 1,) count
    tokens of the batch laid end to end, B * T.
    """
    if kind not in (*REGISTERED.values(), "flash_attention_2", "flash_attention_3"):
        return {}
    flat = position_ids.reshape(-1)
    starts = (flat == 0).nonzero().reshape(-1)
    offsets = F.pad(starts, (0, 1), value=flat.numel()).to(torch.int32)
    longest = int(offsets.diff().max())
    return {
        "cu_seq_lens_q": offsets,
        "cu_seq_lens_k": offsets,
        "max_length_q": longest,
        "max_length_k": longest,
    }


def varlen_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    cu_seq_lens_q: torch.Tensor | None = None,
    max_length_q: int = 0,
    **ignored: Any,
) -> tuple[torch.Tensor, None]:
    """Compute causal attention within each sample of a packed batch.

    `query` (B, heads, T, D), `key` and `value` (B, kv heads, T, D); returns
    (B, T, heads, D). The signature is that of transformers' AttentionInterface.
    """
    assert cu_seq_lens_q is not None
    rows, heads, width, size = query.shape
    q, k, v = (
        x.transpose(1, 2).reshape(rows * width, -1, size) for x in (query, key, value)
    )
    if query.is_cuda:
        from torch.nn.attention.varlen import varlen_attn

        flash: Any = varlen_attn(
            q, k, v, cu_seq_lens_q, cu_seq_lens_q, max_length_q, max_length_q,
            scale=scaling, window_size=(-1, 0), enable_gqa=True,
        )  # fmt: skip
        out: torch.Tensor = flash
    else:
        out = _attend_by_sample(q, k, v, cu_seq_lens_q.tolist(), scaling)
    return out.view(rows, width, heads, size), None


def _attend_by_sample(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    offsets: list[int],
    scaling: float | None,
) -> torch.Tensor:
    """Run torch's kernel on one sample after the other: (B * T, heads, D), as given."""
    lengths = [end - start for start, end in zip(offsets, offsets[1:], strict=False)]
    samples = zip(
        *(torch.split(x.transpose(0, 1), lengths, 1) for x in (query, key, value)),
        strict=True,
    )
    outputs = [
        F.scaled_dot_product_attention(
            q, k, v, is_causal=True, scale=scaling, enable_gqa=True
        )
        for q, k, v in samples
    ]
    return torch.cat(outputs, 1).transpose(0, 1)


def short_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    cu_seq_lens_q: torch.Tensor | None = None,
    **ignored: Any,
) -> tuple[torch.Tensor, None]:
    """Compute causal attention of rows of one sample; others go to `varlen_attention`.

    `query` (B, heads, T, D), `key` and `value` (B, kv heads, T, D); returns
    (B, T, heads, D). The queries of a group share one key, so they become rows of one
    product and the key is not repeated.
    """
    rows, heads, width, size = query.shape
    packed = cu_seq_lens_q is not None and len(cu_seq_lens_q) - 1 > rows
    if packed or width > LONGEST_SHORT_ROW:
        return varlen_attention(
            module, query, key, value, None,
            scaling=scaling, cu_seq_lens_q=cu_seq_lens_q,
        )  # fmt: skip
    kv_heads = key.shape[1]
    group = heads // kv_heads
    with torch.autocast("cpu", enabled=False):
        q = query.reshape(rows * kv_heads, group * width, size)
        k = key.reshape(rows * kv_heads, width, size).transpose(1, 2)
        v = value.reshape(rows * kv_heads, width, size)
        # (T, T): minus infinity where a token would attend to a later one.
        mask = torch.full((width, width), float("-inf"), dtype=query.dtype).triu(1)
        mask = mask.repeat(group, 1).expand(len(q), -1, -1)
        scores = torch.baddbmm(mask, q, k, alpha=scaling or size**-0.5)
        out = torch.bmm(scores.softmax(-1), v)
    return out.view(rows, heads, width, size).transpose(1, 2), None
