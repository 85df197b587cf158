"""Check the files of a model folder before transformers sees them.

A model folder is data of somebody else. transformers and peft offer ways in which it
can name code; repobuild refuses each of them, with the file's name:

    auto_map               Python files of the folder, or of a hub repository
    custom_generate/       the same for the generation function
    *_implementation       attention or experts: a name with "/" is a kernel of the hub
    quantization_config    most quantisers compile or download kernels
    *.bin, *.pt, *.ckpt    pickles, which run code while they are read
    adapter_config.json    makes transformers load the adapter's own base model
    megatron_config        peft imports the module that the configuration names

Nothing here imports transformers, so a damaged or hostile folder is noticed when the
base model is resolved, before any sample is made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from repobuild.errors import UsageError
from repobuild.resources import program

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
# What is downloaded of a hub model: data only, and no file that is a pickle.
DATA_FILES = (
    "*.json", "*.safetensors", "*.jinja", "*.model", "*.txt", "*.tiktoken",
)  # fmt: skip
_PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"})
_VOCABULARIES = (
    TOKENIZER, "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model",
    "sentencepiece.bpe.model", "tekken.json",
)  # fmt: skip
_IMPLEMENTATIONS = frozenset(
    {
        None, "eager", "sdpa", "flex_attention", "flash_attention_2",
        "flash_attention_3", "grouped_mm", "batched_mm",
    }
)  # fmt: skip
_QUANTISERS = frozenset({"bitsandbytes"})  # an installed package, without hub kernels
_LONGEST_CONFIG = 4 << 20  # bytes; a tokenizer's vocabulary may take more
_LONGEST_VOCABULARY = 256 << 20
REMEDY = "get the model anew, or set base.model to another one"


def read_object(path: Path, longest: int = _LONGEST_CONFIG) -> dict[str, Any]:
    """Return the object in a JSON file of a model.

    Raises `UsageError` when the file is missing, too long or not a JSON object.
    """
    if not path.is_file():  # a link may lead to a device, which has no end
        raise UsageError(f'the model has no {path.name}: "{path}" is missing\n{REMEDY}')
    try:
        with path.open("rb") as stream:
            text = stream.read(longest + 1)
        if len(text) > longest:
            raise UsageError(
                f'"{path}" has more than the {longest:,} bytes that are read\n{REMEDY}'
            )
        value = json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f'"{path}" is damaged: it is not valid JSON ({error})\n{REMEDY}'
        ) from error
    if not isinstance(value, dict):
        raise UsageError(f'"{path}" is damaged: it holds no JSON object\n{REMEDY}')
    return value


def check_files(folder: Path) -> dict[str, Any]:
    """Check all files of a model but the weights; return its configuration.

    Raises `UsageError` when one is damaged or asks for code to be run.
    """
    config = read_object(folder / CONFIG)
    check_tokenizer_files(folder)
    if not any((folder / name).is_file() for name in _VOCABULARIES):
        raise UsageError(
            f'"{folder}" has no tokenizer: neither {TOKENIZER} nor another '
            f"vocabulary\nsave one there with save_pretrained, or {REMEDY}"
        )
    if (folder / ADAPTER_CONFIG).exists():
        raise UsageError(
            f'"{folder}" is an adapter, not a base model: it has {ADAPTER_CONFIG}\n'
            "set base.model to the model that it was trained on, or merge both"
        )
    return config


def check_tokenizer_files(folder: Path) -> None:
    """Check every JSON file of a folder, and that none asks for code or kernels."""
    for path in sorted(folder.glob("*.json")):
        vocabulary = path.name in _VOCABULARIES
        longest = _LONGEST_VOCABULARY if vocabulary else _LONGEST_CONFIG
        if path.name.endswith(".index.json") or vocabulary:
            read_object(path, _LONGEST_VOCABULARY)
        elif path.name.endswith(("config.json", "_map.json")):
            _check_no_code(path, read_object(path, longest))
    if (folder / "custom_generate").exists():
        raise _code_error(folder / "custom_generate", "its own generation function")


def _check_no_code(path: Path, config: Mapping[str, Any]) -> None:
    for key, value in nested_items(config):
        if key == "auto_map" and value:
            names = value.values() if isinstance(value, dict) else [value]
            raise _code_error(path, f"auto_map: {', '.join(map(str, names))}"[:200])
        if key.endswith(("_implementation", "_implementation_internal")):
            _check_implementation(path, key, value)
        elif "kernel" in key and _names_something(value):
            raise _kernel_error(path, key, value)
        elif key in ("quantization_config", "compression_config") and value:
            method = value.get("quant_method") if isinstance(value, dict) else value
            if method not in _QUANTISERS:
                raise UsageError(
                    f'"{path}" asks for the quantiser {method!r}, which may compile or '
                    "download kernels\nrepobuild runs no code that a model names: set "
                    "base.model to the model in bfloat16"
                )


def nested_items(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every key of nested objects with its value."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            yield from current.items()
            waiting += current.values()
        elif isinstance(current, list):
            waiting += current


def _check_implementation(path: Path, key: str, value: Any) -> None:
    """Refuse a name of attention or experts that is not transformers' own."""
    for name in value.values() if isinstance(value, dict) else [value]:
        if isinstance(name, dict | list) or name not in _IMPLEMENTATIONS:
            raise _kernel_error(path, key, name)


def _names_something(value: Any) -> bool:
    """Return whether a value holds a text or switches something on."""
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(inner, str) or inner is True:
        return True
    is_list = isinstance(value, dict | list)
    return is_list and any(_names_something(each) for each in inner)


def _code_error(path: Path, asked: str) -> UsageError:
    return UsageError(
        f'"{path}" asks for Python code to be run ({asked})\n'
        "repobuild never runs a model's own code, and no setting allows it\n"
        "set base.model to a model whose architecture transformers has itself"
    )


def _kernel_error(path: Path, key: str, value: Any) -> UsageError:
    return UsageError(
        f'"{path}" asks for a kernel to be loaded ({key}: {str(value)[:100]!r})\n'
        "repobuild never runs code that a model names: remove the key "
        "(adapter.attention selects the attention)"
    )


# ----------------------------------------------------------------------- weights


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of a model.

    Raises `UsageError` when there are none, or when a file of the index is missing.
    """
    single = folder / "model.safetensors"
    index = folder / "model.safetensors.index.json"
    if single.is_file():
        return [single]
    if not index.is_file():
        pickles = [p.name for p in folder.iterdir() if p.suffix in _PICKLES]
        if pickles:
            raise UsageError(
                f'the weights in "{folder}" are pickles ({sorted(pickles)[0]}), which '
                "run code while they are read\nrepobuild reads safetensors only: "
                "save the model with save_pretrained, or set base.model to another one"
            )
        raise UsageError(f'the model has no weights: "{single}" is missing\n{REMEDY}')
    names = read_object(index, _LONGEST_VOCABULARY).get("weight_map")
    if not isinstance(names, dict) or not names:
        raise UsageError(f'"{index}" is damaged: it has no weight_map\n{REMEDY}')
    files = sorted({str(name) for name in names.values()})
    for name in files:
        if "/" in name or not name.endswith(".safetensors"):
            raise UsageError(
                f'"{index}" names "{name}", which is no safetensors file of the '
                f"folder\n{REMEDY}"
            )
        if not (folder / name).is_file():
            raise UsageError(
                f'the model is not complete: "{folder / name}" is missing, of '
                f"{len(files)} files of weights\n{REMEDY}"
            )
    return [folder / name for name in files]


# ----------------------------------------------------------------------- adapters


def check_adapter(folder: Path) -> dict[str, Any]:
    """Check an adapter's configuration before peft reads it, and return it.

    Raises `UsageError` when it is damaged or no plain LoRA adapter in safetensors.
    """
    path = folder / ADAPTER_CONFIG
    config = read_object(path)
    _check_no_code(path, config)
    if config.get("peft_type") != "LORA":
        raise UsageError(
            f'"{path}" is of type {config.get("peft_type")!r}, not a LoRA adapter\n'
            "repobuild trains and reads LoRA adapters only"
        )
    # With megatron_config, peft imports the module that megatron_core names; with
    # layer_replication it copies layers. auto_mapping is for AutoPeftModel, never used.
    for key in ("megatron_config", "layer_replication"):
        if config.get(key):
            raise UsageError(
                f'"{path}" sets {key}, which no adapter of repobuild does\n'
                "repobuild never runs code that an adapter names: remove the key"
            )
    if not isinstance(config.get("init_lora_weights", True), bool):
        raise UsageError(
            f'"{path}" asks for weights to be initialised by '
            f"{config['init_lora_weights']!r}\nremove init_lora_weights"
        )
    if not (folder / ADAPTER_WEIGHTS).is_file():
        raise UsageError(
            f'the adapter has no weights in safetensors: "{folder / ADAPTER_WEIGHTS}" '
            f"is missing\nrun `{program()}` to make the adapter anew"
        )
    return config
