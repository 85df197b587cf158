"""Compute faster, or in less memory, what transformers, peft and DeepSpeed compute.

The training loop (`model/adapter/train.py`) hands in a loaded PeftModel and a
`TrainingJob`; the room changes how attention, LoRA layers and the loss are computed,
starts the processes, and checks the DeepSpeed settings. Losses and gradients stay those
of the plain libraries (tests/model/test_attention.py). Start with
`compute_options.py`, which applies everything to a model; each other module's docstring
has the measured saving.
"""
