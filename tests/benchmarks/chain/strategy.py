"""The ways of keeping an adapter current that are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# What a first build of a quarter of the tokens can learn: where things are, who uses
# whom, what changed; of the package, in English. Replay is scaled alike.
SHARED: Mapping[str, Any] = {
    "adapter.least_replay": 130,
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
        shared = {"adapter.seed": seed, "adapter.max_tokens": tokens}
        return {**SHARED, **shared, "history.commits": self.told, **own}


def replayed(share: float) -> Strategy:
    """The usual way: some passes over the delta, beside so much replay and no more."""
    plain = {"continue_rounds": 1, "continue_epochs": 8, "continue_samples": 2400,
             "continue_rate": 0.05, "rehearsal": 0.0}  # fmt: skip
    own = {**plain, "replay": share, "least_replay": 0}
    return Strategy(f"8 passes, replay {share:.0%}", own)


# The most telling ones first: a run may be cut off. Full retraining is built where it
# is examined, and no more often.
STRATEGIES = (
    Strategy("default"),
    Strategy("never", every=0),
    Strategy("full retraining", {"rebase_after": 0}, every=10),
    replayed(0.0),
    replayed(0.50),
    Strategy("no tombstones", told=0),
    replayed(0.25),
    replayed(0.10),
    Strategy("no rehearsal", {"rehearsal": 0.0}),
)
