"""A state follows commits one by one, and is trained through all of them."""

from __future__ import annotations

import pytest
import torch

from repobuild.model.hypernet.commit_state import CommitGRU, ResidualState, State
from repobuild.model.hypernet.lora_weights import overlap
from repobuild.model.hypernet.residual_head import ResidualHead
from tests.model.hypernet.test_heads import SMALL, base, repository, shape_of

__all__ = ["base"]  # a fixture


@pytest.fixture
def ours(base):
    torch.manual_seed(0)
    head = ResidualHead(shape_of(base), 32, SMALL)
    state = ResidualState(head)
    torch.nn.init.normal_(head.mix_b.weight)
    torch.nn.init.normal_(state.change.weight)
    return head, state


def diffs(count: int = 10) -> list[torch.Tensor]:
    return list(torch.randn(count, 64, generator=torch.Generator().manual_seed(3)))


def follow(network: CommitGRU | ResidualState, state: State, diffs) -> State:
    """Return the state after the commits with these diffs, oldest first."""
    for diff in diffs:
        state = network.advance(state, diff)
    return state


@pytest.mark.parametrize("published", [False, True])
def test_steps_one_by_one_end_where_a_whole_walk_ends(ours, published):
    network = CommitGRU(64) if published else ours[1]
    start, history = network.begin(repository()), diffs()
    whole = follow(network, start, history)
    stored = follow(network, start, history[:4])
    later = follow(network, stored, history[4:])
    assert all(torch.equal(whole[name], later[name]) for name in whole)


@pytest.mark.parametrize("published", [False, True])
def test_a_loss_reaches_the_diff_eight_commits_before(ours, published):
    network = CommitGRU(64) if published else ours[1]
    history = [diff.requires_grad_() for diff in diffs()]
    state = follow(network, network.begin(repository()), history)
    network.context(state).square().sum().backward()
    assert float(history[-9].grad.abs().sum()) > 0


def test_a_new_state_is_the_snapshots_adapter(ours):
    head, state = ours
    torch.nn.init.zeros_(state.change.weight)
    started = follow(state, state.begin(repository()), diffs())
    same = overlap(head.generate(state.context(started)), head(repository()))
    assert same.cosine == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("published", [False, True])
def test_every_parameter_of_a_state_is_trained(ours, published):
    network = CommitGRU(64) if published else ours[1]
    state = follow(network, network.begin(repository()), diffs(3))
    network.context(state).square().sum().backward()
    still = [n for n, p in network.named_parameters() if p.grad is None]
    assert still == []
    assert all(p.grad.any() for p in network.parameters())
