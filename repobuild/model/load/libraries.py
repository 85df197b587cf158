"""Find what the libraries compute on and in, and keep them silent."""

from __future__ import annotations


def pick_device() -> str:
    """Return "cuda" when a GPU is available, else "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def computes_in_bfloat16() -> bool:
    """Return whether the device that is computed on multiplies in bfloat16.

    A CPU without AVX-512 (or ARM's extension) has no kernel for it, and torch then adds
    number by number: training the embedded model took 15 times as long as in float32
    (docs/benchmarks/training.md).
    """
    import torch

    if pick_device() != "cpu":
        return True
    return bool(
        torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )


def silence_libraries() -> None:
    """Silence the logs and progress bars of transformers, peft and DeepSpeed.

    Call it before peft is imported: peft imports DeepSpeed, which warns about a machine
    without a GPU unless DS_ACCELERATOR is set.
    """
    import os
    import warnings

    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if pick_device() == "cpu":
        os.environ.setdefault("DS_ACCELERATOR", "cpu")
    libraries = r"(accelerate|deepspeed|peft|torch|transformers)\."
    warnings.filterwarnings("ignore", module=libraries)
