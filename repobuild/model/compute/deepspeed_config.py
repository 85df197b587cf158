"""Read and check DeepSpeed settings, and join the process group that DeepSpeed needs.

DeepSpeed treats a misspelt key as a missing one and trains with its default, so
`read_config` compares every key with the known ones first.

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

if TYPE_CHECKING:
    import torch

KNOWN_KEYS = frozenset(
    {
        "activation_checkpointing",
        "aio",
        "bf16",
        "comms_logger",
        "communication_data_type",
        "flops_profiler",
        "gradient_accumulation_steps",
        "gradient_clipping",
        "prescale_gradients",
        "gradient_predivide_factor",
        "steps_per_print",
        "train_batch_size",
        "train_micro_batch_size_per_gpu",
        "wall_clock_breakdown",
        "zero_allow_untested_optimizer",
        "zero_force_ds_cpu_optimizer",
        "zero_optimization",
    }
)
# Keys that repobuild decides itself, with what the user sets instead.
REFUSED_KEYS = {
    "optimizer": "the optimizer is torch's AdamW; its settings are in [adapter]",
    "scheduler": "the schedule follows adapter.learning_rate and adapter.warmup",
    "fp16": "half precision is bfloat16, switched by adapter.bf16",
    "amp": "half precision is bfloat16, switched by adapter.bf16",
}


def read_config(name: str) -> dict[str, Any]:
    """Return the DeepSpeed settings of a shipped name or of a path.

    Raises `UsageError` when the file is missing or no JSON, or when a key is unknown or
    is one that repobuild decides itself.
    """
    shipped = resources.data_folder("configs") / "deepspeed"
    path = shipped / f"{name}.json" if "/" not in name else Path(name).expanduser()
    if name.endswith(".json") and "/" not in name:
        path = Path(name)
    if not path.is_file():
        names = sorted(file.stem for file in shipped.glob("*.json"))
        raise UsageError(
            f'unknown DeepSpeed settings "{name}" (adapter.deepspeed)'
            f"{nearest(name, names)}\nknown: {', '.join(names)}, or a path to a file"
        )
    try:
        config: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise UsageError(f'"{path}" is not valid JSON: {error}') from error
    _check_keys(config, path)
    config.pop("bf16", None)
    return config


def _check_keys(config: Mapping[str, Any], path: Path) -> None:
    for key in config:
        if key in REFUSED_KEYS:
            raise UsageError(f'"{key}" in "{path}" has no effect: {REFUSED_KEYS[key]}')
        if key not in KNOWN_KEYS:
            hint = nearest(key, KNOWN_KEYS)
            raise UsageError(f'unknown DeepSpeed key "{key}" in "{path}"{hint}')
    zero = config.get("zero_optimization", {})
    stage = zero.get("stage", 0)
    if stage not in (0, 1, 2, 3):
        raise UsageError(f'ZeRO stage {stage!r} in "{path}" is not one of 0, 1, 2, 3')
    for key in zero:
        if key not in ZERO_KEYS:
            hint = nearest(key, ZERO_KEYS)
            raise UsageError(
                f'unknown DeepSpeed key "zero_optimization.{key}" in "{path}"{hint}'
            )


# Fields of DeepSpeedZeroConfig in 0.19.8; tests/model/test_deepspeed_config.py
# compares.
ZERO_KEYS = frozenset(
    {
        "allgather_bucket_size",
        "allgather_partitions",
        "compute_grad_norm",
        "contiguous_gradients",
        "cpu_offload",
        "cpu_offload_param",
        "cpu_offload_use_pin_memory",
        "elastic_checkpoint",
        "enable_sanity_checks",
        "ignore_unused_parameters",
        "leaf_module",
        "legacy_stage1",
        "load_from_fp32_weights",
        "log_trace_cache_warnings",
        "memory_efficient_linear",
        "offload_optimizer",
        "offload_param",
        "overlap_comm",
        "override_module_apply",
        "parameter_alignment",
        "pipeline_loading_checkpoint",
        "reduce_bucket_size",
        "reduce_scatter",
        "round_robin_gradients",
        "save_muon_momentum_buffer_in_memory",
        "stage",
        "stage3_allgather_sequential",
        "stage3_gather_16bit_weights_on_model_save",
        "stage3_gather_fp16_weights_on_model_save",
        "stage3_max_live_parameters",
        "stage3_max_reuse_distance",
        "stage3_model_persistence_threshold",
        "stage3_module_granularity_threshold",
        "stage3_param_persistence_threshold",
        "stage3_prefetch_bucket_size",
        "stage3_use_all_reduce_for_fetch_params",
        "sub_group_size",
        "use_multi_rank_bucket_allreduce",
        "zenflow",
        "zero_hpz_partition_size",
        "zero_quantized_gradients",
        "zero_quantized_nontrainable_weights",
        "zero_quantized_weights",
    }
)


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
