"""A base model of 60 thousand parameters, and samples to train it on.

The other tests of the model room import both from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from repobuild.model.adapter.lineage import Manifest
from repobuild.model.adapter.recipe import Recipe
from repobuild.model.base import Base, resolve_base
from repobuild.model.teaching.curriculum import TeachableSample, Teaching
from repobuild.model.teaching.teachable import make_row
from repobuild.settings_schema import defaults

Samples = list[tuple[str, dict[str, Any]]]
EVERYTHING = Teaching(kinds=(), longest_answer=0)
NAMES = ("load", "store", "parse", "render", "route", "check", "merge", "split")


def settings(**changes: Any) -> dict[str, Any]:
    """Return every setting by its dotted name; `adapter__rank=8` changes one."""
    small = {
        "adapter.rank": 8,
        "adapter.alpha": 16,
        "adapter.learning_rate": 2e-2,
        "adapter.budget": 6000,
        "adapter.batch_tokens": 256,
        "adapter.bf16": False,
        "adapter.packing": "bucketed",
        "adapter.continue_rate": 0.2,
        "adapter.keep": 0.0,
    }
    given = {name.replace("__", "."): value for name, value in changes.items()}
    return {**defaults(), **small, **given}


def recipe(**changes: Any) -> Recipe:
    return Recipe.of(settings(**{f"adapter__{n}": v for n, v in changes.items()}))


def samples(count: int = 8, where: str = "pkg") -> Samples:
    """Return location questions about invented functions, in two phrasings."""
    result: Samples = []
    for number in range(count):
        name = f"{NAMES[number % len(NAMES)]}_{number}"
        path = f"{where}/part_{number}.py"
        for turn, template in enumerate(("Where is `{}`?", "Which file has `{}`?")):
            sample = {
                "task": "code_location" if turn else "code_explanation",
                "language": "en",
                "form": "chat",
                "question": template.format(name),
                "answer": f"`{name}` is defined in `{path}`.",
                "element": f"pkg/part_{number}.py::{name}",
            }
            result.append((f"pkg/part_{number}.py::{name}#location.en.{turn}", sample))
    return result


def teachable(
    made: Samples,
    teaching: Teaching = EVERYTHING,
    importance: Mapping[str, float] | None = None,
) -> dict[str, TeachableSample]:
    """Return what may be taught of samples, of importance 0.5 or as given, by id."""
    found = {}
    for sample_id, given in made:
        key, mark, sub = sample_id.partition("#")
        score = (importance or {}).get(sample_id, 0.5)
        place = {mark + sub: {"split": "train", "importance": score}}
        row = make_row(key, {mark + sub: given}, place, teaching, with_lines=True)
        found |= {key + sub: TeachableSample(key, *v[1:]) for sub, v in row.items()}
    return found


def manifest_of(made: Samples) -> Manifest:
    return Manifest({i: sample.digest for i, sample in teachable(made).items()})


def make_base(folder: Path, layers: int = 2, hidden: int = 32) -> Base:
    """Save a random Qwen3 model with a tokenizer of its own."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    from repobuild.model.bundled import tokenizer as bpe

    texts = [s["question"] + s["answer"] for _, s in samples()] * 4
    tokenizer = bpe.train_tokenizer(texts, 360, 512)
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=64,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    Qwen3ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return resolve_base(settings(base__model=str(folder)))


def test_the_nano_base_is_found(tmp_path: Path) -> None:
    base = make_base(tmp_path / "nano")
    assert base.name == "nano"
    assert len(base.digest) == 64
