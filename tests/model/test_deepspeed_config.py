from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from repobuild.errors import UsageError
from repobuild.model.compute import deepspeed_config
from repobuild.model.compute.deepspeed_keys import REFUSED, ZERO_KEYS
from repobuild.model.compute.launch import process_environment
from repobuild.resources import data_folder

SHIPPED = sorted(p.stem for p in (data_folder("configs") / "deepspeed").glob("*.json"))


def write_config(folder: Path, config: Any) -> str:
    path = folder / "mine.json"
    path.write_text(json.dumps(config))
    return str(path)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_settings_are_valid(name: str) -> None:
    config = deepspeed_config.read_config(name)
    assert deepspeed_config.zero_stage(config) == int(name[4])


def test_all_stages_are_shipped() -> None:
    assert SHIPPED == ["zero0", "zero1", "zero2", "zero3", "zero3-offload"]


def test_every_zero_key_of_deepspeed_is_allowed_or_refused_with_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DS_ACCELERATOR", "cpu")
    from deepspeed.runtime.zero.config import DeepSpeedZeroConfig

    fields = DeepSpeedZeroConfig.model_fields.items()
    refused = {
        key.removeprefix("zero_optimization.") for key in REFUSED if key.count(".") == 1
    }
    assert {field.alias or name for name, field in fields} == {*ZERO_KEYS, *refused}


def test_a_misspelt_key_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    config = {"gradient_cliping": 1.0}
    with pytest.raises(UsageError, match='did you mean "gradient_clipping"'):
        deepspeed_config.read_config(write_config(tmp_path, config))
    config = {"zero_optimization": {"stage": 2, "overlap_com": True}}
    with pytest.raises(UsageError, match='did you mean "overlap_comm"'):
        deepspeed_config.read_config(write_config(tmp_path, config))


def test_keys_that_repobuild_decides_are_refused_with_the_reason(
    tmp_path: Path,
) -> None:
    for key in ("optimizer", "scheduler", "fp16"):
        with pytest.raises(UsageError, match=f'"{key}".*has no effect'):
            deepspeed_config.read_config(write_config(tmp_path, {key: {}}))


def test_the_precision_block_is_removed(tmp_path: Path) -> None:
    """Common ZeRO-3 files have it; with it saved adapters would be rounded."""
    config = {"bf16": {"enabled": True}, "zero_optimization": {"stage": 3}}
    assert "bf16" not in deepspeed_config.read_config(write_config(tmp_path, config))


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='did you mean "zero3"'):
        deepspeed_config.read_config("zero33")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(UsageError, match="not valid JSON"):
        deepspeed_config.read_config(str(tmp_path / "bad.json"))
    with pytest.raises(UsageError, match="is 4, not one of 0, 1, 2, 3"):
        deepspeed_config.read_config(
            write_config(tmp_path, {"zero_optimization": {"stage": 4}})
        )


def test_launched_processes_import_this_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its own folder on the path would shadow the standard library's `code`."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    (entry,) = process_environment(2)["PYTHONPATH"].split(os.pathsep)
    assert (Path(entry) / "repobuild" / "__init__.py").is_file()
