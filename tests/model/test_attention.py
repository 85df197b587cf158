"""Every attention kernel, loss and fused layer equals the plain computation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model

from repobuild.model.adapter.packing import collate
from repobuild.model.base import Base, load_model, load_tokenizer
from repobuild.model.compute.attention import (
    short_attention,
    use_attention,
    varlen_arguments,
)
from repobuild.model.compute.lora import fuse_lora_layers
from repobuild.model.compute.loss import answer_loss, mark_tokens, use_answer_loss
from repobuild.model.conversation import Conversation, Example
from repobuild.model.teaching.scheduler import Certainty
from tests.model.test_nano import make_base, samples

SUFFIXES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return make_base(tmp_path_factory.mktemp("nano"))


@pytest.fixture(scope="module")
def made(base: Base) -> list[Example]:
    return Conversation(load_tokenizer(base)).tokenise(samples(4), 999).kept[:6]


def adapted(base: Base, attention: str = "sdpa", **changes: Any) -> PeftModel:
    """Return a model with a random adapter, the same at every call."""
    config = LoraConfig(r=4, lora_alpha=8, target_modules=SUFFIXES, **changes)
    model: Any = get_peft_model(load_model(base, torch.float32), config)
    rng = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = torch.randn(parameter.shape, generator=rng) / 10
    use_attention(model.get_base_model(), attention)
    use_answer_loss(model, bf16=False)
    found: PeftModel = model
    return found


def loss_and_gradients(
    model: PeftModel, rows: list[list[Example]]
) -> dict[str, torch.Tensor]:
    """Return loss and gradients of one batch by parameter name."""
    loss = model(**collate(rows, 0)).loss
    loss.backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    return {"loss": loss.detach(), **gradients}


def close(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    assert one.keys() == other.keys() and len(one) == 1 + 2 * 7 * 2
    return all(torch.allclose(one[n], other[n], atol=2e-5, rtol=1e-3) for n in one)


@pytest.mark.parametrize("kind", ["eager", "short", "varlen"])
def test_attention_of_single_rows_is_torch_s_own(
    base: Base, made: list[Example], kind: str
) -> None:
    rows = [[e] for e in made]
    assert close(
        loss_and_gradients(adapted(base, kind), rows),
        loss_and_gradients(adapted(base), rows),
    )


@pytest.mark.parametrize("kind", ["sdpa", "short", "varlen"])
def test_samples_of_a_packed_row_do_not_see_each_other(
    base: Base, made: list[Example], kind: str
) -> None:
    """Two rows of unequal length: with one, transformers finds the boundaries."""
    apart = loss_and_gradients(adapted(base), [[e] for e in made])
    assert close(loss_and_gradients(adapted(base, kind), [made[:2], made[2:]]), apart)


def test_flash_kernels_get_the_boundaries_of_all_samples(
    made: list[Example],
) -> None:
    """transformers passes these arguments on to FlashAttention for any batch."""
    positions = collate([made[:2], made[2:]], 0)["position_ids"]
    assert varlen_arguments(positions, "sdpa") == {}
    arguments = varlen_arguments(positions, "flash_attention_2")
    sizes = [len(e.tokens) for e in made[:2]]
    padding = positions.shape[1] - sum(sizes)
    wanted = [*sizes, padding, *(len(e.tokens) for e in made[2:])]
    assert arguments["cu_seq_lens_q"].diff().tolist() == wanted
    assert arguments["cu_seq_lens_q"].dtype == torch.int32
    assert arguments["max_length_q"] == max(wanted)


def test_on_a_cpu_in_bfloat16_short_attention_is_the_default(base: Base) -> None:
    model: Any = load_model(base, torch.bfloat16)
    use_attention(model, "auto")
    assert model.config._attn_implementation == "repobuild_short"
    model.config.sliding_window = 8
    use_attention(model, "auto")
    assert model.config._attn_implementation == "sdpa"


def test_in_float32_where_threads_change_results_short_attention_is_not_used(
    base: Base,
) -> None:
    model: Any = load_model(base, torch.float32)
    use_attention(model, "auto")
    assert model.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("width", [7, 33, 61, 100, 200])
def test_short_attention_gives_the_same_bits_on_any_number_of_threads(
    width: int,
) -> None:
    results = []
    threads = torch.get_num_threads()
    for number in (1, 2):
        torch.set_num_threads(number)
        torch.manual_seed(1)
        heads = [torch.randn(8, n, width, 64).bfloat16() for n in (4, 2, 2)]
        q, k, v = (head.requires_grad_() for head in heads)
        out, _ = short_attention(None, q, k, v, None)
        results.append(
            [out, *torch.autograd.grad(out.float().square().sum(), (q, k, v))]
        )
    torch.set_num_threads(threads)
    assert all(map(torch.equal, *results))


def test_a_fused_layer_has_the_gradients_of_peft_s_layer(
    base: Base, made: list[Example]
) -> None:
    model = adapted(base)
    assert fuse_lora_layers(model) == 14
    rows = [[e] for e in made]
    assert close(
        loss_and_gradients(model, rows), loss_and_gradients(adapted(base), rows)
    )


def test_a_fused_layer_computes_in_bfloat16_under_autocast(base: Base) -> None:
    model = adapted(base)
    fuse_lora_layers(model)
    layer: Any = model.get_base_model().model.layers[0].mlp.up_proj
    x = torch.randn(2, 3, layer.in_features)
    plain = layer(x).detach()
    with torch.autocast("cpu", torch.bfloat16):
        rounded = layer(x).detach()
    assert rounded.dtype == torch.bfloat16
    assert torch.allclose(rounded.float(), plain, atol=0.05 * float(plain.abs().max()))


@pytest.mark.parametrize("changes", [{"use_dora": True}, {"lora_dropout": 0.5}])
def test_layers_that_are_not_plain_lora_keep_peft_s_forward(
    base: Base, changes: dict[str, Any]
) -> None:
    assert fuse_lora_layers(adapted(base, **changes)) == 0


def test_a_token_is_sure_when_it_leads_by_the_margin() -> None:
    """The runner-up may be the answer that was right before."""
    logits = torch.tensor([[0.0, 1.0, 9.0], [0.0, 7.0, 9.0], [0.0, 9.0, 7.0]])
    marks = mark_tokens(logits, torch.tensor([2, 2, 2]))
    assert marks.tolist() == [Certainty.SURE, Certainty.RIGHT, Certainty.WRONG]


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_the_chunked_loss_equals_the_whole_loss(chunk: int) -> None:
    rng = torch.Generator().manual_seed(2)
    head = torch.nn.Linear(16, 50, bias=False).requires_grad_(False)
    hidden = torch.randn(64, 16, generator=rng).requires_grad_()
    labels = torch.randint(50, (64,), generator=rng)
    whole, marks = answer_loss(hidden, labels, head, 1000)
    (wanted,) = torch.autograd.grad(3 * whole, hidden)
    chunked, chunked_marks = answer_loss(hidden, labels, head, chunk)
    assert torch.equal(marks, chunked_marks)
    (found,) = torch.autograd.grad(3 * chunked, hidden)
    assert torch.allclose(chunked, whole, atol=1e-6)
    assert torch.allclose(found, wanted, atol=1e-7)
    with torch.no_grad():
        without_gradient, _ = answer_loss(hidden, labels, head, chunk)
    assert torch.allclose(without_gradient, whole, atol=1e-6)


@pytest.mark.slow
def test_a_compiled_model_has_the_same_gradients(
    base: Base, made: list[Example], tmp_path: Path
) -> None:
    model = adapted(base)
    fuse_lora_layers(model)
    for layer in model.get_base_model().model.layers:  # type: ignore[union-attr]
        layer.compile(dynamic=True)
    rows = [made[:2], made[2:]]
    assert close(
        loss_and_gradients(model, rows), loss_and_gradients(adapted(base), rows)
    )
