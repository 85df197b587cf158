"""A generated adapter has the published sizes, trains whole, and exports as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from repobuild.errors import UsageError
from repobuild.model.base import Base, load_model
from repobuild.model.hypernet.commit_state import CommitGRU
from repobuild.model.hypernet.file_encoder import EncoderSettings
from repobuild.model.hypernet.folder import Hypernet, describe
from repobuild.model.hypernet.lora_weights import (
    LoraWeights,
    concatenate,
    inject,
    overlap,
    read_peft_files,
    write_peft_files,
)
from repobuild.model.hypernet.paper_head import PaperHead
from repobuild.model.hypernet.repository_input import RepositoryInput
from repobuild.model.hypernet.residual_head import ResidualHead, ResidualSettings
from repobuild.model.hypernet.shapes import ModelShape
from repobuild.model.load.pretrained import read_adapter
from tests.model.test_nano import make_base

QWEN_CODER_1_5B = {
    "model_type": "qwen2",
    "hidden_size": 1536,
    "intermediate_size": 8960,
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
    "num_hidden_layers": 28,
}
SMALL = ResidualSettings(rank=2, bank_rank=2, bases=4, width=16, latents=2, alpha=1.0)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return make_base(tmp_path_factory.mktemp("nano"))


@pytest.fixture(scope="module")
def model(base: Base) -> Any:
    return load_model(base, torch.float32)


def repository(size: int = 32, seed: int = 0, files: int = 5) -> RepositoryInput:
    random = torch.Generator().manual_seed(seed)
    weights = torch.rand(files, generator=random)
    return RepositoryInput(
        torch.randn(2 * size, generator=random),
        torch.randn(files, size, generator=random),
        weights / weights.sum(),
    )


def parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def shape_of(base: Base) -> ModelShape:
    return ModelShape.read(base.folder())


def random_lora(shape: ModelShape, seed: int = 0, rank: int = 3) -> LoraWeights:
    random = torch.Generator().manual_seed(seed)

    def draw(*sizes: int) -> torch.Tensor:
        return torch.randn(*sizes, generator=random) * 0.1

    return LoraWeights(
        {t.name: draw(shape.layers, rank, t.inputs) for t in shape.targets},
        {t.name: draw(shape.layers, t.outputs, rank) for t in shape.targets},
        2.0,
    )


# ------------------------------------------------------------------- T1: the sizes


def test_the_published_network_has_the_published_sizes():
    shape = ModelShape.of(QWEN_CODER_1_5B)
    with torch.device("meta"):
        head, state = PaperHead(shape, 2048), CommitGRU()
    assert shape.outputs(16) == 659_456
    assert parameters(head) == 679_090_190
    assert parameters(state) == 33_583_104
    assert parameters(head) + parameters(state) == 712_673_294
    adapter = 16 * shape.layers * sum(t.inputs + t.outputs for t in shape.targets)
    assert adapter == 18_464_768


def test_our_head_of_the_same_base_has_at_most_20_million():
    shape = ModelShape.of(QWEN_CODER_1_5B)
    with torch.device("meta"):
        head = ResidualHead(shape, shape.hidden)
    assert 10_000_000 < parameters(head) <= 20_000_000


def test_the_published_matrices_are_bounded_from_the_start_on(base):
    head = PaperHead(shape_of(base), 64, hidden=8, rank=2, alpha=4)
    for limit in (0.0302, 0.3):
        made = head(repository()).detach()
        for tensor in (*made.a.values(), *made.b.values()):
            assert 0 < float(tensor.abs().max()) <= limit
        for scale in (*head.scale_a.values(), *head.scale_b.values()):
            scale.data.fill_(9.0)


def test_a_model_of_another_family_is_refused():
    with pytest.raises(UsageError, match="gemma3"):
        ModelShape.of(QWEN_CODER_1_5B | {"model_type": "gemma3"})


# ---------------------------------------------------------- T2: all of it is trained


def heads(base: Base) -> dict[str, Any]:
    torch.manual_seed(0)
    shape = shape_of(base)
    paper = PaperHead(shape, 64, hidden=16, rank=2, alpha=4, whitened=True)
    ours = ResidualHead(shape, 32, SMALL)
    for head in (paper, ours):
        head.fit_whitening([repository(seed=i) for i in range(4)])
    return {"paper": paper, "residual": ours}


@pytest.mark.parametrize("kind", ["paper", "residual"])
def test_every_parameter_gets_a_gradient_and_the_loss_falls(base, model, kind):
    head = heads(base)[kind]
    optimizer = torch.optim.AdamW(head.parameters(), lr=3e-2)
    random = torch.Generator().manual_seed(1)
    tasks = torch.randint(0, model.config.vocab_size, (32, 12), generator=random)
    losses = []
    for step in range(15):
        optimizer.zero_grad()
        with inject(model, head(repository())):
            logits = model(tasks).logits[:, :-1]
        loss = F.cross_entropy(logits.flatten(0, 1), tasks[:, 1:].flatten())
        loss.backward()
        if step == 1:  # in the first step B is zero, and hides what is behind it
            still = [n for n, p in head.named_parameters() if not p.grad.any()]
            assert still == []
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 0.03


def test_without_the_adapter_the_model_is_the_base_bit_for_bit(base, model):
    ids = torch.arange(20)[None]
    before = model(ids).logits
    with inject(model, random_lora(shape_of(base))):
        assert not torch.equal(model(ids).logits, before)
    assert torch.equal(model(ids).logits, before)


def test_our_head_starts_as_the_base_and_its_mean_repository_has_no_residual(base):
    head = heads(base)["residual"]
    assert overlap(made := head(repository()), made).first == 0
    torch.nn.init.normal_(head.mix_b.weight)
    for parameter in head.shared_b.values():
        torch.nn.init.normal_(parameter)
    mean, shared = head.generate(head.mean_context()), head.shared()
    own = head(repository())
    assert overlap(mean, shared).cosine == pytest.approx(1, abs=1e-9)
    assert overlap(own, shared).cosine < 0.999999
    assert mean.rank == SMALL.rank + SMALL.bank_rank


def test_our_head_does_not_look_at_the_order_of_files(base):
    head = heads(base)["residual"]
    torch.nn.init.normal_(head.mix_b.weight)
    one = repository()
    order = torch.tensor([3, 1, 4, 0, 2])
    other = RepositoryInput(one.vector, one.files[order], one.weights[order])
    assert overlap(head(one), head(other)).cosine == pytest.approx(1, abs=1e-6)


# --------------------------------------------------------------------- T3: the export


def test_an_exported_adapter_says_what_the_injected_one_says(base, tmp_path):
    shape, lora = shape_of(base), random_lora(shape_of(base))
    write_peft_files(tmp_path, shape, lora, base.name)
    ids = torch.arange(30)[None]
    plain = load_model(base, torch.float32)
    with inject(plain, lora):
        injected = plain(ids).logits
    exported = read_adapter(load_model(base, torch.float32), tmp_path)(ids).logits
    assert torch.allclose(injected, exported, atol=1e-5)
    again = read_peft_files(tmp_path, shape)
    assert overlap(lora, again).cosine == pytest.approx(1, abs=1e-9)


def test_equal_adapters_are_equal_bytes(base, tmp_path):
    shape = shape_of(base)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_peft_files(tmp_path / name, shape, random_lora(shape), base.name)
    one, two = (
        [path.read_bytes() for path in sorted((tmp_path / name).iterdir())]
        for name in ("one", "two")
    )
    assert one == two


def test_the_mean_of_adapters_is_exact(base):
    shape = shape_of(base)
    parts = [random_lora(shape, seed) for seed in range(3)]
    mean = concatenate([(1 / 3, part) for part in parts])
    name, layer = shape.targets[0].name, 1
    expected = sum(p.scale * p.b[name][layer] @ p.a[name][layer] for p in parts) / 3
    assert torch.allclose(mean.b[name][layer] @ mean.a[name][layer], expected)


# --------------------------------------------------------------------- folder


@pytest.mark.parametrize("evo", [False, True])
@pytest.mark.parametrize("kind", ["paper", "residual"])
def test_a_saved_hypernetwork_makes_the_same_adapter(base, tmp_path, kind, evo):
    sizes = {"hidden": 8, "rank": 2} if kind == "paper" else {"width": 16, "bases": 4}
    if evo and kind == "paper":
        sizes["hidden"] = 64
    network = Hypernet(
        describe(kind, base, shape_of(base), 32, EncoderSettings(), evo, **sizes)
    )
    network.save(tmp_path)
    again = Hypernet.load(tmp_path)
    assert again.description == network.description
    before, after = network(repository()), again(repository())
    assert all(torch.equal(before.a[n], after.a[n]) for n in before.a)
    if evo:
        state = again.advance(again.begin(repository()), torch.ones(64))
        assert again.of_state(state).rank == before.rank


def test_a_damaged_folder_is_explained(base, tmp_path: Path):
    with pytest.raises(UsageError, match=r"hypernet\.json"):
        Hypernet.load(tmp_path)
    network = Hypernet(
        describe("residual", base, shape_of(base), 32, EncoderSettings(), width=16)
    )
    network.save(tmp_path)
    weights = tmp_path / "hypernet.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(UsageError, match="cannot be loaded"):
        Hypernet.load(tmp_path)
