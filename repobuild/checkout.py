"""A repository with its settings, rules and state: what every verb starts from."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pygit2

from repobuild import noop_cache
from repobuild.engine.build import Build, ShowProgress
from repobuild.engine.rule import Rule, read_rules
from repobuild.engine.storage.artifact_store import ArtifactStore
from repobuild.engine.storage.connection import trouble
from repobuild.engine.storage.damage_check import is_corrupt
from repobuild.engine.storage.event_log import EventLog
from repobuild.engine.storage.lock import locked
from repobuild.engine.storage.state import State, open_state
from repobuild.engine.storage.sweep import sweep
from repobuild.errors import UsageError, nearest
from repobuild.git.snapshot import (
    Snapshot,
    at_commit,
    at_worktree,
    common_folder,
    open_repository,
)
from repobuild.resources import folder
from repobuild.rulebook import Rulebook, make_rulebook
from repobuild.settings import read_settings
from repobuild.trust_record import TrustRecord
from repobuild.user_rules import (
    RULES_FOLDER,
    UserRule,
    check_settings,
    declared_settings,
    rule_files,
    user_rules,
)


@dataclass
class Checkout:
    """One repository; opened where the user stands."""

    repository: pygit2.Repository
    _books: dict[str, Rulebook] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The work tree, or the repository's folder when it is bare."""
        return Path(self.repository.workdir or self.repository.path)

    @cached_property
    def folder(self) -> Path:
        return common_folder(self.repository) / "repobuild"

    @cached_property
    def settings(self) -> dict[str, Any]:
        return read_settings(self.root, self._declared)

    @cached_property
    def standard(self) -> dict[str, Rule]:
        """The rules that come with repobuild."""
        return read_rules(folder("rules"))

    @cached_property
    def trust(self) -> TrustRecord:
        return TrustRecord.of(common_folder(self.repository))

    def own_rules(self, snapshot: Snapshot) -> list[UserRule]:
        """Return the repository's own rules in a snapshot, trusted or not."""
        found = user_rules(snapshot, self.standard)
        for own in found:
            check_settings(own, self.settings)
        return found

    def book(self, snapshot: Snapshot) -> Rulebook:
        """Return the rules of a snapshot that may run."""
        if snapshot.copies is not None:  # a work tree, which may change
            return make_rulebook(self.standard, self.own_rules(snapshot), self.trust)
        if snapshot.tree not in self._books:
            own = self.own_rules(snapshot)
            self._books[snapshot.tree] = make_rulebook(self.standard, own, self.trust)
        return self._books[snapshot.tree]

    def _declared(self) -> set[str]:
        """Settings of own rules, of HEAD and of the work tree: the file that holds
        their values is the work tree's."""
        here = self.root / RULES_FOLDER
        paths = [path for path in here.glob("*.toml") if path.is_file()]
        found = declared_settings({path.name: path.read_bytes() for path in paths})
        if self.repository.head_is_unborn:
            return found
        return found | declared_settings(rule_files(at_commit(self.repository)))

    @property
    def store(self) -> ArtifactStore:
        return ArtifactStore(self.folder / "objects", [folder("cache") / "objects"])

    @property
    def events(self) -> EventLog:
        return EventLog(self.folder / "events.jsonl")

    def state(self) -> State:
        """Open the state for reading; readers take no lock."""
        return open_state(self.folder, read_only=True)

    def snapshot(self, revision: str = "HEAD", worktree: bool = False) -> Snapshot:
        if worktree:
            return at_worktree(self.repository, self.folder / "tmp" / "worktree")
        return at_commit(self.repository, revision)

    def goals(self, until: str, snapshot: Snapshot) -> list[str]:
        """Return the tables to build; raises `UsageError` for an unknown one, and where
        a trusted rule was changed."""
        book = self.book(snapshot)
        book.must_be_whole()
        goals = [until] if until else list(self.settings["build.goals"])
        for name in goals:
            if name not in book.rules:
                raise UsageError(
                    f'unknown table "{name}"{nearest(name, book.rules)}\n'
                    f"known tables: {', '.join(book.rules)}"
                    + (f"\n{book.notice}" if name in book.untrusted else "")
                )
        return goals

    def view(self, snapshot: Snapshot, state: State) -> Build:
        """Return a build that is only looked at, never run."""
        return Build(
            state, self.store, self.book(snapshot).rules, self.settings, snapshot,
            self.events, silent,
        )  # fmt: skip

    @contextmanager
    def building(
        self,
        snapshot: Snapshot,
        progress: ShowProgress,
        jobs: int = 0,
        wait: bool = True,
        tell: Callable[[str], None] = lambda text: None,
    ) -> Iterator[Build]:
        """Hold the lock and the writable state for one build; `tell` prints a line."""
        self.folder.mkdir(parents=True, exist_ok=True)
        holder = f"building {snapshot.commit[:7] or 'the work tree'}"
        with locked(self.folder / "lock", holder, wait, tell):
            noop_cache.forget(str(self.folder))
            with self._opened(tell) as state:
                yield Build(
                    state, self.store, self.book(snapshot).rules, self.settings,
                    snapshot, self.events, progress, jobs,
                )  # fmt: skip
                sweep(self.folder / "tmp", self._is_of_a_task)

    def _is_of_a_task(self, name: str) -> bool:
        rule = self.standard.get(name.partition("-")[0])
        return rule is not None and rule.kind == "task"

    @contextmanager
    def _opened(self, tell: Callable[[str], None]) -> Iterator[State]:
        """Open the writable state; what goes wrong inside of it is told in words."""
        state = open_state(self.folder)
        if state.lost:
            tell(f"warning: {state.lost}")
            self.events.emit("damaged", text=state.lost)
        whole = True
        try:
            yield state
        except sqlite3.Error as error:
            whole = not is_corrupt(error)
            raise trouble(self.folder / "build.db", error) from error
        finally:
            state.close(sealed=whole)


def find(start: Path | None = None) -> Checkout:
    """Return the checkout that holds `start`; raises `UsageError` outside of one."""
    return Checkout(open_repository(start or Path.cwd()))


class _Silence:
    def advance(self, count: int = 1) -> None:
        pass

    def note(self, text: str) -> None:
        pass


@contextmanager
def _silence() -> Iterator[_Silence]:
    yield _Silence()


def silent(label: str, total: int) -> AbstractContextManager[_Silence]:
    """Show no progress at all."""
    return _silence()
