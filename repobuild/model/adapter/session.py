"""One training run as its builder sees it: where it runs, and how far it is.

In this process, or in as many as the settings say, by a launcher.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from repobuild.model.adapter.checkpoint_state import checkpoint_state
from repobuild.model.adapter.recipe import TrainingJob, TrainingResult

if TYPE_CHECKING:
    from repobuild.engine.contract import Progress, Task


def run_job(task: Task, job: TrainingJob, note: str) -> TrainingResult:
    """Train; `note` is said beside the progress bar."""
    processes = task.settings["adapter.processes"]
    hostfile = task.settings["adapter.hostfile"]
    with ExitStack() as stack:
        tell = TrainingBar(task, stack, label(task, job, processes) + note)
        if processes > 1 or hostfile:
            from repobuild.model.compute.launch import launch

            return launch(job, processes, hostfile, tell)
        from repobuild.model.adapter.train import train

        return train(job, tell)


def label(task: Task, job: TrainingJob, processes: int) -> str:
    """An interrupted run goes on; in other processes without the optimizer's state."""
    facts = checkpoint_state(job.scratch, job.digest)
    if not facts:
        return "training"
    step, before = facts["step"], facts.get("world")
    whole = before == processes
    moments = "kept" if whole else f"fresh: {before} processes before"
    task.event("resume", step=step, optimizer=moments)
    alone = f", weights only ({before} processes before, now {processes})"
    return f"training from step {step}{'' if whole else alone}"


class TrainingBar:
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
