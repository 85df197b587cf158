"""The task `merged`: a full model folder from base and adapter.

    W = W + B A * alpha / rank      in float32, by peft, in this process

Checked before it is written: the logits of the merged model equal those of base with
adapter on one of the adapter's own questions, within 1e-5 of the largest logit in
float32. Checked after: what was saved (in the base's own data type) is loaded again
and equals them within `merged.tolerance` of the largest logit. Rounding to bfloat16
costs some 1e-2 by itself, so a base that is stored in bfloat16 is saved in float32
unless `merged.dtype` says otherwise.

Never inside a DeepSpeed engine: merging partitioned weights is unsupported there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.errors import BuildError
from repobuild.model.adapter.lineage import Lineage, current
from repobuild.model.base import Base, load_model, load_tokenizer, resolve
from repobuild.model.conversation import Conversation

if TYPE_CHECKING:
    import torch

    from repobuild.engine.contract import Task

EXACT = 1e-5
QUESTIONS = (
    "In which file is `main` defined?",
    "What does `__init__` do?",
    "项目的主要功能是什么？",
)


def merged(task: Task) -> dict[str, Any]:
    """Return the row of the merged model of this commit's adapter."""
    base = resolve(task.settings)
    row = task.rows("adapter")[task.commit]
    adapter = task.object(current(row))
    lineage = Lineage.read(adapter)
    if lineage.base["digest"] != base.digest:
        raise BuildError(
            f"the adapter belongs to base {lineage.base['digest'][:12]}, "
            f"not to {base.digest[:12]} ({base.name})\nrun repobuild to make a new one"
        )
    with task.progress("merging", 3) as progress:
        worst = merge(base, adapter, task.folder, task.settings, progress.advance)
    return {"adapter": current(row), "base": base.digest, **worst}


def merge(
    base: Base,
    adapter: Path,
    folder: Path,
    settings: Any,
    advance: Any = lambda: None,
) -> dict[str, float]:
    """Write the merged model; returns the largest relative differences of logits."""
    import torch
    from peft import PeftModel

    tokenizer = load_tokenizer(base)
    probe = probe_of(Conversation(tokenizer))
    plain: Any = load_model(base, torch.float32)
    apart = PeftModel.from_pretrained(plain, str(adapter))
    wanted = logits(apart, probe)
    advance()
    whole = apart.merge_and_unload(safe_merge=True)
    exact = difference(logits(whole, probe), wanted)
    require(exact, EXACT, "merging in float32")
    advance()
    whole.to(dtype_of(base, settings["merged.dtype"]))
    whole.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    saved = Base(base.name, str(folder), None, "")
    stored = difference(logits(load_model(saved, torch.float32), probe), wanted)
    require(stored, settings["merged.tolerance"], "saving the merged model")
    advance()
    return {"exact": exact, "stored": stored}


def probe_of(conversation: Conversation) -> list[torch.Tensor]:
    import torch

    prompts = [conversation.prompt({"question": text}) for text in QUESTIONS]
    return [torch.tensor([ids]) for ids in conversation.encode(prompts)]


def logits(model: Any, probe: list[torch.Tensor]) -> list[torch.Tensor]:
    import torch

    with torch.inference_mode():
        return [model(input_ids=ids).logits.float() for ids in probe]


def difference(one: list[torch.Tensor], other: list[torch.Tensor]) -> float:
    """The largest difference, relative to the largest logit."""
    worst = max(float((a - b).abs().max()) for a, b in zip(one, other, strict=True))
    size = max(float(b.abs().max()) for b in other)
    return float(f"{worst / size:.1e}")


def require(found: float, allowed: float, what: str) -> None:
    if not found <= allowed:
        raise BuildError(
            f"{what} changed the logits by {found:.1e} of the largest, "
            f"more than {allowed:.1e} (merged.tolerance)\n"
            'set merged.dtype to "float32", or allow more'
        )


def dtype_of(base: Base, name: str) -> torch.dtype:
    """A data type by name; "base" is the one that the base is stored in."""
    import torch
    from transformers import AutoConfig

    if name == "base":
        config = AutoConfig.from_pretrained(base.source, revision=base.revision)
        found: torch.dtype = config.dtype or torch.float32
        return found
    chosen: torch.dtype = getattr(torch, name)
    return chosen
