"""The files of an adapter: checked, and equal bytes for equal weights.

Older stacks wrote empty or flat tensors under ZeRO-3, or left every lora_B at zero, and
PEFT only warns. PEFT itself writes `target_modules` in random order.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import save_file

from repobuild.model.adapter.recipe import TrainingJob

MAGNITUDE = "lora_magnitude_vector"  # DoRA's, one number a row of a weight
LOSS_POINTS = 100  # of the loss curve that is kept


def check(tensors: dict[str, torch.Tensor]) -> float:
    """Norm of all lora_B; an empty, flat or untrained tensor is an error."""
    for name, tensor in tensors.items():
        wanted = 1 if MAGNITUDE in name else 2
        if tensor.dim() != wanted or not tensor.numel() or not tensor.isfinite().all():
            raise RuntimeError(f"{name} is broken: shape {tuple(tensor.shape)}")
    squares = [
        float(tensor.double().square().sum())
        for name, tensor in tensors.items()
        if "lora_B" in name
    ]
    norm = math.sqrt(sum(squares))
    if not norm > 0:
        raise RuntimeError("training left every lora_B at zero")
    return round(norm, 6)


def write_peft(
    folder: Path, model: PeftModel, tensors: dict[str, torch.Tensor], job: TrainingJob
) -> None:
    """PEFT's two files, the same bytes for the same adapter."""
    state = get_peft_model_state_dict(model, state_dict=tensors)
    named = {name: state[name].contiguous() for name in sorted(state)}
    save_file(named, folder / "adapter_model.safetensors", {"format": "pt"})
    config = model.peft_config["default"].to_dict()
    config |= {"inference_mode": True, "base_model_name_or_path": job.base.name}
    plain = {k: sorted(v) if isinstance(v, set) else v for k, v in config.items()}
    text = json.dumps(plain, indent=2, sort_keys=True, default=str) + "\n"
    (folder / "adapter_config.json").write_text(text, "utf-8")


def curve(losses: list[float]) -> list[list[float]]:
    """At most a hundred points: [step, mean loss up to it]."""
    size = math.ceil(len(losses) / LOSS_POINTS) or 1
    parts = [losses[i : i + size] for i in range(0, len(losses), size)]
    ends = [min((i + 1) * size, len(losses)) for i in range(len(parts))]
    return [
        [float(end), round(sum(part) / len(part), 4)]
        for end, part in zip(ends, parts, strict=True)
    ]
