"""The task `adapter`: bring the LoRA adapter up to this commit.

    decide      reuse, wait, continue or start from the base (delta.py, plan.py)
    teach       one run from the base, or rounds until the delta is answered (lesson.py)
    gate        held-out loss of the parent and of the new adapter; the new one is
                promoted when it is not worse than its parent by more than the margin
    write       PEFT's files, rehearsal.bin, manifest.bin, repobuild.json (lineage.py)

An artifact is equal bytes for equal inputs on one machine. What a kill leaves in
`task.folder / "scratch"` is taken up by the next run; a finished artifact holds none.

A task that returns {"object": digest} and leaves its folder empty has the engine keep
that object: nothing is copied for a revert.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.engine.override import INSTEAD
from repobuild.model.adapter import delta as deltas
from repobuild.model.adapter.delta import StepDecision, StepMode
from repobuild.model.adapter.lineage import Lineage, current
from repobuild.model.adapter.plan import Plan, make_plan

if TYPE_CHECKING:
    from repobuild.engine.contract import Task
    from repobuild.model.adapter.continual import TrainedRounds

# How long a thread of libgomp spins before it sleeps. Tokens/s on two cores, idle and
# with one of them taken: default 6.9k and 0.1k, passive 3.5k and 4.0k, 2,000 turns
# 6.6k and 2.2k.
SPIN = ("GOMP_SPINCOUNT", "2000")


def adapter(task: Task) -> dict[str, Any]:
    """Return the row of this commit's adapter."""
    plan = make_plan(task)
    decision = plan.decision
    task.event("adapter", mode=decision.mode.value, reason=decision.reason)
    if decision.mode in (StepMode.REUSE, StepMode.WAIT):
        assert decision.row is not None
        return kept(decision)
    finished = written(task, plan)
    if finished:
        return finished
    os.environ.setdefault(*SPIN)  # read when torch is loaded
    return built(task, plan)


def written(task: Task, plan: Plan) -> dict[str, Any] | None:
    """The row of an adapter that a killed build had written whole, but not stored."""
    if not (task.folder / "repobuild.json").is_file():
        return None
    shutil.rmtree(task.folder / "scratch", ignore_errors=True)
    task.event("resume", step="written")
    return row_of(Lineage.read(task.folder), plan)


def row_of(lineage: Lineage, plan: Plan) -> dict[str, Any]:
    return lineage.row(None if lineage.promoted else plan.decision.row)


def kept(decision: StepDecision) -> dict[str, Any]:
    """An earlier adapter's row, under this commit."""
    assert decision.row is not None
    row = {n: v for n, v in decision.row.items() if n not in ("key", INSTEAD)}
    facts = {"mode": decision.mode.value, "reason": decision.reason, "work": 0}
    return {**row, **facts, "object": current(decision.row), "current": ""}


# --------------------------------------------------------------------------- build


def built(task: Task, plan: Plan) -> dict[str, Any]:
    """Teach, gate, write."""
    from repobuild.model.adapter.continual import train_adapter

    taught = train_adapter(task, plan)
    scores = gate(task, plan, taught.folder)
    promoted = not plan.goes_on or passes(scores, task.settings["adapter.margin"])
    lineage = lineage_of(task, plan, taught)
    lineage = replace(lineage, scores=scores, promoted=promoted)
    write(task, plan, taught, lineage)
    return row_of(lineage, plan)


def gate(task: Task, plan: Plan, after: Path) -> dict[str, float]:
    """Held-out loss of the parent (the base, if there is none) and of the new one."""
    from repobuild.model.generate import TextGenerator

    before = task.object(current(plan.parent)) if plan.parent else None
    if not plan.held_out:
        return {}
    with task.progress("gate", 2) as progress:
        losses = []
        for folder in (before, after):
            speaker = TextGenerator.load(plan.base, folder)
            losses.append(mean(speaker.losses(plan.held_out)))
            progress.advance()
    return {"parent_loss": losses[0], "loss": losses[1]}


def mean(losses: Sequence[tuple[float, int]]) -> float:
    """Per token."""
    tokens = sum(count for _, count in losses)
    return round(sum(total for total, _ in losses) / max(1, tokens), 4)


def passes(scores: Mapping[str, float], margin: float) -> bool:
    return not scores or scores["loss"] <= scores["parent_loss"] + margin


# --------------------------------------------------------------------------- write


def lineage_of(task: Task, plan: Plan, taught: TrainedRounds) -> Lineage:
    row = plan.parent
    drift = deltas.drift(row, plan.delta, len(plan.trained)) if row else 0.0
    return Lineage(
        commit=task.commit,
        tree=task.tree,
        parent=current(row) if row else "",
        mode=plan.decision.mode.value,
        reason=plan.decision.reason,
        base={"name": plan.base.name, "digest": plan.base.digest},
        dataset=plan.manifest.digest,
        recipe=asdict(plan.recipe),
        recipe_digest=plan.recipe.digest,
        chain=plan.chain,
        drift=drift,
        samples={**counts(plan), **taught.counts()},
        training=asdict(taught.outcome),
        scores={},
        promoted=True,
    )


def counts(plan: Plan) -> dict[str, int]:
    return {
        "current": len(plan.trained),
        "added": len(plan.delta.added),
        "changed": len(plan.delta.changed),
        "removed": len(plan.delta.removed),
    }


def write(task: Task, plan: Plan, taught: TrainedRounds, lineage: Lineage) -> None:
    """The artifact; scratch goes, `repobuild.json` comes last."""
    from repobuild.model.base import load_tokenizer

    for file in sorted(taught.folder.glob("adapter_*")):
        shutil.copyfile(file, task.folder / file.name)
    load_tokenizer(plan.base).save_pretrained(task.folder)
    taught.rehearsal.write(task.folder)
    plan.manifest.write(task.folder)
    lineage.write(task.folder)
    shutil.rmtree(task.folder / "scratch")
