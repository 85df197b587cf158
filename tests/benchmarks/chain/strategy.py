"""The ways of keeping an adapter current that are compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# A repository of some dozen files is learnt in minutes: English only.
SHARED: Mapping[str, Mapping[str, Any]] = {
    "samples": {"languages": ["en"]},
    "build": {"goals": ["adapter"]},
    "cache": {"max_size": "20G"},
}


@dataclass(frozen=True, slots=True)
class Strategy:
    """Settings over the defaults, and how often an adapter is built."""

    name: str
    adapter: Mapping[str, Any] = field(default_factory=dict)
    told: int = 20  # commits whose removals and moves are told; 0 = no tombstones
    every: int = 1  # an adapter at every n-th commit; 0 = only the first one

    def toml(self, seed: int, tokens: int) -> str:
        """The whole `repobuild.toml`; JSON's plain values are TOML's."""
        own = {
            **SHARED,
            "adapter": {"seed": seed, "max_tokens": tokens, **self.adapter},
            "history": {"commits": self.told},
        }
        lines = []
        for name, values in own.items():
            lines += [
                f"[{name}]",
                *(f"{k} = {json.dumps(v)}" for k, v in values.items()),
            ]
        return "\n".join([*lines, ""])


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
