"""DeepSpeed: its settings, checked by us, and the process it runs in.

DeepSpeed takes a misspelt key for a missing one and trains with the default, so every
key is compared with the known ones first.  Precision and optimizer are ours: weights of
the base in bfloat16, LoRA weights and their moments in float32, products under
autocast.  With DeepSpeed's own `bf16` the saved adapter would be rounded to 16 bits at
every commit of a chain (ZeRO-2), so a `bf16` block is taken out.

ZeRO-1 and 2 keep float32 masters in flat partitions, ZeRO-3 likewise, ZeRO-0 trains the
parameters as they are.  `moments` finds torch's AdamW and its parameters in all four,
so that checkpoints are plain safetensors, one file a rank, and nothing is pickled.
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

KNOWN = frozenset(
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
OURS = {
    "optimizer": "the optimizer is torch's AdamW; its settings are in [adapter]",
    "scheduler": "the schedule follows adapter.learning_rate and adapter.warmup",
    "fp16": "half precision is bfloat16, switched by adapter.bf16",
    "amp": "half precision is bfloat16, switched by adapter.bf16",
}


def read_config(name: str) -> dict[str, Any]:
    """Return the settings of that name or path; raises `UsageError` on a wrong key."""
    shipped = resources.folder("configs") / "deepspeed"
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
    _check(config, path)
    config.pop("bf16", None)
    return config


def _check(config: Mapping[str, Any], path: Path) -> None:
    for key in config:
        if key in OURS:
            raise UsageError(f'"{key}" in "{path}" has no effect: {OURS[key]}')
        if key not in KNOWN:
            hint = nearest(key, KNOWN)
            raise UsageError(f'unknown DeepSpeed key "{key}" in "{path}"{hint}')
    zero = config.get("zero_optimization", {})
    stage = zero.get("stage", 0)
    if stage not in (0, 1, 2, 3):
        raise UsageError(f'ZeRO stage {stage!r} in "{path}" is none of 0, 1, 2, 3')
    for key in zero:
        if key not in ZERO_KEYS:
            hint = nearest(key, ZERO_KEYS)
            raise UsageError(
                f'unknown DeepSpeed key "zero_optimization.{key}" in "{path}"{hint}'
            )


# DeepSpeedZeroConfig of 0.19.8; a test compares the two.
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


def stage(config: Mapping[str, Any]) -> int:
    return int(config.get("zero_optimization", {}).get("stage", 0))


def single_process() -> None:
    """What a launcher would set for one process; a launcher's own values stay."""
    import torch

    os.environ.setdefault("OMP_NUM_THREADS", str(torch.get_num_threads()))
    if "RANK" in os.environ and "MASTER_PORT" in os.environ:
        return
    os.environ |= {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start() -> None:
    """Join the process group; must come before TrainingArguments.

    Otherwise zero.Init of ZeRO-3 counts one process and dies on the batch size.
    """
    import logging

    import torch

    single_process()
    import deepspeed
    from deepspeed.utils import logger

    logger.setLevel(logging.ERROR)
    # Nothing that must be compiled. Else every operation is tried with a C++ compiler,
    # which shows the user its errors, and a shared-memory reduction is built on first
    # use: half a minute, and of no use to gloo's small messages.
    deepspeed.ops.__compatible_ops__ = {}
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    deepspeed.init_distributed(backend, verbose=False)


def lighten(engine: Any) -> None:
    """Leave out what ZeRO-0 in one process does for others and for frozen weights.

    The engine adds gradients up with nobody's, through a copy of all, and walks every
    module twice a step to clear gradients: by its profile 7 % of a step. The
    adapter is the same, bit for bit.
    """
    trained = [p for p in engine.module.parameters() if p.requires_grad]

    def zero_grad() -> None:
        for parameter in trained:
            parameter.grad = None

    engine.enable_backward_allreduce = False
    engine.zero_grad = zero_grad


def moments(engine: Any) -> list[tuple[torch.Tensor, dict[str, torch.Tensor]]]:
    """This rank's float32 parameters or partitions, each with its AdamW state."""
    outer = engine.optimizer
    inner = getattr(outer, "optimizer", outer)
    for name in ("fp32_partitioned_groups_flat", "single_partition_of_fp32_groups"):
        if hasattr(outer, name):
            return [(p, inner.state[p]) for p in getattr(outer, name)]
    groups = inner.param_groups
    return [(p, inner.state[p]) for group in groups for p in group["params"]]


def gathered(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Whole float32 LoRA tensors by name, on the CPU; every rank must call it."""
    import deepspeed
    import torch

    chosen = {n: p for n, p in model.named_parameters() if p.requires_grad}
    sharded = [p for p in chosen.values() if hasattr(p, "ds_id")]
    with deepspeed.zero.GatheredParameters(sharded, enabled=bool(sharded)):
        return {
            name: p.detach().to("cpu", torch.float32, copy=True)
            for name, p in chosen.items()
        }


def forget() -> None:
    """A ZeRO-3 setting must not outlive its training: it changes `from_pretrained`."""
    from transformers.integrations.deepspeed import unset_hf_deepspeed_config

    unset_hf_deepspeed_config()  # type: ignore[no-untyped-call]
