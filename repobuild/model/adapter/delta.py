"""What to train at this commit, and from where.

The adapter is a fold over commits. Its next step is decided here, without any model:

    REUSE      an earlier adapter was trained on exactly these samples (a revert, a
               switched branch): it is taken again
    WAIT       fewer samples changed than `adapter.min_delta`: the parent stays, and the
               change is part of the next delta, because manifests are compared
    CONTINUE   the parent adapter goes on with the delta, mixed with replayed samples
    REBASE     from the base model on everything
    FIRST      the same, because there is no adapter yet

Replayed samples are current ones by construction: a sample whose source changed is in
the delta, one whose source is gone is in no dataset. General continual learning cannot
purge like this; here every sample knows what it was made from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from repobuild.engine.override import own
from repobuild.model.adapter.lineage import ROLLBACK, Manifest, Row, current


class StepMode(Enum):
    REUSE = "reuse"
    WAIT = "wait"
    FIRST = "first"
    CONTINUE = "continue"
    REBASE = "rebase"


@dataclass(frozen=True, slots=True)
class SampleDelta:
    """Difference of two manifests, each list sorted."""

    added: list[str]
    changed: list[str]
    removed: list[str]

    @property
    def shown(self) -> list[str]:
        """Samples to train; tombstones of removed elements are in `added`."""
        return sorted([*self.added, *self.changed])

    def __len__(self) -> int:
        return len(self.added) + len(self.changed) + len(self.removed)


def difference(old: Manifest, new: Manifest) -> SampleDelta:
    before, now = old.digests, new.digests
    return SampleDelta(
        added=sorted(i for i in now if i not in before),
        changed=sorted(i for i in now if i in before and before[i] != now[i]),
        removed=sorted(i for i in before if i not in now),
    )


@dataclass(frozen=True, slots=True)
class StepInput:
    """Everything that the decision is made from."""

    dataset: str
    recipe: str
    base: str
    size: int  # trained samples now
    rows: Mapping[str, Row]  # commit -> row of every adapter that was ever built
    parent: Row | None


@dataclass(frozen=True, slots=True)
class StepDecision:
    mode: StepMode
    reason: str
    row: Row | None = None  # to reuse, or to go on from


def decide(
    now: StepInput, delta: SampleDelta, settings: Mapping[str, Any]
) -> StepDecision:
    """The rules, first match wins; `delta` is against the parent."""
    commit = same(now)
    if commit:
        reason = f"trained on the same samples at {commit[:12]}"
        return StepDecision(StepMode.REUSE, reason, now.rows[commit])
    parent = now.parent
    if parent is None:
        return StepDecision(StepMode.FIRST, "no adapter yet")
    why = rebase_reason(now, parent, delta, settings)
    if why:
        return StepDecision(StepMode.REBASE, why)
    if len(delta) < max(1, settings["adapter.min_delta"]) or not delta.shown:
        return StepDecision(StepMode.WAIT, f"{len(delta)} samples changed", parent)
    return StepDecision(StepMode.CONTINUE, f"{len(delta)} samples changed", parent)


def same(now: StepInput) -> str:
    """The commit whose adapter was trained on exactly these samples, or nothing.

    One that was rolled back from is not taken again by itself.
    """
    ours = (now.dataset, now.recipe, now.base, True)
    names = ("dataset", "recipe", "base", "promoted")
    aside = {current(own(row)) for row in now.rows.values() if own(row) is not row}
    for commit, row in sorted(now.rows.items()):
        if tuple(row.get(name) for name in names) == ours and current(row) not in aside:
            return commit
    return ""


def rebase_reason(
    now: StepInput, parent: Row, delta: SampleDelta, settings: Mapping[str, Any]
) -> str:
    """Why the parent is no place to go on from; empty when it is."""
    if parent["base"] != now.base:
        return "another base model"
    if parent["recipe"] != now.recipe:
        return "another recipe"
    if not parent["promoted"] and parent["mode"] == StepMode.CONTINUE.value:
        return "the last adapter fell behind its parent"
    if parent["chain"] >= settings["adapter.rebase_after"]:
        return f"the chain is {parent['chain']} adapters long"
    if drift(parent, delta, now.size) > settings["adapter.rebase_delta"]:
        return "too many samples changed since the base model"
    return ""


def drift(parent: Row, delta: SampleDelta, size: int) -> float:
    """Share of samples that were shown since the base model."""
    return round(float(parent["drift"]) + len(delta.shown) / max(1, size), 6)


def nearest_row(
    rows: Mapping[str, Row], ancestors: Iterable[str], commit: str
) -> Row | None:
    """The adapter of the nearest first-parent ancestor, else the newest one.

    A commit that was rolled back goes on from what it was rolled back to.
    """
    if commit in rows and rows[commit].get("mode") == ROLLBACK:
        return rows[commit]
    for ancestor in ancestors:
        if ancestor in rows:
            return rows[ancestor]
    others = [row for name, row in rows.items() if name != commit]
    return max(others, key=lambda row: int(row.get("build", 0)), default=None)
