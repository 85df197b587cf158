"""Run the task `adapter`: bring the LoRA adapter of a repository up to a commit.

    adapter(task) -> row
     |
     |  decide
     |--- make_plan                  decision.py    reuse, wait, continue or start anew
     |     |--- Recipe, settings     recipe.py      what decides the weights
     |     `--- Manifest             lineage.py     delta = this manifest - the parent's
     |
     |  train
     |--- train_rounds               this file
     |     |--- train_from_base      one run on all samples (first build, rebase)
     |     |     |--- draw           packing.py     samples of each epoch, within budget
     |     |     `--- Rehearsal      rehearsal.py   texts of the base model itself
     |     `--- continue_parent      rounds on the delta, until it is answered
     |           |--- replay_queue   replay.py      which other samples, how often
     |           `--- ask            generate.py    which samples are answered now
     |
     |          every run:
     |          run_job              this file      in this process, or by a launcher
     |           `--- train          train.py       one run from top to bottom
     |                 |--- batches         packing.py
     |                 |--- learning rate   schedule.py
     |                 |--- held-out loss   held_out_loss.py
     |                 |--- checkpoints     checkpoint.py
     |                 `--- curves          metrics_log.py
     |
     |  gate
     |--- measure_gate, passes_gate  this file      held-out loss of parent and new one
     |
     |  write
     `--- write_artifact             this file      PEFT files, rehearsal, manifest
           `--- Lineage              lineage.py     repobuild.json, and the row

Beside it, adapter_forecast.py predicts decision and cost for `repobuild status`.

While it trains, the artifact's folder also holds

    scratch/            job, checkpoint and result of the first round (recipe.py), and
                        the texts of rehearsal.py
    scratch/round-N/    the same of each further round

A killed build resumes in its round: finished rounds are read, and asking the model
again has the same answer. A finished artifact has no scratch folder. Equal inputs are
equal bytes on one machine.

A task that returns {"object": digest} and leaves its folder empty has the engine keep
that object: a reused adapter is not copied.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import reduce
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.engine.override import REPLACED_ROW
from repobuild.errors import BuildError
from repobuild.model.adapter import packing, replay
from repobuild.model.adapter.decision import (
    Plan,
    Samples,
    StepDecision,
    StepMode,
    drift,
    make_plan,
)
from repobuild.model.adapter.lineage import Lineage, current_digest
from repobuild.model.adapter.recipe import (
    ComputeOptions,
    TrainingJob,
    TrainingResult,
    read_share,
)
from repobuild.model.adapter.rehearsal import NAME, Rehearsal
from repobuild.model.adapter.schedule import peak_rate
from repobuild.model.base import load_tokenizer
from repobuild.model.conversation import Conversation, Example, TokenisedSamples

if TYPE_CHECKING:
    from repobuild.engine.contract import Progress, Task

# How many turns a thread of libgomp spins before it sleeps. Tokens/s on two cores, idle
# and with one of them taken: default 6.9k and 0.1k, passive 3.5k and 4.0k, 2,000 turns
# 6.6k and 2.2k.
SPIN_COUNT = ("GOMP_SPINCOUNT", "2000")
LATER_REPLAY_DIVISOR = 3  # rounds after the first replay a third of the least


def adapter(task: Task) -> dict[str, Any]:
    """Return the row of this commit's adapter; its files are in `task.folder`.

    Raises `BuildError` when there is nothing to train on.
    """
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
        trained = train_rounds(task, plan)
        scores = measure_gate(task, plan, trained.folder)
        lineage = make_lineage(task, plan, trained, scores)
        write_artifact(task, plan, trained, lineage)
    return lineage.to_row(None if lineage.promoted else decision.row)


def earlier_row(decision: StepDecision) -> dict[str, Any]:
    """Return an earlier adapter's row for this commit: it is reused or kept."""
    assert decision.row is not None
    row = {n: v for n, v in decision.row.items() if n not in ("key", REPLACED_ROW)}
    facts = {"mode": decision.mode.value, "reason": decision.reason, "work": 0}
    return {**row, **facts, "object": current_digest(decision.row), "current": ""}


# ----------------------------------------------------------------------------- train


@dataclass(frozen=True, slots=True)
class TrainingRound:
    """One training run of a step, and its result."""

    folder: Path  # PEFT files
    result: TrainingResult
    trained: list[str]  # ids in order of training; "" for a rehearsal text


@dataclass(frozen=True, slots=True)
class TrainedRounds:
    """All training runs of a step."""

    rounds: list[TrainingRound]
    left_out: dict[str, int]  # reason -> samples
    rehearsal: Rehearsal
    replayed: int = 0  # different samples outside of the delta
    unanswered: list[str] = field(default_factory=list)  # ids, after the last round

    @property
    def folder(self) -> Path:
        return self.rounds[-1].folder

    @property
    def result(self) -> TrainingResult:
        return reduce(TrainingResult.then, (done.result for done in self.rounds))

    def counts(self) -> dict[str, int]:
        every = [sample_id for done in self.rounds for sample_id in done.trained]
        samples = [sample_id for sample_id in every if sample_id]
        return {
            "trained": len(set(samples)),
            "replayed": self.replayed,
            "shown": len(samples),
            "rehearsed": len(every) - len(samples),
            "rounds": len(self.rounds),
            "unanswered": len(self.unanswered),
            **{f"left out: {why}": n for why, n in self.left_out.items()},
        }


def train_rounds(task: Task, plan: Plan) -> TrainedRounds:
    """Train the parent on the delta, or the base model on everything."""
    conversation = Conversation(load_tokenizer(plan.base), plan.base.fim)
    longest = plan.recipe.sequence_length
    held_out = conversation.tokenise(plan.held_out, longest).kept
    trainer = ContinualTrainer(task, plan, conversation, held_out)
    return trainer.continue_parent() if plan.continues else trainer.train_from_base()


@dataclass(frozen=True, slots=True)
class RoundStart:
    """Where a round starts."""

    number: int  # from 1
    parent: str = ""  # folder of the adapter to continue, "" = a new one on the base
    note: str = ""  # added to the label of the progress bar


@dataclass(frozen=True, slots=True)
class ContinualTrainer:
    """Runs the training of one step."""

    task: Task
    plan: Plan
    conversation: Conversation
    held_out: list[Example]

    def train_from_base(self) -> TrainedRounds:
        """Train all samples on the base model, in one run."""
        recipe = self.plan.recipe
        samples = self._tokenise(self.plan.samples)
        self._check_not_empty(samples)
        share = self._rehearsal_share
        max_tokens = int(recipe.max_tokens * (1 - share))
        epochs = packing.draw_epochs(
            samples.kept, recipe.epochs, max_tokens, recipe.seed
        )
        tokens = sum(len(samples.kept[n].tokens) for order in epochs for n in order)
        rehearsal = self._make_rehearsal(tokens * share)
        done = self._train_round(RoundStart(1), samples.kept, epochs, rehearsal)
        return TrainedRounds([done], samples.left_out, rehearsal)

    def continue_parent(self) -> TrainedRounds:
        """Train the delta in rounds, until it is answered or the budget is spent.

        A fixed number of epochs is not enough: over ten commits of click eight passes
        left a third of the changed samples unanswered, and all of some commits. So the
        model is asked after each round: a sample that it does not answer word for word
        is trained in the next round, an answered one is shown once more among the
        replayed samples. There are at most `adapter.continue_rounds` rounds, of no more
        tokens in all than a run on the base model takes. In at most four rounds nine in
        ten were answered, and all samples in two commits out of three.
        """
        plan, settings = self.plan, self.task.settings
        assert plan.parent is not None
        delta = self._tokenise_ids(set(plan.delta.to_train))
        start = RoundStart(1, str(self.task.object(current_digest(plan.parent))))
        rehearsal = Rehearsal.read(Path(start.parent))
        queue = self._replay_queue()
        unanswered, answered = [example.id for example in delta.kept], list[str]()
        tokens_left = self._token_budget(delta)
        rounds: list[TrainingRound] = []
        for number in range(1, max(1, int(settings["adapter.continue_rounds"])) + 1):
            note = f", {len(unanswered)} still open" if number > 1 else ""
            start = replace(start, number=number, note=note)
            passes = self._draw_passes(number, unanswered, answered, queue)
            rounds.append(self._train_passes(start, passes, tokens_left, rehearsal))
            start = replace(start, parent=str(rounds[-1].folder))
            tokens_left -= rounds[-1].result.tokens
            unanswered, answered = self._ask(rounds[-1].folder, delta.kept)
            self.task.event("round", number=number, open=len(unanswered))
            if not unanswered or tokens_left < plan.recipe.sequence_length:
                break
        trained = {i for done in rounds for i in done.trained if i}
        replayed = trained - {example.id for example in delta.kept}
        return TrainedRounds(
            rounds, delta.left_out, rehearsal, len(replayed), unanswered
        )

    # ------------------------------------------------------------- samples of a round

    def _tokenise(self, samples: Samples) -> TokenisedSamples:
        return self.conversation.tokenise(samples, self.plan.recipe.sequence_length)

    def _tokenise_ids(self, ids: set[str]) -> TokenisedSamples:
        return self._tokenise([pair for pair in self.plan.samples if pair[0] in ids])

    def _token_budget(self, delta: TokenisedSamples) -> int:
        """Estimate the tokens of a run on the base, from the delta's mean length."""
        recipe, count = self.plan.recipe, max(1, len(delta.kept))
        size = sum(len(example.tokens) for example in delta.kept) / count
        tokens = int(size * len(self.plan.samples) * recipe.epochs)
        return min(tokens, recipe.max_tokens) if tokens else recipe.max_tokens

    def _replay_queue(self) -> Iterator[str]:
        plan = self.plan
        tasks = {sample_id: sample["task"] for sample_id, sample in plan.samples}
        seed = f"{plan.recipe.seed}.{plan.manifest.digest}"
        return replay.replay_queue(tasks, set(plan.delta.to_train), seed, plan.ages)

    def _draw_passes(
        self,
        number: int,
        unanswered: list[str],
        answered: list[str],
        queue: Iterator[str],
    ) -> list[list[str]]:
        """Return the ids of each pass; replayed ones are taken from the queue."""
        settings, count = self.task.settings, len(unanswered)
        share = read_share(settings, "replay")
        most = int(settings["adapter.continue_epochs"])
        samples = int(settings["adapter.continue_samples"])
        passes = replay.count_passes(count, share, most, samples)
        least = int(settings["adapter.least_replay"])
        least //= LATER_REPLAY_DIVISOR if number > 1 else 1
        replayed = islice(queue, replay.count_replayed(count, passes, share, least))
        seed = f"{self.plan.recipe.seed}.{self.plan.manifest.digest}.{number}"
        return replay.build_passes(unanswered, [*answered, *replayed], passes, seed)

    def _train_passes(
        self,
        start: RoundStart,
        passes: list[list[str]],
        tokens_left: int,
        rehearsal: Rehearsal,
    ) -> TrainingRound:
        """Train the passes that fit into the tokens that are left."""
        samples = self._tokenise_ids({i for order in passes for i in order})
        self._check_not_empty(samples)
        index = {example.id: n for n, example in enumerate(samples.kept)}
        epochs = [[index[i] for i in order if i in index] for order in passes]
        sizes = [len(example.tokens) for example in samples.kept]
        max_tokens = int(tokens_left * (1 - self._rehearsal_share))
        epochs = replay.limit_tokens(epochs, sizes, max_tokens)
        return self._train_round(start, samples.kept, epochs, rehearsal)

    def _check_not_empty(self, samples: TokenisedSamples) -> None:
        if samples.kept:
            return
        why = samples.left_out or "the dataset has no train split"
        raise BuildError(
            f"nothing to train on: {len(self.plan.samples)} samples, none of them "
            f"usable ({why})\n"
            "look at `repobuild status`, and at [samples] and adapter.sequence_length"
        )

    @property
    def _rehearsal_share(self) -> float:
        """Share of the tokens that come from rehearsal texts."""
        return read_share(self.task.settings, "rehearsal")

    def _make_rehearsal(self, tokens: float) -> Rehearsal:
        """Generate rehearsal texts, or read those that a killed build generated."""
        scratch, recipe = self.task.folder / "scratch", self.plan.recipe
        if (scratch / NAME).is_file():
            return Rehearsal.read(scratch)
        with self.task.progress("rehearsal", 1) as progress:
            rehearsal = Rehearsal.generate(
                self.plan.base,
                self.conversation,
                tokens,
                recipe.sequence_length,
                recipe.seed,
            )
            progress.advance()
        scratch.mkdir(parents=True, exist_ok=True)
        rehearsal.write(scratch)
        return rehearsal

    # ---------------------------------------------------------------------- one round

    def _train_round(
        self,
        start: RoundStart,
        samples: list[Example],
        epochs: list[list[int]],
        rehearsal: Rehearsal,
    ) -> TrainingRound:
        """Mix rehearsal texts in, and train; the PEFT files are in `trained/`."""
        from repobuild.model.adapter.metrics_log import metrics_target
        from repobuild.model.compute.deepspeed_config import read_config

        task, plan, settings = self.task, self.plan, self.task.settings
        seed = f"{plan.manifest.digest}.{start.number}"
        share = self._rehearsal_share
        examples, epochs = rehearsal.mix_into(samples, epochs, share, seed)
        scratch, log = task.folder / "scratch", metrics_target(task)
        if start.number > 1:  # each round has a checkpoint and a curve of its own
            scratch /= f"round-{start.number}"
            log = replace(log, folder=f"{log.folder}-{start.number}")
        job = TrainingJob(
            base=plan.base,
            parent=start.parent,
            recipe=plan.recipe,
            rate=peak_rate(plan.recipe, settings, continues=bool(start.parent)),
            epochs=epochs,
            deepspeed=read_config(_from_root(settings, "adapter.deepspeed")),
            scratch=scratch,
            examples=examples,
            held_out=self.held_out,
            keep_checkpoints=int(settings["adapter.keep_checkpoints"]),
            log=log,
            compute_options=ComputeOptions.of(settings),
        )
        result = run_job(task, job, start.note)
        trained = [examples[n].id for order in epochs for n in order]
        return TrainingRound(scratch / "trained", result, trained)

    def _ask(
        self, folder: Path, delta: Sequence[Example]
    ) -> tuple[list[str], list[str]]:
        """Return the ids that an adapter does not answer word for word, and the others.

        "Word for word" is read off one forward pass (generate.py).
        """
        from repobuild.model.generate import TextGenerator

        knows = TextGenerator.load(self.plan.base, folder).generates_exactly(delta)
        answers = list(zip(delta, knows, strict=True))
        unanswered = [example.id for example, known in answers if not known]
        return unanswered, [example.id for example, known in answers if known]


# --------------------------------------------------------------------------- one run


def run_job(task: Task, job: TrainingJob, note: str) -> TrainingResult:
    """Train a job in this process, or in several; `note` is shown at the bar."""
    processes = task.settings["adapter.processes"]
    hostfile = _from_root(task.settings, "adapter.hostfile")
    with ExitStack() as stack:
        bar = TrainingBar(task, stack, label_run(task, job, processes) + note)
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
    """A progress bar that opens with the first step, when the number is known."""

    def __init__(self, task: Task, stack: ExitStack, label: str) -> None:
        self.task, self.stack, self.label = task, stack, label
        self.progress: Progress | None = None
        self.step = 0
        self.loss = 0.0  # exponential moving average

    def __call__(self, step: int, steps: int, loss: float) -> None:
        if self.progress is None:
            self.loss = loss
            bar = self.task.progress(self.label, steps)
            self.progress = self.stack.enter_context(bar)
        self.loss += 0.1 * (loss - self.loss)
        self.progress.advance(step - self.step)
        self.progress.note(f"loss {self.loss:.3f}")
        self.step = step


# ------------------------------------------------------------------------------ gate


def measure_gate(task: Task, plan: Plan, folder: Path) -> dict[str, float]:
    """Return the held-out loss of the parent, or of the base, and of the new adapter.

    In nats per answer token; empty without held-out samples.
    """
    from repobuild.model.generate import TextGenerator

    parent = task.object(current_digest(plan.parent)) if plan.parent else None
    if not plan.held_out:
        return {}
    averages = []
    with task.progress("gate", 2) as progress:
        for each in (parent, folder):
            losses = TextGenerator.load(plan.base, each).losses(plan.held_out)
            tokens = sum(count for _, count in losses)
            averages.append(
                round(sum(total for total, _ in losses) / max(1, tokens), 4)
            )
            progress.advance()
    return {"parent_loss": averages[0], "loss": averages[1]}


def passes_gate(scores: Mapping[str, float], settings: Mapping[str, Any]) -> bool:
    """Return whether the new adapter is at most `adapter.margin` worse."""
    if not scores:
        return True
    return scores["loss"] <= scores["parent_loss"] + float(settings["adapter.margin"])


# ----------------------------------------------------------------------------- write


def make_lineage(
    task: Task, plan: Plan, trained: TrainedRounds, scores: dict[str, float]
) -> Lineage:
    """Return the adapter's record; one without a parent is always promoted."""
    parent, delta = plan.parent, plan.delta
    samples = {
        "current": len(plan.samples),
        "added": len(delta.added),
        "changed": len(delta.changed),
        "removed": len(delta.removed),
    }
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
    )


def _keep_history(task: Task, trained: TrainedRounds) -> None:
    """Move the weights that were kept along the run into the artifact.

    `checkpoints/checkpoint-STEP/`, with the steps of all rounds counted together.
    """
    from repobuild.model.adapter.checkpoint import HISTORY

    before = 0
    for done in trained.rounds:
        for folder in sorted((done.folder.parent / HISTORY).glob("checkpoint-*[0-9]")):
            step = before + int(folder.name.rpartition("-")[2])
            place = task.folder / "checkpoints" / f"checkpoint-{step}"
            shutil.copytree(folder, place, dirs_exist_ok=True)
        before += done.result.steps


def write_artifact(
    task: Task, plan: Plan, trained: TrainedRounds, lineage: Lineage
) -> None:
    """Write the adapter's files, `repobuild.json` last, and delete the scratch."""
    for file in sorted(trained.folder.glob("adapter_*")):
        shutil.copyfile(file, task.folder / file.name)
    _keep_history(task, trained)
    load_tokenizer(plan.base).save_pretrained(task.folder)
    trained.rehearsal.write(task.folder)
    plan.manifest.write(task.folder)
    lineage.write(task.folder)
    shutil.rmtree(task.folder / "scratch")
