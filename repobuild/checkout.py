"""Open a repository with its settings, rules and state: every verb starts here."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pygit2

from repobuild import noop_cache
from repobuild.engine.build import Build
from repobuild.engine.contract import ShowProgress
from repobuild.engine.rule import Rule, closure, read_rules
from repobuild.engine.run.cluster import Cluster
from repobuild.engine.state_files import refuse_links, remove_links
from repobuild.engine.storage.artifact_store import ArtifactStore
from repobuild.engine.storage.connection import database_error
from repobuild.engine.storage.damage_check import find_damage, is_corrupt
from repobuild.engine.storage.event_log import EventLog, Redact, keep
from repobuild.engine.storage.lock import hold_lock
from repobuild.engine.storage.state import State, open_state, remove_work_in_progress
from repobuild.errors import DamagedError, UsageError, nearest
from repobuild.git.repository import common_folder, open_repository
from repobuild.git.snapshot import (
    Snapshot,
    at_commit,
)
from repobuild.git.worktree import at_worktree
from repobuild.plain_text import escape_controls
from repobuild.powers import Powers
from repobuild.resources import data_folder, is_quick
from repobuild.rulebook import Rulebook, make_rulebook
from repobuild.settings import SettingLayers, read_layers
from repobuild.toml_document import read_bounded
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
    """One repository, and everything of repobuild that belongs to it."""

    repository: pygit2.Repository
    redact: Redact = keep  # removes secrets from what the event log records
    _rulebooks: dict[str, Rulebook] = field(default_factory=dict)  # by tree
    _has_told: bool = False  # which settings are withheld

    @property
    def root(self) -> Path:
        """The work tree, or the git folder of a bare repository."""
        return Path(self.repository.workdir or self.repository.path)

    @cached_property
    def folder(self) -> Path:
        """The state's folder; all worktrees of a repository share it.

        A quick build has one of its own, so it can neither become the parent of a real
        adapter nor make one stale.

        Raises `UsageError` when it is a link or holds one.
        """
        name = "repobuild-quick" if is_quick() else "repobuild"
        folder = common_folder(self.repository) / name
        refuse_links(folder)
        return folder

    @cached_property
    def layers(self) -> SettingLayers:
        return read_layers(self.root, self._declared_settings)

    @cached_property
    def powers(self) -> Powers:
        """What the repository's own settings ask for, and what of it holds here."""
        return Powers.of(self.layers, self.trust)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The settings that hold; powers without trust are left out of them."""
        return self.layers.merged(self.powers.names)

    @cached_property
    def standard_rules(self) -> dict[str, Rule]:
        """The rules that come with repobuild."""
        return read_rules(data_folder("rules"))

    @cached_property
    def trust(self) -> TrustRecord:
        return TrustRecord.of(common_folder(self.repository))

    @property
    def cluster(self) -> Cluster:
        """Where large maps are computed."""
        found = self.settings
        return Cluster(
            found["build.backend"], found["build.scheduler"], found["build.repository"]
        )

    @property
    def store(self) -> ArtifactStore:
        return ArtifactStore(
            self.folder / "objects", [data_folder("cache") / "objects"]
        )

    @property
    def events(self) -> EventLog:
        return EventLog(self.folder / "events.jsonl", self.redact)

    def state(self) -> State:
        """Open the state for reading; readers take no lock."""
        return open_state(self.folder, read_only=True)

    def database_damage(self) -> str:
        """Return what is wrong with the state's database; "" when it is whole."""
        try:
            state = self.state()
        except DamagedError as error:
            return error.reason
        try:
            return find_damage(state.database)
        finally:
            state.close()

    def snapshot(self, revision: str = "HEAD", worktree: bool = False) -> Snapshot:
        """Return the files of a commit, or of the work tree; raises `UsageError`."""
        if worktree:
            return at_worktree(self.repository, self.folder / "tmp" / "worktree")
        return at_commit(self.repository, revision)

    def user_rules(self, snapshot: Snapshot) -> list[UserRule]:
        """Return the rules that a snapshot defines, trusted or not."""
        rules = user_rules(snapshot, self.standard_rules)
        for rule in rules:
            check_settings(rule, self.settings)
        return rules

    def rulebook(self, snapshot: Snapshot) -> Rulebook:
        """Return the rules of a snapshot that may run."""
        known = self._rulebooks.get(snapshot.tree)
        is_worktree = snapshot.copies is not None  # may change, so it is not kept
        if known and not is_worktree:
            return known
        rules = self.user_rules(snapshot)
        rulebook = make_rulebook(self.standard_rules, rules, self.trust)
        if not is_worktree:
            self._rulebooks[snapshot.tree] = rulebook
        return rulebook

    def _declared_settings(self) -> set[str]:
        """Return the settings that user rules declare, at HEAD and in the work tree.

        `repobuild.toml` is read from the work tree, so its rules count too.
        """
        paths = [p for p in (self.root / RULES_FOLDER).glob("*.toml") if p.is_file()]
        declared = declared_settings({p.name: read_bounded(str(p)) for p in paths})
        if self.repository.head_is_unborn:
            return declared
        return declared | declared_settings(rule_files(at_commit(self.repository)))

    def goals(self, until: str, snapshot: Snapshot) -> list[str]:
        """Return the tables to build: `until`, or else the settings' goals.

        Raises `UsageError` for an unknown table, and when a trusted rule was changed.
        """
        rulebook = self.rulebook(snapshot)
        rulebook.require_unchanged()
        goals = [until] if until else list(self.settings["build.goals"])
        for name in goals:
            if name not in rulebook.rules:
                raise UsageError(
                    f'unknown table "{name}"{nearest(name, rulebook.rules)}\n'
                    f"known tables: {', '.join(rulebook.rules)}"
                    + (f"\n{rulebook.notice}" if name in rulebook.untrusted else "")
                )
        return goals

    def require_powers(self, snapshot: Snapshot, tables: Collection[str]) -> None:
        """Raise `UsageError` when building these tables needs a withheld setting."""
        rules = self.rulebook(snapshot).rules
        asked = self.layers.merged()
        needed: set[str] = set()
        for name in closure(rules, list(tables)):
            # It opens the base model's tokenizer only to count for a budget.
            if name != "balance" or asked["samples.max_tokens"]:
                needed.update(rules[name].visible_settings(asked))
        self.powers.require(needed)

    def _tell_withheld(self) -> None:
        """Name once, on stderr, what is withheld from a verb that goes on without."""
        if self.powers.notice and not self._has_told:
            print(escape_controls(self.powers.notice), file=sys.stderr, flush=True)
            self._has_told = True

    def view(self, snapshot: Snapshot, state: State) -> Build:
        """Return a build for reading its tables; it is never run."""
        self._tell_withheld()
        return Build(
            state, self.store, self.rulebook(snapshot).rules, self.settings, snapshot,
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
        """Hold the lock and the writable state for one build.

        `tell` prints a line for the user. Raises `LockedError` when another build holds
        the lock and `wait` is false.
        """
        self._tell_withheld()
        self.folder.mkdir(parents=True, exist_ok=True)
        holder = f"building {snapshot.commit[:7] or 'the work tree'}"
        lock = hold_lock(self.folder / "lock", holder, wait, tell)
        with progress("build", 0), lock:
            noop_cache.forget(str(self.folder))
            remove_links(self.folder / "tmp")
            with self._writable_state(tell) as state:
                yield Build(
                    state, self.store, self.rulebook(snapshot).rules, self.settings,
                    snapshot, self.events, progress, jobs, self.cluster,
                )  # fmt: skip
                remove_work_in_progress(self.folder / "tmp", self._is_task_folder)

    def _is_task_folder(self, name: str) -> bool:
        """Return whether a folder in `tmp` is a task's, named RULE-KEY."""
        rule = self.standard_rules.get(name.partition("-")[0])
        return rule is not None and rule.kind == "task"

    @contextmanager
    def _writable_state(self, tell: Callable[[str], None]) -> Iterator[State]:
        """Open the state for writing and turn SQLite's errors into messages."""
        state = open_state(self.folder)
        if state.damage_report:
            tell(f"warning: {state.damage_report}")
            self.events.emit("damaged", text=state.damage_report)
        whole = True
        try:
            yield state
        except sqlite3.Error as error:
            whole = not is_corrupt(error)
            raise database_error(self.folder / "build.db", error) from error
        finally:
            state.close(sealed=whole)


def open_checkout(start: Path | None = None, redact: Redact = keep) -> Checkout:
    """Return the checkout that contains `start`, by default the working folder.

    Raises `UsageError` outside of a git repository.
    """
    try:
        return Checkout(open_repository(start or Path.cwd()), redact)
    except FileNotFoundError:
        raise UsageError(
            "the working folder is gone\n"
            "it was removed or moved while this shell was in it\n"
            "change to a folder that exists: cd /path/to/repository"
        ) from None


class _NoProgress:
    def advance(self, count: int = 1) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def expect(self, total: int) -> None:
        pass


@contextmanager
def _no_progress() -> Iterator[_NoProgress]:
    yield _NoProgress()


def silent(label: str, total: int) -> AbstractContextManager[_NoProgress]:
    """Show no progress at all."""
    return _no_progress()
