"""The standard build on a small repository, up to `dataset`, as tests drive it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pygit2

from repobuild.checkout import silent
from repobuild.engine.build import Build
from repobuild.engine.events import EventLog
from repobuild.engine.rule import read_rules
from repobuild.engine.state import open_state
from repobuild.engine.store import Store
from repobuild.engine.writer import Outcome
from repobuild.git.snapshot import Snapshot, at_commit
from repobuild.resources import folder
from repobuild.settings import read_settings


class Standard:
    """One state of the standard build in a folder of its own."""

    def __init__(self, git: pygit2.Repository, place: Path, **settings: Any) -> None:
        self.git = git
        self.place = place
        self.rules = read_rules(folder("rules"))
        self.settings = {**read_settings(place), **settings}
        self.state = open_state(place)
        self.last: Build | None = None

    def build(
        self, goal: str = "dataset", snapshot: Snapshot | None = None, **options: Any
    ) -> dict[str, Outcome]:
        store = Store(self.place / "objects", [folder("cache") / "objects"])
        self.last = Build(
            self.state, store, self.rules, self.settings,
            snapshot or at_commit(self.git), EventLog(self.place / "events.jsonl"),
            silent, **options,
        )  # fmt: skip
        return self.last.run([goal])

    def digests(self) -> dict[str, str]:
        """Return the digest of every table that is not a task's."""
        return {
            line.name: line.digest.hex()
            for line in self.state.lines()
            if self.rules[line.name].kind != "task"
        }

    def close(self) -> None:
        self.state.close()
