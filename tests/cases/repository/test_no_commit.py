"""Before the first commit every verb says a step that works there."""

from __future__ import annotations

import pytest

from repobuild.cli.main import run
from tests.cases.commands import git
from tests.repository import Repository

READERS = (
    ["status"], ["log"], ["why", "samples"], ["show", "a.py"], ["show", "files"],
    ["graph", "tree"], ["cache", "stats"],
)  # fmt: skip


@pytest.mark.parametrize("verb", READERS, ids=" ".join)
def test_a_verb_that_reads_does_not_advise_to_build_the_work_tree(
    repository: Repository, monkeypatch, capsys, verb: list[str]
) -> None:
    """Their answers are about a commit, also after such a build."""
    monkeypatch.chdir(repository.path)
    assert run(verb) == 2
    said = capsys.readouterr().err
    assert "this repository has no commit yet" in said
    assert "commit something first: git add . && git commit" in said
    assert "--worktree" not in said


def test_a_bare_repository_is_told_to_get_a_commit(
    tmp_path, monkeypatch, capsys
) -> None:
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    monkeypatch.chdir(tmp_path / "bare.git")
    assert run([]) == 2
    said = capsys.readouterr().err
    assert "push a commit into it" in said
    assert "--worktree" not in said and "git add" not in said
    assert run(["doctor"]) == 1
    assert "push a commit into it" in capsys.readouterr().out


def test_outside_of_a_repository_the_advice_is_what_git_accepts(
    tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([]) == 2
    assert "git init && git add . && git commit" in capsys.readouterr().err
