"""Builds as processes: two at once, readers beside, signals, streams, full disks."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.benchmarks.crash_site import digests, events, module, session
from tests.model.test_nano import make_base
from tests.repository import Repository, trust_settings
from tests.standard import Standard

ROOT = Path(__file__).parents[2]
PYTHON = [sys.executable, "-P", "-m", "repobuild"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
BUILD = ["build", "--until", "dataset", "--quiet", "-j2"]
WAIT = 60.0  # seconds, after which a test that waits for something gives up
TRAINING = """
[base]
model = "{base}"

[adapter]
rank = 4
alpha = 8
budget = 400000
mastery = 20
batch_tokens = 256
bf16 = false
"""


@pytest.fixture
def place(repository: Repository) -> Path:
    """A repository whose build takes a second or more."""
    repository.commit({f"m{n}.py": module(n) for n in range(40)})
    return repository.path


def start(place: Path, *arguments: str, **options: object) -> subprocess.Popen[str]:
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    command = [*PYTHON, *arguments]
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        command, cwd=place, env=ENVIRONMENT, text=True, start_new_session=True,
        **options,
    )  # fmt: skip


def run(place: Path, *arguments: str) -> tuple[int, str, str]:
    process = start(place, *arguments)
    out, err = process.communicate(timeout=WAIT)
    return process.returncode, out, err


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


def is_at(place: Path, event: str) -> Callable[[], bool]:
    return lambda: any(e["event"] == event for e in events(place))


def stopped(place: Path) -> subprocess.Popen[str]:
    """Start a build and halt it while it holds the lock."""
    process = start(place, *BUILD)
    wait_for(is_at(place, "begin"))
    process.send_signal(signal.SIGSTOP)
    assert process.poll() is None
    return process


# ----------------------------------------------------------------- two at once


def test_a_second_builder_names_the_first_waits_and_continues(place):
    first = stopped(place)
    second = start(place, *BUILD)
    assert second.stderr is not None
    said = second.stderr.readline()
    pattern = r"waiting for the lock, held by process (\d+), building [0-9a-f]{7}\n"
    found = re.fullmatch(pattern, said)
    assert found and int(found[1]) == first.pid
    first.send_signal(signal.SIGCONT)
    first.communicate(timeout=WAIT)
    assert first.returncode == 0
    _, rest = second.communicate(timeout=WAIT)
    assert second.returncode == 0 and rest == ""


def test_a_builder_that_must_not_wait_exits_with_4(place):
    first = stopped(place)
    code, _, said = run(place, *BUILD, "--no-wait")
    first.kill()
    first.communicate()
    assert code == 4
    assert "held" not in said and f"process {first.pid}, building" in said
    assert run(place, *BUILD, "--no-wait")[0] == 0  # a dead holder holds nothing


def test_readers_during_a_build_see_the_last_build(place):
    assert run(place, *BUILD)[0] == 0
    before = json.loads(run(place, "status", "--json")[1])
    Repository(place).commit({f"m{n}.py": module(n + 50) for n in range(40)})
    process = start(place, *BUILD)
    asked = 0
    while process.poll() is None:
        for verb in (
            ["status", "--json"],
            ["log"],
            ["why", "graph"],
            ["show", "facts"],
        ):
            code, out, err = run(place, *verb)
            assert err == "" and code in (0, 1), (verb, err)
            if verb[0] == "status":
                tables = {t["name"]: t for t in json.loads(out)["tables"]}
                assert set(tables) == {t["name"] for t in before["tables"]}
            asked += process.poll() is None
    process.communicate()
    assert process.returncode == 0 and asked


def test_a_reader_does_not_wait_for_a_stopped_build(place):
    process = stopped(place)
    code, out, _ = run(place, "status")
    assert code == 1 and "stale" in out
    process.kill()
    process.communicate()


# --------------------------------------------------------------------- signals


def test_workers_leave_the_signals_of_the_group_to_their_builder(place):
    """One that Ctrl-C ends while it starts writes a traceback of the interpreter."""
    process = start(place, *BUILD)
    blocked: dict[str, int] = {}

    def are_seen() -> bool:
        for told in session(process.pid):
            one = told.split()[1].rstrip(":")
            with suppress(OSError):  # it has ended
                if b"popen_loky" in Path(f"/proc/{one}/cmdline").read_bytes():
                    status = Path(f"/proc/{one}/status").read_text()
                    (mask,) = re.findall(r"SigBlk:\s*(\w+)", status)
                    blocked[one] = int(mask, 16)
        return len(blocked) > 1 or process.poll() is not None

    wait_for(are_seen)
    wanted = sum(1 << one - 1 for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    assert {mask & wanted for mask in blocked.values()} == {wanted}
    process.kill()
    process.communicate()


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, "interrupted; run again to continue\n"),
        (signal.SIGTERM, 143, "ended by a signal; run again to continue\n"),
        (signal.SIGHUP, 129, "ended by a signal; run again to continue\n"),
    ],
)
@pytest.mark.parametrize("group", [False, True])
def test_a_signal_ends_a_build_with_its_workers(
    place, tmp_path, number, code, said, group
):
    process = start(place, *BUILD)
    wait_for(lambda: len(list(session(process.pid))) > 2 or process.poll() is not None)
    (os.killpg if group else os.kill)(process.pid, number)
    _, err = process.communicate(timeout=WAIT)
    assert process.returncode == code
    assert err == said
    wait_for(lambda: not list(session(process.pid)))
    assert run(place, *BUILD)[0] == 0
    assert_clean(place, tmp_path)


def assert_clean(place: Path, tmp_path: Path) -> None:
    clean = Standard(Repository(place).git, tmp_path / "clean")
    clean.build()
    assert digests(place) == clean.digests()
    clean.close()


def test_workers_end_with_a_builder_that_was_killed(place):
    process = start(place, *BUILD)
    wait_for(lambda: len(list(session(process.pid))) > 2 or process.poll() is not None)
    process.kill()
    process.communicate()
    wait_for(lambda: not list(session(process.pid)))


@pytest.mark.parametrize("seconds", [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5])
def test_a_signal_while_modules_are_loaded_shows_no_traceback(place, seconds):
    """The builder in the background ends a build as soon as a newer one is wanted."""
    process = start(place, *BUILD)
    time.sleep(seconds)
    process.terminate()
    _, err = process.communicate(timeout=WAIT)
    assert "Traceback" not in err
    assert process.returncode in (143, -signal.SIGTERM, 0)


WHILE_LOADING = """
import signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == interrupted:
            signal.raise_signal(signal.SIGINT)

interrupted = sys.argv.pop(1)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupt())
from repobuild.__main__ import main
main()
"""


@pytest.mark.parametrize(
    "name", ["repobuild.noop_cache", "repobuild.cli.signals", "repobuild.cli.main"]
)
def test_ctrl_c_while_modules_are_loaded_is_one_line_and_130(place, name):
    done = subprocess.run(
        [sys.executable, "-P", "-c", WHILE_LOADING, name, "--until", "files"],
        cwd=place, env=ENVIRONMENT, capture_output=True, text=True, timeout=WAIT,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        130,
        "interrupted; run again to continue\n",
    )


IN_A_CALLBACK = """
import os, signal, time, weakref
from repobuild.cli.signals import SignalInterrupt, listen

class Module:
    pass

listen()
module = Module()
held = weakref.ref(module, lambda _: os.kill(os.getpid(), signal.SIGTERM))
try:
    del module
    time.sleep(60)
except SignalInterrupt as interrupt:
    raise SystemExit(interrupt.exit_code)
"""


def test_a_signal_in_the_callback_of_a_weak_reference_is_not_lost():
    """Python drops what such a callback raises; importing a module calls one."""
    done = subprocess.run(
        [sys.executable, "-c", IN_A_CALLBACK],
        capture_output=True,
        text=True,
        timeout=WAIT,
    )
    assert (done.returncode, done.stderr) == (143, "")


def test_a_second_signal_kills(place):
    process = stopped(place)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    wait_for(lambda: ignores(process.pid, signal.SIGINT) is False)
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=WAIT)
    assert process.returncode in (130, -signal.SIGINT)


def ignores(process: int, number: int) -> bool | None:
    """Whether a process catches a signal; None when it is gone."""
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
    found = re.search(r"SigCgt:\s*([0-9a-f]+)", text)
    return bool(found and int(found[1], 16) >> (number - 1) & 1)


def test_a_build_under_nohup_outlives_its_terminal(place):
    process = start(
        place, *BUILD, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
    )
    wait_for(is_at(place, "begin"))
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=WAIT)
    assert process.returncode == 0


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_signal_while_training_keeps_its_checkpoint(place, tmp_path, number):
    base = make_base(tmp_path / "nano")
    (place / "repobuild.toml").write_text(TRAINING.format(base=base.source))
    trust_settings(place)
    process = start(place, "build", "--until", "adapter", "--quiet")
    scratch = place / ".git/repobuild/tmp"
    at = "adapter-*/scratch/checkpoint/state.json"
    wait_for(lambda: list(scratch.glob(at)) or process.poll() is not None)
    process.send_signal(number)
    _, err = process.communicate(timeout=WAIT)
    assert process.returncode == 128 + number, err
    assert err.count("\n") == 1 and "run again to continue" in err
    assert run(place, *BUILD)[0] == 0  # and a build without training keeps it
    (left,) = scratch.glob(at)
    step = json.loads(left.read_text())["step"]
    again = start(place, "build", "--until", "adapter", "--quiet")
    wait_for(lambda: is_at(place, "resume")() or again.poll() is not None)
    again.kill()
    again.communicate()
    assert [e["step"] for e in events(place) if e["event"] == "resume"] == [step]


# --------------------------------------------------------------------- streams


def test_a_reader_that_has_enough_is_no_error(place):
    assert run(place, *BUILD)[0] == 0
    for command in ("show dataset", "status", "--until dataset", "--help"):
        line = f"{' '.join(PYTHON)} {command} | true; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(
            ["bash", "-c", line], cwd=place, env=ENVIRONMENT, capture_output=True,
            text=True,
        )  # fmt: skip
        assert done.stdout.strip() in ("0", "1"), command
        assert done.stderr == "", command


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_write_into_the_state(place, tmp_path, closed):
    line = f"{' '.join(PYTHON)} build --until dataset {closed}"
    done = subprocess.run(["bash", "-c", line], cwd=place, env=ENVIRONMENT)
    assert done.returncode == 0
    again = subprocess.run(["bash", "-c", line], cwd=place, env=ENVIRONMENT)
    assert again.returncode == 0
    assert_clean(place, tmp_path)


# ----------------------------------------------------------------------- disks


def in_a_mount(
    place: Path, mount: str, script: str
) -> subprocess.CompletedProcess[str]:
    """Run a script in a mount of its own; skips where that is not permitted."""
    probe = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    with suppress(OSError):
        if subprocess.run(probe, capture_output=True).returncode == 0:
            return subprocess.run(
                ["unshare", "-m", "bash", "-c", f"{mount}\n{script}"], cwd=place,
                env=ENVIRONMENT, capture_output=True, text=True,
            )  # fmt: skip
    pytest.skip("mounting is not permitted here")


def test_a_full_disk_is_reported_and_a_build_with_space_continues(place, tmp_path):
    tool, disk = " ".join(PYTHON), tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=2m tmpfs {disk} && cp -r {place} {disk}/here"
    script = f"""cd {disk}/here
        {tool} --until dataset; echo "code $?"
        {tool} status >/dev/null; echo "code $?"
        mount -o remount,size=90m {disk}
        {tool} --until dataset -q && {tool} verify | tail -1"""
    done = in_a_mount(place, mount, script)
    codes = [line for line in done.stdout.splitlines() if line.startswith("code")]
    assert codes == ["code 3", "code 1"], done.stdout + done.stderr
    assert "every digest is equal" in done.stdout
    # On a busy machine lines of progress come before.
    errors = [one for one in done.stderr.splitlines() if one.startswith("error: ")]
    assert errors and "make room" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_may_not_grow_is_an_error_and_no_damage(place, tmp_path):
    """The same without mounts: a limit on the size of a file, met in mid-build."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    process = start(place, *BUILD, preexec_fn=limit)
    _, err = process.communicate(timeout=WAIT)
    assert process.returncode == 3
    assert err.startswith("error: ") and "run again to continue" in err
    assert "Traceback" not in err
    assert run(place, *BUILD)[0] == 0
    assert_clean(place, tmp_path)


@pytest.mark.parametrize("killed", [False, True])
def test_a_read_only_repository_can_be_read(place, killed):
    """`killed`: rows are in a journal, which cannot be played in there."""
    assert run(place, "--until", "graph", "-q")[0] == 0
    wanted = run(place, "show", "graph")[1]
    if killed:
        Repository(place).commit({"m0.py": module(99)})
        process = start(place, "build", "--until", "facts", "--quiet")
        wait_for(lambda: "table" in [e["event"] for e in events(place)[8:]] or
                 process.poll() is not None)  # fmt: skip
        process.kill()
        process.communicate()
    tool = " ".join(PYTHON)
    mount = f"mount --bind {place} {place} && mount -o remount,ro,bind {place}"
    script = f"""cd {place}
        {tool} show graph && {tool} why graph && {tool} log && {tool} status
        echo "code $?"
        {tool} --until dataset; echo "code $?" """
    done = in_a_mount(place, mount, script)
    assert done.stdout.startswith(wanted.splitlines()[0]), done.stderr
    codes = [line for line in done.stdout.splitlines() if line.startswith("code")]
    assert codes == ["code 1", "code 3"]
    assert done.stderr.startswith("error: read-only file system")
    assert done.stderr.count("\n") == 2
