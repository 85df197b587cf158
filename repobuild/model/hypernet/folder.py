"""Store a hypernetwork in a folder, and load it for a base model.

    hypernet.json        what it is for, and its sizes (description.py)
    hypernet.safetensors every parameter and buffer, by its name in the module

`adapter.hypernet` names such a folder, or a hub repository that holds these two files.
A hypernetwork belongs to one base model: its outputs are changes of those weights.
Reading allocates what the file holds and no more: the module is built without memory,
and takes the file's tensors when their names and shapes fit.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from repobuild.errors import UsageError
from repobuild.model.base import Base
from repobuild.model.hypernet.commit_state import CommitGRU, ResidualState, State
from repobuild.model.hypernet.description import (
    DESCRIPTION,
    REMEDY,
    WEIGHTS,
    HypernetDescription,
)
from repobuild.model.hypernet.file_encoder import EncoderSettings
from repobuild.model.hypernet.linear_generator import LinearHead
from repobuild.model.hypernet.lora_weights import LoraWeights
from repobuild.model.hypernet.paper_head import PaperHead
from repobuild.model.hypernet.repository_input import RepositoryInput
from repobuild.model.hypernet.residual_head import ResidualHead, ResidualSettings
from repobuild.model.hypernet.shapes import ModelShape


class Hypernet(nn.Module):
    """A head, with the state that follows commits when it has one."""

    def __init__(self, description: HypernetDescription) -> None:
        super().__init__()
        self.description = description
        self.head = make_head(description)
        self.state: CommitGRU | ResidualState | None = None
        if description.evo and isinstance(self.head, ResidualHead):
            self.state = ResidualState(self.head)
        elif description.evo and isinstance(self.head, PaperHead):
            self.state = CommitGRU(2 * description.encoded)

    def forward(self, repository: RepositoryInput) -> LoraWeights:
        """Return the adapter of a snapshot."""
        made: LoraWeights = self.head(repository)
        return made

    def begin(self, repository: RepositoryInput) -> State:
        """Return the state of a snapshot, from which commits are followed."""
        assert self.state is not None, "this hypernetwork follows no commits"
        return self.state.begin(repository)

    def advance(self, state: State, diff: torch.Tensor) -> State:
        """Return the state after one more commit."""
        assert self.state is not None, "this hypernetwork follows no commits"
        return self.state.advance(state, diff)

    def of_state(self, state: State) -> LoraWeights:
        """Return the adapter of a state."""
        assert self.state is not None, "this hypernetwork follows no commits"
        assert not isinstance(self.head, LinearHead), "a linear head has no context"
        return self.head.generate(self.state.context(state))

    def save(self, folder: Path) -> None:
        """Write the two files of the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {
            name: tensor.detach().cpu().contiguous()
            for name, tensor in sorted(self.state_dict().items())
        }
        save_file(tensors, folder / WEIGHTS)
        text = json.dumps(self.description.plain(), indent=1, sort_keys=True)
        (folder / DESCRIPTION).write_text(text + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Hypernet:
        """Load a folder; raises `UsageError` when its tensors do not fit."""
        description = HypernetDescription.read(folder)
        try:
            # Copies: of memory that is mapped at odd addresses, sums round otherwise.
            read = load_file(folder / WEIGHTS)
            tensors = {name: tensor.clone() for name, tensor in read.items()}
            with torch.device("meta"):
                network = cls(description)
            network.load_state_dict(tensors, assign=True)
        except (
            OSError, RuntimeError, SafetensorError, TypeError, ValueError
        ) as error:  # fmt: skip
            reason = str(error).strip().splitlines()[0][:300]
            raise UsageError(
                f'the weights in "{folder}" cannot be loaded: {reason}\n{REMEDY}'
            ) from error
        return network.requires_grad_(False).eval()


def make_head(
    description: HypernetDescription,
) -> PaperHead | ResidualHead | LinearHead:
    """Return a new head of a description."""
    shape, encoded = description.shape, description.encoded
    settings = dict(description.settings)
    if description.kind == "paper":
        return PaperHead(shape, 2 * encoded, **settings)
    if description.kind == "linear":
        return LinearHead(shape, 2 * encoded, **settings)
    return ResidualHead(shape, encoded, ResidualSettings(**settings))


def describe(
    kind: str,
    base: Base,
    shape: ModelShape,
    encoded: int,
    encoder: EncoderSettings,
    evo: bool = False,
    **settings: Any,
) -> HypernetDescription:
    """Return the description of a new hypernetwork, with our head's sizes written."""
    if kind == "residual":
        settings = asdict(ResidualSettings(**settings))
    return HypernetDescription(
        kind, evo, base.name, base.digest, shape, encoded, encoder, settings
    )
