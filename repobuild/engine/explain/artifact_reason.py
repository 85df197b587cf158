"""Explain why an artifact was made, compared with the one that its commit starts from.

A task's row records what it was made from (`manifest`, `inputs`, `follows`, see
run/task.py), so the reasons are the difference of two rows. For a changed input table,
they lead on to rows that changed between the two builds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from repobuild.engine.context import BuildContext
from repobuild.engine.digest import inflate, unpack
from repobuild.engine.explain.cause_trace import CauseTrace
from repobuild.engine.explain.reason import (
    ArtifactExplanation,
    Cause,
    Reason,
    RowExplanation,
    differences,
)
from repobuild.engine.rule import Rule
from repobuild.engine.run.task import row_key
from repobuild.engine.storage.row_changes import (
    RowChange,
    changes_between,
    changes_of_row,
)
from repobuild.errors import UsageError
from repobuild.git.snapshot import resolve

_MIN_PREFIX = 6  # characters of a digest or commit that name an artifact
_EXAMPLES = 2

Row = Mapping[str, Any]


class TaskRow(NamedTuple):
    """A task's row key and row."""

    key: str
    row: Row


def find_artifacts(build: BuildContext, name: str) -> Iterator[tuple[Rule, str]]:
    """Yield rule and row key of what a commit, a digest or a revision names."""
    commit = _resolve_commit(build, name)
    for rule in build.rules.values():
        if rule.kind != "task":
            continue
        removed = build.state.database.execute(
            "SELECT DISTINCT key FROM changes WHERE tbl = ?", (rule.name,)
        )
        keys = {*build.table(rule.name).keys(), *(key for (key,) in removed)}
        matching = [key for key in sorted(keys) if _is_named(build, rule, key, name)]
        if rule.chain and commit and commit not in matching:
            matching.append(commit)
        yield from ((rule, key) for key in matching)


def _resolve_commit(build: BuildContext, revision: str) -> str:
    try:
        return str(resolve(build.snapshot.repository, revision).id)
    except UsageError:
        return ""


def _is_named(build: BuildContext, rule: Rule, key: str, name: str) -> bool:
    """Return whether `name` is a prefix of a row's key or of its artifact's digest."""
    if len(name) < _MIN_PREFIX:
        return False
    if key.startswith(name):
        return True
    value = build.table(rule.name).get(key) or {}
    return str(value.get("object", "")).startswith(name)


def explain_artifact(
    trace: CauseTrace, rule: Rule, key: str
) -> ArtifactExplanation | RowExplanation:
    """Explain one artifact; it may be evicted, or not built yet."""
    build = trace.build
    row = build.table(rule.name).get(key)
    history = changes_of_row(build.state.database, rule.name, key)
    evictions = [_eviction(c) for c in history if c.detail.get("evicted")][:1]
    if row is None:
        number = evictions[0].build if evictions else 0
        commit, subject = trace.commit(number)
        return RowExplanation(
            table=rule.name,
            key=key,
            what="evicted" if evictions else "never built",
            build=number,
            commit=commit,
            subject=subject,
            fields=(),
            reasons=tuple(evictions or [Reason(rule.name, key, Cause.NEVER_BUILT)]),
        )
    number = int(row["build"])
    commit, subject = trace.commit(number)
    before = _find_predecessor(build, rule, TaskRow(key, row), history)
    if before is None:
        reasons = [Reason(rule.name, key, Cause.NEVER_BUILT)]
    else:
        reasons = list(_compare(trace, rule, before.row, TaskRow(key, row)))
    return ArtifactExplanation(
        table=rule.name,
        key=key,
        build=number,
        commit=commit,
        subject=subject,
        before=before.key if before else "",
        row=row,
        reasons=(*evictions, *reasons),
    )


def _eviction(change: RowChange) -> Reason:
    """Return the reason for a row whose artifact garbage collection removed."""
    return Reason(
        table=change.table,
        key=change.key,
        cause=Cause.EVICTED,
        name="object",
        old=change.detail["evicted"],
        build=change.build,
    )


def explain_current_artifact(
    trace: CauseTrace, rule: Rule
) -> list[ArtifactExplanation | RowExplanation]:
    """Explain a task's artifact at the commit that is examined; none for a table."""
    if rule.kind != "task":
        return []
    key = row_key(trace.build, rule)
    return [explain_artifact(trace, rule, key)] if key else []


def _find_predecessor(
    build: BuildContext, rule: Rule, current: TaskRow, history: list[RowChange]
) -> TaskRow | None:
    """Return the row to compare an artifact with.

    It is the row that this one replaced, else the one it follows, else the newest
    earlier one.
    """
    key, row = current
    replaced = [c for c in history if c.detail.get("old") and c.build == row["build"]]
    if replaced:
        return TaskRow(key, unpack(inflate(replaced[0].detail["old"])))
    rows = [TaskRow(*item) for item in build.table(rule.name).items()]
    for other in rows:
        if rule.chain and other.row["object"] == row["follows"] and other.key != key:
            return other
    earlier = [other for other in rows if other.row["build"] < row["build"]]
    return max(earlier, key=lambda other: int(other.row["build"]), default=None)


def _compare(
    trace: CauseTrace, rule: Rule, old: Row, current: TaskRow
) -> Iterator[Reason]:
    """Yield how the row that an artifact was made by differs from an older one."""
    key, row = current
    manifests = [_manifest(trace.build, r.get("manifest", "")) for r in (old, row)]
    if all(manifests):
        yield from differences(rule.name, *manifests)
    parents = old.get("follows") or None, row["follows"] or None
    if rule.chain and parents[0] != parents[1]:
        yield Reason(rule.name, key, Cause.PARENT_CHANGED, "parent", *parents)
    was, now = old.get("inputs", {}), row.get("inputs", {})
    # Rows are named for one input only: the others go back to the same changes.
    has_examples = False
    for table in now:
        if was.get(table) == now[table]:
            continue
        examples: tuple[Reason, ...] = ()
        if not has_examples:
            examples = _examples(trace, table, int(old["build"]), int(row["build"]))
            has_examples = bool(examples)
        yield Reason(
            table=table,
            key="",
            cause=Cause.INPUT_CHANGED,
            name="digest",
            old=was.get(table),
            new=now[table],
            because=examples,
        )


def _manifest(build: BuildContext, digest: str) -> dict[str, Any]:
    row = build.state.database.execute(
        "SELECT body FROM manifests WHERE digest = ?", (bytes.fromhex(digest),)
    ).fetchone()
    return dict(unpack(row[0])) if row else {}


def _examples(
    trace: CauseTrace, table: str, after: int, until: int
) -> tuple[Reason, ...]:
    """Return a few rows of a table that changed between two builds, as reasons."""
    if trace.build.rules[table].kind == "task":
        return ()
    changes = changes_between(
        trace.build.state.database, table, after, until, _EXAMPLES
    )
    return tuple(trace.reason(change) for change in changes)
