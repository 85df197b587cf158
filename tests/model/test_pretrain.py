"""A tiny model trains, stops, continues, and loads with transformers."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from repobuild.model.bundled import pretrain
from repobuild.model.bundled import tokenizer as bpe
from repobuild.model.bundled.training_rows import held_out_rows
from tests.model.nano_corpus import nano_corpus

# A clock that ticks 10 s a reading: 0.5 minutes are three steps.
NANO = pretrain.PretrainRecipe(
    vocabulary=300,
    hidden=32,
    layers=2,
    heads=2,
    kv_heads=1,
    head_size=16,
    feed_forward=64,
    context=256,
    sequence=200,
    batch=2,
    minutes=1.0,
    first_save=60.0,
    score_windows=2,
)


def ticks() -> Iterator[float]:
    return (10.0 * reading for reading in count())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> pretrain.PretrainRun:
    corpus = nano_corpus()
    tokenizer = bpe.train_tokenizer(corpus.library, NANO.vocabulary, NANO.context)
    held_out = held_out_rows(corpus, tokenizer, NANO.sequence, most=4)
    out = tmp_path_factory.mktemp("whole") / "tiny"
    return pretrain.PretrainRun(
        NANO, out, tokenizer, corpus, held_out, log=lambda line: None
    )


def start(run: pretrain.PretrainRun, out: Path, most_steps: int | None = None) -> None:
    clock = ticks()
    pretrain.train(
        replace(run, out=out, clock=lambda: next(clock), most_steps=most_steps)
    )


def test_a_resumed_run_equals_an_uninterrupted_one(
    run: pretrain.PretrainRun, tmp_path: Path
) -> None:
    start(run, tmp_path / "whole")
    start(run, tmp_path / "parts", most_steps=2)
    halfway = json.loads((tmp_path / "parts.training" / "state.json").read_text())
    assert halfway["progress"]["step"] == 2
    start(run, tmp_path / "parts")
    whole = load_file(tmp_path / "whole.training" / "weights.safetensors")
    parts = load_file(tmp_path / "parts.training" / "weights.safetensors")
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_the_model_folder_loads_and_generates(
    run: pretrain.PretrainRun, tmp_path: Path
) -> None:
    start(run, tmp_path / "tiny", most_steps=1)
    model: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "tiny")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "tiny")
    assert model.dtype == torch.bfloat16
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert model.generation_config.eos_token_id == [tokenizer.eos_token_id, 0]
    prompt = tokenizer("def f", return_tensors="pt")
    assert model.generate(**prompt, max_new_tokens=3, do_sample=False).shape[0] == 1
    names = {file.name for file in (tmp_path / "tiny").iterdir()}
    assert {"recipe.json", "README.md", "tokenizer.json", "config.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]


def test_another_recipe_does_not_continue_from_this_state(
    run: pretrain.PretrainRun, tmp_path: Path
) -> None:
    start(run, tmp_path / "tiny", most_steps=1)
    other = replace(run, recipe=replace(NANO, seed=2))
    with pytest.raises(SystemExit, match="another recipe"):
        start(other, tmp_path / "tiny", most_steps=1)


def test_the_rate_warms_up_and_falls_with_the_clock() -> None:
    recipe = pretrain.PretrainRecipe()
    rates = [pretrain.learning_rate(recipe, spent / 100) for spent in range(101)]
    assert max(rates) == rates[2] == recipe.learning_rate
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[100] == pytest.approx(recipe.learning_rate * recipe.last_rate)


def test_every_kind_of_text_is_scored(run: pretrain.PretrainRun) -> None:
    model = pretrain.build_model(NANO)
    scores = pretrain.held_out_loss(model, run.held_out, most=4, batch=NANO.batch)
    kinds = ("code", "fim", "packages", "questions", "grounded")
    assert set(scores) == {f"{kind}_loss_per_token" for kind in kinds}
    assert all(4 < loss < 8 for loss in scores.values())  # log 300 = 5.7


def test_a_run_from_another_model_has_its_weights_and_its_recipe(
    run: pretrain.PretrainRun, tmp_path: Path
) -> None:
    start(run, tmp_path / "first", most_steps=2)
    start(replace(run, base=tmp_path / "first"), tmp_path / "second", most_steps=0)
    first: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "first")
    second: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "second")
    weights = second.state_dict()
    assert all(
        torch.equal(weights[name], tensor)
        for name, tensor in first.state_dict().items()
    )
    recipe = json.loads((tmp_path / "second" / "recipe.json").read_text())
    assert recipe["base"]["model"] == "first"
    assert recipe["base"]["progress"]["step"] == 2


def test_the_default_model_has_five_million_parameters() -> None:
    model = pretrain.build_model(pretrain.PretrainRecipe())
    assert 4.9e6 < sum(p.numel() for p in model.parameters()) < 5.1e6
