"""The DeepSpeed settings that a file may have, with their types, and why not others.

DeepSpeed's JSON does more than training needs: keys of it write files anywhere, read
and write devices, send figures to servers, import modules and start programs. So the
keys below are the only ones, at every level, and each has a type. A key that DeepSpeed
knows and this list refuses has its reason in `REFUSED`; an unknown key gets the nearest
known one, because DeepSpeed treats a misspelt key as a missing one.

"auto" is what transformers' Trainer replaces by its own value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from repobuild.errors import UsageError, nearest

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class NumberKey:
    """A number, or "auto"; `whole` numbers may be written as 5e8."""

    most: float
    least: float = 0
    whole: bool = True

    def accepts(self, value: Any) -> bool:
        if value == AUTO:
            return True
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        in_range = math.isfinite(value) and self.least <= value <= self.most
        return in_range and (not self.whole or value == int(value))

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        return f'{kind} from {self.least:g} to {self.most:g}, or "auto"'


@dataclass(frozen=True, slots=True)
class SwitchKey:
    """True or false, or "auto"."""

    def accepts(self, value: Any) -> bool:
        return isinstance(value, bool) or value == AUTO

    def __str__(self) -> str:
        return 'true, false or "auto"'


@dataclass(frozen=True, slots=True)
class ChoiceKey:
    """One of a few texts or numbers."""

    values: tuple[str | int | None, ...]

    def accepts(self, value: Any) -> bool:
        return not isinstance(value, bool | float | list | dict) and (
            value in self.values
        )

    def __str__(self) -> str:
        return "one of " + ", ".join(map(str, self.values))


Key = NumberKey | SwitchKey | ChoiceKey
KeyTable = Mapping[str, "Key | KeyTable"]

SWITCH = SwitchKey()
# A bucket is allocated: 2**31 elements of four bytes are 8 GB.
BUCKET = NumberKey(1 << 31)
COUNT = NumberKey(1 << 31)
ELEMENTS = NumberKey(1e15)

_OFFLOAD: KeyTable = {
    "device": ChoiceKey(("cpu", "none", None)),
    "pin_memory": SWITCH,
    "buffer_count": NumberKey(64),
    "fast_init": SWITCH,
    "ratio": NumberKey(1, whole=False),
}
ZERO_KEYS: KeyTable = {
    "stage": ChoiceKey((0, 1, 2, 3)),
    "allgather_bucket_size": BUCKET,
    "allgather_partitions": SWITCH,
    "compute_grad_norm": SWITCH,
    "contiguous_gradients": SWITCH,
    "cpu_offload": SWITCH,
    "cpu_offload_param": SWITCH,
    "cpu_offload_use_pin_memory": SWITCH,
    "enable_sanity_checks": SWITCH,
    "ignore_unused_parameters": SWITCH,
    "log_trace_cache_warnings": SWITCH,
    "memory_efficient_linear": SWITCH,
    "offload_optimizer": _OFFLOAD,
    "offload_param": {
        **_OFFLOAD, "buffer_size": BUCKET, "max_in_cpu": ELEMENTS,
    },
    "overlap_comm": SWITCH,
    "parameter_alignment": NumberKey(1 << 20),
    "reduce_bucket_size": BUCKET,
    "reduce_scatter": SWITCH,
    "round_robin_gradients": SWITCH,
    "stage3_allgather_sequential": SWITCH,
    "stage3_gather_16bit_weights_on_model_save": SWITCH,
    "stage3_gather_fp16_weights_on_model_save": SWITCH,
    "stage3_max_live_parameters": ELEMENTS,
    "stage3_max_reuse_distance": ELEMENTS,
    "stage3_model_persistence_threshold": ELEMENTS,
    "stage3_module_granularity_threshold": ELEMENTS,
    "stage3_param_persistence_threshold": ELEMENTS,
    "stage3_prefetch_bucket_size": BUCKET,
    "stage3_use_all_reduce_for_fetch_params": SWITCH,
    "sub_group_size": ELEMENTS,
    "use_multi_rank_bucket_allreduce": SWITCH,
    "zero_hpz_partition_size": NumberKey(1 << 16),
}  # fmt: skip
KEYS: KeyTable = {
    "activation_checkpointing": {
        "contiguous_memory_optimization": SWITCH,
        "cpu_checkpointing": SWITCH,
        "number_checkpoints": NumberKey(1 << 16),
        "partition_activations": SWITCH,
        "profile": SWITCH,
        "synchronize_checkpoint_boundary": SWITCH,
    },
    "bf16": {
        "bf16_master_weights_and_grads": SWITCH,
        "bf16_optimizer_states": SWITCH,
        "check_grad_overflow": SWITCH,
        "enabled": SWITCH,
        "immediate_grad_update": SWITCH,
    },
    "communication_data_type": ChoiceKey(("bf16", "fp16", "fp32", None)),
    "gradient_accumulation_steps": COUNT,
    "gradient_clipping": NumberKey(1e9, whole=False),
    "gradient_predivide_factor": NumberKey(1e9, whole=False),
    "prescale_gradients": SWITCH,
    "steps_per_print": COUNT,
    "train_batch_size": COUNT,
    "train_micro_batch_size_per_gpu": COUNT,
    "wall_clock_breakdown": SWITCH,
    "zero_allow_untested_optimizer": SWITCH,
    "zero_force_ds_cpu_optimizer": SWITCH,
    "zero_optimization": ZERO_KEYS,
}  # fmt: skip

_FILES = "it names files to be written; curves are set by log.to"
_DEVICES = "it names files and devices to be read and written; offload to the cpu works"
_CODE = "it names modules or programs to be run"
_PRECISION = "it has no effect: half precision is bfloat16, switched by adapter.bf16"
_DATA = "it names files to be read; what is trained is decided by [samples]"
_MODEL = "it changes the model, which an adapter must not"
_COMPILED = "it is compiled on first use"
# Keys that DeepSpeed knows, by the path of their names; what is below is refused too.
REFUSED: Mapping[str, str] = {
    "aio": _DEVICES,
    "amp": _PRECISION,
    "autotuning": _CODE,
    "checkpoint": "it names folders; repobuild writes its own checkpoints",
    "comet": "it sends figures to a server; curves are set by log.to",
    "comms_logger": _FILES,
    "compile": f"{_CODE}; adapter.compile compiles the layers",
    "compression_training": _MODEL,
    "csv_monitor": _FILES,
    "curriculum_learning": _DATA,
    "data_efficiency": _DATA,
    "data_sampling": _DATA,
    "elasticity": "the number of processes is adapter.processes",
    "flops_profiler": "it writes a file anywhere (output_file)",
    "fp16": _PRECISION,
    "hybrid_engine": _MODEL,
    "monitor_config": _FILES,
    "nebula": "it names folders and services to store checkpoints in",
    "optimizer": "it has no effect: it is torch's AdamW, with the settings in "
    "[adapter]",
    "progressive_layer_drop": _MODEL,
    "quantize_training": _MODEL,
    "scheduler": "it has no effect: the schedule follows adapter.learning_rate and "
    "adapter.warmup",
    "sparse_attention": _COMPILED,
    "tensorboard": _FILES,
    "timers": _FILES,
    "torch_autocast": f"{_CODE}; half precision is switched by adapter.bf16",
    "wandb": "it sends figures to a server; curves are set by log.to",
    "zero_optimization.elastic_checkpoint": "repobuild writes its own checkpoints",
    "zero_optimization.leaf_module": _CODE,
    "zero_optimization.legacy_stage1": "DeepSpeed removed it",
    "zero_optimization.load_from_fp32_weights": "repobuild writes its own checkpoints",
    "zero_optimization.offload_optimizer.nvme_path": _DEVICES,
    "zero_optimization.offload_param.nvme_path": _DEVICES,
    "zero_optimization.override_module_apply": _CODE,
    "zero_optimization.pipeline_loading_checkpoint": "repobuild writes its own "
    "checkpoints",
    "zero_optimization.save_muon_momentum_buffer_in_memory": "the optimizer is AdamW",
    "zero_optimization.zenflow": _COMPILED,
    "zero_optimization.zero_quantized_gradients": _COMPILED,
    "zero_optimization.zero_quantized_nontrainable_weights": _COMPILED,
    "zero_optimization.zero_quantized_weights": _COMPILED,
}


def check_keys(
    config: Mapping[str, Any], where: str, known: KeyTable = KEYS, above: str = ""
) -> None:
    """Compare every key and value with the lists.

    Raises `UsageError` that names the key by its path; `where` is the quoted file.
    """
    for name, value in config.items():
        path = above + name
        if path in REFUSED:
            raise UsageError(
                f'"{path}" in {where} is refused: {REFUSED[path]}\nremove the key'
            )
        if name not in known:
            hint = nearest(name, known)
            raise UsageError(
                f'unknown DeepSpeed key "{path}" in {where}{hint}\n'
                f"known here: {', '.join(sorted(known))}"
            )
        kind = known[name]
        if isinstance(kind, NumberKey | SwitchKey | ChoiceKey):
            if not kind.accepts(value):
                shown = str(value)[:60]
                why = f" ({_DEVICES})" if value == "nvme" else ""
                raise UsageError(
                    f'"{path}" in {where} is {shown}, not {kind}{why}\n'
                    "correct the value, or remove the key"
                )
        elif isinstance(value, dict):
            check_keys(value, where, kind, path + ".")
        elif value is not None:
            raise UsageError(f'"{path}" in {where} is no object\nwrite {{...}} there')
