from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from repobuild.engine.storage.artifact_store import object_path
from repobuild.errors import UsageError
from repobuild.model import base as bases
from tests.model.test_nano import make_base, settings


def resolve(model: str, revision: str = "") -> bases.Base:
    return bases.resolve_base(settings(base__model=model, base__revision=revision))


def test_a_missing_folder_is_named_with_the_remedy(tmp_path: Path) -> None:
    missing = tmp_path / "no" / "model"
    with pytest.raises(UsageError) as error:
        resolve(str(missing))
    assert str(missing) in str(error.value)
    assert 'base.model to "tiny"' in str(error.value)


def test_a_single_unknown_word_is_a_missing_folder() -> None:
    with pytest.raises(UsageError, match="does not exist"):
        resolve("tinny")


def test_a_folder_without_config_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"config\.json"):
        resolve(str(tmp_path))


def test_an_unreachable_hub_model_names_the_download_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from huggingface_hub import HfApi, constants

    def offline(*_: Any, **__: Any) -> None:
        raise ConnectionError("no network")

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(HfApi, "model_info", offline)
    with pytest.raises(UsageError, match="hf download some/model"):
        resolve("some/model")


def test_the_digest_of_a_hub_model_is_its_commit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    refs = tmp_path / "models--some--model" / "refs"
    refs.mkdir(parents=True)
    (refs / "main").write_text("c0ffee\n")
    assert resolve("some/model").digest == "some/model@c0ffee"
    commit = "0123456789" * 4
    assert resolve("some/model", commit).digest == f"some/model@{commit}"


def test_the_bundled_model_is_found_by_its_ref(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bases.resources, "data_folder", lambda name: tmp_path / name)
    with pytest.raises(UsageError, match="bundled model is missing"):
        resolve("tiny")
    digest = "ab" + "cd" * 31
    folder = object_path(tmp_path / "cache" / "objects", digest)
    folder.mkdir(parents=True)
    (tmp_path / "cache" / "refs").mkdir()
    ref = tmp_path / "cache" / "refs" / "tiny"
    ref.write_bytes(b"\xff\n")
    with pytest.raises(UsageError, match="bundled model is missing"):
        resolve("tiny")
    ref.write_text(digest + "\n")
    found = resolve("tiny")
    assert (found.name, found.digest) == ("repobuild/tiny", digest)
    assert Path(found.source) == folder


def test_the_digest_covers_every_byte_of_a_small_file(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(bytes(1000))
    before = bases.folder_digest(tmp_path)
    weights.write_bytes(bytes(999) + b"\x01")
    assert bases.folder_digest(tmp_path) != before


def test_large_files_are_digested_by_pieces(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bases, "WHOLE_FILE_LIMIT", 1 << 20)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(bytes(8 << 20))
    before = bases.folder_digest(tmp_path)
    weights.write_bytes(bytes((8 << 20) - 1) + b"\x01")  # the end is a piece
    assert bases.folder_digest(tmp_path) != before


def test_an_adapter_never_learns_an_absolute_path(tmp_path: Path) -> None:
    base = make_base(tmp_path / "mine")
    assert base.name == "mine"


@pytest.mark.parametrize(
    "module",
    [
        "adapter.adapter",
        "adapter.decision",
        "adapter.lineage",
        "adapter.packing",
        "adapter.recipe",
        "base",
        "compute.deepspeed_config",
        "compute.launch",
        "conversation",
        "generate",
        "merge",
    ],
)
def test_importing_a_module_loads_nothing_heavy(module: str) -> None:
    code = (
        f"import repobuild.model.{module}, sys; heavy = {{'torch', 'transformers', "
        "'peft', 'deepspeed', 'datasets', 'accelerate', 'numpy'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
