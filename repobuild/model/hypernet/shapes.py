"""Describe where a base model takes LoRA matrices: target layers and their sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from repobuild.errors import UsageError
from repobuild.model.load.model_files import CONFIG, read_object
from repobuild.model.load.weight_check import LLAMA_LIKE

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
FEED_FORWARD = ("gate_proj", "up_proj", "down_proj")
TARGETS = (*ATTENTION, *FEED_FORWARD)


class TargetShape(NamedTuple):
    """A kind of linear layer, which every block of the model has once."""

    name: str
    inputs: int
    outputs: int

    @property
    def path(self) -> str:
        """Where it is inside a block."""
        block = "self_attn" if self.name in ATTENTION else "mlp"
        return f"{block}.{self.name}"


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The layers of a base model that an adapter changes."""

    layers: int
    hidden: int
    targets: tuple[TargetShape, ...]

    @classmethod
    def of(
        cls, config: Mapping[str, Any], names: Sequence[str] = TARGETS
    ) -> ModelShape:
        """Read a model's configuration; raises `UsageError` for an unknown family."""
        family = config.get("model_type")
        if family not in LLAMA_LIKE:
            raise UsageError(
                f'a hypernetwork cannot adapt a model of the family "{family}"\n'
                f"known: {', '.join(sorted(LLAMA_LIKE))}; use another base.model, or "
                'set adapter.strategy to "lora"'
            )
        hidden, heads = config["hidden_size"], config["num_attention_heads"]
        width = config.get("head_dim") or hidden // heads
        queries, keys = heads * width, (config["num_key_value_heads"] or heads) * width
        inner = config["intermediate_size"]
        sizes = {
            "q_proj": (hidden, queries),
            "k_proj": (hidden, keys),
            "v_proj": (hidden, keys),
            "o_proj": (queries, hidden),
            "gate_proj": (hidden, inner),
            "up_proj": (hidden, inner),
            "down_proj": (inner, hidden),
        }
        targets = tuple(TargetShape(n, *sizes[n]) for n in TARGETS if n in names)
        return cls(config["num_hidden_layers"], hidden, targets)

    @classmethod
    def read(cls, folder: Path, names: Sequence[str] = TARGETS) -> ModelShape:
        """Read the shape of the model in a folder."""
        return cls.of(read_object(folder / CONFIG), names)

    def outputs(self, rank: int) -> int:
        """Return the numbers of one block's matrices A and B."""
        return rank * sum(t.inputs + t.outputs for t in self.targets)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON."""
        targets = [list(target) for target in self.targets]
        return {"layers": self.layers, "hidden": self.hidden, "targets": targets}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> ModelShape:
        """Read what `plain` wrote."""
        targets = tuple(TargetShape(*target) for target in plain["targets"])
        return cls(int(plain["layers"]), int(plain["hidden"]), targets)
