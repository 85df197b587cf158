"""The `files` table: git's tree, with the language that a function gives each path."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from repobuild.engine.own import OwnTable
from repobuild.engine.rule import Rule
from repobuild.engine.writer import Outcome
from repobuild.git.snapshot import REGULAR, Entry

if TYPE_CHECKING:
    from repobuild.engine.build import Build


def run_source(build: Build, rule: Rule) -> Outcome:
    """Bring `files` to the build's tree: by tree diff, or by comparing all paths."""
    began = time.perf_counter()
    outcome = Outcome(rule.name)
    line = build.state.line(rule.name)
    changes = None
    if line and not build.is_full(rule):
        changes = build.snapshot.changes(line.tree)
    full = changes is None
    own = OwnTable(build.table(rule.name), full)
    settings = rule.chosen(build.settings)
    entries = build.snapshot.files() if changes is None else changes.items()
    for key, entry in entries:
        if entry is None:
            own.drop(key)
        else:
            own.put(key, _row(rule, key, entry, settings))
    with build.transaction():
        writer = build.writer(rule)
        own.write(writer, outcome)
        build.close(rule, writer, outcome, began)
    return outcome


def _row(
    rule: Rule, key: str, entry: Entry, settings: dict[str, Any]
) -> dict[str, Any]:
    """Return a file's row; links and submodules have no language: nothing to read."""
    blob, mode = entry
    regular = mode in [int(kind) for kind in REGULAR]
    language = rule.function(key, settings) if regular else ""
    return {"blob": blob, "mode": mode, "language": language}
