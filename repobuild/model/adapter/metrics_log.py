"""Write the curves of a training run, to be watched during it and afterwards.

    STATE/logs/adapter/COMMIT-KEY/events.out.tfevents.*    TensorBoard
    STATE/logs/adapter/COMMIT-KEY/wandb/                   W&B's own files

The first process writes them. A curve has a thousand points at most, each the mean of
a few steps, and the folders of the newest runs are kept. The files are part of no
artifact and no key: they hold times, an adapter does not.

Curves: `loss`, `rate`, `tokens_per_second`, `held_out_loss`.

The writer is tensorboardX: 0.25 MB and protobuf. `torch.utils.tensorboard` needs all of
tensorboard, which is only needed to view the curves (pip install tensorboard, there).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from repobuild.engine.state_files import remove_links
from repobuild.errors import UsageError, nearest
from repobuild.model.adapter.recipe import MetricsTarget

if TYPE_CHECKING:
    from repobuild.engine.contract import Task
    from repobuild.model.adapter.training_run import TrainingRun

POINTS = 1000  # of a curve, at most
KEPT = 50  # folders of runs
PACKAGES = {"tensorboard": "tensorboardX", "wandb": "wandb"}


def metrics_target(task: Task) -> MetricsTarget:
    """Read `[log]`; raises `UsageError` for a writer that is unknown or missing."""
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
    """Writes points of curves to one kind of file."""

    def write(self, step: int, values: Mapping[str, float]) -> None: ...

    def close(self) -> None: ...


class TensorBoard:
    """Writes event files.

    `first` is the first step of this process. Points that an interrupted run wrote from
    there on are hidden.
    """

    def __init__(self, log: MetricsTarget, first: int) -> None:
        from tensorboardX import SummaryWriter

        purge = {"purge_step": first} if first > 1 else {}
        # The default name holds the second only: a run that is resumed at once would
        # overwrite its own file.
        self.writer = SummaryWriter(
            log.folder, flush_secs=10, filename_suffix=f".{first:07}", **purge
        )

    def write(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)

    def close(self) -> None:
        self.writer.close()


class Wandb:
    """Writes a W&B run named like the folder; WANDB_MODE=offline keeps it local."""

    def __init__(self, log: MetricsTarget, first: int) -> None:
        import wandb

        name = Path(log.folder).name
        resumed: dict[str, Any] = {"id": name, "resume": "allow"} if first > 1 else {}
        self.run = wandb.init(
            project=log.project or None, name=name, dir=log.folder, **resumed
        )

    def write(self, step: int, values: Mapping[str, float]) -> None:
        self.run.log(dict(values), step=step)

    def close(self) -> None:
        self.run.finish()


WRITERS: Mapping[str, Callable[[MetricsTarget, int], CurveWriter]] = {
    "tensorboard": TensorBoard,
    "wandb": Wandb,
}


class MetricsLog:
    """Collects every step and writes means, about `POINTS` over the planned tokens."""

    def __init__(self, writers: Sequence[CurveWriter], planned: int) -> None:
        self.writers = writers
        self.every = planned / POINTS  # tokens
        self.sums: dict[str, float] = {}
        self.steps = self.tokens = 0
        self.began = time.perf_counter()

    def step(self, step: int, tokens: int, values: Mapping[str, float]) -> None:
        """Add a step of `tokens` tokens, summed over all processes."""
        if not self.writers:
            return
        self.steps += 1
        self.tokens += tokens
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        if self.tokens >= self.every:
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
def open_metrics_log(run: TrainingRun) -> Iterator[MetricsLog]:
    """Open the log of this process; only the first process has writers."""
    log = run.job.log
    writers: list[CurveWriter] = []
    if run.rank == 0 and log.folder and log.writers:
        make_run_folder(Path(log.folder))
        writers = [WRITERS[name](log, run.step + 1) for name in log.writers]
    try:
        yield MetricsLog(writers, run.planned)
    finally:
        for writer in writers:
            writer.close()


def make_run_folder(folder: Path) -> None:
    """Make a run's folder and delete the oldest ones beside it; `KEPT` stay."""
    folder.mkdir(parents=True, exist_ok=True)
    remove_links(folder)  # the writers would follow them
    others = sorted(folder.parent.iterdir(), key=lambda path: path.stat().st_mtime)
    for path in [path for path in others if path != folder][: -KEPT + 1 or None]:
        shutil.rmtree(path, ignore_errors=True)
