"""Exported files read the same in every library, and the card states true facts."""

from __future__ import annotations

import ast
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from repobuild.model.adapter.lineage import Lineage
from repobuild.model.publish.hub import minimal_config, support_transformers_4
from repobuild.model.publish.model_card import (
    ModelCardFacts,
    TrainingContents,
    render_model_card,
)
from repobuild.model.publish.serving_recipes import DEFAULT_QUESTION, ServingFacts

COMMIT, PARENT = "c" * 40, "d" * 64
SERVED = ServingFacts("Qwen/Qwen3-8B", "a" * 40, True, "", "my project", COMMIT, 16)
E = {"value": 0.5, "low": 0.25, "high": 0.75, "n": 20}
LINEAGE = Lineage(
    commit=COMMIT, tree="e" * 40, parent=PARENT, mode="continue", reason="3 changed",
    base={"name": "Qwen/Qwen3-8B", "digest": "Qwen/Qwen3-8B@" + "a" * 40},
    dataset="f" * 64, chain=3, drift=0.1, recipe_digest="0" * 64,
    recipe={"rank": 16, "alpha": 32, "targets": ["k_proj", "q_proj"]},
    samples={"current": 10, "left out: too long": 2},
    training={"steps": 7, "tokens": 900, "answer_tokens": 400},
    scores={"loss": 0.4, "parent_loss": 0.5}, promoted=True,
)  # fmt: skip
FACTS = ModelCardFacts("my project", "https://a.example/b", LINEAGE, "1" * 64, COMMIT,
              "", "b" * 40, SERVED)  # fmt: skip


def config(**changes: Any) -> dict[str, Any]:
    return {"r": 16, "lora_alpha": 32, "use_rslora": False} | changes


def test_keys_of_unused_peft_features_are_left_out() -> None:
    given = config(loftq_config={}, velora_config=None, target_modules=["q", "k"],
                   use_qalora=False, qalora_group_size=16)  # fmt: skip
    assert minimal_config(given) == config(target_modules=["k", "q"])


@pytest.mark.parametrize("rank", [16, 32])
def test_rslora_is_written_as_the_plain_lora_that_it_equals(rank: int) -> None:
    """SGLang and llama.cpp divide by the rank whatever the configuration says."""
    made = minimal_config(config(r=rank, use_rslora=True))
    assert made["use_rslora"] is False
    assert made["lora_alpha"] / rank == pytest.approx(32 / math.sqrt(rank))


def test_a_frequency_that_transformers_4_would_guess_is_written_twice(
    tmp_path: Path,
) -> None:
    rope = {"rope_theta": 1e6, "rope_type": "yarn", "factor": 4.0}
    (tmp_path / "config.json").write_text(json.dumps({"rope_parameters": rope}))
    support_transformers_4(tmp_path)
    found = json.loads((tmp_path / "config.json").read_text())
    assert (found["rope_parameters"], found["rope_theta"]) == (rope, 1e6)
    assert found["rope_scaling"] == {"rope_type": "yarn", "factor": 4.0}


def test_a_hub_base_is_named_with_its_commit() -> None:
    page = render_model_card(FACTS)
    data = ModelCard(page).data
    assert data.base_model == "Qwen/Qwen3-8B"
    assert "base_model:adapter:Qwen/Qwen3-8B" in data.tags
    assert f'"Qwen/Qwen3-8B", revision="{"a" * 40}"' in page
    assert f"--revision {'a' * 40}" in page
    assert f"my-project@{COMMIT[:12]}=." in page
    assert f"`{PARENT[:12]}`, of commit `{'b' * 10}`" in page


def test_the_card_says_when_the_base_model_wrote_part_of_what_was_trained() -> None:
    taught = replace(FACTS.lineage, coverage={"facts": 4, "taught": 4})
    page = render_model_card(replace(FACTS, lineage=taught))
    assert "no text that it was trained on was written by a model" in page
    earlier = replace(FACTS.lineage, coverage={})  # of a version with rehearsal
    page = render_model_card(replace(FACTS, lineage=earlier))
    assert "texts that the base model itself said" in page


def test_a_rank_above_the_default_of_vllm_is_passed() -> None:
    assert "--max-lora-rank" not in vllm_section(SERVED)
    assert "--max-lora-rank 64" in vllm_section(replace(SERVED, rank=40))


def vllm_section(served: ServingFacts) -> str:
    page = render_model_card(replace(FACTS, served=served))
    return page.partition("vLLM, from")[2].partition("SGLang, from")[0]


def test_servers_that_cannot_run_dora_get_no_recipe() -> None:
    page = render_model_card(replace(FACTS, served=replace(SERVED, dora=True)))
    assert "vllm serve" not in page and "launch_server" not in page
    assert "convert_lora_to_gguf" not in page and "use the merged model" in page


def test_thinking_is_switched_off_if_the_template_has_the_switch() -> None:
    assert "enable_thinking" not in render_model_card(FACTS)
    page = render_model_card(replace(FACTS, served=replace(SERVED, thinks=True)))
    assert "enable_thinking=False" in page and '"enable_thinking": false' in page


def test_scores_have_intervals_and_unmeasured_ones_are_left_out() -> None:
    track = {"n": 20, "adapter": {"loss": E, "path_exact": E}, "base": {"loss": E}}
    strict = {"models": ["base", "adapter"], "tracks": {"recall": track},
              "general": {"n": 0, "base": {}, "adapter": {}}}  # fmt: skip
    page = render_model_card(replace(FACTS, strict=strict))
    assert "| right file |  | 50% (25% to 75%), n = 20 |" in page
    assert "0.500 (0.250 to 0.750), n = 20" in page
    assert "### general" not in page and "## Scores" not in render_model_card(FACTS)


def licensed(*licences: str) -> ModelCardFacts:
    contents = TrainingContents()
    contents.trained["code_location"] = 3
    contents.summary.languages["en"] = 3
    contents.summary.licences.update(licences)
    contents.summary.dropped["secret: AWS Access Key"] = 2
    return replace(FACTS, contents=contents, denied=("AGPL-*",))


def test_the_licence_is_that_of_all_sources_together() -> None:
    page = render_model_card(licensed("Apache-2.0"))
    assert ModelCard(page).data.license == "apache-2.0"
    assert "`AGPL-*` was not used" in page
    several = ModelCard(render_model_card(licensed("MIT", "GPL-3.0-only OR MIT"))).data
    assert (several.license, several.license_name) == (
        "other", "(GPL-3.0-only OR MIT) AND MIT",
    )  # fmt: skip
    assert "**Partly unknown**" in render_model_card(licensed("MIT", "NOASSERTION"))


def test_dropped_secrets_are_counted_and_not_shown() -> None:
    assert "2 were dropped for one" in render_model_card(licensed("MIT"))


def test_an_adapter_that_stayed_current_names_the_later_commit() -> None:
    later = replace(FACTS, head="9" * 40, head_reason="nothing to train")
    assert f"`{'9' * 40}`: nothing to train" in render_model_card(later)


@pytest.mark.parametrize(
    "name", ['a"\nimport os', "a\\", "a```b", "a\u2028b", "文件", "`f`", "a\r\x00'"]
)
def test_a_name_of_the_repository_is_never_code_on_the_card(name: str) -> None:
    """Readers run the code of the card."""
    page = render_model_card(
        replace(FACTS, served=replace(SERVED, question=f"Where is {name}?"))
    )
    block = page.partition("```python\n")[2].partition("```")[0]
    (given,) = [
        node.value.value
        for node in ast.parse(block).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "question"
        and isinstance(node.value, ast.Constant)
    ]  # fmt: skip
    assert given == (DEFAULT_QUESTION if "```" in name else f"Where is {name}?")
