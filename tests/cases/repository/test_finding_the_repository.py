"""Git's own rules find the repository, for every part of the program."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.cases.commands import commit, git, repobuild, start

FILES = {"a.py": "def first(x):\n    return x\n"}


def build(place, **variables):
    """Return the first and the repeated answer: the second needs no database."""
    answers = [repobuild(place, "--until", "files", variables=variables)]
    answers.append(repobuild(place, "--until", "files", variables=variables))
    return [(done.returncode, done.stdout.splitlines()[0]) for done in answers]


def answers_for(commit):
    return [(0, f"built {commit[:10]}"), (0, f"nothing to do: {commit[:10]} is built")]


def test_in_a_submodule_git_dir_names_the_repository(tmp_path):
    inner = start(tmp_path / "inner", {"in.py": "x = 1\n"})
    outer = start(tmp_path / "outer", FILES)
    allow = ["-c", "protocol.file.allow=always"]
    git(outer, *allow, "submodule", "add", "-q", str(inner), "sub")
    top = commit(outer, {})
    below = git(outer / "sub", "rev-parse", "HEAD")
    assert build(outer / "sub", GIT_DIR=str(outer / ".git")) == answers_for(top)
    assert build(outer / "sub") == answers_for(below)


def test_a_bare_repository_has_the_work_tree_that_is_named(tmp_path):
    place = start(tmp_path / "place", FILES)
    bare, tree = tmp_path / "bare.git", tmp_path / "tree"
    git(tmp_path, "clone", "-q", "--bare", str(place), str(bare))
    tree.mkdir()
    named = {"GIT_DIR": str(bare), "GIT_WORK_TREE": str(tree)}
    git(tree, "--git-dir", str(bare), "--work-tree", str(tree), "reset", "-q", "--hard")
    assert build(tree, **named) == answers_for(git(place, "rev-parse", "HEAD"))
    (tree / "b.py").write_text("y = 2\n")
    repobuild(tree, "--worktree", "--until", "files", variables=named)
    shown = repobuild(tree, "show", "files", variables=named).stdout
    assert shown.startswith("files: 2 rows")


def test_the_search_ends_at_a_ceiling(tmp_path):
    place = start(tmp_path / "place", {"sub/a.py": "x = 1\n"})
    ceiling = {"GIT_CEILING_DIRECTORIES": str(place)}
    done = repobuild(place / "sub", "status", variables=ceiling)
    assert done.returncode == 2
    assert "is not inside a git repository" in done.stderr


def test_a_linked_worktree_without_its_own_folder_of_objects(tmp_path):
    place = start(tmp_path / "place", FILES)
    git(place, "worktree", "add", "-q", str(tmp_path / "linked"))
    folder = git(tmp_path / "linked", "rev-parse", "--absolute-git-dir")
    named = {"GIT_DIR": folder, "GIT_COMMON_DIR": str(place / ".git")}
    head = git(place, "rev-parse", "HEAD")
    assert build(tmp_path / "linked", **named) == answers_for(head)


def three_parts(done, *texts):
    lines = done.stderr.splitlines()
    assert done.returncode == 2 and done.stdout == ""
    assert len(lines) == 3 and lines[0].startswith("error: ")
    for text in texts:
        assert text in done.stderr


def test_sha256_is_named_as_the_reason(tmp_path):
    place = start(tmp_path / "place", FILES, "--object-format=sha256")
    done = repobuild(place)
    three_parts(done, "object format 'sha256'", "libgit2", "git fast-export")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_a_repository_of_another_owner_says_how_to_trust_it(tmp_path):
    place = start(tmp_path / "place", FILES)
    for path in (place, place / ".git"):
        shutil.chown(path, 65534, 65534)
    three_parts(repobuild(place), f'config --global --add safe.directory "{place}"')
    # Trusted where libgit2 does not look: git decides.
    named = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory"}
    done = repobuild(
        place, "--until", "facts", variables={**named, "GIT_CONFIG_VALUE_0": "*"}
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "damage, reason",
    [
        ("[broken", "bad config line"),
        ("[core]\n\trepositoryformatversion = 77\n", "git repo version"),
        ("[core]\n\trepositoryformatversion = 1\n[extensions]\n\tfoo = 1\n", "foo"),
    ],
)
def test_what_git_does_not_open_is_an_error_with_its_reason(tmp_path, damage, reason):
    place = start(tmp_path / "place", FILES)
    config = place / ".git/config"
    config.write_text(f"{config.read_text()}\n{damage}")
    for verb in ("build", "status", "verify"):
        three_parts(repobuild(place, verb), reason, "git status")


def test_a_git_dir_that_is_none_is_named(tmp_path):
    place = start(tmp_path / "place", FILES)
    done = repobuild(place, "status", variables={"GIT_DIR": "/nowhere"})
    three_parts(done, '"/nowhere" (GIT_DIR) is not a git repository')


def test_without_git_the_folders_above_are_searched(tmp_path):
    place = start(tmp_path / "place", {"sub/a.py": "x = 1\n"})
    done = repobuild(
        place / "sub", "--until", "files", variables={"PATH": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
