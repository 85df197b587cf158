"""Build two commits up to what a training would read, each in a copy of the state.

    before    a copy of the state, brought to the base of the pull request
    after     a copy of `before`, brought to its head

The state itself is only read: whatever a pull request holds, nothing that a later build
of main reads was written by it. The copies are folders of the system's own for
temporary files, and are removed in any case. Each commit is built with the settings
that its own `repobuild.toml` sets.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repobuild.checkout import Checkout
from repobuild.engine.build import Build
from repobuild.engine.contract import ShowProgress
from repobuild.engine.rule import closure
from repobuild.engine.storage.event_log import EventLog
from repobuild.engine.storage.integrity import read_seal, seal
from repobuild.engine.storage.state import open_state
from repobuild.errors import DamagedError, UsageError
from repobuild.git.snapshot import Snapshot, is_regular
from repobuild.powers import Powers
from repobuild.resources import SETTINGS_FILE
from repobuild.rulebook import make_rulebook
from repobuild.settings import SettingLayers, read_layers
from repobuild.user_rules import declared_settings, rule_files

GOALS = ("teachable", "old_answers")


@dataclass(frozen=True, slots=True)
class CommitSettings:
    """What a commit's own settings ask for, and what of it holds here."""

    values: dict[str, Any]
    asked: dict[str, Any]  # with the powers that are withheld
    powers: Powers


@dataclass(frozen=True, slots=True)
class BuiltRevision:
    """A commit whose `GOALS` are built in a copy of the state."""

    build: Build
    settings: CommitSettings


@contextmanager
def build_both(
    checkout: Checkout, base: Snapshot, head: Snapshot, progress: ShowProgress
) -> Iterator[tuple[BuiltRevision, BuiltRevision]]:
    """Yield base and head, built; nothing is written beyond folders that are removed.

    Raises:
        UsageError: what is built needs a setting that is withheld.
        BuildError: a rule failed, or the state cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="repobuild-ci-") as name:
        folders = Path(name, "before"), Path(name, "after")
        _copy_state(checkout.folder, folders[0])
        without = _left_out(checkout, head)
        with _built(checkout, base, folders[0], progress, without):
            pass
        _copy_state(folders[0], folders[1])
        with (
            _built(checkout, head, folders[1], progress) as after,
            _built(checkout, base, folders[0], progress, without) as before,
        ):
            yield before, after


def settings_of(checkout: Checkout, snapshot: Snapshot) -> CommitSettings:
    """Return the settings of a commit: its own file below the user's layers.

    Raises `UsageError` for a file that cannot be read.
    """
    entry = snapshot.current_entry(SETTINGS_FILE)
    with tempfile.TemporaryDirectory(prefix="repobuild-ci-") as name:
        if entry and is_regular(entry[1]):
            Path(name, SETTINGS_FILE).write_bytes(snapshot.blob(entry[0]))
        declared = declared_settings(rule_files(snapshot))
        try:
            read = read_layers(Path(name), lambda: declared)
        except UsageError as error:  # name the commit, not the copy
            path = str(Path(name, SETTINGS_FILE))
            shown = f"{SETTINGS_FILE} of {snapshot.commit[:10]}"
            raise UsageError(str(error).replace(path, shown)) from None
    layers = SettingLayers(checkout.root, read.repository, read.user)
    powers = Powers.of(layers, checkout.trust)
    return CommitSettings(layers.merged(powers.names), layers.merged(), powers)


@contextmanager
def _built(
    checkout: Checkout,
    snapshot: Snapshot,
    folder: Path,
    progress: ShowProgress,
    without: frozenset[str] = frozenset(),
) -> Iterator[BuiltRevision]:
    """Build the `GOALS` of a commit with the state in a folder, and keep it open.

    `without` names rules of the repository's own that are left out.
    """
    settings = settings_of(checkout, snapshot)
    rules = checkout.rulebook(snapshot).rules
    if without & rules.keys():
        kept = [r for r in checkout.user_rules(snapshot) if r.name not in without]
        rules = make_rulebook(checkout.standard_rules, kept, checkout.trust).rules
    settings.powers.require(_needed(rules, settings))
    state = open_state(folder)
    try:
        build = Build(
            state, checkout.store, rules, settings.values, snapshot,
            EventLog(folder / "events.jsonl"), progress,
        )  # fmt: skip
        build.run([*GOALS])
        yield BuiltRevision(build, settings)
    finally:
        state.close()


def _left_out(checkout: Checkout, head: Snapshot) -> frozenset[str]:
    """Return the rules that need trust at the head: then the base does without, too.

    Else all samples of such a rule would seem to be removed.
    """
    rulebook = checkout.rulebook(head)
    changed = (rule.name for rule in rulebook.changed)
    return frozenset([*rulebook.untrusted, *changed])


def _needed(rules: dict[str, Any], settings: CommitSettings) -> set[str]:
    """Return the settings that the goals and their inputs read."""
    needed: set[str] = set()
    for name in closure(rules, [*GOALS]):
        # It opens the base model's tokenizer only to count for a budget.
        if name != "balance" or settings.asked["samples.max_tokens"]:
            needed.update(rules[name].visible_settings(settings.asked))
    return needed


def _copy_state(source: Path, target: Path) -> None:
    """Copy the database of a state, as of its last transaction.

    A damaged one, as a cache may bring, counts as none.
    """
    target.mkdir()
    try:
        state = open_state(source, read_only=True)
    except DamagedError:
        return
    with closing(state), closing(sqlite3.connect(target / "build.db")) as copy:
        state.database.backup(copy)
    # A sealed one was whole when it was opened; any other is checked before its use.
    if read_seal(source / "build.db"):
        seal(target / "build.db")
