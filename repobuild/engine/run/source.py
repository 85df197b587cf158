"""Run a source: pass its function the snapshot, write the rows it puts and drops.

The rule decides what makes a source stale (`follows`): another tree, as for `files`, or
another commit with the history that led to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from repobuild.engine.context import BuildContext, Problem
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
    warn: Callable[[str, str], None]
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

    def warn(key: str, problem: str) -> None:
        build.events.emit("problem", table=rule.name, key=key, text=problem)
        build.problems.append(Problem(rule.name, key, problem))

    source = RunningSource(build.snapshot, settings, own, full, last, warn)
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
