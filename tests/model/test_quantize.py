"""QLoRA: an adapter trained on base weights of four bits."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from repobuild.errors import UsageError
from repobuild.model import base as bases
from repobuild.model import merge
from repobuild.model.adapter import recipe
from repobuild.model.adapter.train import train
from repobuild.model.base import Base, load_model, resolve_base
from repobuild.model.generate import TextGenerator
from tests.model.test_nano import make_base, samples, settings
from tests.model.test_train import job

installed = pytest.mark.skipif(
    find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed"
)


@pytest.fixture
def base(tmp_path: Path) -> Base:
    return make_base(tmp_path / "nano", hidden=64)  # bitsandbytes' block


def test_without_the_package_a_build_ends_with_the_line_to_install_it(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bases, "find_spec", lambda name: None)
    chosen = settings(base__model=base.source, base__quantize="nf4")
    with pytest.raises(UsageError, match=r"pip install 'repobuild\[quantize\]'"):
        resolve_base(chosen)


def test_a_quantised_base_is_another_base(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bases, "find_spec", lambda name: object())
    found = resolve_base(settings(base__model=base.source, base__quantize="nf4"))
    assert found == replace(base, digest=f"{base.digest}/nf4", quantize="nf4")
    assert found.folder() == base.folder()


def test_a_quantised_hub_model_keeps_its_commit() -> None:
    assert bases.commit_of("some/model@c0ffee/nf4") == "c0ffee"
    assert bases.commit_of("some/model@c0ffee") == "c0ffee"
    assert bases.commit_of("ab" * 32 + "/nf4") == ""


def test_zero3_is_refused_before_anything_is_built() -> None:
    chosen = settings(base__quantize="nf4", adapter__deepspeed="zero3")
    with pytest.raises(UsageError, match="ZeRO-3 cannot partition quantised weights"):
        recipe.ingredients(chosen)


def test_a_merged_model_is_refused_before_anything_is_built() -> None:
    with pytest.raises(UsageError, match=r'build.goals to \["report"\]'):
        merge.ingredients(settings(base__quantize="nf4"))


@installed
def test_an_adapter_is_trained_on_weights_of_four_bits(
    base: Base, tmp_path: Path
) -> None:
    small = resolve_base(settings(base__model=base.source, base__quantize="nf4"))
    layer = load_model(small, torch.bfloat16).model.layers[0].mlp.up_proj.weight
    assert layer.dtype is torch.uint8
    outcome = train(job(small, tmp_path / "scratch", passes=4.0, keep=0.1))
    assert outcome.losses[-1][1] < outcome.losses[0][1] - 0.3
    adapter = tmp_path / "scratch" / "trained"
    tensors = load_file(adapter / "adapter_model.safetensors")
    assert {t.dtype for t in tensors.values()} == {torch.float32}
    rows = samples()
    plain, adapted = (TextGenerator.load(small, a) for a in (None, adapter))
    before, after = (sum(x for x, _ in g.losses(rows)) for g in (plain, adapted))
    assert after < 0.9 * before
    assert len(adapted.generate(["Where is `load_0`?"], 8)) == 1
