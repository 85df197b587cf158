"""The ways of keeping an adapter current that are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# What a first build of a quarter of the tokens can learn: where things are, who uses
# whom, what changed; of the package, in English.
SHARED: Mapping[str, Any] = {
    "cache.max_size": "20G",
    "project.exclude": ["tests/*", "docs/*", "examples/*"],
    "samples.languages": ["en"],
    "samples.tasks": ["code_location", "relations", "code_change"],
}


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
        shared = {"adapter.seed": seed, "adapter.budget": tokens}
        return {**SHARED, **shared, "history.commits": self.told, **own}


# The most telling ones first: a run may be cut off. Full retraining is built where it
# is examined, and no more often.
STRATEGIES = (
    Strategy("default"),
    Strategy("never", every=0),
    Strategy("full retraining", {"rebase_after": 0}, every=10),
    Strategy("no reviews", {"review": 0.0}),
    Strategy("no tombstones", told=0),
    Strategy("no general text", {"keep": 0.0}),
    Strategy("reviews three quarters", {"review": 0.75}),
    Strategy("mastered after one", {"mastery": 1}),
)
