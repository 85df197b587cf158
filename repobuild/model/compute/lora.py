"""A linear layer with its adapter as one operation.

    y = W x + s B A x

peft computes it in eight: the input is cast to the adapter's float32 and, under
autocast, back to bfloat16; two products, a scaled copy, a sum, each kept for the
backward pass. Here the second product is added onto the first in place, the scale is
taken on the (tokens, rank) matrix, and what is kept is the input and that matrix.
The same for the gradients. Weights of the base get none: they are frozen.

Taken for plain LoRA on plain linear layers without dropout. DoRA and ZeRO-3, where
weights lie elsewhere until a module is called, keep peft's way.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from peft import PeftModel
from peft.tuners.lora.layer import Linear

ADAPTER = "default"


def fuse(model: PeftModel) -> int:
    """Replace the forward of every layer that can be; returns how many were."""
    layers: list[Any] = [
        m for m in model.modules() if type(m) is Linear and _is_plain(m)
    ]
    for layer in layers:
        layer.forward = MethodType(_forward, layer)
    return len(layers)


def _is_plain(layer: Linear) -> bool:
    return (
        type(layer.base_layer) is torch.nn.Linear
        and list(layer.lora_A) == [ADAPTER] == list(layer.active_adapters)
        and not layer.lora_variant
        and isinstance(layer.lora_dropout[ADAPTER], torch.nn.Identity)
        and not layer.lora_bias[ADAPTER]
        and not layer.merged
        and not layer.base_layer.weight.requires_grad
    )


def _forward(self: Any, x: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
    base, low, high = self.base_layer, self.lora_A[ADAPTER], self.lora_B[ADAPTER]
    place = x.device.type
    dtype = x.dtype
    if torch.is_autocast_enabled(place):
        dtype = torch.get_autocast_dtype(place)
    with torch.autocast(place, enabled=False):
        bias = base.bias if base.bias is None else base.bias.to(dtype)
        y: torch.Tensor = _Product.apply(  # type: ignore[no-untyped-call]
            x.to(dtype),
            base.weight.to(dtype),
            bias,
            low.weight.to(dtype),
            high.weight.to(dtype),
            self.scaling[ADAPTER],
        )
    return y


class _Product(torch.autograd.Function):
    """x (..., in), W (out, in), A (rank, in), B (out, rank), all of one dtype."""

    @staticmethod
    def forward(
        ctx: Any, x: Any, w: Any, bias: Any, a: Any, b: Any, scale: float
    ) -> Any:
        flat = x.reshape(-1, x.shape[-1])
        low = torch.mm(flat, a.t()).mul_(scale)
        y = torch.mm(flat, w.t()) if bias is None else torch.addmm(bias, flat, w.t())
        y.addmm_(low, b.t())
        ctx.save_for_backward(flat, w, a, b, low)
        ctx.scale = scale
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        flat, w, a, b, low = ctx.saved_tensors
        (g,) = gradients
        above = g.reshape(-1, g.shape[-1])
        of_low = torch.mm(above, b).mul_(ctx.scale)
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = torch.mm(above, w).addmm_(of_low, a).view(*g.shape[:-1], -1)
        return of_x, None, None, of_low.t().mm(flat), above.t().mm(low), None
