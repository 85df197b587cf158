"""Start training in several processes and read the progress that rank 0 prints.

    one machine      torchrun (`python -m torch.distributed.run`); needs nothing else
    several          DeepSpeed's launcher with its hostfile: passwordless ssh, the same
                     Python and the same scratch folder on every host

DeepSpeed's launcher is not used on one machine: on a CPU it binds ranks to cores with
numactl, which is often missing. The processes communicate over gloo or NCCL either way.

Each process gets its share of the cores (OMP_NUM_THREADS) and a short spin time. With
the plain environment every process would start one thread per core, and threads that
spin for a busy core train 0.1k tokens/s instead of 4.4k (threads.py).

DeepSpeed's runner hands host names to ssh, reads `.deepspeed_env` from the working
folder and puts that folder on PYTHONPATH. So `read_hosts` takes nothing that ssh could
read as an option, and the processes start in the run's own scratch folder.

The processes of other hosts get of this process's environment what DeepSpeed exports
(PYTHONPATH, NCCL_*), and what a file `.deepspeed_env` in that folder names: the threads
of each process, and the network device that gloo is to use, `GLOO_SOCKET_IFNAME`.

Progress protocol: a line `[step, steps, loss]` of JSON on standard output, which the
launcher may prefix with `...]: ` (torchrun) or `HOST: ` (pdsh). Every other line is
kept for the error message.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from repobuild.engine.run.child_processes import BUILDER
from repobuild.errors import BuildError, UsageError
from repobuild.model.adapter.recipe import TrainingJob, TrainingResult
from repobuild.model.adapter.training_run import ReportStep, StepReport

MODULE = "repobuild.model.adapter.train"
SHOWN_LINES = 12  # of a failed launch
END_SECONDS = 10.0  # after SIGTERM, before SIGKILL
TORCHRUN_SUMMARY = "====="
MOST_SLOTS = 1024  # of a machine; as many as `adapter.processes` may be
_MOST_BYTES = 1 << 16  # of a host file
# RFC 1123: labels of letters, digits and inner hyphens.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_PREFIX = re.compile(r"^.*?: (?=\[)")  # of a line of progress
_PLAIN = re.compile(r"[\w.,:-]+")
_SLOTS = re.compile(r"slots=([0-9]{1,4})")


def launch(
    job: TrainingJob, processes: int, hostfile: str, report: ReportStep
) -> TrainingResult:
    """Run the job in several processes and return its result.

    Raises `BuildError` with the launcher's last lines when training fails, and
    `UsageError` when the host file does not exist or has a line that names no host.
    """
    command = launcher_command(job, processes, hostfile)
    job.write()
    last_lines: deque[str] = deque(maxlen=SHOWN_LINES)
    with subprocess.Popen(
        command,
        cwd=job.scratch,
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
    job.scratch.mkdir(parents=True, exist_ok=True)
    checked = job.scratch / "hosts"  # what was checked is what the runner reads
    slots = read_hosts(Path(hostfile))
    lines = [f"{host} slots={count}\n" for host, count in slots.items()]
    checked.write_text("".join(lines), "utf-8")
    exported = _exported_variables(max(slots.values()))
    lines = [f"{name}={value}\n" for name, value in exported.items()]
    (job.scratch / ".deepspeed_env").write_text("".join(lines), "utf-8")
    # The rank is in the environment; as an argument it would come before the folder.
    hosts = [f"--hostfile={checked}", "--no_local_rank", "--module", MODULE]
    runner = [sys.executable, "-m", "deepspeed.launcher.runner"]
    return [*runner, *hosts, str(job.scratch)]


def _exported_variables(processes: int) -> dict[str, str]:
    """Return the variables of a host's processes that DeepSpeed does not export."""
    variables = _thread_variables(processes)
    for name, value in os.environ.items():
        # Each is a word of the command line that a shell on the host reads.
        if name.startswith("GLOO_") and _PLAIN.fullmatch(value):
            variables[name] = value
    return variables


def _thread_variables(processes: int) -> dict[str, str]:
    threads = max(1, (os.cpu_count() or 1) // max(1, processes))
    return {"OMP_NUM_THREADS": str(threads), "GOMP_SPINCOUNT": "2000"}


def read_hosts(file: Path) -> dict[str, int]:
    """Return the processes of each host of a host file, by name.

    A line is a host name or an IP address and `slots=N`; `#` begins a comment. Raises
    `UsageError`, with the line, for anything else.
    """
    if not file.is_file():
        raise UsageError(
            f'host file "{file}" does not exist (adapter.hostfile)\n'
            'write one line a machine: "host slots=1"'
        )
    with file.open("rb") as stream:
        text = stream.read(_MOST_BYTES).decode("utf-8", "replace")
    hosts: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        problem = _problem_of_host(words, hosts)
        if problem:
            raise UsageError(
                f'line {number} of host file "{file}": {problem} (adapter.hostfile)\n'
                'write one line a machine: "host slots=1"'
            )
        hosts[words[0]] = int(words[1].removeprefix("slots="))
    if not hosts:
        raise UsageError(f'host file "{file}" names no host (adapter.hostfile)')
    return hosts


def _problem_of_host(words: Sequence[str], hosts: Mapping[str, int]) -> str:
    """Return what is wrong with the words of a line, "" for nothing."""
    shown = json.dumps(words[0][:80])
    if not _is_host(words[0]):
        return f"{shown} is no host name or IP address"
    if words[0] in hosts:
        return f"{shown} is there already"
    slots = _SLOTS.fullmatch(words[1]) if len(words) == 2 else None
    if slots is None or not 1 <= int(slots[1]) <= MOST_SLOTS:
        return f"{shown} must be followed by slots=N alone, N from 1 to {MOST_SLOTS:,}"
    return ""


def _is_host(name: str) -> bool:
    """Return whether a text is a host name or an IP address, and nothing else."""
    if _HOST_NAME.fullmatch(name):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    # A zone, as in fe80::1%eth0, may hold any character.
    return not getattr(address, "scope_id", None)


def process_environment(processes: int) -> dict[str, str]:
    """Return this process's environment, with the cores shared out.

    Variables of a process group that this process belongs to are removed, and so are
    entries of PYTHONPATH that are relative: they may lead into the repository.
    """
    group = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    variables = {k: v for k, v in os.environ.items() if k not in group}
    variables |= _thread_variables(processes)
    variables[BUILDER] = str(os.getpid())
    package = str(Path(__file__).parents[3])  # the folder that holds `repobuild`
    given = variables.get("PYTHONPATH", "").split(os.pathsep)
    kept = [folder for folder in given if os.path.isabs(folder)]
    variables["PYTHONPATH"] = os.pathsep.join([package, *kept])
    return variables


def _follow_output(
    process: subprocess.Popen[str], last_lines: deque[str], report: ReportStep
) -> None:
    """Report progress until the launcher ends; keep its last other lines."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(TORCHRUN_SUMMARY):  # it does not name the cause
            break
        try:
            told = StepReport(*json.loads(_PREFIX.sub("", line)))
        except (ValueError, TypeError):
            last_lines.append(line.rstrip())
        else:
            report(told)
    process.stdout.read()


def _end(process: subprocess.Popen[str]) -> None:
    """Send SIGTERM to the launcher's process group, and SIGKILL if it does not end."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
            return
