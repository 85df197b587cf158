"""A trained adapter may start from a generated one, of any rank."""

from __future__ import annotations

import pytest
import torch
from peft import LoraConfig, get_peft_model

from repobuild.model.base import load_model
from repobuild.model.hypernet.lora_weights import (
    inject,
    write_peft_files,
)
from repobuild.model.hypernet.start import copy_matrices, cut_rank
from tests.model.hypernet.test_heads import base, random_lora, shape_of

__all__ = ["base"]  # a fixture


def new_adapter(base, rank: int, alpha: int, targets: list[str]):
    config = LoraConfig(
        r=rank, lora_alpha=alpha, target_modules=targets, task_type="CAUSAL_LM"
    )
    return get_peft_model(load_model(base, torch.float32), config)


@pytest.mark.parametrize("rank", [3, 8])
def test_a_new_adapter_begins_as_the_generated_one(base, tmp_path, rank):
    shape, lora = shape_of(base), random_lora(shape_of(base), rank=3)
    write_peft_files(tmp_path, shape, lora, base.name)
    targets = [target.name for target in shape.targets]
    model = new_adapter(base, rank, 5, targets)
    ids = torch.arange(24)[None]
    assert copy_matrices(tmp_path, model) == shape.layers * len(targets)
    plain = load_model(base, torch.float32)
    with inject(plain, lora):
        expected = plain(ids).logits
    assert torch.allclose(model(ids).logits, expected, atol=1e-5)
    trained = [p for p in model.parameters() if p.requires_grad]
    assert all(p.requires_grad for p in trained)


def test_a_smaller_rank_keeps_the_largest_part(base):
    lora = random_lora(shape_of(base), rank=6)
    name = "up_proj"
    product = lora.b[name][0] @ lora.a[name][0]
    low, high = cut_rank(lora.a[name][0], lora.b[name][0], 4)
    u, values, v = torch.linalg.svd(product)
    best = u[:, :4] * values[:4] @ v[:4]
    assert low.shape[0] == high.shape[1] == 4
    assert torch.allclose(high @ low, best, atol=1e-5)


def test_an_adapter_of_other_layers_is_refused(base, tmp_path):
    shape = shape_of(base)
    write_peft_files(tmp_path, shape, random_lora(shape), base.name)
    model = new_adapter(base, 4, 4, ["q_proj"])
    assert copy_matrices(tmp_path, model) == shape.layers
    model = new_adapter(base, 4, 4, ["lm_head"])
    with pytest.raises(ValueError, match=r"adapter\.targets"):
        copy_matrices(tmp_path, model)
