"""Decide a commit's training step, before any model is loaded.

    FIRST      train on the base model: there is no adapter yet
    REUSE      take an earlier adapter that was trained on exactly these samples (a
               revert, a switched branch)
    WAIT       keep the parent: fewer samples changed than `adapter.min_delta`. The
               change is part of the next delta, because manifests are compared
    CONTINUE   train the parent on the delta, beside reviews of what it knows; or, with
               a larger budget than before, on facts that were not begun
    REBASE     train on the base model again, on all samples
    GENERATE   do not train: a hypernetwork makes it (../hypernet/strategy.py)

The adapter is a fold over commits: parent adapter + delta of the samples = next one.
A reviewed fact is always current: one whose source changed is in the delta, and one
whose source is gone is in no dataset. Continual learning in general cannot remove stale
samples like this; here every sample records its sources.

`decide` is a pure function. The forecast of `repobuild status` and a rollback call the
same rules (adapter_forecast.py, rollback.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from repobuild.engine.override import REPLACED_ROW, original_row
from repobuild.model.adapter.lineage import (
    ROLLBACK,
    Known,
    Manifest,
    Row,
    current_digest,
)
from repobuild.model.adapter.recipe import Recipe
from repobuild.model.base import Base, resolve_base
from repobuild.model.teaching.curriculum import (
    TeachableFact,
    fact_of,
    order_facts,
)
from repobuild.model.teaching.guarded import guarded_facts
from repobuild.model.teaching.teachable import (
    TaughtTexts,
    Teachable,
    read_teachable,
)

if TYPE_CHECKING:
    from repobuild.engine.contract import Task

GATE_SAMPLES = 200  # held-out samples whose loss decides about promotion


class StepMode(Enum):
    REUSE = "reuse"
    WAIT = "wait"
    FIRST = "first"
    CONTINUE = "continue"
    REBASE = "rebase"
    GENERATE = "generate"


@dataclass(frozen=True, slots=True)
class SampleDelta:
    """Difference of two manifests; each list of ids is sorted."""

    added: list[str]
    changed: list[str]
    removed: list[str]

    @property
    def to_train(self) -> list[str]:
        """Ids to train; tombstones of removed elements are in `added`."""
        return sorted([*self.added, *self.changed])

    def counts(self) -> dict[str, int]:
        """Return the lengths of the lists, for an adapter's record."""
        return {
            "added": len(self.added),
            "changed": len(self.changed),
            "removed": len(self.removed),
        }

    def __len__(self) -> int:
        return len(self.added) + len(self.changed) + len(self.removed)


@dataclass(frozen=True, slots=True)
class StepInput:
    """Everything that the decision depends on, beside the delta and the settings."""

    dataset: str  # digest of the manifest
    recipe: str  # digest
    base: str  # digest
    size: int  # samples in the train split
    rows: Mapping[str, Row]  # commit -> row, for every adapter that was ever built
    parent: Row | None
    budget: int = 0  # tokens


@dataclass(frozen=True, slots=True)
class StepDecision:
    mode: StepMode
    reason: str
    row: Row | None = None  # the adapter to reuse, to keep or to continue


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about a step that is known before a model is loaded."""

    base: Base
    recipe: Recipe
    samples: Teachable  # of the train split that may be taught
    texts: TaughtTexts  # of these, and of the gate's
    held_out: Sequence[str]  # ids of the gate's samples
    facts: Sequence[TeachableFact]  # all of them, in the order of teaching
    manifest: Manifest  # of the samples
    known: Mapping[str, Known]  # what the parent was taught of today's facts
    decision: StepDecision
    delta: SampleDelta  # against the parent
    guarded: frozenset[str] = frozenset()  # facts, see teaching/guarded.py

    @property
    def continues(self) -> bool:
        """Return whether the step trains a parent adapter, and not the base model."""
        return self.decision.mode is StepMode.CONTINUE

    @property
    def parent(self) -> Row | None:
        """Row of the adapter that is continued."""
        return self.decision.row if self.continues else None

    @property
    def chain_length(self) -> int:
        """Number of adapters since the base model, including this one."""
        return int(self.parent["chain"]) + 1 if self.parent else 1

    @property
    def changed_facts(self) -> set[str]:
        """Ids of the facts that have a new or another sample."""
        return {fact_of(sample_id) for sample_id in self.delta.to_train}


# ------------------------------------------------------------------------------ plan


def make_plan(task: Task) -> Plan:
    """Read samples, settings and earlier adapters, and decide."""
    base, recipe = resolve_base(task.settings), Recipe.of(task.settings)
    samples, held_out = read_teachable(task)
    manifest = Manifest({i: sample.digest for i, sample in samples.items()})
    rows = dict(task.rows("adapter"))
    now = StepInput(
        dataset=manifest.digest,
        recipe=recipe.digest,
        base=base.digest,
        size=len(samples),
        rows=rows,
        parent=find_parent_row(rows, task.ancestors(), task.commit),
        budget=int(task.settings["adapter.budget"]),
    )
    now, parent_manifest = without_lost_objects(task, now)
    delta = compare_manifests(parent_manifest, manifest)
    decision = decide(now, delta, task.settings)
    if decision.mode is StepMode.CONTINUE and decision.row is not now.parent:
        parent_manifest = read_manifest(task, decision.row) or Manifest({})
        delta = compare_manifests(parent_manifest, manifest)
    facts = order_facts(samples)
    today = {fact.id for fact in facts}
    known = {i: k for i, k in parent_manifest.facts.items() if i in today}
    plan = Plan(
        base=base,
        recipe=recipe,
        samples=samples,
        texts=TaughtTexts.of(task, samples, held_out),
        held_out=draw_gate(held_out, facts),
        facts=facts,
        manifest=manifest,
        known=known,
        decision=decision,
        delta=delta,
    )
    if not plan.continues:
        return plan
    changed = plan.changed_facts
    return replace(
        plan,
        held_out=draw_gate(held_out, facts, known, changed),
        guarded=guarded_facts(facts, known, changed, plan.chain_length),
    )


def draw_gate(
    held_out: Iterable[str],
    facts: Sequence[TeachableFact],
    known: Collection[str] = (),
    changed: Collection[str] = (),
) -> list[str]:
    """Return ids of the questions that decide whether an adapter is promoted.

    Up to half are about what the commit changed, the others about what the parent was
    taught, and a first adapter will be: the first facts in the order of teaching. Of
    facts that nobody was taught an answer says nothing.
    """
    place = {fact.id: number for number, fact in enumerate(facts)}
    last = len(place)
    asked = sorted(held_out, key=lambda i: place.get(fact_of(i), last))
    of_delta = [i for i in asked if fact_of(i) in changed][: GATE_SAMPLES // 2]
    others = [i for i in asked if fact_of(i) not in changed]
    others.sort(key=lambda i: fact_of(i) not in known)
    return [*of_delta, *others][:GATE_SAMPLES]


def find_parent_row(
    rows: Mapping[str, Row], ancestors: Iterable[str], commit: str
) -> Row | None:
    """Return the adapter of the nearest first-parent ancestor, else the newest one.

    A commit that was rolled back continues the adapter that it was rolled back to. The
    key of the task holds the parent too (`find_chain_parent` in engine/run/task.py), so
    both walk the same first parents (git/ancestors.py).
    """
    if commit in rows and rows[commit].get("mode") == ROLLBACK:
        return rows[commit]
    for ancestor in ancestors:
        if ancestor in rows:
            return rows[ancestor]
    others = [row for name, row in rows.items() if name != commit]
    return max(others, key=lambda row: int(row.get("build", 0)), default=None)


def without_lost_objects(task: Task, now: StepInput) -> tuple[StepInput, Manifest]:
    """Drop rows whose object is missing, and return the parent's manifest too.

    An adapter without its object can be neither reused nor continued. The manifest is
    empty when there is no parent.
    """
    rows = dict(now.rows)
    commit = find_reusable(now)
    while commit and read_manifest(task, rows[commit]) is None:
        del rows[commit]
        commit = find_reusable(replace(now, rows=rows))
    manifest = read_manifest(task, now.parent)
    parent = now.parent if manifest else None
    return replace(now, rows=rows, parent=parent), manifest or Manifest({})


def read_manifest(task: Task, row: Row | None) -> Manifest | None:
    """Return the manifest of an adapter; None without a row or when it is missing."""
    if row is None:
        return None
    try:
        return Manifest.read(task.object(current_digest(row)))
    except KeyError:
        task.event("adapter", missing=current_digest(row))
        return None


def compare_manifests(old: Manifest, new: Manifest) -> SampleDelta:
    before, now = old.digests, new.digests
    return SampleDelta(
        added=sorted(i for i in now if i not in before),
        changed=sorted(i for i in now if i in before and before[i] != now[i]),
        removed=sorted(i for i in before if i not in now),
    )


# ----------------------------------------------------------------------------- rules


def decide(
    now: StepInput, delta: SampleDelta, settings: Mapping[str, Any]
) -> StepDecision:
    """Return the step's mode and its reason; `delta` is against the parent."""
    commit = find_reusable(now)
    if commit:
        row = now.rows[commit]
        if can_teach_more(row, now.budget):
            reason = "a larger budget, and facts that were not begun"
            return StepDecision(StepMode.CONTINUE, reason, row)
        reason = f"trained on the same samples at {commit[:12]}"
        return StepDecision(StepMode.REUSE, reason, row)
    parent = now.parent
    if parent is None:
        return StepDecision(StepMode.FIRST, "no adapter yet")
    reason = rebase_reason(now, parent, delta, settings)
    if reason:
        return StepDecision(StepMode.REBASE, reason)
    changed = f"{len(delta)} samples changed"
    if len(delta) < max(1, settings["adapter.min_delta"]) or not delta.to_train:
        return StepDecision(StepMode.WAIT, changed, parent)
    return StepDecision(StepMode.CONTINUE, changed, parent)


def can_teach_more(row: Row, budget: int) -> bool:
    """Return whether an adapter left facts out that a larger budget would teach."""
    coverage = row.get("coverage") or {}
    left = coverage.get("facts", 0) - coverage.get("taught", 0)
    return bool(left > 0 and budget > row.get("budget", budget))


def find_reusable(now: StepInput) -> str:
    """Return the commit whose adapter was trained on exactly these samples, or "".

    An adapter that a rollback replaced is not reused: somebody rejected it.
    """
    wanted = (now.dataset, now.recipe, now.base, True)
    names = ("dataset", "recipe", "base", "promoted")
    rejected = {
        current_digest(original_row(row))
        for row in now.rows.values()
        if original_row(row) is not row
    }
    for commit, row in sorted(now.rows.items()):
        same = tuple(row.get(name) for name in names) == wanted
        if same and current_digest(row) not in rejected:
            return commit
    return ""


def earlier_row(decision: StepDecision) -> dict[str, Any]:
    """Return an earlier adapter's row for this commit: it is reused or kept."""
    assert decision.row is not None
    row = {n: v for n, v in decision.row.items() if n not in ("key", REPLACED_ROW)}
    facts = {"mode": decision.mode.value, "reason": decision.reason, "work": 0}
    return {**row, **facts, "object": current_digest(decision.row), "current": ""}


def rebase_reason(
    now: StepInput, parent: Row, delta: SampleDelta, settings: Mapping[str, Any]
) -> str:
    """Return why the parent cannot be continued, or ""."""
    if parent["base"] != now.base:
        return "another base model"
    if parent["recipe"] != now.recipe:
        return "another recipe"
    # A rebase that was not promoted is continued: it would fail again at every commit.
    if not parent["promoted"] and parent["mode"] == StepMode.CONTINUE.value:
        return "the last adapter fell behind its parent"
    if parent["chain"] >= settings["adapter.rebase_after"]:
        return f"the chain is {parent['chain']} adapters long"
    if drift(parent, delta, now.size) > settings["adapter.rebase_delta"]:
        return "too many samples changed since the base model"
    return ""


def drift(parent: Row, delta: SampleDelta, size: int) -> float:
    """Return the share of samples that changed since the base model, summed up."""
    return round(float(parent["drift"]) + len(delta.to_train) / max(1, size), 6)
