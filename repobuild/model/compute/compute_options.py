"""Put a run's `Means` on its model: other ways to compute the same thing."""

from __future__ import annotations

from typing import Any

from peft import PeftModel

from repobuild.model.adapter.recipe import TrainingJob
from repobuild.model.compute import deepspeed_config
from repobuild.model.compute.attention import use_attention
from repobuild.model.compute.lora import fuse
from repobuild.model.compute.loss import use_answer_loss


def apply_compute_options(model: PeftModel, job: TrainingJob) -> None:
    """Attention, fused layers, loss: what is computed stays the same."""
    causal: Any = model.get_base_model()
    use_attention(causal, job.means.attention)
    if deepspeed_config.stage(job.deepspeed) < 3:
        fuse(model)
    if job.means.compile:  # layer by layer: all of them share what was compiled
        for layer in causal.model.layers:
            layer.compile(dynamic=True)
    use_answer_loss(model, job.recipe.bf16, job.means.loss_tokens)


def recompute(model: Any, share: float) -> None:
    """Keep the activations of all but the first layers, as far as memory reaches."""
    if share >= 1:
        return
    layers = model.get_base_model().model.layers
    for number, layer in enumerate(layers):
        layer.gradient_checkpointing = number < round(share * len(layers))
