"""Build what hooks want, one commit at a time, in a process that nobody waits for.

    drain         hold builder.lock until nothing is wanted any more
    _build        wait until it may run, start `repobuild` as a child, watch it
    _watch        end the child when a newer commit is wanted or its time is over

The child is a build like any other: it takes the state's lock, and SIGTERM is a point
from which the next build continues. A table that is being written is rolled back, and
a training resumes from its last checkpoint when the same commit is built again. When
the builder dies, its child ends within a second (engine/run/child_processes.py).

After three interruptions in a row a build is left to end: somebody who commits more
often than an adapter can be trained would never get one.

The builder itself loads no torch and sleeps nearly all of the time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from repobuild.engine.storage.lock import hold_lock
from repobuild.errors import BuildError, LockedError, UsageError
from repobuild.git.discovery import locate
from repobuild.git.repository import refused_by_git
from repobuild.hooks.build_window import BuildWindow, is_on_battery
from repobuild.hooks.builder_record import (
    BUILDING_NOW,
    FAILED,
    IDLE,
    LOCK,
    WAITING,
    BuilderRecord,
    LastBuild,
    error_since,
    now,
    open_log,
    read_record,
)
from repobuild.hooks.wanted import (
    WantedCommit,
    claim_wanted,
    is_claimed,
    read_wanted,
    release_claim,
)
from repobuild.resources import BUILDER, COMMAND_LINE, QUICK

MOST_INTERRUPTIONS = 3  # in a row
SETTLE_SECONDS = 0.3  # `git commit --amend` calls two hooks, a rebase more
_POLL_SECONDS = 0.2
_WAIT_SECONDS = 1.0  # between two looks while a build may not begin
_WINDOW_SECONDS = 5.0  # between two looks at clock and battery while one runs
_END_SECONDS = 60.0  # after SIGTERM, before SIGKILL
_LOCK_TRIES, _LOCK_SECONDS = 10, 0.1
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class HookSettings:
    """The settings `hook.*` of a work tree."""

    window: BuildWindow
    nice: int


ReadSettings = Callable[[Path], HookSettings]


def detach() -> None:
    """Leave the terminal's session, and everything else of the git command."""
    with suppress(PermissionError):  # it leads a session already
        os.setsid()
    os.closerange(3, 256)
    for name in list(os.environ):
        if name.startswith("GIT_") or name in (BUILDER, COMMAND_LINE, QUICK):
            del os.environ[name]


def drain(state: Path, read_settings: ReadSettings) -> None:
    """Build until nothing is wanted; do nothing when another builder lives."""
    while True:
        for _ in range(_LOCK_TRIES):
            try:
                with hold_lock(state / LOCK, "in the background", wait=False):
                    _Builder(state, read_settings).run()
                break
            except LockedError:
                time.sleep(_LOCK_SECONDS)
        else:
            return  # that builder looks at `wanted` again before it ends
        # A hook may have come between the last look and the end of the lock.
        if read_wanted(state) is None:
            return


def forget_built(state: Path, commit: str, is_head: bool = False) -> None:
    """Drop what is undone, or failed, in the background and was now built by hand.

    A failure is over when its commit is built, or HEAD: `hook status` would otherwise
    tell of an error until the next hook, which may be days away.
    """
    last = read_record(state).last
    is_over = last.outcome == FAILED and (is_head or commit == last.commit)
    if read_wanted(state) is None and not is_claimed(state) and not is_over:
        return
    with (
        suppress(LockedError),  # a builder that lives looks after it itself
        hold_lock(state / LOCK, "by hand", wait=False),
    ):
        found = claim_wanted(state)
        if found and found.commit == commit:
            release_claim(state)
        if is_over:
            BuilderRecord().write(state)


@dataclass
class _Builder:
    """The one builder of a repository; it holds the lock."""

    state: Path
    read_settings: ReadSettings
    record: BuilderRecord = field(default_factory=BuilderRecord)
    interruptions: int = 0  # in a row

    def run(self) -> None:
        """Build until nothing is wanted.

        When a signal ends it, the claim stays, so that the next builder continues it.
        """
        last = read_record(self.state).last
        self.record = BuilderRecord(process=os.getpid(), last=last)
        self._write(IDLE, "")  # a killed builder's record may still say "building"
        time.sleep(SETTLE_SECONDS)
        built = None
        while wanted := claim_wanted(self.state):
            if wanted != built:
                built = wanted if self._build(wanted) else None
            if built:
                release_claim(self.state)
        self._write(IDLE, "")

    def _write(self, state: str, commit: str, waits: str = "") -> None:
        self.record = replace(
            self.record, state=state, commit=commit, waits=waits, since=now()
        )
        self.record.write(self.state)

    def _build(self, wanted: WantedCommit) -> bool:
        """Build one commit; return whether that ended, well or badly."""
        try:
            with _inside(wanted, self.state):
                settings = self.read_settings(wanted.work_tree)
                if not self._wait(wanted, settings.window):
                    return False
                return self._run(wanted, settings)
        except BuildError as error:
            self._log(f"error: {error}")
            self._end(wanted, str(error), 0.0)
            return True

    def _wait(self, wanted: WantedCommit, window: BuildWindow) -> bool:
        """Wait until the build may run; return False when a newer one is wanted."""
        told = ""
        while reason := _reason_to_wait(wanted, window):
            if reason != told:
                told = reason
                self._write(WAITING, wanted.commit, reason)
                self._log(f"{wanted.commit[:10]} waits {reason}")
            time.sleep(_WAIT_SECONDS)
            if read_wanted(self.state) or not is_claimed(self.state):
                return False
        return True

    def _run(self, wanted: WantedCommit, settings: HookSettings) -> bool:
        began = time.monotonic()
        self._write(BUILDING_NOW, wanted.commit)
        self._log(f"building {wanted.commit[:10]}")
        descriptor = open_log(self.state)
        try:
            start = os.fstat(descriptor).st_size
            with _child(wanted, settings.nice, descriptor) as child:
                why_ended = self._watch(child, wanted, settings.window)
            code = child.returncode
            seconds = round(time.monotonic() - began, 3)
            if why_ended:
                self._log(f"{wanted.commit[:10]} interrupted: {why_ended}")
                return False
            if code - 128 in _ENDING or -code in _ENDING:
                raise SystemExit(code)  # somebody ends the builds of this machine
            error = error_since(descriptor, start) if code else ""
            if code < 0:
                error = f"the build was killed by signal {-code}"
            self._end(wanted, error or f"exit code {code}" if code else "", seconds)
            return True
        finally:
            os.close(descriptor)

    def _watch(
        self, child: subprocess.Popen[bytes], wanted: WantedCommit, window: BuildWindow
    ) -> str:
        """Follow a build until it ends; return why it was interrupted, if it was."""
        looked = time.monotonic()
        while child.poll() is None:
            time.sleep(_POLL_SECONDS)
            newer = read_wanted(self.state)
            if newer and newer != wanted and self.interruptions < MOST_INTERRUPTIONS:
                self.interruptions += 1
                _end_child(child)
                return f"{newer.commit[:10]} is newer"
            if not is_claimed(self.state):
                _end_child(child)
                return "the hooks were uninstalled"
            if time.monotonic() - looked > _WINDOW_SECONDS:
                looked = time.monotonic()
                if reason := window.reason_to_wait(datetime.now(), is_on_battery):
                    _end_child(child)
                    return f"it waits {reason}"
        return ""

    def _end(self, wanted: WantedCommit, error: str, seconds: float) -> None:
        self.interruptions = 0
        outcome = FAILED if error else "built"
        last = LastBuild(wanted.commit, outcome, error, seconds, now())
        self.record = replace(self.record, last=last)
        self._log(f"{wanted.commit[:10]} {outcome} in {seconds:.1f} s")

    def _log(self, text: str) -> None:
        with open(open_log(self.state), "ab") as file:
            file.write(f"{now()} {text}\n".encode("utf-8", "replace"))


def _reason_to_wait(wanted: WantedCommit, window: BuildWindow) -> str:
    """Return why a build may not begin now; "" when it may."""
    if command := wanted.command_in_progress:
        # The work tree's repobuild.toml is that of some commit on the way.
        return f"for git to end the {command}"
    return window.reason_to_wait(datetime.now(), is_on_battery)


@contextmanager
def _inside(wanted: WantedCommit, state: Path) -> Iterator[None]:
    """Let git find the repository of a work tree as it was for the hook.

    Raises `UsageError` when git does not open it, when the work tree is gone or belongs
    to another repository.
    """
    tree = str(wanted.work_tree)
    named = {"GIT_DIR": str(wanted.folder), "GIT_WORK_TREE": tree}
    try:
        found = locate(tree) if wanted.work_tree.is_dir() else None
        if found and not _is_same(found.folder, wanted.folder):
            os.environ.update(named)  # as with `git --git-dir=… --work-tree=…`
            found = locate(tree)
        if found and found.refusal:
            raise refused_by_git(wanted.work_tree, found.refusal)
        if not found or not _is_same(found.common, state.parent):
            raise UsageError(
                f'the work tree "{tree}" is gone, or belongs to another repository\n'
                "a hook saw a commit in it\nnothing is built until the next hook"
            )
        yield
    finally:
        for name in named:
            os.environ.pop(name, None)


def _is_same(one: str, other: Path) -> bool:
    return bool(one) and os.path.realpath(one) == os.path.realpath(other)


@contextmanager
def _child(
    wanted: WantedCommit, nice: int, log: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a build of a commit; it has ended when the block is left."""
    folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = os.pathsep.join(folder for folder in folders if os.path.isabs(folder))
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "repobuild", "hook", "build", wanted.commit],
        cwd=wanted.work_tree,
        env={**os.environ, BUILDER: str(os.getpid()), "PYTHONPATH": kept},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    try:
        with suppress(OSError):  # it has ended already
            current = os.getpriority(os.PRIO_PROCESS, child.pid)
            os.setpriority(os.PRIO_PROCESS, child.pid, max(current, nice))
        yield child
    finally:
        _end_child(child)


def _end_child(child: subprocess.Popen[bytes]) -> None:
    """Let a build end where the next one continues; kill it when it does not."""
    for end in (child.terminate, child.kill):
        if child.poll() is None:
            end()
            with suppress(subprocess.TimeoutExpired):
                child.wait(_END_SECONDS)
