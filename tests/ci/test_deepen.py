"""A shallow clone gets the commits that a build needs, or says which it lacks."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from repobuild.checkout import open_checkout
from repobuild.ci.history_needs import fetch_missing, find_missing
from repobuild.cli.main import run
from repobuild.engine.digest import deflate, digest, pack
from repobuild.errors import BuildError, UsageError
from repobuild.git.shallow import FIRST_STEP, commits_here, edge
from tests.cases.commands import commit, git, repobuild
from tests.cases.verbs.test_review import FILES
from tests.repository import Repository

SETTINGS = "[history]\ncommits = 20\nplan_commits = 30\n"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = Repository(tmp_path_factory.mktemp("hub") / "shop")
    here.commit({**FILES, "repobuild.toml": SETTINGS})
    for _ in range(FIRST_STEP * 4):
        here.commit()
    place = here.path
    git(place, "branch", "other", f"HEAD~{FIRST_STEP * 2}")
    git(place, "checkout", "-q", "other")
    commit(place, {"other.py": "x = 1\n"})
    git(place, "checkout", "-q", "main")
    return place


@pytest.fixture
def clone(hub: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "-q", "--depth", "2", f"file://{hub}", "clone")
    return tmp_path / "clone"


def count(place: Path) -> int:
    return int(git(place, "rev-list", "--count", "HEAD"))


def test_it_fetches_as_many_commits_as_the_settings_read(clone: Path):
    assert find_missing(open_checkout(clone)).text == "2 of the 31 commits to read"
    assert fetch_missing(clone, "origin", "") == (1, find_missing(open_checkout(clone)))
    assert count(clone) == 2 + FIRST_STEP
    assert not find_missing(open_checkout(clone))
    assert fetch_missing(clone, "origin", "")[0] == 0


def test_it_fetches_no_other_branch_and_moves_none(clone: Path):
    before = git(clone, "for-each-ref")
    fetch_missing(clone, "origin", "")
    assert git(clone, "for-each-ref") == before


def test_it_goes_as_far_as_where_the_base_begins(clone: Path):
    git(clone, "fetch", "-q", "--depth=1", "origin", "other:refs/remotes/origin/other")
    assert find_missing(open_checkout(clone), "origin/other").base == "origin/other"
    fetches, missing = fetch_missing(clone, "origin", "origin/other")
    assert fetches == 2 and not missing


def test_it_goes_as_far_as_the_nearest_adapter(clone: Path, hub: Path):
    """The row stands for an adapter that a cache brought."""
    ancestor = git(hub, "rev-parse", f"HEAD~{FIRST_STEP * 2}")
    repobuild(clone, "--until", "files")
    _pretend_adapter(clone, ancestor)
    missing = find_missing(open_checkout(clone))
    assert missing.adapter and "no ancestor with an adapter" in missing.text
    fetches, missing = fetch_missing(clone, "origin", "")
    assert fetches == 2 and not missing
    assert edge(open_checkout(clone).repository)  # as far as needed, and no further


def test_a_whole_clone_needs_nothing(hub: Path):
    checkout = open_checkout(hub)
    assert not find_missing(checkout)
    assert commits_here(checkout.repository, checkout.snapshot().commit, 10_000) is None
    assert fetch_missing(hub, "nowhere", "") == (0, find_missing(checkout))


def test_a_build_says_what_a_shallow_clone_lacks(clone: Path):
    done = repobuild(clone, "--until", "files")
    assert done.returncode == 0
    assert "note: this clone is shallow: 2 of the 31 commits to read" in done.stderr
    assert "repobuild ci deepen" in done.stderr


def test_the_verb_says_what_it_did(clone: Path, monkeypatch, capsys):
    monkeypatch.chdir(clone)
    assert run(["ci", "deepen", "--json"]) == 0
    answer = {"version": 1, "fetches": 1, "missing": ""}
    assert json.loads(capsys.readouterr().out) == answer
    assert run(["ci", "deepen"]) == 0
    assert capsys.readouterr().out.startswith("nothing to fetch")
    assert run(["ci", "deepen", "--base", "no-such-branch"]) == 1
    assert "no commit in common with no-such-branch" in capsys.readouterr().out


def test_a_remote_that_is_gone_is_named_with_gits_reason(clone: Path):
    git(clone, "remote", "set-url", "origin", "file:///nowhere/at/all")
    with pytest.raises(BuildError, match="git cannot fetch"):
        fetch_missing(clone, "origin", "")


@pytest.mark.parametrize("remote", ["--upload-pack=touch pwned", "-x", "a\nb", ""])
def test_a_remote_cannot_be_an_option(clone: Path, remote: str):
    with pytest.raises(UsageError):
        fetch_missing(clone, remote, "")


def test_hooks_of_the_clone_do_not_run(clone: Path):
    hook = clone / ".git/hooks/reference-transaction"
    hook.write_text("#!/bin/sh\ntouch pwned\n")
    hook.chmod(0o755)
    fetch_missing(clone, "origin", "")
    assert not list(clone.rglob("pwned"))


def test_a_damaged_state_is_no_reason_to_stop(clone: Path):
    repobuild(clone, "--until", "files")
    with (clone / ".git/repobuild/build.db").open("r+b") as file:
        file.seek(5000)
        file.write(b"damaged" * 500)
    assert fetch_missing(clone, "origin", "")[0] == 1


def _pretend_adapter(place: Path, commit: str) -> None:
    data = pack({"object": "00", "build": 1})
    with sqlite3.connect(place / ".git/repobuild/build.db") as database:
        database.execute(
            "CREATE TABLE IF NOT EXISTS rows_adapter "
            "(key TEXT PRIMARY KEY, digest BLOB, memo INTEGER, value BLOB)"
        )
        database.execute(
            "INSERT INTO rows_adapter VALUES (?, ?, NULL, ?)",
            (commit, digest(data), deflate(data)),
        )
        database.execute(
            "INSERT INTO tables VALUES ('adapter', 0, x'00', 1, 1, '', ?, 0, 0)",
            (commit,),
        )
    database.close()
    (place / ".git/repobuild/build.db.seal").unlink()
