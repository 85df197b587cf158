"""Run a source: hand its function the snapshot, write the rows it puts and drops.

What a source goes by, its rule says (`follows`): the tree, as `files` does, or the
commit with all that led to it. It is run again when that has another name.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from repobuild.engine.rule import Rule
from repobuild.engine.run.view_output import ViewOutput
from repobuild.engine.storage.table_writer import TableResult
from repobuild.git.snapshot import Snapshot

if TYPE_CHECKING:
    from repobuild.engine.build import Build


@dataclass(frozen=True, slots=True)
class RunningSource:
    """See `contract.Source`."""

    snapshot: Snapshot
    settings: dict[str, Any]
    own: ViewOutput
    full: bool
    last: str


def run_source(build: Build, rule: Rule) -> TableResult:
    """Bring a source's table to the build's snapshot."""
    began = time.perf_counter()
    outcome = TableResult(rule.name)
    line, full = build.state.line(rule.name), build.is_full(rule)
    own = ViewOutput(build.table(rule.name), full)
    settings = rule.chosen(build.settings)
    last = "" if full or line is None else line.tree
    rule.function(RunningSource(build.snapshot, settings, own, full, last))
    with build.transaction():
        writer = build.writer(rule)
        own.write(writer, outcome)
        build.close(rule, writer, outcome, began)
    return outcome
