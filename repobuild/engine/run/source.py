"""Run a source: pass its function the snapshot, write the rows it puts and drops.

The rule decides what makes a source stale (`follows`): another tree, as for `files`, or
another commit with the history that led to it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from repobuild.engine.context import BuildContext
from repobuild.engine.rule import Rule
from repobuild.engine.run.view_output import ViewOutput
from repobuild.engine.storage.table_writer import TableResult
from repobuild.git.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class RunningSource:
    """See `contract.Source`."""

    snapshot: Snapshot
    settings: dict[str, Any]
    own: ViewOutput
    full: bool
    last: str
    failures: dict[str, str] = field(default_factory=dict)  # key -> problem

    def fail(self, key: str, problem: object) -> None:
        self.failures[key] = str(problem)


def run_source(build: BuildContext, rule: Rule) -> TableResult:
    """Bring a source's table to the build's snapshot."""
    began = time.perf_counter()
    outcome = TableResult(rule.name)
    line, full = build.state.line(rule.name), build.is_full(rule)
    own = ViewOutput(build.table(rule.name), full)
    settings = rule.tracked_settings(build.settings)
    last = "" if full or line is None else line.tree
    source = RunningSource(build.snapshot, settings, own, full, last)
    rule.function(source)
    for key, problem in source.failures.items():
        build.report_failure(rule.name, key, problem)
        outcome.failed.append(key)
    with build.transaction():
        writer = build.writer(rule)
        own.write(writer, outcome)
        build.keep_pending(rule, [(rule.name, key) for key in source.failures])
        build.close(rule, writer, outcome, began)
    return outcome
