"""The builder: one at a time, the latest commit wins, and nothing is lost."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from repobuild.hooks import background
from repobuild.hooks.build_window import BuildWindow
from repobuild.hooks.builder_record import LOCK, error_since, open_log, read_record
from repobuild.hooks.wanted import (
    WantedCommit,
    claim_wanted,
    read_wanted,
    release_claim,
)
from tests.benchmarks.crash_site import session
from tests.cases.commands import CODE, commit, repobuild
from tests.hooks.place import (
    SETTINGS,
    builder,
    head,
    place,
    state,
    wait_for,
    wait_until_built,
)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Path]:
    """A repository with our hook after each commit."""
    made = place(tmp_path / "a place")
    assert repobuild(made, "hook", "install", "post-commit").returncode == 0
    yield made
    with suppress(ProcessLookupError):
        if process := builder(made)["process"]:
            os.kill(process, signal.SIGKILL)


@contextmanager
def long_build(here: Path) -> Iterator[None]:
    """Let every build inside wait for the state's lock: it lasts as long as we like."""
    state(here).mkdir(exist_ok=True)
    with (state(here) / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_waiting_for_the_lock(here: Path) -> bool:
    log = state(here) / "hook.log"
    return log.exists() and log.read_text().rstrip().endswith("unknown")


def is_building(here: Path, commit: str) -> bool:
    facts = builder(here)
    return facts["state"] == "building" and facts["commit"] == commit


def write_wanted(here: Path, text: str) -> None:
    state(here).mkdir(exist_ok=True)
    (state(here) / "wanted").write_text(text)


def drain(here: Path) -> subprocess.CompletedProcess[str]:
    """Run the builder in the foreground, as a hook would start it."""
    return repobuild(here, "hook", "drain", str(here / ".git"), timeout=90)


def processes(number: int) -> set[int]:
    """Return the processes of a session."""
    return {int(line.split(":")[0].split()[1]) for line in session(number)}


def kill_while_it_builds(here: Path) -> str:
    """Kill a builder, wait until its build has ended, too, and return the commit."""
    with long_build(here):
        made = commit(here, {"a.py": "a = 1\n"})
        wait_for(lambda: is_building(here, made))
        process = builder(here)["process"]
        os.kill(process, signal.SIGKILL)
        wait_for(lambda: not processes(process))
    return made


def test_a_commit_is_built_and_nothing_runs_any_more(here):
    made = commit(here, {"a.py": "a = 1\n"})
    wait_until_built(here, made)
    status = json.loads(repobuild(here, "status", "--json").stdout)
    assert status["built"] == made and not status["stale"]
    assert status["background"]["last"]["outcome"] == "built"
    assert status["background"]["wanted"] == ""
    assert not (state(here) / "building").exists()
    assert f"building {made[:10]}" in (state(here) / "hook.log").read_text()
    assert (state(here) / "current").exists()  # `repobuild` has nothing to look up


def test_a_newer_commit_interrupts_an_older_one(here):
    with long_build(here):
        old = commit(here, {"a.py": "a = 1\n"})
        wait_for(lambda: is_building(here, old))
        new = commit(here, {"a.py": "a = 2\n"})
        wait_for(lambda: is_building(here, new))
    wait_until_built(here, new)
    log = (state(here) / "hook.log").read_text()
    assert f"{old[:10]} interrupted: {new[:10]} is newer" in log
    assert f"{old[:10]} built" not in log


def test_after_three_interruptions_a_build_may_end(here):
    """Who commits more often than a build takes would never get one."""
    with long_build(here):
        for number in range(background.MOST_INTERRUPTIONS + 1):
            chosen = commit(here, {"a.py": f"a = {number}\n"})
            wait_for(lambda chosen=chosen: is_building(here, chosen))
        newest = commit(here, {"a.py": "a = 'newest'\n"})
        for _ in range(10):
            assert is_building(here, chosen)
            time.sleep(0.1)
    wait_until_built(here, newest)
    assert f"{chosen[:10]} built in" in (state(here) / "hook.log").read_text()


def test_one_builder_works_at_a_time(here):
    with long_build(here):
        made = commit(here, {"a.py": "a = 1\n"})
        wait_for(lambda: is_building(here, made))
        process = builder(here)["process"]
        assert drain(here).returncode == 0  # another one gives up
        assert builder(here)["process"] == process
    wait_until_built(here, made)


def test_hooks_at_the_same_time_leave_one_whole_commit(here):
    hook, made = here / ".git/hooks/post-commit", head(here)
    started = [subprocess.Popen([hook], cwd=here) for _ in range(10)]
    assert [process.wait() for process in started] == [0] * 10
    wait_until_built(here, made)
    assert not list(state(here).glob("wanted*"))


def test_a_killed_builder_ends_its_build_and_the_next_hook_continues(here):
    made = kill_while_it_builds(here)
    facts = builder(here)
    assert (facts["state"], facts["commit"], facts["process"]) == ("stopped", made, 0)
    text = repobuild(here, "hook", "status").stdout
    assert f"background: the build of {made[:10]} was stopped" in text
    drain(here)
    wait_until_built(here, made)


def test_a_build_by_hand_does_what_a_killed_builder_left(here):
    kill_while_it_builds(here)
    assert builder(here)["state"] == "stopped"
    assert repobuild(here, "build", "--quiet").returncode == 0
    facts = builder(here)
    assert (facts["state"], facts["wanted"]) == ("idle", "")
    # What another commit is, it leaves.
    write_wanted(here, f"{'1' * 40}\n{here}/.git\n{here}\n")
    assert repobuild(here, "build", "--quiet", "--commit", "HEAD~1").returncode == 0
    assert builder(here)["wanted"] == "1" * 40


def test_a_builder_that_is_asked_to_end_leaves_the_commit_for_the_next(here):
    with long_build(here):
        made = commit(here, {"a.py": "a = 1\n"})
        wait_for(lambda: is_waiting_for_the_lock(here))
        process = builder(here)["process"]
        os.kill(process, signal.SIGTERM)
        wait_for(lambda: not processes(process))
    facts = builder(here)
    assert (facts["state"], facts["wanted"]) == ("stopped", made)
    wait_until_built(here, commit(here, {"a.py": "a = 2\n"}))
    assert not (state(here) / "building").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("is_handled", [True, False])
def test_a_build_that_a_signal_ended_has_not_failed(
    tmp_path, monkeypatch, number, is_handled
):
    """Also while its modules are loaded, when nothing handles the signal yet."""
    code = 128 + number if is_handled else -number

    @contextmanager
    def child(*_: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(poll=lambda: code, returncode=code)

    monkeypatch.setattr(background, "_child", child)
    at_any_time = background.HookSettings(BuildWindow.parse("always"), 0)
    one = background._Builder(tmp_path, lambda path: at_any_time)
    with pytest.raises(SystemExit):
        one._run(WantedCommit("1" * 40, tmp_path, tmp_path), at_any_time)
    assert one.record.last.outcome == ""


def test_a_record_from_before_a_restart_does_not_count(here):
    """The machine went down while it built: the lock is free, the record says no."""
    made = commit(here, {"a.py": "a = 1\n"})
    wait_until_built(here, made)
    record = json.loads((state(here) / "builder.json").read_text())
    record |= {"state": "building", "process": 1, "commit": made}
    (state(here) / "builder.json").write_text(json.dumps(record))
    assert (state(here) / LOCK).exists()
    assert builder(here)["state"] == "idle" and builder(here)["process"] == 0


def test_the_last_hook_takes_its_build_along(here):
    """A build that waits for the night must not begin after all."""
    with long_build(here):
        made = commit(here, {"a.py": "a = 1\n"})
        wait_for(lambda: is_building(here, made))
        process = builder(here)["process"]
        done = repobuild(here, "hook", "uninstall")
        assert f"the build of {made[:10]} in the background ends" in done.stdout
        wait_for(lambda: not processes(process))
    facts = builder(here)
    assert (facts["state"], facts["wanted"]) == ("idle", "")
    assert facts["last"]["outcome"] == ""


def test_a_failure_is_shown_and_not_tried_for_ever(here):
    made = commit(here, {"repobuild.toml": SETTINGS.replace("facts", "fcats")})
    wait_until_built(here, made)
    done = repobuild(here, "hook", "status")
    assert done.returncode == 1
    assert f"background: last failed {made[:10]} at" in done.stdout
    assert '  unknown table "fcats" (did you mean "facts"?)' in done.stdout
    fixed = commit(here, {"repobuild.toml": SETTINGS})
    wait_until_built(here, fixed)
    assert repobuild(here, "hook", "status").returncode == 0


def test_a_failure_is_over_when_its_commit_is_built_by_hand(here):
    made = commit(here, {"repobuild.toml": SETTINGS.replace("facts", "fcats")})
    wait_until_built(here, made)
    assert repobuild(here, "--until", "facts").returncode == 0  # not what failed
    assert repobuild(here, "hook", "status").returncode == 1
    (here / "repobuild.toml").write_text(SETTINGS)  # as somebody mends it
    assert repobuild(here).returncode == 0
    done = repobuild(here, "hook", "status")
    assert (done.returncode, "failed" in done.stdout) == (0, False)


def test_broken_settings_are_shown(here):
    made = commit(here, {"repobuild.toml": "[hook]\nwhen = 'never'\n"})
    wait_until_built(here, made)
    last = builder(here)["last"]
    assert last["outcome"] == "failed" and '"hook.when"' in last["error"]


def test_a_token_in_broken_settings_reaches_neither_log_nor_record(here):
    token = "ghp_" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"
    made = commit(here, {"repobuild.toml": f"[hook]\nwhen = '{token}'\n"})
    wait_until_built(here, made)
    for name in ("hook.log", "builder.json"):
        text = (state(here) / name).read_text()
        assert "hook.when" in text and token not in text


def test_it_waits_for_its_hours_and_shows_so(here):
    closed = SETTINGS.replace("always", "00:00-00:00")  # no time at all
    made = commit(here, {"repobuild.toml": closed})
    wait_for(lambda: builder(here)["state"] == "waiting")
    text = repobuild(here, "status").stdout
    assert f"background: {made[:10]} waits until 00:00" in text
    opened = commit(here, {"repobuild.toml": SETTINGS})
    wait_until_built(here, opened)


def test_it_waits_while_git_is_in_the_middle_of_something(here, tmp_path):
    """The settings in the work tree are then those of another commit."""
    git_folder = here / ".git"
    (git_folder / "BISECT_LOG").touch()
    write_wanted(here, f"{head(here)}\n{git_folder}\n{here}\n")
    command = [sys.executable, "-P", "-m", "repobuild", "hook", "drain", git_folder]
    variables = {**os.environ, "PYTHONPATH": str(CODE)}
    process = subprocess.Popen(command, env=variables)
    wait_for(lambda: builder(here)["waits"] == "for git to end the bisect")
    (git_folder / "BISECT_LOG").unlink()
    assert process.wait(90) == 0
    assert builder(here)["last"]["outcome"] == "built"


def test_builds_are_nice_and_know_nothing_of_the_git_command(here):
    commit(here, {"repobuild.toml": SETTINGS + "nice = 15\n"})
    wait_until_built(here, head(here))
    with long_build(here):
        made = commit(here, {"a.py": "a = 1\n"})
        wait_for(lambda: is_waiting_for_the_lock(here))
        process = builder(here)["process"]
        (child,) = processes(process) - {process}
        own = os.getpriority(os.PRIO_PROCESS, 0)  # these tests may be nice, too
        assert os.getpriority(os.PRIO_PROCESS, child) == max(15, own)
        variables = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        assert not [v for v in variables if v.startswith(b"GIT_")]
        assert os.getsid(process) == process
        for name in ("0", "1", "2"):
            target = os.readlink(f"/proc/{process}/fd/{name}")
            assert target in ("/dev/null", str(state(here).resolve() / "hook.log"))
    wait_until_built(here, made)


def test_a_worktree_that_is_gone_is_an_error_in_the_status(here, tmp_path):
    write_wanted(here, f"{head(here)}\n{here}/.git\n{tmp_path}/gone\n")
    drain(here)
    last = builder(here)["last"]
    assert last["outcome"] == "failed" and 'gone" is gone' in last["error"]


def test_a_work_tree_that_git_does_not_open_is_an_error_that_says_why(here, tmp_path):
    write_wanted(here, f"{head(here)}\n{tmp_path}/no-git\n{tmp_path}\n")
    drain(here)
    last = builder(here)["last"]
    assert last["outcome"] == "failed"
    assert '/no-git" (GIT_DIR) is not a git repository' in last["error"]
    assert last["error"].count("\n") == 2  # why, and what to do


def test_a_state_from_elsewhere_cannot_have_another_repository_built(here, tmp_path):
    other = place(tmp_path / "other")
    write_wanted(here, f"{head(other)}\n{other}/.git\n{other}\n")
    drain(here)
    assert builder(here)["last"]["outcome"] == "failed"
    assert not state(other).exists()


def test_a_git_folder_elsewhere_is_found_again(here, tmp_path):
    """As of `git --git-dir=~/.dots --work-tree=~`."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "repobuild.toml").write_text(SETTINGS)
    write_wanted(here, f"{head(here)}\n{here}/.git\n{tree}\n")
    drain(here)
    assert builder(here)["last"]["outcome"] == "built"


@pytest.mark.parametrize(
    "text",
    ["", "HEAD\n/a\n/b\n", "--help\n/a\n/b\n", "a" * 40, "\0" * 100, "é\n" * 9],
)
def test_what_is_no_commit_is_not_built(here, text):
    write_wanted(here, text)
    assert read_wanted(state(here)) is None
    assert drain(here).returncode == 0
    assert builder(here)["last"]["outcome"] == ""
    assert not list(state(here).glob("wanted*"))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"last": 1}', "[" * 100_000])
def test_a_damaged_record_is_an_empty_one(tmp_path, text):
    (tmp_path / "builder.json").write_text(text)
    assert read_record(tmp_path).state == "idle"


def test_a_claim_takes_what_a_hook_wrote_last(tmp_path):
    lines = f"\n{tmp_path}/.git\n{tmp_path}\n"
    for number in "12":
        (tmp_path / "wanted").write_text(number * 40 + lines)
    found = claim_wanted(tmp_path)
    assert found and found.commit == "2" * 40
    (tmp_path / "wanted").write_text("3" * 40 + lines)
    release_claim(tmp_path)  # what came meanwhile stays
    found = claim_wanted(tmp_path)
    assert found and found.commit == "3" * 40
    assert claim_wanted(tmp_path) == found  # a builder that was killed had it


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_no_commit_is_lost_between_the_builders(tmp_path, monkeypatch):
    """A hundred hooks, each with a builder, while others come and go."""
    built = tmp_path / "built"

    def run(self: background._Builder) -> None:
        while found := claim_wanted(self.state):
            with built.open("a") as file:
                file.write(f"{found.commit}\n")
            release_claim(self.state)

    monkeypatch.setattr(background._Builder, "run", run)
    monkeypatch.setattr(background, "_LOCK_SECONDS", 0.001)
    children = []
    for number in range(100):
        fresh = tmp_path / f"wanted.{number}"
        fresh.write_text(f"{number:040x}\n{tmp_path}/.git\n{tmp_path}\n")
        fresh.rename(tmp_path / "wanted")
        child = os.fork()
        if not child:
            background.drain(tmp_path, lambda path: None)  # type: ignore[arg-type]
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    assert not (tmp_path / "wanted").exists() and not (tmp_path / "building").exists()
    numbers = [int(line, 16) for line in built.read_text().splitlines()]
    assert numbers == sorted(numbers) and numbers[-1] == 99


def test_the_error_of_a_build_that_printed_much_is_found(tmp_path):
    printed = b"error: of another build\n"
    log = open_log(tmp_path)
    os.write(log, printed + b"a step\n" * 300_000 + "error: é\nwhy\n".encode())
    assert error_since(log, len(printed)) == "é\nwhy"
    assert error_since(log, os.fstat(log).st_size) == ""
    os.close(log)


def test_the_log_does_not_grow_for_ever(here):
    state(here).mkdir(exist_ok=True)
    (state(here) / "hook.log").write_text("an old line\n" * 200_000)
    made = commit(here, {"a.py": "a = 1\n"})
    wait_until_built(here, made)
    text = (state(here) / "hook.log").read_text()
    assert len(text) < 1_000_000 and f"{made[:10]} built" in text
