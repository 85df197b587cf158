"""Check a model's configuration against the headers of its weights.

`num_hidden_layers = 10**7` makes transformers build ten million layers before it reads
a weight. So the numbers must be numbers, within the bounds below, and must agree with
the tensors that the files hold. Only headers are read: a safetensors file begins with
the name, type, shape and place of every tensor, and `safe_open` also checks that they
cover the file to its end, which a truncated file does not.

For the families in `LLAMA_LIKE` the shape of every tensor follows from the numbers. For
others the layers and the vocabulary are compared here, and the number of parameters
when the model is loaded (pretrained.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repobuild.errors import UsageError
from repobuild.model.load.model_files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    CONFIG,
    REMEDY,
    TOKENIZER,
    check_files,
    nested_items,
    read_object,
    weight_files,
)
from repobuild.resources import program

# Families that are a backbone `model`, then `lm_head`, with plain causal attention:
# scores, mask, softmax. Their attention and loss can be replaced (compute/).
LLAMA_LIKE = frozenset({"llama", "mistral", "qwen2", "qwen3"})

# Largest values, by the pattern that a key matches first. The largest published models
# have 128 layers, 128 heads, 512 experts and vocabularies of 262,208 tokens.
_LIMITS = (
    (re.compile(r"max_position_embeddings|n_positions|n_ctx|max_seq_len"), 1 << 24),
    (re.compile(r"experts"), 4096),
    (re.compile(r"layers?$"), 1024),
    (re.compile(r"heads?$"), 4096),
    (re.compile(r"vocab_size"), 1 << 24),
    (re.compile(r"^num_|^n_|_size$|_dim$|_rank$|^d_"), 1 << 22),
)
_LARGEST_RANK = 4096  # of an adapter
_LARGEST = 1 << 53  # of any other number
_REQUIRED = (
    "hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers",
    "vocab_size",
)  # fmt: skip
_OPTIONAL = ("head_dim", "num_key_value_heads")
# What transformers takes when `num_key_value_heads` is not there.
_DEFAULT_GROUPS = {"mistral": 8, "qwen2": 32, "qwen3": 32}
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_LAYER_NUMBER = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d+)\.")
_EMBEDDING = re.compile(r"(?:embed_tokens|wte|word_embeddings|embed_in)\.weight$")

Shapes = Mapping[str, tuple[int, ...]]  # tensor -> shape


@dataclass(frozen=True, slots=True)
class CheckedModel:
    """What is known of a model's folder once it was checked."""

    config: Mapping[str, Any]
    shapes: Shapes


def check_model(folder: Path) -> CheckedModel:
    """Check a whole model folder without allocating any of it.

    Raises `UsageError` that names the file that is damaged, missing or refused.
    """
    config = check_files(folder)
    path = folder / CONFIG
    _check_family(path, config)
    check_numbers(path, config)
    shapes = read_shapes(weight_files(folder))
    text = config.get("text_config")  # of a model for text and images
    inner = text if isinstance(text, dict) else config
    _check_layers(path, inner, shapes)
    if config["model_type"] in LLAMA_LIKE and not config.get("quantization_config"):
        _check_shapes(path, config, shapes)
    _check_vocabulary(folder, inner, shapes)
    return CheckedModel(config, shapes)


def read_shapes(files: list[Path]) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor, from the headers of safetensors files.

    Raises `UsageError` when a header is damaged or does not cover its file.
    """
    from safetensors import SafetensorError, safe_open

    shapes: dict[str, tuple[int, ...]] = {}
    for path in files:
        try:
            with safe_open(path, "np") as opened:
                for name in opened.keys():  # noqa: SIM118
                    shapes[name] = tuple(opened.get_slice(name).get_shape())
        except (SafetensorError, ValueError) as error:
            size = path.stat().st_size
            raise UsageError(
                f'"{path}" is damaged or cut short at {size:,} bytes: {error}\n{REMEDY}'
            ) from error
    return shapes


def check_rank(folder: Path, config: Mapping[str, Any]) -> None:
    """Compare an adapter's rank with its tensors, which peft allocates by the rank.

    Raises `UsageError` when they differ, or when the weights are damaged.
    """
    rank, most = config.get("r"), _LARGEST_RANK
    if type(rank) is not int or not 1 <= rank <= most:
        path = folder / ADAPTER_CONFIG
        raise _number_error(path, "r", rank, f"is not within 1 and {most:,}")
    for name, shape in read_shapes([folder / ADAPTER_WEIGHTS]).items():
        if name.endswith("lora_A.weight") and shape[0] != rank:
            raise UsageError(
                f'"{name}" in "{folder / ADAPTER_WEIGHTS}" has rank {shape[0]}, but '
                f"{ADAPTER_CONFIG} asks for {rank}\n"
                f"run `{program()}` to make the adapter anew"
            )


# ------------------------------------------------------------------ configuration


def _check_family(path: Path, config: Mapping[str, Any]) -> None:
    family = config.get("model_type")
    if isinstance(family, str) and family in LLAMA_LIKE:
        return
    # Imported for rarer families only: it takes a second.
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as known,
    )

    if not isinstance(family, str) or family not in known:
        from importlib.metadata import version

        raise UsageError(
            f'unknown architecture {family!r} (model_type in "{path}"): transformers '
            f"{version('transformers')} has no causal language model of that name\n"
            "install a newer transformers, or set base.model to another model"
        )


def check_numbers(path: Path, config: Mapping[str, Any]) -> None:
    """Raise `UsageError` for a number of a wrong type or out of range."""
    if config["model_type"] in LLAMA_LIKE:
        for key in (*_REQUIRED, *_OPTIONAL):
            value = config.get(key)
            if type(value) is not int and (value is not None or key in _REQUIRED):
                raise _number_error(path, key, value, "is no whole number")
    for key, found in nested_items(config):
        for value in found if isinstance(found, list) else [found]:
            if isinstance(value, int | float) and not isinstance(value, bool):
                _check_number(path, key, value)


def _check_number(path: Path, key: str, value: int | float) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise _number_error(path, key, value, "is no finite number")
    limit = next((n for pattern, n in _LIMITS if pattern.search(key)), None)
    least = 1 if key in _REQUIRED or key in _LAYERS else -1
    if limit is None and abs(value) > _LARGEST:
        raise _number_error(path, key, value, f"is above {_LARGEST:,}")
    if limit is not None and not least <= value <= limit:
        raise _number_error(path, key, value, f"is not within {least} and {limit:,}")


def _number_error(path: Path, key: str, value: Any, what: str) -> UsageError:
    shown = "missing" if value is None else str(value)[:40]
    return UsageError(f'{key} = {shown} in "{path}" {what}\n{REMEDY}')


# ------------------------------------------------------- configuration and weights


def _check_layers(path: Path, config: Mapping[str, Any], shapes: Shapes) -> None:
    asked = next((config[key] for key in _LAYERS if key in config), None)
    found = [int(m[1]) + 1 for m in map(_LAYER_NUMBER.search, shapes) if m]
    if isinstance(asked, int) and found and asked > max(found):
        raise UsageError(
            f'"{path}" asks for {asked:,} layers, but the weights hold '
            f"{max(found):,}\n{REMEDY}"
        )


def _check_shapes(path: Path, config: Mapping[str, Any], shapes: Shapes) -> None:
    """Compare every tensor of a family in `LLAMA_LIKE` with the configuration."""
    prefix = "model." if any(name.startswith("model.") for name in shapes) else ""
    for name, shape in _expected_shapes(config):
        stored = name if name.startswith("lm_head") else prefix + name
        if stored not in shapes:
            raise UsageError(
                f'the weights of "{path.parent}" have no "{stored}", which {CONFIG} '
                f"asks for\n{REMEDY}"
            )
        if shapes[stored] != shape:
            asked, found = (" × ".join(map(str, s)) for s in (shape, shapes[stored]))
            raise UsageError(
                f'"{stored}" is {found} in the weights of "{path.parent}", but '
                f"{CONFIG} asks for {asked}\n{REMEDY}"
            )


def _expected_shapes(
    config: Mapping[str, Any],
) -> Iterator[tuple[str, tuple[int, ...]]]:
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    heads = config["num_attention_heads"]
    family = config["model_type"]
    groups = config.get("num_key_value_heads", _DEFAULT_GROUPS.get(family)) or heads
    size = config.get("head_dim") or hidden // heads
    if family == "qwen3" and not config.get("head_dim"):
        size = 128  # its default, whatever the other numbers are
    yield "embed_tokens.weight", (config["vocab_size"], hidden)
    yield "norm.weight", (hidden,)
    if not config.get("tie_word_embeddings"):
        yield "lm_head.weight", (config["vocab_size"], hidden)
    for number in range(config["num_hidden_layers"]):
        layer = f"layers.{number}"
        yield f"{layer}.input_layernorm.weight", (hidden,)
        yield f"{layer}.post_attention_layernorm.weight", (hidden,)
        yield f"{layer}.self_attn.q_proj.weight", (heads * size, hidden)
        yield f"{layer}.self_attn.k_proj.weight", (groups * size, hidden)
        yield f"{layer}.self_attn.v_proj.weight", (groups * size, hidden)
        yield f"{layer}.self_attn.o_proj.weight", (hidden, heads * size)
        yield f"{layer}.mlp.gate_proj.weight", (inner, hidden)
        yield f"{layer}.mlp.up_proj.weight", (inner, hidden)
        yield f"{layer}.mlp.down_proj.weight", (hidden, inner)


def _check_vocabulary(folder: Path, config: Mapping[str, Any], shapes: Shapes) -> None:
    """Compare the embedding with the configuration and with the tokenizer.

    Tokens without a row end training with an IndexError. Added tokens may be without
    one: Gemma 3 has such a token, which no text of ours contains.
    """
    rows = next((s[0] for n, s in shapes.items() if _EMBEDDING.search(n) and s), None)
    asked = config.get("vocab_size")
    if rows is not None and isinstance(asked, int) and asked > rows:
        raise UsageError(
            f'vocab_size = {asked:,} in "{folder / CONFIG}", but the embedding in the '
            f"weights has {rows:,} rows\n{REMEDY}"
        )
    path = folder / TOKENIZER
    if rows is None or not path.is_file():
        return
    model = read_object(path, 256 << 20).get("model")
    words = model.get("vocab") if isinstance(model, dict) else None
    if not words or not isinstance(words, dict | list):
        raise UsageError(f'"{path}" is damaged: it has no vocabulary\n{REMEDY}')
    ids = words.values() if isinstance(words, dict) else range(len(words))
    if not all(isinstance(token, int) and 0 <= token < rows for token in ids):
        raise UsageError(
            f'"{path}" has tokens without a row in the embedding of {rows:,} rows: '
            f"it belongs to another model\n{REMEDY}"
        )
