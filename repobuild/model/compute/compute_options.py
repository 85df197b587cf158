"""Apply a training job's compute options to its model.

The options change time and memory, never the result: which attention kernel runs,
whether LoRA layers are fused, whether layers are compiled, how much of the loss is in
memory at once, and how many layers recompute their activations. Without any of them
transformers and peft take 156 ms of CPU for a step of 400 tokens, with short-row
attention and fused LoRA 113 ms (docs/benchmarks.md).
"""

from __future__ import annotations

from typing import Any

from peft import PeftModel

from repobuild.model.adapter.recipe import TrainingJob
from repobuild.model.compute import deepspeed_config
from repobuild.model.compute.attention import use_attention
from repobuild.model.compute.lora import fuse_lora_layers
from repobuild.model.compute.loss import use_answer_loss
from repobuild.model.teaching.general_text import steps_between


def apply_compute_options(model: PeftModel, job: TrainingJob, bf16: bool) -> None:
    """Select attention, fuse LoRA layers, compile layers and replace the loss.

    `bf16` has products computed in bfloat16.
    """
    causal: Any = model.get_base_model()
    use_attention(causal, job.compute_options.attention)
    if deepspeed_config.zero_stage(job.deepspeed) < 3:
        fuse_lora_layers(model)
    if (
        job.compute_options.compile
    ):  # one layer at a time: all layers share the compiled code
        for layer in causal.get_decoder().layers:
            layer.compile(dynamic=True)
    recipe = job.recipe
    steps = steps_between(recipe.batch_tokens, recipe.keep)  # a window counts for each
    use_answer_loss(
        model,
        bf16,
        job.compute_options.loss_tokens,
        recipe.keep_weight * steps,
    )


def limit_recomputation(model: Any, share: float) -> None:
    """Recompute activations (gradient checkpointing) in the first layers.

    The other layers, `1 - share` of them, keep theirs: more memory, less time.
    """
    if share >= 1:
        return
    layers = model.get_base_model().get_decoder().layers
    for number, layer in enumerate(layers):
        layer.gradient_checkpointing = number < round(share * len(layers))
