"""Teach what a plan says: in one run from the base model, in rounds from a parent.

A commit's samples are not trained for so many epochs and no more, but until they are
answered. After a round the model is asked (generate.py): what it would not say word for
word stays open and is trained in another round, at most `adapter.continue_rounds`, and
no more tokens in all than a run from the base would take. What it answers already is
shown once more beside the replay. Over ten commits of click eight passes alone left a
third of the changed samples unanswered, and all of some commits; in at most four rounds
nine in ten were answered, in two commits out of three all.

    scratch/            the job and its checkpoint of the first round (recipe.py), and
                        what the base said for rehearsal.py
    scratch/round-N/    of the others

A killed build takes up the round that it was in: finished ones are read, and asking
again has the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from repobuild.errors import BuildError
from repobuild.model.adapter import packing, replay
from repobuild.model.adapter.lineage import current
from repobuild.model.adapter.plan import Plan
from repobuild.model.adapter.recipe import (
    ComputeOptions,
    MetricsTarget,
    TrainingJob,
    TrainingResult,
    share_of,
)
from repobuild.model.adapter.rehearsal import NAME, Rehearsal
from repobuild.model.adapter.session import run_job
from repobuild.model.base import load_tokenizer
from repobuild.model.conversation import Conversation, Example, TokenisedSamples

if TYPE_CHECKING:
    from repobuild.engine.contract import Task

LATER = 3  # a later round replays the least of the first, divided by this


@dataclass(frozen=True, slots=True)
class TrainingRound:
    """What went through the model in one run, and what came out."""

    folder: Path  # PEFT files
    outcome: TrainingResult
    shown: list[str]  # ids, as often as they were trained; "" of a text of the base


@dataclass(frozen=True, slots=True)
class TrainedRounds:
    """All rounds of a step."""

    rounds: list[TrainingRound]
    left_out: dict[str, int]  # reason -> samples
    rehearsal: Rehearsal
    replayed: int = 0  # samples
    opened: list[str] = field(default_factory=list)  # not answered at the end

    @property
    def folder(self) -> Path:
        return self.rounds[-1].folder

    @property
    def outcome(self) -> TrainingResult:
        return reduce(TrainingResult.then, (done.outcome for done in self.rounds))

    def counts(self) -> dict[str, int]:
        every = [sample_id for done in self.rounds for sample_id in done.shown]
        shown = [sample_id for sample_id in every if sample_id]
        return {
            "trained": len(set(shown)),
            "replayed": self.replayed,
            "shown": len(shown),
            "rehearsed": len(every) - len(shown),
            "rounds": len(self.rounds),
            "unanswered": len(self.opened),
            **{f"left out: {why}": n for why, n in self.left_out.items()},
        }


def train_adapter(task: Task, plan: Plan) -> TrainedRounds:
    """Train; raises `BuildError` when no sample can be."""
    teacher = ContinualTrainer.of(task, plan)
    return teacher.rounds() if plan.goes_on else teacher.whole()


@dataclass(frozen=True, slots=True)
class ContinualTrainer:
    """One step's task, plan and words."""

    task: Task
    plan: Plan
    conversation: Conversation
    held_out: list[Example]

    @classmethod
    def of(cls, task: Task, plan: Plan) -> ContinualTrainer:
        conversation = Conversation(load_tokenizer(plan.base), plan.base.fim)
        longest = plan.recipe.sequence_length
        held_out = conversation.examples(plan.held_out, longest).kept
        return cls(task, plan, conversation, held_out)

    def examples(self, ids: set[str]) -> TokenisedSamples:
        """Tokens of some of the samples."""
        chosen = [pair for pair in self.plan.trained if pair[0] in ids]
        return self.conversation.examples(chosen, self.plan.recipe.sequence_length)

    def whole(self) -> TrainedRounds:
        """Everything, from the base model."""
        recipe = self.plan.recipe
        found = self.conversation.examples(self.plan.trained, recipe.sequence_length)
        self._check(found)
        most = int(recipe.max_tokens * (1 - self._share))
        epochs = packing.draw(found.kept, recipe.epochs, most, recipe.seed)
        trained = sum(len(found.kept[n].tokens) for order in epochs for n in order)
        rehearsal = self._rehearsal(trained * self._share)
        done = self._run(found.kept, epochs, 1, "", "", rehearsal)
        return TrainedRounds([done], found.left_out, rehearsal)

    @property
    def _share(self) -> float:
        """Of the tokens, what is the base model's own words."""
        return share_of(self.task.settings, "rehearsal")

    def _rehearsal(self, tokens: float) -> Rehearsal:
        """So many tokens of the base model's; a killed build's are taken again."""
        scratch, recipe = self.task.folder / "scratch", self.plan.recipe
        if (scratch / NAME).is_file():
            return Rehearsal.read(scratch)
        with self.task.progress("rehearsal", 1) as progress:
            found = Rehearsal.of(
                self.plan.base, self.conversation, tokens, recipe.sequence_length,
                recipe.seed,
            )  # fmt: skip
            progress.advance()
        scratch.mkdir(parents=True, exist_ok=True)
        found.write(scratch)
        return found

    def rounds(self) -> TrainedRounds:
        """The delta, until it is answered or enough was tried."""
        fresh, parent = self.examples(set(self.plan.delta.shown)), self._parent()
        opened, answered = [example.id for example in fresh.kept], list[str]()
        rehearsal, waiting = Rehearsal.read(Path(parent)), self._waiting()
        left, longest = self._most_tokens(fresh), self.plan.recipe.sequence_length
        rounds: list[TrainingRound] = []
        for number in range(1, max(1, self._number("rounds")) + 1):
            epochs = self._passes(number, opened, answered, waiting)
            note = f", {len(opened)} still open" if number > 1 else ""
            rounds.append(self._round(number, epochs, left, parent, note, rehearsal))
            parent, left = str(rounds[-1].folder), left - rounds[-1].outcome.tokens
            opened, answered = self._asked(rounds[-1].folder, fresh.kept)
            self.task.event("round", number=number, open=len(opened))
            if not opened or left < longest:
                break
        shown = {i for done in rounds for i in done.shown if i}
        others = shown - {example.id for example in fresh.kept}
        return TrainedRounds(rounds, fresh.left_out, rehearsal, len(others), opened)

    def _parent(self) -> str:
        """The folder that is gone on from."""
        assert self.plan.parent is not None
        return str(self.task.object(current(self.plan.parent)))

    def _number(self, name: str) -> int:
        return int(self.task.settings[f"adapter.continue_{name}"])

    def _most_tokens(self, fresh: TokenisedSamples) -> int:
        """No more than from the base, by the length of the delta's samples."""
        recipe, count = self.plan.recipe, max(1, len(fresh.kept))
        size = sum(len(example.tokens) for example in fresh.kept) / count
        whole = int(size * len(self.plan.trained) * recipe.epochs)
        return min(whole, recipe.max_tokens) if whole else recipe.max_tokens

    def _waiting(self) -> Iterator[str]:
        """Samples to replay, in order."""
        plan = self.plan
        tasks = {sample_id: sample["task"] for sample_id, sample in plan.trained}
        seed = f"{plan.recipe.seed}.{plan.manifest.digest}"
        return replay.turns(tasks, set(plan.delta.shown), seed, plan.ages)

    def _passes(
        self,
        number: int,
        opened: list[str],
        answered: list[str],
        waiting: Iterator[str],
    ) -> list[list[str]]:
        """The ids of a round's passes."""
        settings = self.task.settings
        share = share_of(settings, "replay")
        most, samples = self._number("epochs"), self._number("samples")
        passes = replay.passes_for(len(opened), share, most, samples)
        least = int(settings["adapter.least_replay"]) // (LATER if number > 1 else 1)
        count = replay.replayed(len(opened), passes, share, least)
        others = [*answered, *islice(waiting, count)]
        seed = f"{self.plan.recipe.seed}.{self.plan.manifest.digest}.{number}"
        return replay.passes_of(opened, others, passes, seed)

    def _round(
        self, number: int, passes: list[list[str]], left: int, parent: str, note: str,
        rehearsal: Rehearsal,
    ) -> TrainingRound:  # fmt: skip
        """Train some passes, as far as the tokens reach."""
        found = self.examples({sample_id for order in passes for sample_id in order})
        self._check(found)
        place = {example.id: n for n, example in enumerate(found.kept)}
        epochs = [[place[i] for i in order if i in place] for order in passes]
        sizes = [len(example.tokens) for example in found.kept]
        epochs = replay.bounded(epochs, sizes, int(left * (1 - self._share)))
        return self._run(found.kept, epochs, number, parent, note, rehearsal)

    def _run(
        self, samples: list[Example], passes: list[list[int]], number: int,
        parent: str, note: str, rehearsal: Rehearsal,
    ) -> TrainingRound:  # fmt: skip
        seed = f"{self.plan.manifest.digest}.{number}"
        examples, epochs = rehearsal.within(samples, passes, self._share, seed)
        job = self._job(examples, epochs, number, parent)
        outcome = run_job(self.task, job, note)
        shown = [examples[n].id for epoch in epochs for n in epoch]
        return TrainingRound(job.scratch / "trained", outcome, shown)

    def _job(
        self, examples: list[Example], epochs: list[list[int]], number: int, parent: str
    ) -> TrainingJob:
        from repobuild.model.adapter.metrics_log import metrics_target
        from repobuild.model.compute.deepspeed_config import read_config

        settings, recipe = self.task.settings, self.plan.recipe
        scratch = self.task.folder / "scratch"
        share = float(settings["adapter.continue_rate"]) if parent else 1.0
        return TrainingJob(
            base=self.plan.base,
            parent=parent,
            recipe=recipe,
            rate=recipe.learning_rate * share,
            epochs=epochs,
            deepspeed=read_config(settings["adapter.deepspeed"]),
            scratch=scratch / f"round-{number}" if number > 1 else scratch,
            examples=examples,
            held_out=self.held_out,
            log=_of_round(metrics_target(self.task), number),
            means=ComputeOptions.of(settings),
        )

    def _asked(
        self, folder: Path, fresh: Sequence[Example]
    ) -> tuple[list[str], list[str]]:
        """Which samples an adapter does not answer, and which it does."""
        from repobuild.model.generate import TextGenerator

        found: tuple[list[str], list[str]] = ([], [])
        known = TextGenerator.load(self.plan.base, folder).knows(fresh)
        for example, says in zip(fresh, known, strict=True):
            found[says].append(example.id)
        return found

    def _check(self, found: TokenisedSamples) -> None:
        if found.kept:
            return
        raise BuildError(
            f"nothing to train on: {len(self.plan.trained)} samples, none of them "
            f"usable ({found.left_out or 'the dataset has no train split'})\n"
            "look at `repobuild status`, and at [samples] and adapter.sequence_length"
        )


def _of_round(log: MetricsTarget, number: int) -> MetricsTarget:
    """Each round is a curve of its own."""
    return replace(log, folder=f"{log.folder}-{number}") if number > 1 else log
