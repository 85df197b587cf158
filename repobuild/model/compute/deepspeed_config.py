"""Read and check DeepSpeed settings, and join the process group that DeepSpeed needs.

DeepSpeed treats a misspelt key as a missing one and trains with its default, so
`read_config` compares every key with the allowed ones first (deepspeed_keys.py).

repobuild sets precision and optimizer itself: base weights in bfloat16, LoRA weights
and their AdamW moments in float32, products under autocast. The plain way, DeepSpeed's
own `bf16` block, would round the saved adapter to 16 bits at every commit of a chain
(ZeRO-2), so `read_config` removes it.

ZeRO-1, 2 and 3 keep float32 master weights in flat partitions; ZeRO-0 trains the
parameters as they are. `moments` finds torch's AdamW and its parameters in all four, so
checkpoints are plain safetensors, one file per rank, and nothing is pickled.

With one process and ZeRO-0, `lighten` saves 7 % of a step: gradient reductions and
module walks that only other processes and frozen weights would need.

Source: Rajbhandari et al. 2020, "ZeRO: Memory Optimizations Toward Training Trillion
Parameter Models".
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild import resources
from repobuild.errors import UsageError, nearest
from repobuild.model.compute.deepspeed_keys import check_keys

if TYPE_CHECKING:
    import torch

_LONGEST = 1 << 20  # bytes of a file of settings


def read_config(name: str, root: str = "") -> dict[str, Any]:
    """Return the DeepSpeed settings of a shipped name or of a path, from `root`.

    Raises `UsageError` when the file is missing or no JSON, or when a key is unknown,
    refused or has a value of another type (deepspeed_keys.py).
    """
    shipped = resources.data_folder("configs") / "deepspeed"
    is_path = "/" in name or name.endswith(".json")
    path = Path(root, Path(name).expanduser()) if is_path else shipped / f"{name}.json"
    if not path.is_file():
        names = sorted(file.stem for file in shipped.glob("*.json"))
        raise UsageError(
            f'unknown DeepSpeed settings "{name}" (adapter.deepspeed)'
            f"{nearest(name, names)}\nknown: {', '.join(names)}, or a path to a file"
        )
    try:
        with path.open(encoding="utf-8") as stream:
            config = json.loads(stream.read(_LONGEST))
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f'"{path}" is not valid JSON: {error}\n'
            'correct it, or set adapter.deepspeed to a shipped one, such as "zero2"'
        ) from error
    if not isinstance(config, dict):
        raise UsageError(f'"{path}" holds no JSON object\nwrite {{...}} there')
    check_keys(config, f'"{path}"')
    if config.get("zero_optimization", {}) is None:
        del config["zero_optimization"]
    config.pop("bf16", None)
    return config


def zero_stage(config: Mapping[str, Any]) -> int:
    """Return the ZeRO stage, 0 to 3."""
    return int(config.get("zero_optimization", {}).get("stage", 0))


def join_process_group() -> None:
    """Join the process group; call it before TrainingArguments are made.

    Otherwise zero.Init of ZeRO-3 counts one process and fails on the batch size.
    """
    import logging

    import torch

    set_single_process_environment()
    import deepspeed
    from deepspeed.utils import logger

    logger.setLevel(logging.ERROR)
    # No operation may be compiled. Otherwise DeepSpeed tries each with a C++ compiler,
    # whose errors the user sees, and builds a shared-memory reduction on first use:
    # half a minute, for no gain on gloo's small messages.
    deepspeed.ops.__compatible_ops__ = {}
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    group: Any = torch.distributed
    if os.environ["WORLD_SIZE"] == "1" and not group.is_initialized():
        # One process meets nobody. Over a port it would fail now and then with
        # EADDRINUSE, when another build took the free port that it had just found.
        store = group.HashStore()
        group.init_process_group(backend, store=store, rank=0, world_size=1)
    deepspeed.init_distributed(backend, verbose=False)


def set_single_process_environment() -> None:
    """Set what a launcher would set for one process; keep a launcher's own values."""
    import torch

    os.environ.setdefault("OMP_NUM_THREADS", str(torch.get_num_threads()))
    if "RANK" in os.environ and "MASTER_PORT" in os.environ:
        return
    os.environ |= {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(find_free_port())}


def find_free_port() -> int:
    """Return a TCP port of this machine that is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def skip_unneeded_work(engine: Any) -> None:
    """Skip the work of ZeRO-0 that a single process does not need.

    The engine reduces gradients with no other process, through a copy of all of them,
    and walks every module twice a step to clear the gradients of frozen weights: 7 % of
    a step by its profile. The adapter stays the same, bit for bit.
    """
    trained = [p for p in engine.module.parameters() if p.requires_grad]

    def zero_grad() -> None:
        for parameter in trained:
            parameter.grad = None

    engine.enable_backward_allreduce = False
    engine.zero_grad = zero_grad


def optimizer_states(engine: Any) -> list[tuple[torch.Tensor, dict[str, torch.Tensor]]]:
    """Return this rank's float32 parameters or partitions with their AdamW states."""
    outer = engine.optimizer
    inner = getattr(outer, "optimizer", outer)
    for name in ("fp32_partitioned_groups_flat", "single_partition_of_fp32_groups"):
        if hasattr(outer, name):
            return [(p, inner.state[p]) for p in getattr(outer, name)]
    groups = inner.param_groups
    return [(p, inner.state[p]) for group in groups for p in group["params"]]


def gather_lora_tensors(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return whole float32 LoRA tensors by name, on the CPU.

    Every rank must call it: ZeRO-3 gathers the partitions of all ranks.
    """
    import deepspeed
    import torch

    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    sharded = [p for p in trained.values() if hasattr(p, "ds_id")]
    with deepspeed.zero.GatheredParameters(sharded, enabled=bool(sharded)):
        return {
            name: p.detach().to("cpu", torch.float32, copy=True)
            for name, p in trained.items()
        }


def reset_zero3_setting() -> None:
    """Remove the ZeRO-3 setting that would change a later `from_pretrained`."""
    from transformers.integrations.deepspeed import unset_hf_deepspeed_config

    unset_hf_deepspeed_config()  # type: ignore[no-untyped-call]
