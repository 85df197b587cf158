"""The hook itself: when a commit is wanted, and that git is never disturbed."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from repobuild.hooks.hook_script import NAMES, HookScript, command_for
from repobuild.hooks.wanted import read_wanted
from tests.cases.commands import commit, git
from tests.hooks.place import (
    called,
    fake_python,
    find_program,
    head,
    place,
    put_hooks,
    state,
    wanted,
    write_script,
)


@pytest.fixture
def python(tmp_path: Path) -> Path:
    return fake_python(tmp_path / "bin of mine" / "python")


@pytest.fixture
def here(tmp_path: Path, python: Path) -> Path:
    """A repository with all hooks, in a path with a space and quotes."""
    made = place(tmp_path / 'it\'s a "place"')
    put_hooks(made, python, *NAMES)
    return made


def branch(here: Path, name: str, *files: str, at: str = "HEAD") -> None:
    git(here, "checkout", "-q", "-b", name, at)
    for file in files:
        commit(here, {file: f"{file} = {name!r}\n"})
    wanted(here)


def test_a_merge_wants_the_merged_commit(here, python):
    branch(here, "side", "a.py")
    git(here, "checkout", "-q", "main")
    commit(here, {"b.py": "b = 1\n"})
    wanted(here)
    git(here, "merge", "-q", "--no-edit", "side")
    assert wanted(here) == head(here)
    assert "-P -m repobuild hook drain" in called(python)


def test_a_fast_forward_and_a_commit_are_wanted(here):
    branch(here, "side", "a.py")
    git(here, "checkout", "-q", "main")
    wanted(here)
    git(here, "merge", "-q", "side")
    assert wanted(here) == head(here)
    made = commit(here, {"b.py": "b = 1\n"})
    assert wanted(here) == made


def test_a_squash_is_wanted_when_it_is_committed(here):
    branch(here, "side", "a.py")
    git(here, "checkout", "-q", "main")
    wanted(here)
    git(here, "merge", "-q", "--squash", "side")
    assert wanted(here) == ""
    made = commit(here, {})
    assert wanted(here) == made


def test_a_switched_branch_is_wanted_a_restored_file_is_not(here):
    branch(here, "side", "a.py")
    git(here, "checkout", "-q", "main")
    assert wanted(here) == head(here)
    git(here, "checkout", "-q", "side", "--", "a.py")
    assert wanted(here) == ""
    git(here, "checkout", "-q", "-f", "-b", "same")
    assert wanted(here) == ""


@pytest.mark.parametrize("backend", ["--merge", "--apply"])
def test_a_rebase_is_wanted_once_it_has_ended(here, backend):
    branch(here, "side", "a.py")
    branch(here, "top", "b.py", "c.py", at="main")
    git(here, "rebase", "-q", backend, "side")
    assert wanted(here) == head(here)


def test_nothing_is_wanted_while_a_rebase_waits_for_the_user(here):
    branch(here, "top", "a.py", "b.py")
    edit = {**os.environ, "GIT_SEQUENCE_EDITOR": "sed -i.old 1s/pick/edit/"}
    subprocess.run(
        ["git", "rebase", "-q", "-i", "HEAD~2"], cwd=here, env=edit, check=True
    )
    git(here, "commit", "-q", "--amend", "-m", "edited")
    assert wanted(here) == ""
    git(here, "rebase", "--continue", stderr=subprocess.DEVNULL)
    assert wanted(here) == head(here)


def test_nothing_is_wanted_during_a_bisect(here):
    branch(here, "top", "a.py", "b.py", "c.py", "d.py")
    git(here, "bisect", "start", "HEAD", "main", stderr=subprocess.DEVNULL)
    git(here, "bisect", "good", stderr=subprocess.DEVNULL)
    assert wanted(here) == ""
    git(here, "bisect", "reset", stderr=subprocess.DEVNULL)
    assert wanted(here) == ""


def test_cherry_picks_are_wanted_when_the_last_is_made(here, python):
    branch(here, "side", "a.py", "b.py")
    git(here, "checkout", "-q", "main")
    wanted(here)
    git(here, "cherry-pick", "side")
    assert wanted(here) == head(here)
    git(here, "checkout", "-q", "-b", "two", "main~1")
    # After the first pick nothing is wanted: the state would name that commit.
    write_script(
        here / ".git/hooks/prepare-commit-msg",
        "#!/bin/sh\ncp .git/repobuild/wanted .git/seen 2>/dev/null\nexit 0\n",
    )
    wanted(here)
    git(here, "cherry-pick", "side~2..side")
    assert wanted(here) == head(here)
    assert not (here / ".git/seen").exists()


@pytest.mark.parametrize("command", ["cherry-pick", "merge"])
def test_a_conflict_is_wanted_when_it_is_resolved(here, command):
    branch(here, "side", "a.py")
    branch(here, "other", "a.py", at="main")
    with pytest.raises(subprocess.CalledProcessError):
        git(here, command, "side")
    assert wanted(here) == ""
    made = commit(here, {"a.py": "a = 3\n"})
    assert wanted(here) == made


def test_repobuild_0_switches_it_off(here, monkeypatch):
    monkeypatch.setenv("REPOBUILD", "0")
    commit(here, {"a.py": "a = 1\n"})
    assert wanted(here) == "" and not state(here).exists()


def test_a_worktree_wants_its_own_commit_in_the_common_state(here, tmp_path):
    other = tmp_path / "other"
    git(here, "worktree", "add", "-q", str(other), "-b", "side")
    assert wanted(here) == head(here)
    made = commit(other, {"a.py": "a = 1\n"})
    found = read_wanted(state(here))
    assert found and (found.commit, found.work_tree) == (made, other.resolve())


def test_it_starts_the_builder_from_the_root(here, python):
    """There a relative PYTHONPATH does not lead into the repository."""
    commit(here, {"a.py": "a = 1\n"})
    lines = called(python).splitlines()
    assert lines[0] == f"-P -m repobuild hook drain {here.resolve()}/.git"
    assert lines[1] == "/"


def test_a_git_command_does_not_wait_for_the_builder(here, python):
    """Who reads git's output until it is closed must not wait for hours."""
    write_script(python, "#!/bin/sh\nexec sleep 30\n")
    began = time.monotonic()
    done = subprocess.run(
        ["git", "commit", "-q", "--allow-empty", "-m", "x"],
        cwd=here, capture_output=True, timeout=20,
        env={**os.environ, "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b",
             "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"},
    )  # fmt: skip
    assert done.returncode == 0 and time.monotonic() - began < 20
    assert done.stderr == b""


def test_an_interpreter_that_is_gone_is_one_line_and_no_failure(here, python):
    shutil.rmtree(python.parent)
    done = subprocess.run(
        ["git", "checkout", "-q", "--detach"], cwd=here, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")  # the same commit
    branch(here, "side")
    text = subprocess.run(
        [".git/hooks/post-merge", "0"], cwd=here, capture_output=True, text=True
    )
    assert text.returncode == 0 and text.stdout == ""
    assert text.stderr.count("\n") == 1
    assert f'"{python}" is gone' in text.stderr and "hook install" in text.stderr


@pytest.mark.parametrize("obstacle", ["state", "state link", "wanted folder"])
def test_what_is_in_the_way_fails_no_git_command(here, tmp_path, obstacle):
    if obstacle == "state":
        state(here).write_text("no folder")
    elif obstacle == "state link":
        (tmp_path / "elsewhere").mkdir()
        state(here).symlink_to(tmp_path / "elsewhere")
    else:
        (state(here) / "wanted").mkdir(parents=True)
    done = subprocess.run(
        [".git/hooks/post-merge", "0"], cwd=here, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    if obstacle == "state link":
        assert list((tmp_path / "elsewhere").iterdir()) == []


def test_links_in_the_state_are_not_followed(here, tmp_path):
    """A state that came with an archive may hold some."""
    victims = [tmp_path / name for name in ("wanted", "hook.log")]
    state(here).mkdir()
    for victim in victims:
        victim.write_text("mine")
        (state(here) / victim.name).symlink_to(victim)
    commit(here, {"a.py": "a = 1\n"})
    assert [victim.read_text() for victim in victims] == ["mine", "mine"]
    assert wanted(here) == head(here)


def test_a_shared_hook_does_nothing_where_it_was_not_installed(here, python):
    script = HookScript("post-commit", str(python), "", (), is_shared=True)
    write_script(here / ".git/hooks/post-commit", script.text())
    commit(here, {"a.py": "a = 1\n"})
    assert not state(here).exists()
    state(here).mkdir()
    (state(here) / "hooked").touch()
    commit(here, {"a.py": "a = 2\n"})
    assert wanted(here) == head(here)


@pytest.mark.parametrize(
    "shell", [["dash"], ["bash", "--posix"], ["busybox", "sh"], ["ksh"], ["zsh"]]
)
def test_it_is_plain_posix_sh(here, python, shell):
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not installed")
    hook = here / ".git/hooks/post-merge"
    done = subprocess.run([*shell, hook, "0"], cwd=here, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert wanted(here) == head(here)
    assert "hook drain" in called(python)


def test_shellcheck_finds_nothing(here):
    program = find_program("shellcheck")
    if program is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(
        [program, "-s", "sh", here / ".git/hooks/post-merge"], capture_output=True
    )
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize(
    ("text", "is_link", "command"),
    [
        (b"#!/bin/sh\necho\n", False, '"$before"'),
        (b"\x7fELF $0", False, '"$before"'),
        (b'#!/usr/bin/env python3\nprint("$0")\n', False, '"$before"'),
        (b'#!/bin/sh\ncd "$(dirname "$0")"\n', False, "/bin/sh -c"),
        (b"#!/usr/bin/env bash\necho ${0##*/}\n", False, "/usr/bin/env bash -c"),
        (b"#!/bin/bash -eu\necho $0", False, "/bin/bash -eu -c"),
        (b'#!/bin/sh\necho "$(basename "$0")"\n', True, "/bin/sh -c"),
        (b'#!/bin/sh\nreadlink -f "$0"\n', True, '"$before"'),
    ],
)
def test_a_shell_script_that_reads_its_name_gets_ours(text, is_link, command):
    assert command_for(text, is_link).startswith(command)
