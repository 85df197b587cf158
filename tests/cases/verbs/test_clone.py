"""A clone is built and kept current, and nothing of it is run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from repobuild.errors import UsageError
from repobuild.git.clone import clone_or_update, folder_name, is_url
from tests.cases.commands import commit, git, repobuild, start
from tests.cases.verbs.test_review import FILES, MODULE

UNTIL = ("--until", "dataset")


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return start(tmp_path / "hub" / "shop", FILES)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def url(origin: Path) -> str:
    return f"file://{origin}"


def head(place: Path) -> str:
    return git(place, "rev-parse", "HEAD")


def test_a_repository_is_cloned_built_and_later_updated(origin, work):
    done = repobuild(work, "clone", url(origin), *UNTIL)
    assert done.returncode == 0, done.stderr
    assert "dataset" in done.stdout and 'cloned into "shop"' in done.stderr
    commit(origin, {"shop/cart.py": MODULE.replace("9 // 10", "8 // 10")})
    done = repobuild(work, "clone", url(origin), *UNTIL)
    assert done.returncode == 0, done.stderr
    assert 'fast-forwarded "shop"' in done.stderr
    assert head(work / "shop") == head(origin)
    done = repobuild(work, "clone", url(origin), *UNTIL)
    assert "nothing new" in done.stderr and "nothing to do" in done.stdout


def test_the_short_form_is_a_url_alone(origin, work):
    done = repobuild(work, f"{url(origin)}/.git", *UNTIL)
    assert done.returncode == 0, done.stderr
    assert (work / "shop/.git/repobuild").is_dir()


def test_within_the_clone_it_is_the_clone_that_is_updated(origin, work):
    repobuild(work, "clone", url(origin), "here", *UNTIL)
    commit(origin, {"new.py": "x = 1\n"})
    done = repobuild(work / "here", "clone", url(origin), *UNTIL)
    assert done.returncode == 0, done.stderr
    assert head(work / "here") == head(origin)
    assert not (work / "here/shop/.git").exists()


def test_commits_of_ones_own_are_not_overwritten(origin, work):
    repobuild(work, "clone", url(origin), *UNTIL)
    own = commit(work / "shop", {"mine.py": "x = 1\n"})
    commit(origin, {"theirs.py": "x = 1\n"})
    done = repobuild(work, "clone", url(origin), *UNTIL)
    assert done.returncode == 3
    assert "not fast-forwarded" in done.stderr
    assert head(work / "shop") == own


def test_a_folder_with_something_else_is_refused(origin, work):
    (work / "shop").mkdir()
    (work / "shop/mine.txt").write_text("mine")
    done = repobuild(work, "clone", url(origin), *UNTIL)
    assert done.returncode == 2
    assert "no clone of this URL" in done.stderr
    assert [p.name for p in (work / "shop").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("text", ["--upload-pack=touch x", "-c", "", "a\nb"])
def test_an_option_is_no_url(text: str, tmp_path: Path):
    with pytest.raises(UsageError):
        clone_or_update(text, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_option_is_no_url_at_the_terminal(work):
    done = repobuild(work, "clone", "--", "--upload-pack=touch ran", "new")
    assert done.returncode == 2
    assert list(work.iterdir()) == []


def test_a_url_that_runs_a_program_is_refused_by_git(work):
    done = repobuild(work, "clone", "ext::sh -c touch% ran", "new")
    assert done.returncode == 3
    assert "not allowed" in done.stderr
    assert not (work / "ran").exists()


def test_nothing_of_a_hostile_clone_runs(origin, work, tmp_path):
    hook = '#!/bin/sh\ntouch "$(git rev-parse --show-toplevel)/../ran"\n'
    other = start(tmp_path / "hub" / "other", {"a.py": "x = 1\n"})
    modules = f'[submodule "sub"]\n\tpath = sub\n\turl = file://{other}\n'
    names = ("post-checkout", "post-merge", "reference-transaction")
    hostile = {f".githooks/{name}": hook for name in names}
    for name, text in hostile.items():
        (origin / name).parent.mkdir(exist_ok=True)
        (origin / name).write_text(text)
        os.chmod(origin / name, 0o755)
    (origin / ".gitmodules").write_text(modules)
    oid = head(other)
    git(origin, "update-index", "--add", "--cacheinfo", f"160000,{oid},sub")
    git(origin, "add", ".githooks", ".gitmodules")
    git(origin, "commit", "-q", "-m", "hostile")
    config = tmp_path / "gitconfig"
    config.write_text(
        "[core]\n\thooksPath = .githooks\n[submodule]\n\trecurse = true\n"
        '[protocol "file"]\n\tallow = always\n'
    )
    variables = {"GIT_CONFIG_GLOBAL": str(config)}
    for _ in range(2):
        done = repobuild(work, "clone", url(origin), *UNTIL, variables=variables)
        assert done.returncode == 0, done.stderr
        git(origin, "commit", "-q", "--allow-empty", "-m", "another")
    assert not (work / "ran").exists()
    assert list((work / "shop/sub").iterdir()) == []


def test_variables_that_name_another_repository_do_not_count(origin, work):
    variables = {"GIT_DIR": str(origin / ".git"), "GIT_WORK_TREE": str(origin)}
    done = repobuild(work, "clone", url(origin), "new", *UNTIL, variables=variables)
    assert done.returncode == 0, done.stderr
    assert (work / "new/.git/repobuild").is_dir()
    assert not (origin / ".git/repobuild").exists()


def test_a_failed_clone_says_gits_reason(work):
    done = repobuild(work, "clone", f"file://{work}/nowhere", "new")
    assert done.returncode == 3
    assert "git cannot clone: " in done.stderr and "nowhere" in done.stderr


def test_urls_are_told_from_verbs():
    assert is_url("https://host/a/b.git") and is_url("git@host:a/b.git")
    assert not is_url("status") and not is_url("pkg/a.py::f@lines")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://host/owner/name.git", "name"),
        ("https://host/owner/name/", "name"),
        ("git@host:name", "name"),
        ("/path/to/name/.git", "name"),
    ],
)
def test_a_clone_is_named_as_git_names_it(text: str, name: str):
    assert folder_name(text) == name


@pytest.mark.parametrize("text", ["https://host/..", "https://host/-x", "///", "."])
def test_a_url_without_a_name_wants_a_folder(text: str):
    with pytest.raises(UsageError, match="name one"):
        folder_name(text)
