"""Run the task `merged`: write a full model folder from base and adapter.

    W = W + B A * alpha / rank      in float32, by peft, in this process

Two checks on a few probe questions, each as a difference relative to the largest logit:
before it is written, the merged model must equal base with adapter to 1e-5 in float32;
after it is written (as `merged.dtype`), the saved model is loaded again and must equal
them within `merged.tolerance`. Rounding to bfloat16 alone costs about 1e-2, so a base
that is stored in bfloat16 is saved in float32 unless `merged.dtype` is changed.

Merging never runs inside a DeepSpeed engine, which does not support it for partitioned
weights.

Source: Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", section
4.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.errors import BuildError, UsageError
from repobuild.model import base as bases
from repobuild.model.adapter.lineage import Lineage, current_digest
from repobuild.model.base import Base, load_model, load_tokenizer, resolve_base
from repobuild.model.conversation import Conversation
from repobuild.model.load.pretrained import read_adapter, read_config
from repobuild.resources import program

if TYPE_CHECKING:
    import torch

    from repobuild.engine.contract import Task

MERGE_TOLERANCE = 1e-5
PROBE_QUESTIONS = (
    "In which file is `main` defined?",
    "What does `__init__` do?",
    "项目的主要功能是什么？",
)


def ingredients(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the base model's part of the key.

    Raises `UsageError` for a quantised base, before anything is built: its adapter
    makes up for the rounding of those weights, and weights of four bits cannot take it.
    """
    if settings.get("base.quantize"):
        raise UsageError(
            "a quantised base has no merged model (base.quantize)\n"
            'build the report alone: set build.goals to ["report"]'
        )
    return bases.ingredients(settings)


def merged(task: Task) -> dict[str, Any]:
    """Write the merged model of this commit's adapter and return its row.

    Raises `BuildError` when the adapter belongs to another base model, or when merging
    or saving changes the logits by more than allowed.
    """
    base = resolve_base(task.settings)
    row = task.rows("adapter")[task.commit]
    adapter = task.object(current_digest(row))
    lineage = Lineage.read(adapter)
    if lineage.base["digest"] != base.digest:
        raise BuildError(
            f"the adapter belongs to base {lineage.base['digest'][:12]}, "
            f"not to {base.digest[:12]} ({base.name})\n"
            f"run `{program()}` to make a new one"
        )
    with task.progress("merging", 3) as progress:
        errors = merge(base, adapter, task.folder, task.settings, progress.advance)
    return {"adapter": current_digest(row), "base": base.digest, **errors}


def merge(
    base: Base,
    adapter: Path,
    folder: Path,
    settings: Any,
    advance: Any = lambda: None,
) -> dict[str, float]:
    """Write the merged model to `folder`; return the relative errors of its logits.

    `exact` is the error after merging in float32, `stored` the error after saving and
    loading. `advance` is called after each of the three steps. Raises `BuildError` when
    an error is above its limit.
    """
    import torch

    tokenizer = load_tokenizer(base)
    probe = encode_probe(Conversation(tokenizer))
    plain: Any = load_model(base, torch.float32)
    adapted = read_adapter(plain, adapter)
    expected = logits(adapted, probe)
    advance()
    whole = adapted.merge_and_unload(safe_merge=True)
    exact = relative_error(logits(whole, probe), expected)
    _check_error(exact, MERGE_TOLERANCE, "merging in float32")
    advance()
    whole.to(_saved_dtype(base, settings["merged.dtype"]))
    whole.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    saved = Base(base.name, str(folder), None, "")
    stored = relative_error(logits(load_model(saved, torch.float32), probe), expected)
    _check_error(stored, settings["merged.tolerance"], "saving the merged model")
    advance()
    return {"exact": exact, "stored": stored}


def encode_probe(conversation: Conversation) -> list[torch.Tensor]:
    """Return the token ids (1, T) of each probe question."""
    import torch

    prompts = [conversation.prompt({"question": text}) for text in PROBE_QUESTIONS]
    return [torch.tensor([ids]) for ids in conversation.encode(prompts)]


def logits(model: Any, probe: list[torch.Tensor]) -> list[torch.Tensor]:
    """Return the float32 logits (1, T, V) of each probe question."""
    import torch

    with torch.inference_mode():
        return [model(input_ids=ids).logits.float() for ids in probe]


def relative_error(actual: list[torch.Tensor], expected: list[torch.Tensor]) -> float:
    """Return the largest difference of logits, relative to the largest logit."""
    pairs = zip(actual, expected, strict=True)
    worst = max(float((a - b).abs().max()) for a, b in pairs)
    largest = max(float(b.abs().max()) for b in expected)
    return float(f"{worst / largest:.1e}")


def _check_error(error: float, allowed: float, step: str) -> None:
    if not error <= allowed:  # also when it is not a number
        raise BuildError(
            f"{step} changed the logits by {error:.1e} of the largest, "
            f"more than {allowed:.1e} (merged.tolerance)\n"
            'set merged.dtype to "float32", or allow more'
        )


def _saved_dtype(base: Base, name: str) -> torch.dtype:
    """Return the data type of that name; "base" means that of the stored base."""
    import torch

    if name == "base":
        stored: Any = read_config(base.folder()).dtype
        return stored if isinstance(stored, torch.dtype) else torch.float32
    named: torch.dtype = getattr(torch, name)
    return named
