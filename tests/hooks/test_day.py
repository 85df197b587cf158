"""A day in a repository: pulls, branches, a rebase, a bisect, with hooks installed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from repobuild.hooks.hook_script import NAMES
from tests.cases.commands import commit, digests, git, repobuild
from tests.hooks.place import (
    builder,
    head,
    hooks_of,
    place,
    state,
    wait_for,
    wait_until_built,
    write_script,
)
from tests.hooks.test_background import is_building, long_build
from tests.hooks.test_hook_files import listing

OWN = '#!/bin/sh\necho "${0##*/} $*" >>.git/own-hooks\n'


class Day:
    """A clone, the repository that it pulls from, and the user's own hooks."""

    def __init__(self, folder: Path) -> None:
        self.upstream = place(folder / "upstream")
        self.here = folder / "my checkout"
        git(folder, "clone", "-q", str(self.upstream), str(self.here))
        for name in ("post-merge", "post-checkout"):
            write_script(self.here / ".git/hooks" / name, OWN)
        self.hooks = hooks_of(self.here).path
        self.before = listing(self.hooks)

    def git(self, *arguments: str) -> None:
        git(self.here, *arguments, stderr=subprocess.DEVNULL)

    def own_hooks(self) -> list[str]:
        """Return the names of the user's own hooks that ran since the last look."""
        file = self.here / ".git/own-hooks"
        names = [line.split()[0] for line in file.read_text().splitlines()]
        file.write_text("")
        return names

    def check_hooks(self) -> None:
        """The user's own hooks are whole, beside ours."""
        now = listing(self.hooks)
        for name, facts in self.before.items():
            assert now[f"{name}.before-repobuild" if "." not in name else name] == facts
        assert repobuild(self.here, "hook", "status").returncode == 0

    def built(self) -> str:
        facts = json.loads(repobuild(self.here, "status", "--json").stdout)
        return "" if facts["stale"] else facts["built"]

    def check_built(self) -> None:
        wait_until_built(self.here, head(self.here))
        assert self.built() == head(self.here)
        self.check_hooks()


def test_a_day_with_hooks(tmp_path):
    day = Day(tmp_path)
    here = day.here
    names = list(NAMES)
    done = repobuild(here, "hook", "install", *names, "--json")
    installed = json.loads(done.stdout)["hooks"]
    assert [hook["name"] for hook in installed if hook["installed"]] == names
    day.check_hooks()

    # Pull a merge: upstream has a commit, and so has this clone.
    commit(day.upstream, {"theirs.py": "def theirs():\n    return 1\n"})
    with long_build(here):
        commit(here, {"mine.py": "def mine():\n    return 1\n"})
        day.git("pull", "-q", "--no-rebase", "--no-edit")
        assert day.own_hooks() == ["post-merge"]
        first = head(here)
        assert len(git(here, "rev-parse", "HEAD^@").split()) == 2
        wait_for(lambda: is_building(here, first))

        # Keep working while it builds; what is edited is not built.
        (here / "mine.py").write_text("an edit (\n")
        assert f"building {first[:10]}" in repobuild(here, "status").stdout
        day.check_hooks()

        # Pull again before it ends: the newer commit wins.
        commit(day.upstream, {"more.py": "def more():\n    return 2\n"})
        day.git("pull", "-q", "--no-rebase", "--no-edit")
        assert head(here) != first and day.own_hooks() == ["post-merge"]
        second = head(here)
        wait_for(lambda: is_building(here, second))
    day.check_built()
    log = (state(here) / "hook.log").read_text()
    assert f"{first[:10]} interrupted: {second[:10]} is newer" in log
    assert f"{first[:10]} built" not in log
    assert (here / "mine.py").read_text() == "an edit (\n"
    day.git("checkout", "-q", "--", "mine.py")
    assert day.own_hooks() == ["post-checkout"]

    # Switch branches, there and back.
    day.git("checkout", "-q", "-b", "topic", "HEAD~1")
    day.check_built()
    commit(here, {"topic.py": "def topic():\n    return 3\n"})
    commit(here, {"topic.py": "def topic():\n    return 4\n"})
    day.check_built()
    day.git("checkout", "-q", "main")
    day.check_built()
    day.git("checkout", "-q", "topic")
    day.check_built()
    assert day.own_hooks() == ["post-checkout"] * 3

    # Rebase: no commit on the way is built, only the one at its end.
    log = (state(here) / "hook.log").read_text()
    day.git("rebase", "-q", "main")
    day.check_built()
    after = (state(here) / "hook.log").read_text().removeprefix(log)
    assert after.count(" building ") == 1
    assert f" building {head(here)[:10]}" in after
    assert day.own_hooks() == ["post-checkout"]

    # Bisect: nothing is built, the state stays as it was.
    log = (state(here) / "hook.log").read_text()
    tables = digests(here)
    top = head(here)
    day.git("bisect", "start", "HEAD", "HEAD~3")
    day.git("bisect", "good")
    assert head(here) != top and builder(here)["state"] == "idle"
    day.git("bisect", "reset")
    assert head(here) == top and day.built() == top
    assert (state(here) / "hook.log").read_text() == log
    assert digests(here) == tables
    assert set(day.own_hooks()) == {"post-checkout"}
    day.check_hooks()

    # Everything that was built on the way equals a clean build.
    clean = tmp_path / "clean"
    git(tmp_path, "clone", "-q", "-b", "topic", str(here), str(clean))
    repobuild(clean, "build", "--quiet")
    assert digests(clean) == tables

    # Uninstall: as if it had never been there.
    assert repobuild(here, "hook", "uninstall").returncode == 0
    assert listing(day.hooks) == day.before
    commit(day.upstream, {"last.py": "x = 1\n"})
    day.git("checkout", "-q", "main")
    day.git("pull", "-q", "--no-rebase", "--no-edit")
    assert day.own_hooks() == ["post-checkout", "post-merge"]
    assert builder(here)["wanted"] == "" and day.built() == ""
    assert (state(here) / "hook.log").read_text() == log
