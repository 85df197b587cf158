"""Hold the matrices of a generated adapter, put them on a model, and export them.

    y = W x + s B (A x)     for each target: A (L, r, in), B (L, out, r), L layers

`inject` computes this beside a base model's own layers, in the matrices' own float32,
and gradients reach the matrices and the layers before. Afterwards the model is exactly
the base again. `write_peft_files` writes the same adapter for everything that reads
PEFT; `tests/model/hypernet` compares the logits of both.

A hypernetwork that shares one pair of matrices among all layers returns an expanded
view (stride 0), so that sharing costs no memory until it is exported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch.nn import functional as F

from repobuild.model.hypernet.shapes import ModelShape, TargetShape

_BLOCK = re.compile(r"(?:^|\.)layers\.(\d+)\.(?:self_attn|mlp)\.(\w+)$")


@dataclass(frozen=True, slots=True)
class LoraWeights:
    """The matrices of an adapter by target, and the scale of their product."""

    a: Mapping[str, torch.Tensor]  # (L, r, in)
    b: Mapping[str, torch.Tensor]  # (L, out, r)
    scale: float = 1.0

    @property
    def rank(self) -> int:
        return int(next(iter(self.a.values())).shape[1])

    def detach(self) -> LoraWeights:
        """Return the same matrices without their history of computation."""
        return LoraWeights(
            {name: tensor.detach() for name, tensor in self.a.items()},
            {name: tensor.detach() for name, tensor in self.b.items()},
            self.scale,
        )


def concatenate(parts: Sequence[tuple[float, LoraWeights]]) -> LoraWeights:
    """Return the adapter whose products are the weighted sums of those of the parts.

    Its rank is the sum of their ranks. With weights 1 / n it is the exact mean adapter.
    """
    names = parts[0][1].a.keys()
    return LoraWeights(
        {n: torch.cat([lora.a[n] for _, lora in parts], 1) for n in names},
        {n: torch.cat([lora.b[n] * (w * lora.scale) for w, lora in parts], 2)
         for n in names},
    )  # fmt: skip


# ---------------------------------------------------------------------------- compare


class Overlap(NamedTuple):
    """Inner products of two adapters' weight changes, summed over all layers."""

    both: float
    first: float  # squared norm
    second: float

    @property
    def cosine(self) -> float:
        """The cosine of the two changes, not centred; 0 when one changes nothing."""
        norm = (self.first * self.second) ** 0.5
        return self.both / norm if norm else 0.0


def overlap(first: LoraWeights, second: LoraWeights) -> Overlap:
    """Compare the changes B A of two adapters without making a (out, in) matrix."""
    pairs = ((first, second), (first, first), (second, second))
    return Overlap(*(inner_product(x, y) for x, y in pairs))


def inner_product(first: LoraWeights, second: LoraWeights) -> float:
    """Return the inner product of two weight changes, in float64.

    <B1 A1, B2 A2> = sum of (B1^T B2) * (A1 A2^T), so that no (out, in) matrix is made.
    """
    total = 0.0
    first, second = first.detach(), second.detach()
    for name, a in first.a.items():
        inputs = a.double() @ second.a[name].double().transpose(1, 2)
        outputs = first.b[name].double().transpose(1, 2) @ second.b[name].double()
        total += float((inputs * outputs).sum())
    return total * first.scale * second.scale


# ----------------------------------------------------------------------------- inject


@contextmanager
def inject(model: torch.nn.Module, lora: LoraWeights) -> Iterator[None]:
    """Compute the model with the adapter inside; outside it is the base again."""
    layers = list(_target_layers(model, lora))
    for module, name, number in layers:
        module.forward = _adapted_forward(
            module, lora.a[name][number], lora.b[name][number], lora.scale
        )
    try:
        yield
    finally:
        for module, _, _ in layers:
            del module.forward  # the class's own is found again


def _target_layers(
    model: torch.nn.Module, lora: LoraWeights
) -> Iterator[tuple[Any, str, int]]:
    """Yield every linear layer that the adapter changes, its target and its block."""
    for path, module in model.named_modules():
        found = _BLOCK.search(path)
        if found and found[2] in lora.a:
            yield module, found[2], int(found[1])


def _adapted_forward(module: Any, a: Any, b: Any, scale: float) -> Any:
    original = module.forward

    def forward(x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = original(x)
        change = F.linear(F.linear(x.to(a.dtype), a), b)
        return y + (scale * change).to(y.dtype)

    return forward


# ----------------------------------------------------------------------------- export


def write_peft_files(
    folder: Path, shape: ModelShape, lora: LoraWeights, base_name: str
) -> None:
    """Write `adapter_config.json` and `adapter_model.safetensors`.

    The scale is put into B, so that `lora_alpha` is the rank: servers that know no
    other scale than alpha / rank read the same adapter. Equal adapters are equal bytes.
    """
    from peft import LoraConfig
    from safetensors.torch import save_file

    tensors = dict(sorted(_peft_tensors(shape, lora).items()))
    save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt"})
    made: Any = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.rank,
        lora_dropout=0.0,
        target_modules=[target.name for target in shape.targets],
        bias="none",
        task_type="CAUSAL_LM",
        base_model_name_or_path=base_name,
    )
    config = made.to_dict() | {"inference_mode": True}
    plain = {k: sorted(v) if isinstance(v, set) else v for k, v in config.items()}
    text = json.dumps(plain, indent=2, sort_keys=True, default=str) + "\n"
    (folder / "adapter_config.json").write_text(text, "utf-8")


def _peft_tensors(shape: ModelShape, lora: LoraWeights) -> dict[str, torch.Tensor]:
    tensors = {}
    for target in shape.targets:
        for number in range(shape.layers):
            name = peft_name(target, number)
            a, b = lora.a[target.name][number], lora.b[target.name][number]
            tensors[f"{name}.lora_A.weight"] = a.detach().float().cpu().clone()
            tensors[f"{name}.lora_B.weight"] = (b.detach() * lora.scale).float().cpu()
    return {name: tensor.contiguous() for name, tensor in tensors.items()}


def read_peft_files(folder: Path, shape: ModelShape) -> LoraWeights:
    """Read the matrices of a plain LoRA adapter; raises `KeyError` for other targets.

    It may be one that was trained: alpha / rank becomes the scale.
    """
    from safetensors.torch import load_file

    config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    tensors = load_file(folder / "adapter_model.safetensors")
    a, b = {}, {}
    for target in shape.targets:
        names = [peft_name(target, number) for number in range(shape.layers)]
        a[target.name] = torch.stack([tensors[f"{n}.lora_A.weight"] for n in names])
        b[target.name] = torch.stack([tensors[f"{n}.lora_B.weight"] for n in names])
    divisor = config["r"] ** 0.5 if config.get("use_rslora") else config["r"]
    return LoraWeights(a, b, config["lora_alpha"] / divisor)


def peft_name(target: TargetShape, layer: int) -> str:
    """Return what PEFT calls a target of a layer."""
    return f"base_model.model.model.layers.{layer}.{target.path}"
