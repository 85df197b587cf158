"""Many repositories are brought up to date, and one that fails stops no other."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from repobuild.cli.fleet import text as table_of
from repobuild.errors import UsageError
from repobuild.fleet import Member, Outcome, exit_code, read_fleet, summary
from tests.cases.commands import CODE, commit, repobuild, start
from tests.cases.verbs.test_review import FILES, MODULE

UNTIL = ("--until", "facts")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return start(tmp_path / "hub" / "shop", FILES)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def fleet(work: Path, text: str, *options: str):
    (work / "fleet.txt").write_text(text)
    return repobuild(work, "fleet", "fleet.txt", *options, *UNTIL)


def states(done) -> dict[str, str]:
    found = json.loads(done.stdout)["repositories"]
    return {one["name"]: one["state"] for one in found}


def members(tmp_path: Path, text: str) -> list[Member]:
    (tmp_path / "fleet.txt").write_text(text)
    return read_fleet(tmp_path / "fleet.txt", tmp_path / "clones")


# ----------------------------------------------------------------------- the builds


def test_paths_and_clones_are_built_and_a_broken_one_stops_no_other(shop, work):
    start(work / "here", FILES)
    (work / "empty").mkdir()
    text = f"# ours\nempty\nhere  # the first\nfile://{shop}  name=web/shop\nmissing\n"
    done = fleet(work, text, "--json", "-j", "2")
    assert done.returncode == 3
    built = {"empty": "failed", "here": "built", "web/shop": "built"}
    assert states(done) == built | {"missing": "failed"}
    assert (work / "clones/web/shop/.git/repobuild").is_dir()
    reasons = {r["name"]: r["reason"] for r in json.loads(done.stdout)["repositories"]}
    assert "not inside a git repository" in reasons["empty"]
    assert "does not exist" in reasons["missing"] and not reasons["here"]


def test_a_second_call_fetches_and_builds_what_changed(shop, work):
    start(work / "here", FILES)
    text = f"file://{shop} name=shop\nhere\n"
    assert fleet(work, text, "-j", "2").returncode == 0
    commit(shop, {"shop/cart.py": MODULE.replace("9 // 10", "8 // 10")})
    looked = fleet(work, text, "--json", "-n")
    assert looked.returncode == 0  # nothing is fetched
    done = fleet(work, text, "--json")
    assert (done.returncode, states(done)) == (0, {"shop": "built", "here": "current"})
    found = json.loads(done.stdout)
    assert (found["built"], found["current"], found["failed"]) == (1, 1, 0)
    commit(work / "here", {"new.py": "x = 1\n"})
    looked = fleet(work, text, "--json", "-n")
    assert states(looked) == {"shop": "current", "here": "stale"}
    assert looked.returncode == 1


def test_a_line_has_settings_and_a_goal_of_its_own(work):
    start(work / "a", FILES)
    start(work / "b", FILES)
    text = "a until=files project.name=Aa\nb project.nam=Bb\n"
    done = fleet(work, text, "--json", "-j", "2")
    assert states(done) == {"a": "built", "b": "failed"}
    by_name = {one["name"]: one for one in json.loads(done.stdout)["repositories"]}
    assert 'did you mean "project.name"' in by_name["b"]["reason"]
    assert by_name["b"]["exit"] == 2
    status = json.loads(repobuild(work / "a", "status", "--json").stdout)
    built = {t["name"] for t in status["tables"] if t["rows"]}
    assert "files" in built and "facts" not in built


def test_the_table_says_why_each_failed_and_how_to_see_it(work):
    start(work / "a", FILES)
    done = fleet(work, "a\nmissing\n")
    assert done.returncode == 3
    lines = done.stdout.splitlines()
    assert lines[1].split()[:2] == ["a", "built"]
    assert lines[2].split()[:2] == ["missing", "failed"]
    assert lines[3] == f'missing: "{work}/missing" does not exist'
    assert lines[-1] == "1 built, 1 failed"
    assert "2 repositories, 1 at a time" in done.stderr.splitlines()[0]


def test_the_command_that_shows_a_failure_can_be_pasted():
    member = Member("shop", Path("/srv/the team's $HOME"))
    facts = summary([member], [Outcome(member, "failed", 1.0, 3, "why")])
    (step,) = (line for line in table_of(facts).splitlines() if "see it" in line)
    assert shlex.split(step.partition("cd ")[2])[0] == str(member.folder)


def test_an_interrupted_fleet_ends_its_builds(work):
    start(work / "a", {f"m{n}.py": f"def f{n}():\n    pass\n" for n in range(200)})
    (work / "fleet.txt").write_text("a\n")
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "repobuild", "fleet", "fleet.txt"],
        cwd=work, env={**os.environ, "PYTHONPATH": str(CODE)},
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    lock = work / "a/.git/repobuild/lock"
    while not (lock.exists() and lock.read_text()):
        time.sleep(0.01)
    builder = int(re.findall(r"\d+", lock.read_text())[0])
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and b"run again to continue" in said
    with pytest.raises(ProcessLookupError):
        os.kill(builder, 0)


# ----------------------------------------------------------------------- the file


def test_a_line_names_a_path_or_a_url_and_options(tmp_path):
    text = (
        "# all of them\n\n"
        "../beside\n"
        '"/srv/two words"  name=two # the second\n'
        "https://github.com/pallets/click.git until=dataset\n"
        "git@host.example:web/site adapter.rank=8 base.model=tiny\n"
    )
    beside, two, click, site = members(tmp_path, text)
    assert beside == Member("beside", tmp_path.parent / "beside")
    assert (two.name, two.folder) == ("two", Path("/srv/two words"))
    clones = tmp_path / "clones"
    assert click.folder == clones / "github.com/pallets/click"
    assert (click.url, click.until) == (
        "https://github.com/pallets/click.git",
        "dataset",
    )
    assert site.folder == clones / "host.example/web/site"
    assert site.settings == ("adapter.rank=8", "base.model=tiny")


@pytest.mark.parametrize(
    "line",
    [
        "ext::sh -c id", "'ext::sh -c id'", "fd::17", "--upload-pack=id", "-u",
        "https://h/a --upload-pack=id", "https://h/a -c core.x=1", "a -c.d=1",
        "https://h/a name=../../etc", "https://h/a name=/etc/..", "https://h/..",
        "https://h/a name=-x", "https://h/a;id", "https://h/$(id)", "https://",
        "a until=--help", "a\x1bb", "a rank=8", "a 'b", "../first",
    ],
)  # fmt: skip
def test_what_git_could_take_for_something_else_is_refused_with_its_line(
    tmp_path, line
):
    with pytest.raises(UsageError, match="line 2 of") as error:
        members(tmp_path, f"../first\n{line}\n")
    assert all(c.isprintable() or c == "\n" for c in str(error.value))


def test_a_file_without_repositories_is_refused(tmp_path):
    with pytest.raises(UsageError, match="lists no repository"):
        members(tmp_path, "# none\n")
    with pytest.raises(UsageError, match="cannot be read"):
        read_fleet(tmp_path / "none", tmp_path)


def test_exit_codes():
    assert exit_code({"failed": 0, "stale": 0}) == 0
    assert exit_code({"failed": 0, "stale": 2}) == 1
    assert exit_code({"failed": 1, "stale": 2}) == 3
