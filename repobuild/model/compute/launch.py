"""Start training in several processes and read the progress that rank 0 prints.

    one machine      torchrun (`python -m torch.distributed.run`); needs nothing else
    several          DeepSpeed's launcher with its hostfile: passwordless ssh, the same
                     Python and the same scratch folder on every host

DeepSpeed's launcher is not used on one machine: on a CPU it binds ranks to cores with
numactl, which is often missing. The processes communicate over gloo or NCCL either way.

Each process gets its share of the cores (OMP_NUM_THREADS) and a short spin time. With
the plain environment every process would start one thread per core, and threads that
spin for a busy core train 0.1k tokens/s instead of 4.4k (threads.py).

Progress protocol: a line `[step, steps, loss]` of JSON on standard output, which the
launcher may prefix with `...]: `. Every other line is kept for the error message.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from repobuild.engine.run.child_processes import BUILDER
from repobuild.errors import BuildError, UsageError
from repobuild.model.adapter.recipe import TrainingJob, TrainingResult

MODULE = "repobuild.model.adapter.train"
SHOWN_LINES = 12  # of a failed launch
END_SECONDS = 10.0  # after SIGTERM, before SIGKILL
TORCHRUN_SUMMARY = "====="

ReportProgress = Callable[[int, int, float], None]  # step, steps, loss


def launch(
    job: TrainingJob, processes: int, hostfile: str, report: ReportProgress
) -> TrainingResult:
    """Run the job in several processes and return its result.

    Raises `BuildError` with the launcher's last lines when training fails, and
    `UsageError` when the host file does not exist.
    """
    job.write()
    last_lines: deque[str] = deque(maxlen=SHOWN_LINES)
    with subprocess.Popen(
        launcher_command(job, processes, hostfile),
        env=process_environment(processes),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C reaches only this process; it ends them
    ) as process:
        try:
            _follow_output(process, last_lines, report)
        except BaseException:
            _end(process)
            raise
    if process.returncode:
        shown = "\n".join(last_lines)
        raise BuildError(f"training in {processes} processes failed:\n{shown}")
    return TrainingResult.read(job.scratch / "trained")


def launcher_command(job: TrainingJob, processes: int, hostfile: str) -> list[str]:
    """Return the launcher's command line."""
    if not hostfile:
        local = ["--standalone", f"--nproc_per_node={processes}", "-m", MODULE]
        return [sys.executable, "-m", "torch.distributed.run", *local, str(job.scratch)]
    if not Path(hostfile).is_file():
        raise UsageError(
            f'host file "{hostfile}" does not exist (adapter.hostfile)\n'
            'write one line a machine: "host slots=1"'
        )
    hosts = [f"--hostfile={hostfile}", "--module", MODULE]
    runner = [sys.executable, "-m", "deepspeed.launcher.runner"]
    return [*runner, *hosts, str(job.scratch)]


def process_environment(processes: int) -> dict[str, str]:
    """Return this process's environment, with the cores shared out.

    Variables of a process group that this process belongs to are removed.
    """
    group = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    variables = {k: v for k, v in os.environ.items() if k not in group}
    threads = max(1, (os.cpu_count() or 1) // max(1, processes))
    variables |= {"OMP_NUM_THREADS": str(threads), "GOMP_SPINCOUNT": "2000"}
    variables[BUILDER] = str(os.getpid())
    package = str(Path(__file__).parents[3])  # the folder that holds `repobuild`
    variables["PYTHONPATH"] = os.pathsep.join(
        filter(None, [package, variables.get("PYTHONPATH", "")])
    )
    return variables


def _follow_output(
    process: subprocess.Popen[str], last_lines: deque[str], report: ReportProgress
) -> None:
    """Report progress until the launcher ends; keep its last other lines."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(TORCHRUN_SUMMARY):  # it does not name the cause
            break
        try:
            step, steps, loss = json.loads(line.rpartition("]: ")[2])
        except (ValueError, TypeError):
            last_lines.append(line.rstrip())
        else:
            report(int(step), int(steps), float(loss))
    process.stdout.read()


def _end(process: subprocess.Popen[str]) -> None:
    """Send SIGTERM to the launcher's process group, and SIGKILL if it does not end."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
            return
