"""Follow one training run in one process: its pass, its step, what was right.

    pass    planned by the scheduler, the same in every process
    step    in each, every process trains one batch of the pass
    end     after the pass that follows nothing: no fact is open, or the budget is spent
    rate    of learning, by tokens: linear warm-up over the first `warmup` of the
            planned ones, then half a cosine down to `FINAL_SHARE` of the peak. A run
            that is not done by then stays there; one of a delta takes another cosine
            as long, and so on

A checkpoint holds the scheduler as it was before the pass, and what was right since. So
a resumed run plans the same pass again and continues inside it.

The number of steps is not known beforehand, so the rate goes by tokens. It depends on
nothing else, so a resumed run continues it exactly. A rate that rises again unlearns:
with two restarts the 283 facts of itsdangerous took 489,000 tokens, and 66 % were right
in other words; with one long curve 318,000, and 76 % (docs/benchmarks/training.md).

Source: Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm
Restarts", for the curve and the restarts of a delta.
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from repobuild.model.adapter.held_out_loss import HeldOutCurve
from repobuild.model.adapter.packing import Batch, bucketed_batches, packed_batches
from repobuild.model.teaching.scheduler import Certainty, Scheduler, Shown

if TYPE_CHECKING:
    import torch

    from repobuild.model.adapter.recipe import TrainingJob

FINAL_SHARE = 0.1  # of the peak rate, at the last planned token
FIRST_SHARE = 0.02  # of the peak rate, in the first step


class StepReport(NamedTuple):
    """What is told of a step."""

    step: int  # done
    tokens: int  # of all steps so far
    planned: int  # tokens of the whole run, as expected now
    loss: float
    taught: int  # facts introduced
    mastered: int


ReportStep = Callable[[StepReport], None]


@dataclass(slots=True)
class TrainingRun:
    """The state of a run in one process."""

    job: TrainingJob
    report: ReportStep
    scheduler: Scheduler
    planned: int  # tokens of the whole run, about
    job_digest: str  # computed once: it reads every example
    step: int = 0  # done
    tokens: int = 0  # trained in these steps, without padding and general text
    answer_tokens: int = 0
    losses: list[float] = field(default_factory=list)  # by step, of this process
    drifts: list[float] = field(default_factory=list)  # on general text, where shown
    held_out: HeldOutCurve = field(default_factory=HeldOutCurve)
    taught: int = 0  # facts introduced, this pass included
    mastered: int = 0  # before the pass
    expected: int = 0  # tokens of the whole run, as this pass lets expect
    # The scheduler's state before the pass.
    before: dict[str, Any] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)  # of the pass, of all processes
    done: int = 0  # steps of the pass
    results: dict[int, int] = field(default_factory=dict)  # of the pass: fact -> doubt
    _fact_of: dict[int, int] = field(default_factory=dict)  # by example of the pass

    @classmethod
    def start(cls, job: TrainingJob, report: ReportStep) -> TrainingRun:
        sizes = [len(example.tokens) for example in job.examples]
        scheduler = Scheduler(job.facts, sizes, job.pace)
        return cls(job, report, scheduler, scheduler.planned_tokens, job.digest)

    @property
    def checkpoint(self) -> Path:
        return self.job.scratch / "checkpoint"

    @property
    def world(self) -> int:
        """Number of processes."""
        return int(os.environ.get("WORLD_SIZE", "1"))

    @property
    def rank(self) -> int:
        return int(os.environ.get("RANK", "0"))

    # ----------------------------------------------------------------------- passes

    @property
    def ended(self) -> bool:
        return not self.batches

    def open_pass(self) -> None:
        """Plan the next pass and its batches; the run ends if there is nothing left."""
        self.before = self.scheduler.dump()
        self.results, self.done = {}, 0
        shown = self.scheduler.next_pass()
        states = self.scheduler.states.values()
        self.taught = len(states)
        self.mastered = sum(state.box >= self.job.pace.mastery for state in states)
        self._fact_of = {example: fact for fact, example in shown}
        self.batches = self._plan_batches(shown)
        sizes = self.scheduler.sizes
        of_pass = sum(sizes[n] for batch in self.batches for row in batch for n in row)
        self.expected = self.tokens + of_pass + self.scheduler.expected_tokens

    def _plan_batches(self, shown: Sequence[Shown]) -> list[Batch]:
        """Return the batches of a pass; their number is a multiple of the processes.

        A step has the same number of tokens on any number of processes.
        """
        if not shown:
            return []
        recipe, lengths = self.job.recipe, self.scheduler.sizes
        order = [example for _, example in shown]
        longest = max(lengths[number] for number in order)
        size = max(recipe.batch_tokens // self.world, longest)
        chance = random.Random(f"{recipe.seed}.{self.scheduler.passes}")
        chance.shuffle(order)
        seed = chance.randrange(1 << 30)
        if self._packed():
            row = max(recipe.sequence_length, longest)
            batches = packed_batches(lengths, order, size, row, seed)
        else:
            batches = bucketed_batches(lengths, order, size, seed)
        while len(batches) % self.world:
            batches.append(chance.choice(batches))
        return batches

    def _packed(self) -> bool:
        """Return whether a row holds several examples."""
        import torch

        chosen = self.job.recipe.packing
        return chosen == "packed" or (chosen == "auto" and torch.cuda.is_available())

    @property
    def own_batch(self) -> Batch:
        """The batch that this process trains in the next step."""
        return self.batches[self.done * self.world + self.rank]

    def take_step(self, loss: float, marks: torch.Tensor) -> None:
        """Note a step: its loss, and a `Certainty` for each answer token.

        `marks` is (N,), for the N answer tokens of this process's batch in their order.
        """
        import torch

        examples = self.job.examples
        numbers = [number for row in self.own_batch for number in row]
        counts = [len(examples[n].tokens) - examples[n].answer_start for n in numbers]
        for number, part in zip(numbers, torch.split(marks, counts), strict=True):
            fact = self._fact_of[number]
            found = doubt(int(part.min()))
            self.results[fact] = max(found, self.results.get(fact, 0))
        first = self.done * self.world
        for batch in self.batches[first : first + self.world]:
            for example in (examples[n] for row in batch for n in row):
                self.tokens += len(example.tokens)
                self.answer_tokens += len(example.tokens) - example.answer_start
        self.losses.append(loss)
        self.step += 1
        self.done += 1

    def close_pass(self) -> bool:
        """After the last step of a pass record its results and plan the next one.

        Every process must call it after every step. Returns whether a pass was closed.
        """
        if self.done * self.world < len(self.batches):
            return False
        self.share_results()
        self.scheduler.record({n: doubt(d) for n, d in self.results.items()})
        self.open_pass()
        return True

    def share_results(self) -> None:
        """Give every process the results of all; the greatest doubt holds."""
        if self.world == 1:
            return
        import torch

        shared = torch.zeros(len(self.job.facts), dtype=torch.int8)
        for fact, result in self.results.items():
            shared[fact] = result
        if torch.cuda.is_available():
            shared = shared.cuda()
        torch.distributed.all_reduce(shared, torch.distributed.ReduceOp.MAX)
        values = shared.tolist()
        self.results = {fact: value for fact, value in enumerate(values) if value}

    # ------------------------------------------------------------------------ rates

    def passes_share(self, before: int, parts: int) -> bool:
        """Return whether the last step ended one of `parts` equal parts of the run.

        `before` are the tokens before that step. The end of the last part is the end of
        the run, wherever that comes.
        """
        first, last = (
            min(parts - 1, tokens * parts // self.planned)
            for tokens in (before, self.tokens)
        )
        return first < last

    def rate_after(self, tokens: int) -> float:
        """Return the share of the peak rate of the step that follows so many tokens."""
        progress = tokens / self.planned
        if self.job.pace.at_once and progress >= 1:
            return rate_at(progress % 1.0, warmup=0.0)
        return rate_at(progress, self.job.recipe.warmup)

    def tell(self) -> None:
        """Report the last step, in the first process."""
        if self.rank:
            return
        self.report(
            StepReport(
                self.step,
                self.tokens,
                max(self.expected, self.tokens),
                self.losses[-1],
                self.taught,
                self.mastered,
            )
        )

    def thin_losses(self, points: int) -> list[list[float]]:
        """Return at most `points` of [step, mean loss since the last point]."""
        size = math.ceil(len(self.losses) / points) or 1
        parts = [self.losses[i : i + size] for i in range(0, len(self.losses), size)]
        ends = [min((i + 1) * size, len(self.losses)) for i in range(len(parts))]
        return [
            [float(end), round(sum(part) / len(part), 4)]
            for end, part in zip(ends, parts, strict=True)
        ]


def doubt(answer: int) -> int:
    """Return 1 for a sure answer, 2 for a right one, 3 for a wrong one; and back."""
    return len(Certainty) - answer


def rate_at(progress: float, warmup: float) -> float:
    """Return the share of the peak rate; `progress` counts the planned tokens as 1."""
    if progress < warmup:
        return FIRST_SHARE + (1 - FIRST_SHARE) * progress / warmup
    part = min(1.0, (progress - warmup) / (1.0 - warmup)) if warmup < 1 else 1.0
    cosine = 0.5 * (1 + math.cos(math.pi * part))
    return FINAL_SHARE + (1 - FINAL_SHARE) * cosine
