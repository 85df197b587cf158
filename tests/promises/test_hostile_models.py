"""A model of somebody else is data: it runs nothing, and fills neither memory nor time.

Each attempt is a small change to a model folder that works. All of them end when the
base is resolved, which is before any sample is made, with a message that names the
file. The same holds for folders that are merely damaged.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from repobuild.errors import UsageError
from repobuild.model.base import Base, load_model, load_tokenizer, resolve_base
from repobuild.model.compute.deepspeed_config import read_config
from repobuild.model.load import chat_template
from repobuild.model.load.pretrained import read_adapter, read_model
from tests.model.test_nano import make_base, settings

ROOT = Path(__file__).parents[2]
SECONDS = 15  # for an attempt, with a child process, on a busy machine
MEMORY = 300 << 20  # bytes that an attempt may add to the largest resident size


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "clean"
    make_base(folder)
    return folder


@pytest.fixture
def model(clean: Path, tmp_path: Path) -> Path:
    """A copy of a model that works, and Python files that leave a marker."""
    folder = tmp_path / "model"
    shutil.copytree(clean, folder)
    trap = f"import pathlib\npathlib.Path({str(tmp_path / 'sprung')!r}).touch()\n"
    for name in ("modeling_trap", "configuration_trap", "tokenization_trap"):
        (folder / f"{name}.py").write_text(trap + "class Trap: pass\n")
    (folder / "trap.txt").write_text(trap)
    return folder


@pytest.fixture(autouse=True)
def harmless(tmp_path: Path) -> Iterator[None]:
    """Nothing is executed, little is allocated, and it ends within seconds."""
    began, size = time.monotonic(), _largest_size()
    yield
    assert not (tmp_path / "sprung").exists()
    assert time.monotonic() - began < SECONDS
    assert _largest_size() - size < MEMORY


def _largest_size() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def resolved(folder: Path) -> Base:
    return resolve_base(settings(base__model=str(folder)))


def refused(folder: Path, *parts: str) -> str:
    """Return the error of resolving a folder; it says all the parts and what to do."""
    with pytest.raises(UsageError) as error:
        resolved(folder)
    text = str(error.value)
    assert [part for part in (*parts, str(folder)) if part not in text] == []
    assert "\n" in text, "it says what to do"
    assert "trust_remote_code" not in text
    return text


def test_the_unchanged_model_is_loaded(model: Path) -> None:
    base = resolved(model)
    assert load_tokenizer(base).eos_token
    import torch

    assert load_model(base, torch.float32).config.num_hidden_layers == 2


def test_there_is_one_loader() -> None:
    """Every `from_pretrained` and `from_config` is in load/pretrained.py."""
    called = re.compile(r"\.(from_pretrained|from_config|torch_load|load_adapter)\b")
    unpickled = re.compile(r"\b(torch\.load|pickle\.loads?|joblib\.load)\(")
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "repobuild").rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        # Recipes that are printed for the user are texts.
        if "serving_recipes" not in path.name
        and (called.search(line.partition("#")[0]) or unpickled.search(line))
    }
    assert found == {"repobuild/model/load/pretrained.py"}


# ------------------------------------------------------------------------------ code


@pytest.mark.parametrize(
    ("file", "asked"),
    [
        ("config.json", {"AutoConfig": "configuration_trap.Trap"}),
        ("config.json", {"AutoModelForCausalLM": "modeling_trap.Trap"}),
        ("config.json", {"AutoModelForCausalLM": "owner/name--modeling_trap.Trap"}),
        ("tokenizer_config.json", {"AutoTokenizer": ["tokenization_trap.Trap", None]}),
        ("tokenizer_config.json", ["tokenization_trap.Trap", None]),
        ("generation_config.json", {"x": "modeling_trap.Trap"}),
    ],
)
def test_code_of_the_model_is_refused(model: Path, file: str, asked: Any) -> None:
    change(model / file, auto_map=asked)
    text = refused(model, str(model / file), "asks for Python code", "Trap")
    assert "repobuild never runs a model's own code" in text


def test_code_of_a_nested_configuration_is_refused(model: Path) -> None:
    change(model / "config.json", text_config={"auto_map": {"AutoModel": "a.Trap"}})
    refused(model, "asks for Python code")


def test_a_generation_function_of_the_model_is_refused(model: Path) -> None:
    (model / "custom_generate").mkdir()
    shutil.copy(model / "trap.txt", model / "custom_generate" / "generate.py")
    refused(model, "custom_generate", "asks for Python code")


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    "asked",
    [
        {"attn_implementation": "owner/kernel"},
        {"_attn_implementation": "owner/kernel:function"},
        {"_attn_implementation_internal": "paged|owner/kernel@main"},
        {"attn_implementation": {"text_config": "owner/kernel"}},
        {"attn_implementation": "unheard_of"},
        {"experts_implementation": "owner/kernel"},
        {"use_kernels": True},
        {"kernel_config": {"kernel_mapping": {"RMSNorm": "owner/kernel:RMSNorm"}}},
        {"hub_kernel": "owner/kernel"},
    ],
)
def test_a_kernel_of_the_hub_is_refused(model: Path, asked: Any, nested: bool) -> None:
    change(model / "config.json", **({"text_config": asked} if nested else asked))
    refused(model, "config.json", "asks for a kernel", next(iter(asked)))


def test_a_quantiser_that_downloads_kernels_is_refused(model: Path) -> None:
    change(model / "config.json", quantization_config={"quant_method": "mxfp4"})
    refused(model, "quantiser 'mxfp4'")


@pytest.mark.parametrize("asked", ["eager", "sdpa", "flash_attention_2", None])
def test_attention_of_transformers_itself_is_allowed(model: Path, asked: Any) -> None:
    change(model / "config.json", attn_implementation=asked)
    resolved(model)


class Sprung:
    """Leaves a marker when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "model.pt", "model.ckpt", "model.pkl", "x.pth"]
)
def test_pickled_weights_are_refused(model: Path, tmp_path: Path, name: str) -> None:
    (model / "model.safetensors").unlink()
    (model / name).write_bytes(pickle.dumps(Sprung(tmp_path / "sprung")))
    refused(model, name, "are pickles", "safetensors")


def test_pickles_beside_safetensors_are_never_read(model: Path, tmp_path: Path) -> None:
    import torch

    pickled = pickle.dumps(Sprung(tmp_path / "sprung"))
    for name in ("pytorch_model.bin", "training_args.bin", "optimizer.pt"):
        (model / name).write_bytes(pickled)
    load_model(resolved(model), torch.float32)


def test_weights_outside_of_the_folder_are_refused(model: Path) -> None:
    (model / "model.safetensors").rename(model.parent / "w.safetensors")
    index = model / "model.safetensors.index.json"
    for name in ("../w.safetensors", "w.bin", str(model.parent / "w.safetensors")):
        index.write_text(json.dumps({"weight_map": {"a": name}}))
        refused(model, str(index), name)


def test_an_adapter_in_place_of_a_base_loads_no_other_model(model: Path) -> None:
    (model / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": "owner/name", "peft_type": "LORA"})
    )
    refused(model, "adapter_config.json", "is an adapter")


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ({"megatron_config": {"a": 1}, "megatron_core": "trap"}, "megatron_config"),
        ({"peft_type": "PROMPT_TUNING"}, "not a LoRA adapter"),
        ({"init_lora_weights": "loftq"}, "init_lora_weights"),
        ({"layer_replication": [[0, 10**6]]}, "layer_replication"),
        ({"r": 10**9}, "r = 1000000000"),
        ({}, "adapter_model.safetensors"),
    ],
)
def test_a_hostile_adapter_is_refused(tmp_path: Path, asked: Any, part: str) -> None:
    plain = {"peft_type": "LORA", "r": 8, "init_lora_weights": True}
    (tmp_path / "adapter_config.json").write_text(json.dumps({**plain, **asked}))
    if asked:
        (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(UsageError, match=re.escape(part)):
        read_adapter(None, tmp_path)


def test_a_pickled_adapter_is_refused(tmp_path: Path) -> None:
    plain = {"peft_type": "LORA", "r": 8}
    (tmp_path / "adapter_config.json").write_text(json.dumps(plain))
    pickled = pickle.dumps(Sprung(tmp_path / "sprung"))
    (tmp_path / "adapter_model.bin").write_bytes(pickled)
    with pytest.raises(UsageError, match=r"no weights in safetensors"):
        read_adapter(None, tmp_path)


# ---------------------------------------------------------------------------- bounds


@pytest.mark.parametrize(
    "asked",
    [
        {"num_hidden_layers": 10**7},
        {"num_hidden_layers": 1000},
        {"num_hidden_layers": 3},
        {"num_hidden_layers": "2"},
        {"num_hidden_layers": 2.5},
        {"num_hidden_layers": None},
        {"num_hidden_layers": -1},
        {"num_hidden_layers": True},
        {"num_hidden_layers": [2]},
        {"hidden_size": 10**12},
        {"hidden_size": 0},
        {"hidden_size": 64},
        {"intermediate_size": 1 << 22},
        {"num_attention_heads": 0},
        {"num_attention_heads": 10**6},
        {"num_key_value_heads": 4},
        {"num_key_value_heads": "4" * 100_000},
        {"head_dim": 10**9},
        {"vocab_size": 10**11},
        {"vocab_size": 1 << 24},
        {"num_labels": 10**10},
        {"max_position_embeddings": 10**12},
        {"rope_parameters": {"rope_type": "default", "rope_theta": float("nan")}},
        {"rms_norm_eps": float("inf")},
        {"tie_word_embeddings": False},
        {"anything": 10**4000},
    ],
    ids=str,
)
def test_numbers_that_the_weights_do_not_bear_out_are_refused(
    model: Path, asked: Any
) -> None:
    change(model / "config.json", **asked)
    refused(model, "config.json")


def test_ten_million_layers_of_another_family_are_refused_at_once(model: Path) -> None:
    change(model / "config.json", model_type="gpt2", n_layer=10**7)
    refused(model, "n_layer = 10000000")


def test_another_family_than_that_of_the_weights_is_refused(model: Path) -> None:
    """What cannot be read off the headers is compared without allocating it."""
    import torch

    values = {"hidden_size": 1 << 15, "n_embd": 1 << 15, "n_layer": 2, "n_head": 4}
    change(model / "config.json", model_type="gpt2", **values)
    with pytest.raises(UsageError, match=r"asks for [\d,]+ parameters, but"):
        read_model(model, torch.float32)


def test_weights_that_are_not_there_are_not_made_up(model: Path) -> None:
    """transformers initialises what a file does not hold, with a warning."""
    import torch

    values = {"n_embd": 32, "n_layer": 2, "n_head": 4}
    change(model / "config.json", model_type="gpt2", **values)
    with pytest.raises(UsageError, match=r"the weights in .* lack \d+ tensors"):
        read_model(model, torch.float32)


def test_deeply_nested_json_is_refused(model: Path) -> None:
    (model / "config.json").write_text('{"a":' * 100_000 + "1" + "}" * 100_000)
    refused(model, "config.json", "is damaged")


def test_a_huge_header_of_weights_is_refused(model: Path) -> None:
    (model / "model.safetensors").write_bytes((1 << 50).to_bytes(8, "little") + b"{}")
    refused(model, "model.safetensors", "is damaged or cut short")


def test_tensors_of_ten_gigabytes_that_are_not_there_are_refused(model: Path) -> None:
    header = {
        "model.norm.weight": {
            "dtype": "F32", "shape": [1 << 20, 1 << 20], "data_offsets": [0, 1 << 42]
        }
    }  # fmt: skip
    text = json.dumps(header).encode()
    path = model / "model.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(100))
    refused(model, "model.safetensors", "is damaged or cut short")


# ------------------------------------------------------------------------- templates

LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
BOMB = "{% set ns = namespace(x='x') %}" + "{% set ns.x = ns.x ~ ns.x %}" * 34


@pytest.mark.parametrize(
    ("template", "part"),
    [
        (LOOP, "more than"),
        (BOMB + "{{ ns.x }}", "more than"),
        ("{{ 'x' * 10**10 }}", "more than"),
        ("{{ '%9999999999s' % 'x' }}", "more than"),
        ("{{ 'x' * 10**6 }}", "2,000,000 characters"),
        ("{{ range(10**9)|list }}", "OverflowError"),
        ("{{ 10 ** (10 ** 9) }}", "more than"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "SecurityError"),
        ("{{ cycler.__init__.__globals__.os.system('touch sprung') }}", "Security"),
        ("{{ messages.append(1) }}", "SecurityError"),
        ("{% include '/etc/passwd' %}", "no loader"),
        ("{{ raise_exception('no roles') }}", "no roles"),
        ("{% for", "TemplateSyntaxError"),
        ("{{ nothing.of.it }}", "UndefinedError"),
    ],
)
@pytest.mark.parametrize("file", ["chat_template.jinja", "tokenizer_config.json"])
def test_a_template_that_fails_or_does_not_end_is_refused(
    model: Path, file: str, template: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_template, "CPU_SECONDS", 1)
    (model / "chat_template.jinja").unlink()
    if file == "chat_template.jinja":
        (model / file).write_text(template)
    else:
        change(model / file, chat_template=template)
    refused(model, str(model / file), "cannot be used", part)


def test_a_template_is_rendered_once_in_a_process(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []
    real = subprocess.run

    def run(*arguments: Any, **options: Any) -> Any:
        ran.append(arguments)
        return real(*arguments, **options)

    monkeypatch.setattr(chat_template.subprocess, "run", run)
    template = "{% for m in messages %}{{ m.role ~ m.content }}{% endfor %}{# once #}"
    (model / "chat_template.jinja").write_text(template)
    for _ in range(3):
        load_tokenizer(resolved(model))
    assert len(ran) == 1


def test_the_embedded_model_costs_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    from repobuild.model.conversation import Conversation

    monkeypatch.setattr(chat_template.subprocess, "run", None)
    Conversation(load_tokenizer(resolve_base(settings())))


# --------------------------------------------------------------------- DeepSpeed's JSON


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"flops_profiler": {"enabled": True, "output_file": "OUT"}}, "writes a file"),
        ({"tensorboard": {"enabled": True, "output_path": "OUT"}}, "names files"),
        ({"csv_monitor": {"enabled": True, "output_path": "OUT"}}, "names files"),
        ({"wandb": {"enabled": True, "host": "example.org"}}, "to a server"),
        ({"comet": {"enabled": True}}, "to a server"),
        ({"monitor_config": {}}, "names files"),
        ({"comms_logger": {"enabled": True}}, "names files"),
        ({"aio": {"block_size": 1}}, "devices"),
        ({"checkpoint": {"use_node_local_storage": True}}, "names folders"),
        ({"nebula": {"persistent_storage_path": "OUT"}}, "names folders"),
        ({"autotuning": {"enabled": True, "exps_dir": "OUT"}}, "programs"),
        ({"compile": {"backend": "trap.Trap"}}, "modules or programs"),
        ({"torch_autocast": {"lower_precision_safe_modules": ["trap"]}}, "modules"),
        ({"data_efficiency": {"enabled": True}}, "names files"),
        ({"curriculum_learning": {}}, "names files"),
        ({"elasticity": {}}, "adapter.processes"),
        ({"zero_optimization": {"offload_param": {"nvme_path": "OUT"}}}, "devices"),
        ({"zero_optimization": {"offload_param": {"device": "nvme"}}}, "devices"),
        ({"zero_optimization": {"leaf_module": {"classes": ["trap"]}}}, "modules"),
        ({"zero_optimization": {"zenflow": {}}}, "compiled"),
        ({"zero_optimization": {"reduce_bucket_size": 1e18}}, "whole number from 0"),
        ({"zero_optimization": {"stage": True}}, "one of 0, 1, 2, 3"),
        ({"zero_optimization": []}, "no object"),
        ({"gradient_clipping": "much"}, 'or "auto"'),
        ({"gradient_clipping": float("nan")}, 'or "auto"'),
        ({"train_batch_size": -1}, "whole number"),
        ({"activation_checkpointing": {"profile": "OUT"}}, "true, false"),
        ({"bf16": {"enable": True}}, 'did you mean "enabled"'),
        ({"unheard_of": {"path": "OUT"}}, "unknown DeepSpeed key"),
        ([], "no JSON object"),
    ],
    ids=str,
)
def test_a_deepspeed_key_that_reaches_the_machine_is_refused(
    tmp_path: Path, asked: Any, why: str
) -> None:
    path, out = tmp_path / "ds.json", tmp_path / "out"
    path.write_text(json.dumps(asked).replace("OUT", str(out)))
    with pytest.raises(UsageError) as error:
        read_config(str(path))
    assert why in str(error.value) and str(path) in str(error.value)
    assert not out.exists()


# --------------------------------------------------------------------------- damaged


JSON_FILES = ("config", "generation_config", "tokenizer", "tokenizer_config")


def test_truncated_weights_are_named(model: Path) -> None:
    path = model / "model.safetensors"
    whole = path.read_bytes()
    for size in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        refused(model, str(path), f"cut short at {size:,} bytes")


def test_missing_weights_are_named(model: Path) -> None:
    (model / "model.safetensors").unlink()
    refused(model, str(model / "model.safetensors"), "is missing")


def test_a_missing_shard_is_named(model: Path) -> None:
    (model / "model.safetensors").rename(model / "model-00001-of-00002.safetensors")
    shards = {"a": "model-00001-of-00002.safetensors"}
    shards["b"] = "model-00002-of-00002.safetensors"
    index = model / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": shards}))
    refused(model, str(model / shards["b"]), "not complete", "2 files")


@pytest.mark.parametrize("name", [f"{name}.json" for name in JSON_FILES])
@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "\x00\xff", "<html>"])
def test_broken_json_is_named(model: Path, name: str, text: str) -> None:
    (model / name).write_bytes(text.encode("latin-1"))
    refused(model, str(model / name), "is damaged")


@pytest.mark.parametrize("name", [*JSON_FILES, "special_tokens_map"])
def test_a_link_to_a_device_is_not_read(model: Path, name: str) -> None:
    path = model / f"{name}.json"
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")
    refused(model, str(model), "no ")


def test_an_unknown_architecture_is_named(model: Path) -> None:
    change(model / "config.json", model_type="quantum9")
    refused(model, "unknown architecture 'quantum9'", "newer transformers")
    change(model / "config.json", model_type=["qwen3"])
    refused(model, "unknown architecture")


def test_a_missing_tokenizer_is_named(model: Path) -> None:
    (model / "tokenizer.json").unlink()
    refused(model, "has no tokenizer")


def test_the_tokenizer_of_another_model_is_named(model: Path) -> None:
    """It ended in the middle of training: `rule failed: IndexError`."""
    path = model / "tokenizer.json"
    body = json.loads(path.read_text())
    body["model"]["vocab"]["other"] = 5000
    path.write_text(json.dumps(body))
    refused(model, str(path), "belongs to another model")


def test_a_tokenizer_that_cannot_be_loaded_is_named(model: Path) -> None:
    path = model / "tokenizer.json"
    body = json.loads(path.read_text())
    body["pre_tokenizer"] = {"type": "Unheard"}
    path.write_text(json.dumps(body))
    with pytest.raises(UsageError, match="tokenizer in .* cannot be loaded") as error:
        load_tokenizer(resolved(model))
    assert str(model) in str(error.value)


def test_a_damaged_base_ends_a_build_before_samples_are_made(
    repository: Any, model: Path
) -> None:
    repository.commit({"a.py": "def f():\n    return 1\n"})
    (model / "model.safetensors").write_bytes(b"short")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "repobuild"],
        cwd=repository.path, capture_output=True, text=True,
        env={**os.environ, "REPOBUILD_BASE_MODEL": str(model)},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert str(model / "model.safetensors") in done.stderr
    assert "Traceback" not in done.stderr
    objects = repository.path / ".git" / "repobuild"
    assert not list((objects / "objects").glob("*/*"))
    events = objects / "events.jsonl"
    assert not events.exists() or '"table": "samples"' not in events.read_text()
