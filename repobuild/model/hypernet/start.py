"""Begin the training of an adapter with the matrices of a generated one.

A generated adapter of rank r fills r rows of A and r columns of B; the rest is as in a
new adapter, A at random and B zero. One of a higher rank than `adapter.rank` is cut to
its largest singular values, so that the products are as near as that rank allows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from peft.tuners.lora.layer import LoraLayer
from safetensors.torch import load_file

ADAPTER = "default"


def copy_matrices(folder: Path, model: PeftModel) -> int:
    """Copy a folder's matrices into a new adapter; return how many layers had some.

    Raises `ValueError` when none fits: it was made for other layers.
    """
    tensors = load_file(folder / "adapter_model.safetensors")
    copied = 0
    for path, module in model.named_modules():
        low = tensors.get(f"{path}.lora_A.weight")
        if low is None or not isinstance(module, LoraLayer):
            continue
        high = tensors[f"{path}.lora_B.weight"]
        layer: Any = module
        a, b = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight
        low, high = cut_rank(low, high, a.shape[0])
        rank = low.shape[0]
        with torch.no_grad():
            a[:rank] = low.to(a)
            b[:, :rank] = (high / layer.scaling[ADAPTER]).to(b)
        copied += 1
    if not copied:
        raise ValueError(f"no layer of {folder} is one of adapter.targets")
    return copied


def cut_rank(
    low: torch.Tensor, high: torch.Tensor, rank: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return A (r, in) and B (out, r) with r at most `rank`, for the nearest B A.

    From the QR factors of both, so that no (out, in) matrix is made.
    """
    if low.shape[0] <= rank:
        return low, high
    q_out, r_out = torch.linalg.qr(high)  # (out, n), (n, n)
    q_in, r_in = torch.linalg.qr(low.T)  # (in, n), (n, n)
    u, values, v = torch.linalg.svd(r_out @ r_in.T)
    root = values[:rank].sqrt()
    return (root[:, None] * v[:rank]) @ q_in.T, q_out @ (u[:, :rank] * root)
