"""Start training in several processes, and read what the first of them says.

    one machine      torchrun (`python -m torch.distributed.run`), which needs nothing
    several          DeepSpeed's own launcher with its hostfile: passwordless ssh, the
                     same Python and the same scratch folder on every host

DeepSpeed's launcher is not used for one machine: on a CPU it binds ranks to cores with
numactl, which is often missing. The processes talk over gloo or NCCL either way.
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
LINES = 12  # of a failed launch that are shown
END_SECONDS = 10.0
SUMMARY = "====="

Tell = Callable[[int, int, float], None]


def command(job: TrainingJob, processes: int, hostfile: str) -> list[str]:
    """The launcher's command line."""
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


def environment(processes: int) -> dict[str, str]:
    """Ours, without the traces of a process group, and the cores shared out."""
    own = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    found = {k: v for k, v in os.environ.items() if k not in own}
    share = max(1, (os.cpu_count() or 1) // max(1, processes))
    found |= {"OMP_NUM_THREADS": str(share), "GOMP_SPINCOUNT": "2000"}
    found[BUILDER] = str(os.getpid())
    package = str(Path(__file__).parents[2])
    found["PYTHONPATH"] = os.pathsep.join(
        filter(None, [package, found.get("PYTHONPATH", "")])
    )
    return found


def launch(
    job: TrainingJob, processes: int, hostfile: str, tell: Tell
) -> TrainingResult:
    """Run the job; raises `BuildError` with the last lines when it fails."""
    job.write()
    last: deque[str] = deque(maxlen=LINES)
    with subprocess.Popen(
        command(job, processes, hostfile),
        env=environment(processes),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C comes to us, and we end it
    ) as process:
        try:
            listen(process, last, tell)
        except BaseException:
            end(process)
            raise
    if process.returncode:
        shown = "\n".join(last)
        raise BuildError(f"training in {processes} processes failed:\n{shown}")
    return TrainingResult.read(job.scratch / "trained")


def listen(process: subprocess.Popen[str], last: deque[str], tell: Tell) -> None:
    """Pass progress on until the launcher ends; keep its last other lines."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(SUMMARY):  # torchrun's own, without the cause
            break
        if not told(line, tell):
            last.append(line.rstrip())
    process.stdout.read()


def end(process: subprocess.Popen[str]) -> None:
    """End a launcher, which ends its processes; one that does not is killed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
            return


def told(line: str, tell: Tell) -> bool:
    """Pass a progress line on; anything else is the launcher's talk."""
    try:
        step, steps, loss = json.loads(line.rpartition("]: ")[2])
    except (ValueError, TypeError):
        return False
    tell(int(step), int(steps), float(loss))
    return True
