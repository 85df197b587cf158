"""Where a training run can be watched while it goes on, and afterwards.

    STATE/logs/adapter/COMMIT-KEY/events.out.tfevents.*    TensorBoard
    STATE/logs/adapter/COMMIT-KEY/wandb/                   W&B's own files

Written by the first process; curves are thinned to a thousand points of means, and the
folders of the newest runs are kept. Nothing of it is part of an artifact or of a key:
these files hold times, an adapter does not.

The writer is tensorboardX: 0.25 MB and protobuf. `torch.utils.tensorboard` needs all of
tensorboard, which is for looking (pip install tensorboard, where one looks).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from repobuild.errors import UsageError, nearest
from repobuild.model.adapter.recipe import MetricsTarget

if TYPE_CHECKING:
    from repobuild.engine.contract import Task
    from repobuild.model.adapter.checkpoint import TrainingRun

POINTS = 1000  # of a curve, at most
KEPT = 50  # runs
PACKAGES = {"tensorboard": "tensorboardX", "wandb": "wandb"}


def metrics_target(task: Task) -> MetricsTarget:
    """What the settings say; raises `UsageError` for a writer that is not there."""
    writers = tuple(task.settings["log.to"])
    for name in writers:
        if name not in PACKAGES:
            hint = nearest(name, PACKAGES) or f": it knows {' and '.join(PACKAGES)}"
            raise UsageError(f'unknown writer "{name}" in log.to{hint}')
        if find_spec(PACKAGES[name]) is None:
            raise UsageError(
                f'log.to names "{name}", but the package {PACKAGES[name]} is missing\n'
                f"pip install {PACKAGES[name]}, or take it out of log.to"
            )
    return MetricsTarget(str(task.logs), writers, str(task.settings["log.project"]))


class CurveWriter(Protocol):
    """What a curve is written with."""

    def write(self, step: int, values: Mapping[str, float]) -> None: ...

    def close(self) -> None: ...


class TensorBoard:
    """Event files; points from `first` on that an interrupted run left are hidden."""

    def __init__(self, log: MetricsTarget, first: int) -> None:
        from tensorboardX import SummaryWriter

        purge = {"purge_step": first} if first > 1 else {}
        # A name holds the second only: a run resumed at once would overwrite its own.
        self.writer = SummaryWriter(
            log.folder, flush_secs=10, filename_suffix=f".{first:07}", **purge
        )

    def write(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)

    def close(self) -> None:
        self.writer.close()


class Wandb:
    """A W&B run of the folder's name; WANDB_MODE=offline keeps it on this machine."""

    def __init__(self, log: MetricsTarget, first: int) -> None:
        import wandb

        name = Path(log.folder).name
        again: dict[str, Any] = {"id": name, "resume": "allow"} if first > 1 else {}
        self.run = wandb.init(
            project=log.project or None, name=name, dir=log.folder, **again
        )

    def write(self, step: int, values: Mapping[str, float]) -> None:
        self.run.log(dict(values), step=step)

    def close(self) -> None:
        self.run.finish()


KINDS: Mapping[str, Callable[[MetricsTarget, int], CurveWriter]] = {
    "tensorboard": TensorBoard,
    "wandb": Wandb,
}


class MetricsLog:
    """Told of every step; writes means, at most `POINTS` of them."""

    def __init__(self, writers: Sequence[CurveWriter], steps: int) -> None:
        self.writers = writers
        self.every = -(-steps // POINTS) or 1
        self.sums: dict[str, float] = {}
        self.steps = self.tokens = 0
        self.began = time.perf_counter()

    def step(self, step: int, tokens: int, values: Mapping[str, float]) -> None:
        """One step of so many tokens is done, all processes together."""
        if not self.writers:
            return
        self.steps += 1
        self.tokens += tokens
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        if self.steps == self.every:
            self._write(step)

    def held_out(self, step: int, loss: float) -> None:
        for writer in self.writers:
            writer.write(step, {"held_out_loss": loss})

    def _write(self, step: int) -> None:
        seconds = time.perf_counter() - self.began
        means = {name: total / self.steps for name, total in self.sums.items()}
        for writer in self.writers:
            writer.write(step, {**means, "tokens_per_second": self.tokens / seconds})
        self.sums, self.steps, self.tokens = {}, 0, 0
        self.began = time.perf_counter()


@contextmanager
def metrics_log(run: TrainingRun) -> Iterator[MetricsLog]:
    """The board of this process: with writers in the first one, without elsewhere."""
    log = run.job.log
    writers: list[CurveWriter] = []
    if run.rank == 0 and log.folder and log.writers:
        make_room(Path(log.folder))
        writers = [KINDS[name](log, run.done + 1) for name in log.writers]
    try:
        yield MetricsLog(writers, run.steps)
    finally:
        for writer in writers:
            writer.close()


def make_room(folder: Path) -> None:
    """Make the folder; the oldest of its siblings go."""
    folder.mkdir(parents=True, exist_ok=True)
    others = sorted(folder.parent.iterdir(), key=lambda path: path.stat().st_mtime)
    for path in [path for path in others if path != folder][: -KEPT + 1 or None]:
        shutil.rmtree(path, ignore_errors=True)
