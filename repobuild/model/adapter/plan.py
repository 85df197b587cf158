"""Everything about an adapter's step that is settled before a model is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from repobuild.model.adapter import delta as deltas
from repobuild.model.adapter.delta import StepDecision, StepMode
from repobuild.model.adapter.lineage import Manifest, Row, current
from repobuild.model.adapter.recipe import Recipe
from repobuild.model.adapter.replay import FORGOTTEN
from repobuild.model.base import Base, resolve
from repobuild.samples.contexts.line_rows import quotes_lines
from repobuild.samples.dataset.all_samples import AllSamples

if TYPE_CHECKING:
    from repobuild.engine.contract import Task

GATE_SAMPLES = 200

Samples = list[tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is settled before a model is loaded."""

    base: Base
    recipe: Recipe
    trained: Samples
    held_out: Samples
    manifest: Manifest
    decision: StepDecision
    delta: deltas.SampleDelta

    @property
    def goes_on(self) -> bool:
        """Whether a parent is trained on, and not the base."""
        return self.decision.mode is StepMode.CONTINUE

    @property
    def parent(self) -> Row | None:
        """The row that is gone on from."""
        return self.decision.row if self.goes_on else None

    @property
    def chain(self) -> int:
        """Adapters since the base model, this one included."""
        return int(self.parent["chain"]) + 1 if self.parent else 1

    @property
    def ages(self) -> dict[str, int]:
        """Adapters since a sample was learnt; none of the first build's."""
        return {i: self.chain - taught for i, taught in self.manifest.taught.items()}


def make_plan(task: Task) -> Plan:
    base, recipe = resolve(task.settings), Recipe.of(task.settings)
    trained, held_out = read_samples(task)
    manifest = Manifest.of(trained)
    rows = dict(task.rows("adapter"))
    now = deltas.StepInput(
        dataset=manifest.digest,
        recipe=recipe.digest,
        base=base.digest,
        size=len(trained),
        rows=rows,
        parent=deltas.nearest_row(rows, task.ancestors(), task.commit),
    )
    decision, found, old = decided(task, now, manifest)
    plan = Plan(base, recipe, trained, held_out, manifest, decision, found)
    return replace(plan, manifest=dated(plan, old)) if plan.goes_on else plan


def dated(plan: Plan, old: Manifest) -> Manifest:
    """The manifest with the time when each sample was learnt: the delta's is now."""
    now = plan.manifest
    known = {
        sample_id: taught
        for sample_id, taught in old.taught.items()
        if sample_id in now.digests and plan.chain - taught <= FORGOTTEN
    }
    return replace(now, taught=known | dict.fromkeys(plan.delta.shown, plan.chain))


def decided(
    task: Task, now: deltas.StepInput, manifest: Manifest
) -> tuple[StepDecision, deltas.SampleDelta, Manifest]:
    """The decision, the delta to the parent and the parent's manifest.

    Rows without object do not count.
    """
    rows = dict(now.rows)
    again = deltas.same(now)
    while again and manifest_of(task, rows[again]) is None:
        del rows[again]
        again = deltas.same(replace(now, rows=rows))
    old = manifest_of(task, now.parent)
    now = replace(now, rows=rows, parent=now.parent if old else None)
    old = old or Manifest({})
    found = deltas.difference(old, manifest)
    return deltas.decide(now, found, task.settings), found, old


def read_samples(task: Task) -> tuple[Samples, Samples]:
    """Trained samples, and the held-out ones that the gate asks, sorted by id."""
    places = dict(task.table("dataset").entries())
    with_lines = bool(task.settings["adapter.line_numbers"])
    trained, held_out = [], []
    for sample_id, sample in AllSamples.of(task).entries():
        if quotes_lines(sample_id) and not with_lines:
            continue
        place = places.get(sample_id, {})
        if place.get("split") == "train":
            trained.append((sample_id, sample))
        elif place.get("split") == "val" and place.get("track") == "recall":
            held_out.append((sample_id, sample))
    held_out.sort(key=lambda pair: blake2b(pair[0].encode()).digest())
    return sorted(trained, key=lambda pair: pair[0]), held_out[:GATE_SAMPLES]


def manifest_of(task: Task, row: Row | None) -> Manifest | None:
    """What the parent was shown; None when its object is gone (then: from the base)."""
    if row is None:
        return None
    try:
        return Manifest.read(task.object(current(row)))
    except KeyError:
        task.event("adapter", missing=current(row))
        return None
