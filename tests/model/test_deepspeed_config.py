from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from repobuild.errors import UsageError
from repobuild.model.compute import deepspeed_config
from repobuild.resources import folder

SHIPPED = sorted(p.stem for p in (folder("configs") / "deepspeed").glob("*.json"))


def written(place: Path, config: Any) -> str:
    path = place / "mine.json"
    path.write_text(json.dumps(config))
    return str(path)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_settings_are_valid(name: str) -> None:
    config = deepspeed_config.read_config(name)
    assert deepspeed_config.stage(config) == int(name[4])


def test_all_stages_are_shipped() -> None:
    assert SHIPPED == ["zero0", "zero1", "zero2", "zero3", "zero3-offload"]


def test_our_list_of_zero_keys_is_deepspeed_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DS_ACCELERATOR", "cpu")
    from deepspeed.runtime.zero.config import DeepSpeedZeroConfig

    fields = DeepSpeedZeroConfig.model_fields.items()
    assert {field.alias or name for name, field in fields} == set(
        deepspeed_config.ZERO_KEYS
    )


def test_a_misspelt_key_is_named_with_the_near_one(tmp_path: Path) -> None:
    config = {"gradient_cliping": 1.0}
    with pytest.raises(UsageError, match='did you mean "gradient_clipping"'):
        deepspeed_config.read_config(written(tmp_path, config))
    config = {"zero_optimization": {"stage": 2, "overlap_com": True}}
    with pytest.raises(UsageError, match='did you mean "overlap_comm"'):
        deepspeed_config.read_config(written(tmp_path, config))


def test_what_is_ours_is_refused_with_the_reason(tmp_path: Path) -> None:
    for key in ("optimizer", "scheduler", "fp16"):
        with pytest.raises(UsageError, match=f'"{key}".*has no effect'):
            deepspeed_config.read_config(written(tmp_path, {key: {}}))


def test_precision_is_taken_out(tmp_path: Path) -> None:
    """The first project's ZeRO-3 file has it; with it adapters would be rounded."""
    config = {"bf16": {"enabled": True}, "zero_optimization": {"stage": 3}}
    assert "bf16" not in deepspeed_config.read_config(written(tmp_path, config))


def test_wrong_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='did you mean "zero3"'):
        deepspeed_config.read_config("zero33")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(UsageError, match="not valid JSON"):
        deepspeed_config.read_config(str(tmp_path / "bad.json"))
    with pytest.raises(UsageError, match="ZeRO stage 4"):
        deepspeed_config.read_config(
            written(tmp_path, {"zero_optimization": {"stage": 4}})
        )
