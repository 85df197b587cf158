"""Which attention a model is trained with, and how samples of a row stay apart.

    auto                 `short` on a CPU in bfloat16 where it can be, else `sdpa`
    sdpa                 torch's own. transformers finds where positions start again and
                         builds a block-diagonal mask: exact, but with a mask no flash
                         kernel is taken on a GPU
    varlen               torch's flash kernel for rows of several samples (torch 2.10,
                         nothing to install); on a CPU one sample after the other
    flash_attention_2/3  the flash-attn package, if it is installed
    short                on a CPU: one product, softmax, one product. Of rows of 50 to
                         500 tokens torch's kernel takes two to four times as long,
                         most of it backward; rows above LONGEST are left to it. In
                         float32 its products differ by the number of threads, so that
                         a resumed run would not equal the uninterrupted one

FlashAttention in transformers looks for packed samples in the positions only where a
batch is one row; in any other it lets them see each other. So the borders are told
(`borders`), and hold for any number of rows. tests/model/test_attention.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional as F

from repobuild.model.base import PLAIN

if TYPE_CHECKING:
    from transformers import PreTrainedModel

OURS = {"short": "repobuild_short", "varlen": "repobuild_varlen"}
LONGEST = 640  # tokens of a row


def use_attention(model: PreTrainedModel, kind: str) -> None:
    """Have a loaded model compute attention so; `kind` is one of `recipe.ATTENTION`."""
    if kind == "auto":
        kind = "short" if _is_exact(model) and is_plain(model) else "sdpa"
    if kind in OURS:
        from transformers import AttentionInterface

        AttentionInterface.register(
            OURS[kind], {"short": short, "varlen": varlen}[kind]
        )
    model.set_attn_implementation(OURS.get(kind, kind))


def _is_exact(model: PreTrainedModel) -> bool:
    """Whether `short` gives the same bits on any number of threads."""
    return model.device.type == "cpu" and model.dtype is torch.bfloat16


def is_plain(model: PreTrainedModel) -> bool:
    config = model.config
    windows = "sliding_attention" in (getattr(config, "layer_types", None) or ())
    family = str(getattr(config, "model_type", ""))
    return (
        family in PLAIN and not windows and not getattr(config, "sliding_window", None)
    )


def borders(position_ids: torch.Tensor, kind: str) -> dict[str, Any]:
    """What attention over samples of different lengths is told; nothing for `sdpa`.

    `position_ids` (B, T) start at 0 for each sample. Offsets are into B * T tokens.
    """
    if kind not in (*OURS.values(), "flash_attention_2", "flash_attention_3"):
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


def varlen(
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
    """Attention within each sample; (B, heads, T, D) to (B, T, heads, D)."""
    assert cu_seq_lens_q is not None
    rows, heads, width, size = query.shape
    q, k, v = (
        x.transpose(1, 2).reshape(rows * width, -1, size) for x in (query, key, value)
    )
    if query.is_cuda:
        out = _flash(q, k, v, cu_seq_lens_q, max_length_q, scaling)
    else:
        out = _one_by_one(q, k, v, cu_seq_lens_q.tolist(), scaling)
    return out.view(rows, width, heads, size), None


def _flash(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    offsets: torch.Tensor,
    longest: int,
    scaling: float | None,
) -> torch.Tensor:
    from torch.nn.attention.varlen import varlen_attn

    found: Any = varlen_attn(
        query, key, value, offsets, offsets, longest, longest,
        scale=scaling, window_size=(-1, 0), enable_gqa=True,
    )  # fmt: skip
    out: torch.Tensor = found
    return out


def _one_by_one(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    offsets: list[int],
    scaling: float | None,
) -> torch.Tensor:
    sizes = [end - start for start, end in zip(offsets, offsets[1:], strict=False)]
    parts = zip(
        *(torch.split(x.transpose(0, 1), sizes, 1) for x in (query, key, value)),
        strict=True,
    )
    done = [
        F.scaled_dot_product_attention(
            q, k, v, is_causal=True, scale=scaling, enable_gqa=True
        )
        for q, k, v in parts
    ]
    return torch.cat(done, 1).transpose(0, 1)


def short(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    cu_seq_lens_q: torch.Tensor | None = None,
    **ignored: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention of bucketed rows; packed ones go sample by sample.

    (B, heads, T, D) to (B, T, heads, D). A group of queries shares one key, so the
    group is laid into the rows of one product instead of repeating the key.
    """
    rows, heads, width, size = query.shape
    packed = cu_seq_lens_q is not None and len(cu_seq_lens_q) - 1 > rows
    if packed or width > LONGEST:
        return varlen(
            module, query, key, value, None,
            scaling=scaling, cu_seq_lens_q=cu_seq_lens_q,
        )  # fmt: skip
    shared = key.shape[1]
    group = heads // shared
    with torch.autocast("cpu", enabled=False):
        asked = query.reshape(rows * shared, group * width, size)
        known = key.reshape(rows * shared, width, size).transpose(1, 2)
        held = value.reshape(rows * shared, width, size)
        future = _future(width, query.dtype).repeat(group, 1).expand(len(asked), -1, -1)
        scores = torch.baddbmm(future, asked, known, alpha=scaling or size**-0.5)
        out = torch.bmm(scores.softmax(-1), held)
    return out.view(rows, heads, width, size).transpose(1, 2), None


def _future(width: int, dtype: torch.dtype) -> torch.Tensor:
    """(T, T): minus infinity where a token would see a later one."""
    return torch.full((width, width), float("-inf"), dtype=dtype).triu(1)
