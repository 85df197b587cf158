"""The ways of keeping an adapter current that are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# A repository of some dozen files is learnt in minutes: English only.
SHARED: Mapping[str, Any] = {"samples.languages": ["en"], "cache.max_size": "20G"}


@dataclass(frozen=True, slots=True)
class Strategy:
    """Settings over the defaults, and how often an adapter is built."""

    name: str
    adapter: Mapping[str, Any] = field(default_factory=dict)
    told: int = 20  # commits whose removals and moves are told; 0 = no tombstones
    every: int = 1  # an adapter at every n-th commit; 0 = only the first one

    @property
    def folder(self) -> str:
        return self.name.replace(" ", "-").replace(",", "")

    def settings(self, seed: int, tokens: int) -> dict[str, Any]:
        """What differs from the defaults."""
        own = {f"adapter.{name}": value for name, value in self.adapter.items()}
        shared = {"adapter.seed": seed, "adapter.max_tokens": tokens}
        return {**SHARED, **shared, "history.commits": self.told, **own}


def replayed(share: float) -> Strategy:
    least = {} if share else {"least_replay": 0}
    return Strategy(f"continue, {share:.0%} replay", {"replay": share, **least})


STRATEGIES = (
    Strategy("default"),
    Strategy("full retraining", {"rebase_after": 0}, every=4),
    replayed(0.0),
    replayed(0.10),
    replayed(0.25),
    replayed(0.50),
    Strategy("continue, no tombstones", told=0),
    Strategy("never", every=0),
)
