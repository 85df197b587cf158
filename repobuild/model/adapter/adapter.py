"""Run the task `adapter`: bring the LoRA adapter of a repository up to a commit.

    adapter(task) -> row
     |
     |--- generate_adapter           ../hypernet/   strategies that do not train
     |
     |  decide
     |--- make_plan                  decision.py    reuse, wait, continue or start anew
     |     |--- Recipe, settings     recipe.py      what decides the weights
     |     |--- read_teachable       teaching/       what may be taught, without texts
     |     |--- facts in order       teaching/       what is taught, and what first
     |     `--- Manifest             lineage.py     delta = this manifest - the parent's
     |
     |  train
     |--- train_step                 this file
     |     |--- the run's facts      teaching/       those of the delta, and reviews
     |     |--- general text         teaching/
     |     `--- run_job              this file      in this process, or by a launcher
     |           `--- train          train.py       one run from top to bottom
     |                 |--- passes, rate    teaching/, training_run.py
     |                 |--- batches         packing.py
     |                 |--- held-out loss   held_out_loss.py
     |                 |--- checkpoints     checkpoint.py
     |                 `--- curves          metrics_log.py
     |
     |  gate
     |--- measure_gate, passes_gate  promotion.py   held-out loss of parent and new one
     |
     |  write
     `--- write_artifact             this file      PEFT files, manifest
           `--- Lineage              lineage.py     repobuild.json, and the row

Beside it, adapter_forecast.py predicts decision and cost for `repobuild status`.

While it trains, the artifact's folder also holds scratch/: job, checkpoint and result
of the run (recipe.py). A killed build resumes in it: asking the parent again has the
same answer. A finished artifact has no scratch folder. Equal inputs are equal bytes on
one machine.

A task that returns {"object": digest} and leaves its folder empty has the engine keep
that object: a reused adapter is not copied.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.errors import BuildError
from repobuild.model.adapter.decision import (
    Plan,
    StepMode,
    drift,
    earlier_row,
    make_plan,
)
from repobuild.model.adapter.lineage import Known, Lineage, current_digest
from repobuild.model.adapter.promotion import measure_gate, passes_gate
from repobuild.model.adapter.recipe import (
    LORA,
    ComputeOptions,
    TrainingJob,
    TrainingResult,
    read_boxes,
    read_share,
)
from repobuild.model.adapter.training_run import StepReport
from repobuild.model.base import load_tokenizer
from repobuild.model.conversation import Conversation
from repobuild.model.hypernet.chosen import HYPERNET
from repobuild.model.teaching.curriculum import TeachableFact
from repobuild.model.teaching.general_text import read_windows, window_tokens
from repobuild.model.teaching.lesson import (
    Lesson,
    boxes_after_asking,
    coverage,
    facts_to_ask,
    first_lesson,
    known_after,
    next_lesson,
    phrasings,
)
from repobuild.model.teaching.scheduler import Certainty
from repobuild.resources import program

if TYPE_CHECKING:
    from repobuild.engine.contract import Progress, Task

# How many turns a thread of libgomp spins before it sleeps. Tokens/s on two cores, idle
# and with one of them taken: default 6.9k and 0.1k, passive 3.5k and 4.0k, 2,000 turns
# 6.6k and 2.2k.
SPIN_COUNT = ("GOMP_SPINCOUNT", "2000")


def adapter(task: Task) -> dict[str, Any]:
    """Return the row of this commit's adapter; its files are in `task.folder`.

    Raises `BuildError` when there is nothing to train on.
    """
    if task.settings["adapter.strategy"] != LORA:
        from repobuild.model.hypernet.strategy import generate_adapter

        return generate_adapter(task)
    with task.progress("comparing the samples with the parent's", 0):
        plan = make_plan(task)
    decision = plan.decision
    task.event("adapter", mode=decision.mode.value, reason=decision.reason)
    if decision.mode in (StepMode.REUSE, StepMode.WAIT):
        return earlier_row(decision)
    if (task.folder / "repobuild.json").is_file():
        # A killed build had written the adapter whole, but the engine not its row.
        shutil.rmtree(task.folder / "scratch", ignore_errors=True)
        task.event("resume", step="written")
        lineage = Lineage.read(task.folder)
    else:
        os.environ.setdefault(*SPIN_COUNT)  # read when torch is loaded
        trained = train_step(task, plan)
        asked = plan.texts.pairs(plan.held_out)
        scores = measure_gate(task, plan.base, plan.parent, trained.folder, asked)
        lineage = make_lineage(task, plan, trained, scores)
        write_artifact(task, plan, trained, lineage)
    return lineage.to_row(None if lineage.promoted else decision.row)


# ----------------------------------------------------------------------------- train


@dataclass(frozen=True, slots=True)
class TrainedStep:
    """The training run of a step, and what is known after it."""

    folder: Path  # PEFT files
    result: TrainingResult
    lesson: Lesson
    boxes: Mapping[int, tuple[int, int]]  # of the lesson's facts: box, times shown
    known: Mapping[str, Known]  # facts

    def counts(self) -> dict[str, int]:
        shown = {n for n, (_, times) in self.boxes.items() if times}
        mastery = self.lesson.pace.mastery
        unmastered = (n for n in shown if self.boxes[n][0] < mastery)
        return {
            "trained": len(shown),
            "reviewed": sum(self.lesson.taught[n].box is not None for n in shown),
            "shown": self.result.shown,
            "open": sum(1 for _ in unmastered),
            **{f"left out: {why}": n for why, n in self.lesson.left_out.items()},
        }


def train_step(task: Task, plan: Plan) -> TrainedStep:
    """Train the parent on the delta and reviews, or the base model on everything."""
    conversation = Conversation(load_tokenizer(plan.base), plan.base.fim)
    budget = int(task.settings["adapter.budget"])
    asked: dict[str, Certainty] = {}
    if plan.continues:
        to_ask = facts_to_ask(plan)
        asked = ask_parent(task, plan, conversation, to_ask)
        reviews = boxes_after_asking(plan, to_ask, asked)
        review = read_share(task.settings, "review")
        with task.progress("choosing facts", 0):
            lesson = next_lesson(plan, conversation, budget, review, reviews)
    else:
        with task.progress("choosing facts", 0):
            lesson = first_lesson(plan, conversation, budget)
    if not lesson.facts:
        raise BuildError(
            f"nothing to train on: {len(plan.samples)} samples, none of them usable "
            f"({lesson.left_out or 'the dataset has no train split that is taught'})\n"
            f"look at `{program()} status`, and at [samples], adapter.teach and "
            "adapter.sequence_length"
        )
    job = make_job(task, plan, conversation, lesson)
    result = run_job(task, job)
    boxes = read_boxes(job.scratch / "trained")
    known = known_after(plan, lesson, boxes, asked)
    return TrainedStep(job.scratch / "trained", result, lesson, boxes, known)


def ask_parent(
    task: Task, plan: Plan, conversation: Conversation, facts: Sequence[TeachableFact]
) -> dict[str, Certainty]:
    """Return how the parent answers each fact, word for word or not.

    Each is asked in one phrasing that it was taught in, the next one at every adapter,
    and a guarded one in another, too. It is read off one forward pass (generate.py).
    """
    from repobuild.model.generate import TextGenerator

    if not facts or plan.parent is None:
        return {}
    asked: dict[str, str] = {}
    pairs: list[tuple[str, Mapping[str, Any]]] = []
    for fact in facts:
        words = phrasings(plan, fact)
        half = len(words) // 2 if fact.id in plan.guarded else 0
        for turn in sorted({0, half}):
            pairs.append(words[(plan.chain_length + turn) % len(words)])
            asked[pairs[-1][0]] = fact.id
    examples = conversation.tokenise(pairs, plan.recipe.sequence_length).kept
    parent = task.object(current_digest(plan.parent))
    with task.progress("asking the parent", len(examples)) as progress:
        model = TextGenerator.load(plan.base, parent)
        answers = model.mark_answers(examples, as_trained=True)
        progress.advance(len(examples))
    worst: dict[str, Certainty] = {}
    for example, answer in zip(examples, answers, strict=True):
        fact_id = asked[example.id]
        worst[fact_id] = min(answer, worst.get(fact_id, Certainty.SURE))
    right = sum(answer != Certainty.WRONG for answer in worst.values())
    task.event("review", asked=len(worst), right=right)
    return worst


def make_job(
    task: Task, plan: Plan, conversation: Conversation, lesson: Lesson
) -> TrainingJob:
    from repobuild.model.adapter.metrics_log import metrics_target
    from repobuild.model.compute.deepspeed_config import read_config

    settings, recipe = task.settings, plan.recipe
    parent = str(task.object(current_digest(plan.parent))) if plan.parent else ""
    rate = recipe.learning_rate
    if parent:
        rate *= float(settings["adapter.continue_rate"])
    window = window_tokens(recipe.batch_tokens, recipe.keep)
    return TrainingJob(
        base=plan.base,
        parent=parent,
        recipe=recipe,
        rate=rate,
        facts=lesson.taught,
        pace=lesson.pace,
        deepspeed=read_config(_from_root(settings, "adapter.deepspeed")),
        scratch=task.folder / "scratch",
        examples=lesson.examples,
        held_out=conversation.tokenise(
            plan.texts.pairs(plan.held_out), recipe.sequence_length
        ).kept,
        general=read_windows(conversation, window),
        keep_checkpoints=int(settings["adapter.keep_checkpoints"]),
        log=metrics_target(task),
        compute_options=ComputeOptions.of(settings),
        start="" if parent else write_start(task, plan),
    )


def write_start(task: Task, plan: Plan) -> str:
    """Return the folder of the generated adapter that a new one starts from, or ""."""
    if plan.recipe.start != HYPERNET:
        return ""
    from repobuild.model.hypernet.strategy import write_generated

    folder = task.folder / "scratch" / "start"
    if not (folder / "adapter_config.json").is_file():
        write_generated(task, plan.base, folder)
    return str(folder)


# --------------------------------------------------------------------------- one run


def run_job(task: Task, job: TrainingJob) -> TrainingResult:
    """Train a job in this process, or in several."""
    processes = task.settings["adapter.processes"]
    hostfile = _from_root(task.settings, "adapter.hostfile")
    with ExitStack() as stack:
        stack.enter_context(task.progress("loading the base", 0))
        bar = TrainingBar(task, stack, label_run(task, job, processes))
        if processes > 1 or hostfile:
            from repobuild.model.compute.launch import launch

            return launch(job, processes, hostfile, bar)
        from repobuild.model.adapter.train import train

        return train(job, bar)


def _from_root(settings: Mapping[str, Any], name: str) -> str:
    """Return a setting, as a path from the repository's folder if it is a path."""
    value = str(settings[name])
    if name == "adapter.deepspeed" and "/" not in value and not value.endswith(".json"):
        return value  # a shipped file's name
    root = Path(settings.get("root", ""))
    return str(Path(root, Path(value).expanduser())) if value else ""


def label_run(task: Task, job: TrainingJob, processes: int) -> str:
    """Return the label of a run's progress bar, and record that a run is resumed.

    With another number of processes only the weights are resumed (checkpoint.py).
    """
    from repobuild.model.adapter.checkpoint import read_checkpoint_state

    state = read_checkpoint_state(job.scratch, job.digest)
    if not state:
        return "training"
    step, before = state["step"], state.get("world")
    if before == processes:
        task.event("resume", step=step, optimizer="kept")
        return f"training from step {step}"
    task.event("resume", step=step, optimizer=f"fresh: {before} processes before")
    difference = f"{before} processes before, now {processes}"
    return f"training from step {step}, weights only ({difference})"


class TrainingBar:
    """A progress bar of tokens, which opens with the first step."""

    def __init__(self, task: Task, stack: ExitStack, label: str) -> None:
        self.task, self.stack, self.label = task, stack, label
        self.progress: Progress | None = None
        self.tokens = 0
        self.loss = 0.0  # exponential moving average

    def __call__(self, step: StepReport) -> None:
        if self.progress is None:
            self.loss = step.loss
            bar = self.task.progress(self.label, step.planned)
            self.progress = self.stack.enter_context(bar)
        self.loss += 0.1 * (step.loss - self.loss)
        self.progress.expect(step.planned)
        self.progress.advance(step.tokens - self.tokens)
        facts = f"{step.mastered:,} of {step.taught:,} facts"
        self.progress.note(f"{facts}, loss {self.loss:.3f}")
        self.tokens = step.tokens


# ----------------------------------------------------------------------------- write


def make_lineage(
    task: Task, plan: Plan, trained: TrainedStep, scores: dict[str, float]
) -> Lineage:
    """Return the adapter's record; one without a parent is always promoted."""
    parent, delta = plan.parent, plan.delta
    samples = {"current": len(plan.samples), **delta.counts()}
    return Lineage(
        commit=task.commit,
        tree=task.tree,
        parent=current_digest(parent) if parent else "",
        mode=plan.decision.mode.value,
        reason=plan.decision.reason,
        base={"name": plan.base.name, "digest": plan.base.digest},
        dataset=plan.manifest.digest,
        recipe=asdict(plan.recipe),
        recipe_digest=plan.recipe.digest,
        chain=plan.chain_length,
        drift=drift(parent, delta, len(plan.samples)) if parent else 0.0,
        samples={**samples, **trained.counts()},
        training=asdict(trained.result),
        scores=scores,
        promoted=not plan.continues or passes_gate(scores, task.settings),
        budget=int(task.settings["adapter.budget"]),
        coverage=coverage(plan.facts, trained.known, plan.recipe.mastery),
    )


def _keep_history(task: Task, trained: TrainedStep) -> None:
    """Move the weights that were kept along the run into the artifact.

    They are in `checkpoints/checkpoint-STEP/`.
    """
    from repobuild.model.adapter.checkpoint import HISTORY

    kept = trained.folder.parent / HISTORY
    for folder in sorted(kept.glob("checkpoint-*[0-9]")):
        shutil.copytree(folder, task.folder / "checkpoints" / folder.name)


def write_artifact(
    task: Task, plan: Plan, trained: TrainedStep, lineage: Lineage
) -> None:
    """Write the adapter's files, `repobuild.json` last, and delete the scratch."""
    for file in sorted(trained.folder.glob("adapter_*")):
        shutil.copyfile(file, task.folder / file.name)
    _keep_history(task, trained)
    load_tokenizer(plan.base).save_pretrained(task.folder)
    replace(plan.manifest, facts=trained.known).write(task.folder)
    lineage.write(task.folder)
    shutil.rmtree(task.folder / "scratch")
