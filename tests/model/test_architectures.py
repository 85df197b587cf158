"""Every preset works with the architecture of its base model.

The bases themselves have 2 to 60 GB. Each is tried as a random model of its
architecture with 2 layers, its chat template and the preset's own targets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file

from repobuild.model.adapter.train import train
from repobuild.model.base import (
    HUB_ID,
    Base,
    load_model,
    load_tokenizer,
    resolve_base,
    silence_libraries,
)
from repobuild.model.conversation import Conversation
from repobuild.model.load.pretrained import read_adapter
from repobuild.model.merge import encode_probe, logits, merge, relative_error
from repobuild.model.publish import hub
from repobuild.resources import data_folder
from repobuild.settings import preset_settings
from repobuild.settings_schema import defaults
from tests.model.test_conversation import FAMILIES, tokenizer_of
from tests.model.test_nano import samples, settings
from tests.model.test_train import job

TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
}
VISION = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}


@dataclass(frozen=True)
class Architecture:
    """A family's configuration, its class and its chat template."""

    model: str  # class of transformers
    template: str  # a key of FAMILIES
    make: Callable[[dict[str, Any]], Any]


def plain(name: str, **more: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda values: getattr(transformers, name)(**{**values, **more})


def gemma_with_vision(values: dict[str, Any]) -> Any:
    return transformers.Gemma3Config(
        text_config={**values, "sliding_window": 16},
        vision_config=VISION,
        mm_tokens_per_image=1,
        image_token_index=0,
        boi_token_index=1,
        eoi_token_index=2,
    )


ARCHITECTURES = {
    "qwen3": Architecture("Qwen3ForCausalLM", "qwen3", plain("Qwen3Config")),
    "qwen2.5-coder": Architecture("Qwen2ForCausalLM", "qwen2.5", plain("Qwen2Config")),
    "qwen3-coder": Architecture(
        "Qwen3MoeForCausalLM",
        "chatml",
        plain(
            "Qwen3MoeConfig",
            num_experts=4,
            num_experts_per_tok=2,
            moe_intermediate_size=32,
        ),
    ),
    "llama": Architecture("LlamaForCausalLM", "llama3.2", plain("LlamaConfig")),
    "smollm2": Architecture("LlamaForCausalLM", "chatml", plain("LlamaConfig")),
    "gemma-3-1b": Architecture(
        "Gemma3ForCausalLM", "gemma3", plain("Gemma3TextConfig", sliding_window=16)
    ),
    "gemma-3-4b": Architecture(
        "Gemma3ForConditionalGeneration", "gemma3", gemma_with_vision
    ),
    "mistral": Architecture(
        "MistralForCausalLM",
        "mistral v3",
        plain("MistralConfig", sliding_window=None, tie_word_embeddings=False),
    ),
}
PRESETS = sorted(
    path.stem
    for path in (data_folder("configs") / "presets").glob("*.toml")
    if path.stem != "tiny"
)


def architecture_of(preset: str) -> str:
    """Return the key of ARCHITECTURES that begins the preset's name: the longest."""
    return max((n for n in ARCHITECTURES if preset.startswith(n)), key=len)


@cache
def targets_of(preset: str) -> tuple[str, ...]:
    values = {**defaults(), **preset_settings(preset)}
    return tuple(sorted(values["adapter.targets"]))


def cases() -> dict[tuple[str, tuple[str, ...]], str]:
    """Return one preset for each architecture and set of targets."""
    found: dict[tuple[str, tuple[str, ...]], str] = {}
    for preset in PRESETS:
        found.setdefault((architecture_of(preset), targets_of(preset)), preset)
    return found


@dataclass(frozen=True)
class Trained:
    """A random base of a preset's architecture, and an adapter trained on it."""

    preset: str
    base: Base
    adapter: Path
    losses: list[float]

    @property
    def template(self) -> str:
        return ARCHITECTURES[architecture_of(self.preset)].template


def test_every_preset_names_a_model_whose_architecture_is_tried() -> None:
    ids = {preset: preset_settings(preset)["base.model"] for preset in PRESETS}
    assert ids.pop("smollm2") == "smollm2"
    assert [i for i in ids.values() if not HUB_ID.fullmatch(i)] == []
    named = {p: i.partition("/")[2].lower() for p, i in ids.items()}
    assert {p: n for p, n in named.items() if not n.startswith(p)} == {}
    assert {architecture_of(preset) for preset in PRESETS} == set(ARCHITECTURES)


@pytest.fixture(
    scope="module",
    params=[pytest.param(p, marks=pytest.mark.slow) for p in sorted(cases().values())],
)
def trained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    preset = request.param
    folder = tmp_path_factory.mktemp("base")
    base = make_base(folder, ARCHITECTURES[architecture_of(preset)])
    scratch = tmp_path_factory.mktemp("scratch")
    outcome = train(
        job(
            base,
            scratch,
            passes=4.0,
            targets=targets_of(preset),
            keep=0.1,
            checkpointing=preset_settings(preset).get("adapter.checkpointing", False),
        )
    )
    losses = [loss for _, loss in outcome.losses]
    return Trained(preset, base, scratch / "trained", losses)


def make_base(folder: Path, architecture: Architecture) -> Base:
    """Save a random model of an architecture, with the tokenizer of its family."""
    silence_libraries()
    tokenizer = tokenizer_of(architecture.template)
    torch.manual_seed(0)
    ids = {
        name: getattr(tokenizer, name)
        for name in ("bos_token_id", "eos_token_id", "pad_token_id")
    }
    config = architecture.make({**TEXT, "vocab_size": len(tokenizer), **ids})
    getattr(transformers, architecture.model)(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return resolve_base(settings(base__model=str(folder)))


def test_every_target_of_every_layer_is_trained_and_nothing_else(
    trained: Trained,
) -> None:
    tensors = load_file(trained.adapter / "adapter_model.safetensors")
    targets = targets_of(trained.preset)
    assert len(tensors) == 2 * len(targets) * TEXT["num_hidden_layers"]
    assert all(float(t.abs().sum()) > 0 for t in tensors.values())
    assert not [name for name in tensors if "vision" in name]
    found = {name.split(".lora_")[0].rpartition(".")[2] for name in tensors}
    assert found == set(targets)


def test_the_loss_covers_answer_and_end(trained: Trained) -> None:
    conversation = Conversation(load_tokenizer(trained.base))
    (_, sample), *_ = samples(1)
    (example,) = conversation.tokenise([("a", sample)], 512).kept
    family = FAMILIES[trained.template]
    covered = [label for label in example.labels if label != -100]
    text = conversation.tokenizer.decode(covered)
    assert text == family.lead + sample["answer"] + family.end


def test_training_lowers_the_loss(trained: Trained) -> None:
    """By a few tenths: all but the adapter stays random."""
    assert trained.losses[-1] < trained.losses[0] - 0.2


def test_the_merged_model_equals_the_adapter(trained: Trained, tmp_path: Path) -> None:
    found = merge(trained.base, trained.adapter, tmp_path, settings())
    assert found["exact"] < 1e-5 and found["stored"] < 1e-5
    whole = resolve_base(settings(base__model=str(tmp_path)))
    probe = encode_probe(Conversation(load_tokenizer(whole)))
    before = logits(load_model(trained.base, torch.float32), probe)
    after = logits(load_model(whole, torch.float32), probe)
    assert relative_error(after, before) > 1e-3  # the adapter does something


def test_the_exported_adapter_is_loaded_by_peft(
    trained: Trained, tmp_path: Path
) -> None:
    load_tokenizer(trained.base).save_pretrained(trained.adapter)
    out = tmp_path / "export"
    out.mkdir()
    hub.write_adapter(trained.adapter, out, trained.base.name, "")
    probe = encode_probe(Conversation(load_tokenizer(trained.base)))
    own, exported = (
        logits(read_adapter(load_model(trained.base, torch.float32), folder), probe)
        for folder in (trained.adapter, out)
    )
    assert relative_error(exported, own) < 1e-6


def test_packed_samples_do_not_see_each_other(trained: Trained) -> None:
    """Two samples in one row have the logits that each has alone."""
    model: Any = load_model(trained.base, torch.float32)
    conversation = Conversation(load_tokenizer(trained.base))
    one, two = (e.tokens for e in conversation.tokenise(samples(1), 512).kept)
    packed = torch.tensor([one + two])
    positions = torch.tensor([[*range(len(one)), *range(len(two))]])
    with torch.inference_mode():
        alone = [model(input_ids=torch.tensor([ids])).logits for ids in (one, two)]
        both = model(input_ids=packed, position_ids=positions, use_cache=False).logits
    assert relative_error([both], [torch.cat(alone, 1)]) < 1e-5
