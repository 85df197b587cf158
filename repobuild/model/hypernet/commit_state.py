"""Follow a history: a state that every commit moves, and the context made of it.

The published one, `CommitGRU`:

    h_0 = LN(GELU(W s))           s (2C,): the repository vector at the first commit
    h_t = GRU(LN(V e_t), h_t-1)   e_t (2C,): the vector of commit t's diff
    context = LN(h_t)             for `PaperHead.generate`; with it 712,673,294 numbers

Ours, `ResidualState`:

    c_0       the context that `ResidualHead` makes of the snapshot where it started
    h_0 = 0   h_t = GRU(LN(V white(e_t)), h_t-1)
    context = c_0 + U h_t         U zero at first: a new state is Code2LoRA-Static

In both, k commits cost k steps from the last stored state. Starting anew from another
snapshot is the reset.

Source: Code2LoRA (arXiv 2606.06492), Evo. Its training steps and detaches after every
commit with tasks, so its state never gets credit over several commits; ours sums the
losses of 8 to 16 commits before one step (training/objective.py).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F

from repobuild.model.hypernet.repository_input import RepositoryInput, Whitening
from repobuild.model.hypernet.residual_head import ResidualHead

State = Mapping[str, torch.Tensor]  # what is stored of a commit


class CommitGRU(nn.Module):
    """The published state; its context has the size of its hidden vector."""

    def __init__(self, size: int = 2048) -> None:
        super().__init__()
        self.diff_proj, self.diff_norm = nn.Linear(size, size), nn.LayerNorm(size)
        self.repo_proj, self.repo_norm = nn.Linear(size, size), nn.LayerNorm(size)
        self.gru = nn.GRU(size, size)
        self.output_norm = nn.LayerNorm(size)

    def begin(self, repository: RepositoryInput) -> State:
        """Return the state of a snapshot."""
        vector = F.normalize(repository.vector.float(), dim=0)
        return {"hidden": self.repo_norm(F.gelu(self.repo_proj(vector)))}

    def advance(self, state: State, diff: torch.Tensor) -> State:
        """Return the state after one more commit."""
        x = self.diff_norm(self.diff_proj(diff))
        _, hidden = self.gru(x[None], state["hidden"][None])
        return {"hidden": hidden[0]}

    def context(self, state: State) -> torch.Tensor:
        """Return the context for `PaperHead.generate`."""
        context: torch.Tensor = self.output_norm(state["hidden"])
        return context


class ResidualState(nn.Module):
    """Our state: the context of a snapshot, and what the commits since change of it."""

    def __init__(self, head: ResidualHead) -> None:
        super().__init__()
        width = head.settings.width
        self.whitening = Whitening(2 * head.encoded)
        self.read, self.norm = nn.Linear(2 * head.encoded, width), nn.LayerNorm(width)
        self.gru = nn.GRU(width, width)
        self.change = nn.Linear(width, width, bias=False)
        nn.init.zeros_(self.change.weight)
        self._head = [head]  # in a list, so that it is no part of this module

    def begin(self, repository: RepositoryInput) -> State:
        """Return the state of a snapshot."""
        context = self._head[0].context(repository)
        return {"context": context, "hidden": torch.zeros_like(context)}

    def advance(self, state: State, diff: torch.Tensor) -> State:
        """Return the state after one more commit."""
        x = self.norm(self.read(self.whitening(diff)))
        _, hidden = self.gru(x[None], state["hidden"][None])
        return {"context": state["context"], "hidden": hidden[0]}

    def context(self, state: State) -> torch.Tensor:
        """Return the context for `ResidualHead.generate`."""
        return state["context"] + self.change(state["hidden"])  # type: ignore[no-any-return]
