"""pre-commit and lefthook, the real ones, run what a hook of ours would do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from repobuild.hooks.hook_script import NAMES
from tests.cases.commands import CODE, commit, git
from tests.hooks.place import (
    FILES,
    called,
    fake_python,
    find_program,
    head,
    place,
    wanted,
    write_script,
)

RECIPE = """\
NAME:
  commands:
    repobuild:
      run: repobuild hook run NAME {0}
"""
LEFTHOOK = "".join(RECIPE.replace("NAME", name) for name in NAMES)


@pytest.fixture
def here(tmp_path: Path, monkeypatch) -> Path:
    """A repository, and a `repobuild` on PATH whose interpreter builds nothing."""
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))
    interpreter = fake_python(tmp_path / "python")
    program = (
        f"import sys; sys.executable = {str(interpreter)!r}\n"
        "from repobuild.cli.main import run\nsys.exit(run(sys.argv[1:]))\n"
    )
    (tmp_path / "program.py").write_text(program)
    write_script(
        tmp_path / "bin/repobuild",
        f'#!/bin/sh\nPYTHONPATH="{CODE}" exec "{sys.executable}" '
        f'"{tmp_path}/program.py" "$@"\n',
    )
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    monkeypatch.setenv("PATH", path)
    return place(tmp_path / "here")


def check_every_hook(here: Path, python: Path) -> None:
    """Commit, switch, merge and rewrite; each time HEAD is wanted."""
    commit(here, {"a.py": "a = 1\n"})
    assert wanted(here) == head(here)
    assert "-P -m repobuild hook drain" in called(python)
    git(here, "checkout", "-q", "-b", "side", "HEAD~1")
    assert wanted(here) == head(here)
    commit(here, {"b.py": "b = 1\n"})
    wanted(here)
    git(here, "checkout", "-q", "--", "b.py")
    assert wanted(here) == ""
    git(here, "merge", "-q", "--no-edit", "main")
    assert wanted(here) == head(here)
    git(here, "checkout", "-q", "-b", "third", "main~1")
    commit(here, {"c.py": "c = 1\n"})
    wanted(here)
    git(here, "rebase", "-q", "main")
    assert wanted(here) == head(here)
    git(here, "merge", "-q", "--squash", "side")
    assert wanted(here) == ""


def test_pre_commit(here, tmp_path):
    program = find_program("pre-commit")
    if program is None:
        pytest.skip("pre-commit is not installed")
    hooks = tmp_path / "hooks"
    manifest = (CODE / ".pre-commit-hooks.yaml").read_text()
    commit(place(hooks), {".pre-commit-hooks.yaml": manifest})
    git(hooks, "tag", "v1")
    ids = "".join(f"  - id: repobuild-{name}\n" for name in NAMES)
    chosen = f"repos:\n- repo: {hooks}\n  rev: v1\n  hooks:\n{ids}"
    commit(here, {".pre-commit-config.yaml": chosen, **FILES})
    types = [word for name in NAMES for word in ("-t", name)]
    subprocess.run([program, "install", *types], cwd=here, check=True)
    check_every_hook(here, tmp_path / "python")


def test_lefthook(here, tmp_path):
    program = find_program("lefthook")
    if program is None:
        pytest.skip("lefthook is not installed")
    commit(here, {"lefthook.yml": LEFTHOOK})
    subprocess.run([program, "install"], cwd=here, check=True)
    check_every_hook(here, tmp_path / "python")


def test_the_page_shows_the_recipe_that_was_tried():
    page = (CODE / "docs/verbs/hook.md").read_text()
    assert RECIPE.replace("NAME", "post-merge") in page
    assert "  - id: repobuild-post-merge\n" in page
