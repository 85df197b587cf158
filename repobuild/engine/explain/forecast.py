"""What a build would do, and about how long, without doing it.

What happens behind the first table that changes is known only when it was built: a
comment may end there. So a table behind a stale one is said to depend on it, and how
many of its rows will change is estimated: by its past runs, else by its share of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from repobuild.engine.build import Build
from repobuild.engine.explain.reason import differences
from repobuild.engine.explain.time_estimate import (
    ExpectedWork,
    ForecastInput,
    TimeEstimate,
    of_rows,
    of_task,
)
from repobuild.engine.explain.wording import sentence
from repobuild.engine.rule import Rule, closure, load
from repobuild.engine.run.task import is_current
from repobuild.engine.storage.memo_gc import newest_build
from repobuild.engine.storage.run_history import TableRun, runs
from repobuild.engine.storage.state import TableLine
from repobuild.git.ancestors import first_parents, nearest_ancestor

NOTHING = "nothing"  # what a task would do whose artifact stays
_NAMED_FILES = 4
_RECENT = 5


@dataclass
class Forecast:
    """`reasons` by stale table; `seconds` rest on `runs` past builds."""

    reasons: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, str] = field(default_factory=dict)  # what a task would do
    files: int = 0
    names: list[str] = field(default_factory=list)  # the first changed paths
    part: float = 1.0  # of the lines of the changed files, which changed
    seconds: float = 0.0
    runs: int = 0
    unknown: list[str] = field(default_factory=list)  # no past run to go by
    changed: dict[str, int] = field(default_factory=dict)  # rows that will change


def foresee(build: Build, goals: list[str]) -> Forecast:
    """Return what building the goals would do. Takes no lock and writes nothing."""
    seen = Forecast()
    for name in closure(build.rules, goals):
        rule = build.rules[name]
        reason = _reason(build, rule, seen)
        if reason:
            seen.reasons[name] = reason
            _add(seen, name, _estimate(build, rule, seen))
    return seen


def _add(seen: Forecast, name: str, estimate: TimeEstimate) -> None:
    seen.seconds += estimate.seconds
    seen.runs = max(seen.runs, estimate.runs)
    if not estimate.runs and seen.tasks.get(name) != NOTHING:
        seen.unknown.append(name)


def _reason(build: Build, rule: Rule, seen: Forecast) -> str:
    line = build.state.line(rule.name)
    if line is None:
        if rule.kind == "source" and rule.follows == "tree":
            seen.files = sum(1 for _ in build.snapshot.files())
        return "never built"
    if build.is_full(rule):
        return _anew(build, rule, line)
    if rule.kind == "source":
        return _source_changes(build, rule, line.tree, seen)
    behind = [name for name in rule.inputs if name in seen.reasons]
    if behind:
        return f"depends on {', '.join(behind)}"
    if rule.kind == "task":
        return "" if is_current(build, rule) else "not built for this commit"
    return "news of its inputs are waiting" if build.is_stale(rule) else ""


def _anew(build: Build, rule: Rule, line: TableLine) -> str:
    known = build.state.manifest(line.manifest)
    found = differences(rule.name, known, build.manifest(rule)) if known else []
    return "; ".join(sentence(r.plain()) for r in found) or "starts anew"


def _source_changes(build: Build, rule: Rule, last: str, seen: Forecast) -> str:
    if last == build.place(rule):
        return ""
    if rule.follows == "commit":
        return "another commit"
    return _file_changes(build, last, seen)


def _file_changes(build: Build, tree: str, seen: Forecast) -> str:
    changes = build.snapshot.changes(tree)
    if changes is None:
        return "another tree"
    seen.files, seen.names = len(changes), sorted(changes)[:_NAMED_FILES]
    seen.part = build.snapshot.churn(tree)
    more = "" if len(changes) <= _NAMED_FILES else ", …"
    said = f"{len(changes)} changed path{'s' * (len(changes) != 1)}"
    return f"{said}: {', '.join(seen.names)}{more}"


# ----------------------------------------------------------------------- estimates


def _estimate(build: Build, rule: Rule, seen: Forecast) -> TimeEstimate:
    known = runs(build.state, rule.name)
    if rule.kind == "task":
        return _of_task(build, rule, seen, known)
    full = rule.name not in seen.changed and build.is_full(rule)
    looked = _looked(build, rule, seen, full)
    seen.changed[rule.name] = _rows_changed(build, rule, known, looked, full, seen.part)
    return of_rows(known, looked, full)


def _looked(build: Build, rule: Rule, seen: Forecast, full: bool) -> int:
    if rule.kind == "source":
        return seen.files if rule.follows == "tree" else 1
    if full:
        return sum(_rows(build, name) for name in rule.inputs)
    return build.awaited(rule) + sum(seen.changed.get(n, 0) for n in rule.inputs)


def _rows_changed(
    build: Build,
    rule: Rule,
    known: list[TableRun],
    looked: int,
    full: bool,
    part: float,
) -> int:
    if rule.kind == "source":
        return looked
    if full:
        return _rows(build, rule.name)
    recent = [run for run in known if not run.full and run.looked][:_RECENT]
    if recent:
        share = sum(run.changed for run in recent) / sum(run.looked for run in recent)
    else:
        inputs = sum(_rows(build, name) for name in rule.inputs)
        share = _rows(build, rule.name) / max(1, inputs)
        # Several rows a file: as many of them change as there are lines that do.
        share = share if share <= 1 else max(1.0, share * part)
    return min(_rows(build, rule.name), round(looked * share))


def _rows(build: Build, table: str) -> int:
    line = build.state.line(table)
    return line.rows if line else 0


def _of_task(
    build: Build, rule: Rule, seen: Forecast, known: list[TableRun]
) -> TimeEstimate:
    behind = [name for name in rule.inputs if name in seen.reasons]
    if behind and all(seen.tasks.get(name) == NOTHING for name in behind):
        seen.tasks[rule.name] = NOTHING
    if seen.tasks.get(rule.name) == NOTHING:
        return TimeEstimate(0.0, 0)
    expected = _expected(build, rule, seen)
    if expected:
        seen.tasks[rule.name] = expected.text
    return of_task(known, expected)


def _expected(build: Build, rule: Rule, seen: Forecast) -> ExpectedWork | None:
    """Return what a task's own outlook says, when it has one."""
    if not rule.outlook or not all(map(build.state.line, rule.inputs)):
        return None
    rows = dict(build.table(rule.name).items())
    since = _since(build, rows)
    counts = [
        _logical(build, name, seen.changed.get(name, 0) + _changed(build, name, since))
        for name in rule.inputs
    ]
    prospect = ForecastInput(
        settings=rule.seen(build.settings),
        rows=rows,
        ancestors=first_parents(build.snapshot.repository, build.snapshot.commit),
        commit=build.snapshot.commit,
        changed=max((changed for changed, _ in counts), default=0),
        size=max((size for _, size in counts), default=0),
    )
    expected: ExpectedWork = load(rule.outlook)(prospect)
    return expected


def _since(build: Build, rows: Mapping[str, Any]) -> int:
    """Return the build that made the artifact which a chain goes on from; what came
    after it is yet to be trained, also where a build ended before its task."""
    repository, commit = build.snapshot.repository, build.snapshot.commit
    start = rows.get(nearest_ancestor(repository, commit, rows))
    if start is None:
        return newest_build(build)
    same = [r["build"] for r in rows.values() if r["object"] == start["object"]]
    return int(min(same))


def _changed(build: Build, table: str, since: int) -> int:
    """Return how many rows of a table changed after a build, as far as is recorded."""
    return sum(r.changed for r in runs(build.state, table) if r.build > since)


def _logical(build: Build, table: str, rows: int) -> tuple[int, int]:
    """Return logical rows for changed physical ones, and how many there are."""
    line = build.state.line(table)
    if line is None:
        return 0, 0
    share = min(1.0, rows / max(1, line.rows))
    return round(share * line.entries), line.entries
