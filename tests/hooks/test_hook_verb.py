"""`repobuild hook`: what it prints, its exit codes, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cases.commands import git, repobuild
from tests.hooks.place import (
    builder,
    head,
    place,
    state,
    wait_until_built,
    write_script,
)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return place(tmp_path / "a place")


def test_install_says_where_and_what(here):
    done = repobuild(here, "hook", "install")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"hooks in {here}/.git/hooks\n"
        "  post-merge     installed\n"
        "  post-commit    -\n"
        "  post-checkout  -\n"
        "  post-rewrite   -\n"
    )
    assert repobuild(here, "hook", "status").stdout == done.stdout


def test_json_has_stable_keys(here):
    facts = json.loads(repobuild(here, "hook", "status", "--json").stdout)
    assert set(facts) == {"version", "folder", "shared", "hooks", "unused", "builder"}
    assert {tuple(hook) for hook in facts["hooks"]} == {
        ("name", "path", "installed", "runs_first", "problem", "next")
    }
    background = json.loads(repobuild(here, "status", "--json").stdout)["background"]
    assert background == facts["builder"] == {
        "state": "idle", "process": 0, "commit": "", "since": "", "waits": "",
        "last": {"commit": "", "outcome": "", "error": "", "seconds": 0.0, "ended": ""},
        "log": "", "wanted": "",
    }  # fmt: skip


def test_status_without_hooks_names_the_verb_that_installs_some(here):
    done = repobuild(here, "hook", "status")
    assert done.returncode == 0
    assert done.stdout.endswith(
        "run `repobuild hook install` to build after each merge\n"
    )


def test_uninstall_says_what_it_took_out(here):
    repobuild(here, "hook", "install", "post-merge", "post-commit")
    done = repobuild(here, "hook", "uninstall")
    where = f"{here}/.git/hooks\n"
    assert done.stdout == f"uninstalled post-merge, post-commit from {where}"
    done = repobuild(here, "hook", "uninstall")
    assert done.stdout == f"nothing to do: {here}/.git/hooks has no hook of repobuild\n"


def test_a_wrong_name_is_answered_with_the_near_one(here):
    done = repobuild(here, "hook", "install", "post-comit")
    assert done.returncode == 2 and '(did you mean "post-commit"?)' in done.stderr


def test_an_interpreter_that_is_gone_is_a_check_that_failed(here):
    repobuild(here, "hook", "install")
    hook = here / ".git/hooks/post-merge"
    lines = hook.read_text().splitlines()
    lines = ["python=/gone" if li.startswith("python=") else li for li in lines]
    hook.write_text("\n".join(lines) + "\n")
    done = repobuild(here, "hook", "status")
    assert done.returncode == 1
    assert 'does not work: its interpreter "/gone" is gone; run' in done.stdout


def test_a_hook_that_another_program_moved_is_mended_by_the_step_it_names(here):
    repobuild(here, "hook", "install")
    hook = here / ".git/hooks/post-merge"
    hook.rename(hook.with_name("post-merge.old"))
    write_script(hook, "#!/bin/sh\n")
    facts = json.loads(repobuild(here, "hook", "status", "--json").stdout)
    step = facts["hooks"][0]["next"]
    text = repobuild(here, "hook", "status").stdout
    assert f'another program has moved it to "post-merge.old"; run `{step}`' in text
    for command in step.split(" && "):
        assert repobuild(here, *command.split()[1:]).returncode == 0
    done = repobuild(here, "hook", "status")
    assert done.returncode == 0
    assert "installed; runs post-merge.before-repobuild first" in done.stdout


def test_one_hook_of_a_shared_folder_can_be_taken_out(here, tmp_path):
    git(here, "config", "core.hooksPath", str(tmp_path / "shared"))
    repobuild(here, "hook", "install", "post-merge", "post-commit")
    assert repobuild(here, "hook", "uninstall", "post-merge").returncode == 0
    done = repobuild(here, "hook", "status")
    assert done.returncode == 0 and "post-commit    installed\n" in done.stdout


def test_hooks_that_another_folder_hides_are_named_and_can_be_taken_out(here):
    repobuild(here, "hook", "install")
    git(here, "config", "core.hooksPath", "other")
    text = repobuild(here, "hook", "status").stdout
    where = f"{here}/.git/hooks/post-merge"
    assert f"{where} is not run: core.hooksPath names another folder" in text
    assert repobuild(here, "hook", "uninstall").returncode == 0
    assert not Path(where).exists()


def test_run_builds_like_an_installed_hook(here):
    """For hooks that somebody else manages; the environment needs no activation."""
    variables = {"GIT_DIR": str(here / ".git"), "GIT_INDEX_FILE": "elsewhere"}
    done = repobuild(here, "hook", "run", "post-commit", variables=variables)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    wait_until_built(here, head(here))


def test_an_installed_hook_needs_no_activated_environment(here):
    repobuild(here, "hook", "install", "post-commit")
    bare = {"PATH": os.defpath, "HOME": "/", "XDG_STATE_HOME": str(here)}
    hook = here / ".git/hooks/post-commit"
    done = subprocess.run([hook], cwd=here, env=bare, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    wait_until_built(here, head(here))


def test_nothing_of_the_repository_is_imported(here):
    repobuild(here, "hook", "install", "post-commit")
    for name in ("click", "repobuild", "json", "sitecustomize"):
        (here / f"{name}.py").write_text("open('imported', 'w')\n")
    variables = {"PYTHONPATH": f".:{Path(__file__).parents[2]}"}
    hook = here / ".git/hooks/post-commit"
    subprocess.run([hook], cwd=here, env={**os.environ, **variables}, check=True)
    wait_until_built(here, head(here))
    assert not (here / "imported").exists()
    assert builder(here)["last"]["outcome"] == "built"


def test_a_state_that_is_a_link_is_refused(here, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    state(here).symlink_to(tmp_path / "elsewhere")
    for verb in ("install", "uninstall", "status"):
        done = repobuild(here, "hook", verb)
        assert done.returncode == 2 and "symbolic link" in done.stderr


def test_what_the_record_says_cannot_upset_a_terminal(here):
    repobuild(here, "build", "--quiet")
    last = {"commit": "\x1b[2J", "outcome": "failed", "error": "\x1b]0;x\x07\nb"}
    record = {
        "version": 1, "state": "idle", "process": 0, "commit": "", "since": "",
        "waits": "", "last": {**last, "seconds": 0.0, "ended": "\u202e"},
    }  # fmt: skip
    (state(here) / "builder.json").write_text(json.dumps(record))
    for verb in (["status"], ["hook", "status"]):
        text = repobuild(here, *verb).stdout
        assert "last failed" in text and text.replace("\n", "").isprintable()
