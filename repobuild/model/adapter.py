"""The task `adapter`: bring the LoRA adapter up to this commit.

    decide      reuse, wait, continue or start from the base (delta.py)
    train       in this process, or by a launcher in several (train.py, launch.py)
    gate        held-out loss of the parent and of the new adapter; the new one is
                promoted when it is not worse than its parent by more than the margin
    write       PEFT's files, manifest.bin, repobuild.json (lineage.py)

An artifact is equal bytes for equal inputs on one machine. What a kill leaves in
`task.folder / "scratch"` is taken up by the next run; a finished artifact holds none.

A task that returns {"object": digest} and leaves its folder empty has the engine keep
that object: nothing is copied for a revert.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from repobuild.engine.displace import INSTEAD
from repobuild.engine.errors import BuildError
from repobuild.model import delta as deltas
from repobuild.model import packing
from repobuild.model.base import Base, resolve
from repobuild.model.conversation import Conversation, Example, Examples
from repobuild.model.delta import Decision, Mode
from repobuild.model.lineage import Lineage, Manifest, Row, current
from repobuild.model.recipe import Job, Means, Outcome, Recipe
from repobuild.model.standing import standing
from repobuild.samples.places import quotes_lines
from repobuild.samples.pool import Pool

if TYPE_CHECKING:
    from repobuild.engine.contract import Progress, Task

ANCESTORS = 1000  # how far back a parent is looked for
GATE_SAMPLES = 200
# How long a thread of libgomp spins before it sleeps. Tokens/s on two cores, idle and
# with one of them taken: default 6.9k and 0.1k, passive 3.5k and 4.0k, 2,000 turns
# 6.6k and 2.2k.
SPIN = ("GOMP_SPINCOUNT", "2000")

Samples = list[tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is settled before a model is loaded."""

    base: Base
    recipe: Recipe
    trained: Samples
    held_out: Samples
    manifest: Manifest
    decision: Decision
    delta: deltas.Delta


@dataclass(frozen=True, slots=True)
class Mixed:
    """What goes through the model."""

    examples: Examples
    epochs: list[list[int]]
    replayed: int


def adapter(task: Task) -> dict[str, Any]:
    """Return the row of this commit's adapter."""
    plan = make_plan(task)
    decision = plan.decision
    task.event("adapter", mode=decision.mode.value, reason=decision.reason)
    if decision.mode in (Mode.REUSE, Mode.WAIT):
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


def kept(decision: Decision) -> dict[str, Any]:
    """An earlier adapter's row, under this commit."""
    assert decision.row is not None
    row = {n: v for n, v in decision.row.items() if n not in ("key", INSTEAD)}
    facts = {"mode": decision.mode.value, "reason": decision.reason, "work": 0}
    return {**row, **facts, "object": current(decision.row), "current": ""}


def make_plan(task: Task) -> Plan:
    base, recipe = resolve(task.settings), Recipe.of(task.settings)
    trained, held_out = read_samples(task)
    manifest = Manifest.of(trained)
    rows = dict(task.rows("adapter"))
    now = deltas.Situation(
        dataset=manifest.digest,
        recipe=recipe.digest,
        base=base.digest,
        size=len(trained),
        rows=rows,
        parent=deltas.nearest_row(rows, task.ancestors(ANCESTORS), task.commit),
    )
    decision, found = decided(task, now, manifest)
    return Plan(base, recipe, trained, held_out, manifest, decision, found)


def decided(
    task: Task, now: deltas.Situation, manifest: Manifest
) -> tuple[Decision, deltas.Delta]:
    """The decision, and the delta to the parent; rows without object do not count."""
    rows = dict(now.rows)
    again = deltas.same(now)
    while again and manifest_of(task, rows[again]) is None:
        del rows[again]
        again = deltas.same(replace(now, rows=rows))
    old = manifest_of(task, now.parent)
    now = replace(now, rows=rows, parent=now.parent if old else None)
    found = deltas.difference(old or Manifest({}), manifest)
    return deltas.decide(now, found, task.settings), found


def read_samples(task: Task) -> tuple[Samples, Samples]:
    """Trained samples, and the held-out ones that the gate asks, sorted by id."""
    places = dict(task.table("dataset").entries())
    with_lines = bool(task.settings["adapter.line_numbers"])
    trained, held_out = [], []
    for sample_id, sample in Pool.of(task).entries():
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


# --------------------------------------------------------------------------- build


def built(task: Task, plan: Plan) -> dict[str, Any]:
    """Train, gate, write."""
    from repobuild.model.base import load_tokenizer

    conversation = Conversation(load_tokenizer(plan.base), plan.base.fim)
    mixed = mix(plan, conversation, task.settings)
    if not mixed.examples.kept:
        raise BuildError(
            f"nothing to train on: {len(plan.trained)} samples, none of them usable "
            f"({mixed.examples.left_out or 'the dataset has no train split'})\n"
            "look at `repobuild status`, and at [samples] and adapter.sequence_length"
        )
    held_out = conversation.examples(plan.held_out, plan.recipe.sequence_length).kept
    outcome = run(task, job_of(task, plan, mixed, held_out))
    lineage = lineage_of(task, plan, mixed, outcome)
    scores = gate(task, plan)
    first = plan.decision.mode is not Mode.CONTINUE
    promoted = first or passes(scores, task.settings["adapter.margin"])
    lineage = replace(lineage, scores=scores, promoted=promoted)
    write(task, plan, lineage)
    return row_of(lineage, plan)


def mix(plan: Plan, conversation: Conversation, settings: Mapping[str, Any]) -> Mixed:
    if plan.decision.mode is Mode.CONTINUE:
        return continued_mix(plan, conversation, settings)
    recipe = plan.recipe
    found = conversation.examples(plan.trained, recipe.sequence_length)
    epochs = packing.draw(found.kept, recipe.epochs, recipe.max_tokens, recipe.seed)
    return Mixed(found, epochs, 0)


def continued_mix(
    plan: Plan, conversation: Conversation, settings: Mapping[str, Any]
) -> Mixed:
    """Delta and replay; only what is used is tokenised."""
    recipe, fresh = plan.recipe, plan.delta.shown
    share = float(settings["adapter.replay"])
    most, samples = (settings[f"adapter.continue_{n}"] for n in ("epochs", "samples"))
    mixed = deltas.mix(
        {sample_id: sample["task"] for sample_id, sample in plan.trained},
        fresh,
        passes=deltas.passes_for(len(fresh), share, most, samples),
        share=share,
        least=settings["adapter.least_replay"],
        seed=f"{recipe.seed}.{plan.manifest.digest}",
    )
    used = {sample_id for epoch in mixed.epochs for sample_id in epoch}
    found = conversation.examples(
        [pair for pair in plan.trained if pair[0] in used], recipe.sequence_length
    )
    place = {example.id: number for number, example in enumerate(found.kept)}
    epochs = [[place[i] for i in epoch if i in place] for epoch in mixed.epochs]
    sizes = [len(example.tokens) for example in found.kept]
    bounded = deltas.bounded(epochs, sizes, recipe.max_tokens)
    return Mixed(found, bounded, mixed.replayed)


def job_of(task: Task, plan: Plan, mixed: Mixed, held_out: list[Example]) -> Job:
    from repobuild.model.board import log_of
    from repobuild.model.zero import read_config

    settings, row = task.settings, plan.decision.row
    going_on = plan.decision.mode is Mode.CONTINUE and row is not None
    return Job(
        base=plan.base,
        parent=str(task.object(current(row))) if going_on and row else "",
        recipe=plan.recipe,
        rate=plan.recipe.learning_rate * rate_of(mixed, settings, going_on),
        epochs=mixed.epochs,
        deepspeed=read_config(settings["adapter.deepspeed"]),
        scratch=task.folder / "scratch",
        examples=mixed.examples.kept,
        held_out=held_out,
        log=log_of(task),
        means=Means.of(settings),
    )


def rate_of(mixed: Mixed, settings: Mapping[str, Any], going_on: bool) -> float:
    """Share of the recipe's rate; a continued run of fewer passes learns faster.

    Measured on 20 of 600 elements moved elsewhere, the hardest kind of change: at a
    share of 0.05, 8 passes teach 95 % of the new paths and keep 99 % of the others,
    4 passes teach 75 %; at a share of 0.1, 4 passes teach 95 % and keep 92 %.
    """
    if not going_on:
        return 1.0
    passes: float = settings["adapter.continue_epochs"] / max(1, len(mixed.epochs))
    return float(settings["adapter.continue_rate"]) * min(4.0, passes)


def run(task: Task, job: Job) -> Outcome:
    """Train here, or in as many processes as the settings say."""
    processes = task.settings["adapter.processes"]
    hostfile = task.settings["adapter.hostfile"]
    with ExitStack() as stack:
        tell = Bar(task, stack, label(task, job, processes))
        if processes > 1 or hostfile:
            from repobuild.model.launch import launch

            return launch(job, processes, hostfile, tell)
        from repobuild.model.train import train

        return train(job, tell)


def label(task: Task, job: Job, processes: int) -> str:
    """An interrupted run goes on; in other processes without the optimizer's state."""
    facts = standing(job.scratch, job.digest)
    if not facts:
        return "training"
    step, before = facts["step"], facts.get("world")
    whole = before == processes
    moments = "kept" if whole else f"fresh: {before} processes before"
    task.event("resume", step=step, optimizer=moments)
    alone = f", weights only ({before} processes before, now {processes})"
    return f"training from step {step}{'' if whole else alone}"


class Bar:
    """A progress bar that appears with the first step, when their number is known."""

    def __init__(self, task: Task, stack: ExitStack, label: str) -> None:
        self.task, self.stack, self.label = task, stack, label
        self.progress: Progress | None = None
        self.step = 0
        self.loss = 0.0

    def __call__(self, step: int, steps: int, loss: float) -> None:
        if self.progress is None:
            self.loss = loss
            bar = self.task.progress(self.label, steps)
            self.progress = self.stack.enter_context(bar)
        self.loss += 0.1 * (loss - self.loss)
        self.progress.advance(step - self.step)
        self.progress.note(f"loss {self.loss:.3f}")
        self.step = step


def gate(task: Task, plan: Plan) -> dict[str, float]:
    """Held-out loss of the parent (the base, if there is none) and of the new one."""
    from repobuild.model.generate import Speaker

    row = plan.decision.row if plan.decision.mode is Mode.CONTINUE else None
    before = task.object(current(row)) if row else None
    after = task.folder / "scratch" / "trained"
    if not plan.held_out:
        return {}
    with task.progress("gate", 2) as progress:
        losses = []
        for folder in (before, after):
            speaker = Speaker.load(plan.base, folder)
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


def lineage_of(task: Task, plan: Plan, mixed: Mixed, outcome: Outcome) -> Lineage:
    row = plan.decision.row if plan.decision.mode is Mode.CONTINUE else None
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
        chain=int(row["chain"]) + 1 if row else 1,
        drift=drift,
        samples=counts(plan, mixed),
        training=asdict(outcome),
        scores={},
        promoted=True,
    )


def counts(plan: Plan, mixed: Mixed) -> dict[str, int]:
    return {
        "current": len(plan.trained),
        "added": len(plan.delta.added),
        "changed": len(plan.delta.changed),
        "removed": len(plan.delta.removed),
        "trained": len({number for epoch in mixed.epochs for number in epoch}),
        "replayed": mixed.replayed,
        "shown": sum(map(len, mixed.epochs)),
        **{f"left out: {why}": n for why, n in mixed.examples.left_out.items()},
    }


def write(task: Task, plan: Plan, lineage: Lineage) -> None:
    """The artifact; scratch goes, `repobuild.json` comes last."""
    from repobuild.model.base import load_tokenizer

    scratch = task.folder / "scratch"
    for file in sorted((scratch / "trained").glob("adapter_*")):
        shutil.copyfile(file, task.folder / file.name)
    load_tokenizer(plan.base).save_pretrained(task.folder)
    plan.manifest.write(task.folder)
    lineage.write(task.folder)
    shutil.rmtree(scratch)
