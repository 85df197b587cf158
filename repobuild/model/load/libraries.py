"""Choose the device that the libraries compute on, and keep them silent."""

from __future__ import annotations


def pick_device() -> str:
    """Return "cuda" when a GPU is available, else "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


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
