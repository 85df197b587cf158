"""Explain a row, a table or an artifact: from what to what it changed, and why.

The answers are the records of reason.py. Their reasons lead back to the file and the
commit where a change began; a table's answer also lists its last full run and what
would start another one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from repobuild.engine.context import BuildContext
from repobuild.engine.explain.artifact_reason import (
    explain_artifact,
    explain_current_artifact,
    find_artifacts,
)
from repobuild.engine.explain.cause_trace import CauseTrace
from repobuild.engine.explain.diff import Difference, differing_leaves
from repobuild.engine.explain.reason import (
    CauseCount,
    Explanation,
    InputChange,
    Reason,
    RowExplanation,
    RunExplanation,
    TableExplanation,
    UnbuiltTable,
    differences,
)
from repobuild.engine.rule import Rule
from repobuild.engine.storage.row_changes import (
    RowChange,
    changes_between,
    changes_of_row,
)
from repobuild.engine.storage.run_history import TableRun
from repobuild.engine.storage.table import own_key
from repobuild.errors import BuildError, StaleError, UsageError, nearest
from repobuild.resources import program

_FIELDS = 6
_EXAMPLES = 5
_COUNTED_ROWS = 200  # changed rows of a table whose causes are counted
_MAX_NAMES = 2_000  # keys that are compared for a near match


def explain(build: BuildContext, key: str) -> list[Explanation]:
    """Explain a table, a row, or an artifact; of several tables, the last one first.

    An artifact is named by its digest, its commit (six characters suffice) or a
    revision such as HEAD.

    Raises:
        UsageError: nothing has that name.
        StaleError: nothing is built yet.
    """
    trace = CauseTrace(build)
    if key in build.rules:
        rule = build.rules[key]
        return [_explain_table(trace, rule), *explain_current_artifact(trace, rule)]
    explanations: list[Explanation] = [
        explain_artifact(trace, rule, row) for rule, row in find_artifacts(build, key)
    ]
    for rule in reversed(list(build.rules.values())):
        if rule.kind != "task" and build.state.line(rule.name) is not None:
            if row := _explain_row(trace, rule, key):
                explanations.append(row)
    if explanations:
        return explanations
    raise unknown_key_error(build, key)


# ------------------------------------------------------------------------- a row


def _explain_row(trace: CauseTrace, rule: Rule, key: str) -> RowExplanation | None:
    """Explain the row or entry that a key names in a table, also a removed one."""
    key = own_key(rule.name, key)
    if found := trace.build.table(rule.name).find(key):
        return _explain_existing(trace, rule, *found)
    database = trace.build.state.database
    for row, sub in _splits(key, rule.entries):
        for change in changes_of_row(database, rule.name, row):
            if _removes(trace, change, sub):
                return _explain_change(trace, change, sub, what="removed")
    return None


def _splits(key: str, entries: bool) -> Iterator[tuple[str, str]]:
    """Yield the (row key, sub key) pairs that a logical key may mean."""
    yield key, ""
    if entries:
        ends = (n for n in range(len(key) - 1, 0, -1) if key[n] in "#: ")
        yield from ((key[:n], key[n:]) for n in ends)


def _removes(trace: CauseTrace, change: RowChange, sub: str) -> bool:
    """Return whether a change removed the row, or its entry `sub`."""
    if change.is_gone and not sub:
        return True
    old, new = trace.values(change)
    return bool(sub) and sub in (old or {}) and sub not in (new or {})


def _explain_existing(
    trace: CauseTrace, rule: Rule, key: str, sub: str
) -> RowExplanation:
    """Explain the newest change that touched a row, or its entry `sub`."""
    dropped = _drop_reason(trace, rule, key, sub)
    for change in changes_of_row(trace.build.state.database, rule.name, key):
        if not rule.entries or _touches(trace, change, sub):
            return _explain_change(trace, change, sub, dropped=dropped)
    # Without a recorded change, the row is from the last run that recorded none.
    run = next((r for r in trace.runs(rule.name) if not r.noted), None)
    number = run.build if run else 0
    commit, subject = trace.commit(number)
    return RowExplanation(
        table=rule.name,
        key=key + sub,
        what="unchanged",
        build=number,
        commit=commit,
        subject=subject,
        fields=(),
        reasons=tuple(trace.full_run_reasons(run)) if run and run.full else (),
        dropped=dropped,
    )


def _touches(trace: CauseTrace, change: RowChange, sub: str) -> bool:
    """Return whether a change made the row or changed its entry `sub`."""
    if change.is_new:
        return True
    old, new = trace.values(change)
    return old is None or (old or {}).get(sub) != (new or {}).get(sub)


def _drop_reason(trace: CauseTrace, rule: Rule, key: str, sub: str) -> str:
    """Return why the dataset leaves a sample out, as its entry records; else ""."""
    value = trace.build.table(rule.name).get(key) if rule.entries else None
    item = value.get(sub) if isinstance(value, Mapping) else None
    reason = item.get("dropped") if isinstance(item, Mapping) else None
    return str(reason) if reason else ""


def _explain_change(
    trace: CauseTrace, change: RowChange, sub: str, what: str = "", dropped: str = ""
) -> RowExplanation:
    commit, subject = trace.commit(change.build)
    fields = _changed_fields(trace, change, sub)
    if not what:
        is_new = change.is_new or _is_new_entry(trace, change, sub)
        what = "new" if is_new else "changed"
    return RowExplanation(
        table=change.table,
        key=change.key + sub,
        what=what,
        build=change.build,
        commit=commit,
        subject=subject,
        fields=tuple(fields[:_FIELDS]),
        reasons=trace.reasons(change, fields),
        dropped=dropped,
    )


def _is_new_entry(trace: CauseTrace, change: RowChange, sub: str) -> bool:
    if not trace.build.rules[change.table].entries or change.is_gone:
        return False
    old, _ = trace.values(change)
    return old is not None and sub not in old


def _changed_fields(trace: CauseTrace, change: RowChange, sub: str) -> list[Difference]:
    rule = trace.build.rules[change.table]
    if not rule.entries:
        return trace.fields(change)
    old, new = trace.values(change)
    before, after = (old or {}).get(sub), (new or {}).get(sub)
    return differing_leaves(before, after) if rule.stored and before and after else []


# ------------------------------------------------------------------------- a table


def _explain_table(trace: CauseTrace, rule: Rule) -> TableExplanation | UnbuiltTable:
    build, line = trace.build, trace.build.state.line(rule.name)
    if line is None:
        return UnbuiltTable(rule.name)
    known = build.state.manifest(line.manifest)
    runs = trace.runs(rule.name)
    # The newest run that changed rows, and the newest full one; newest first.
    newest = [
        next((run for run in runs if run.changed), None),
        next((run for run in runs if run.full), None),
    ]
    return TableExplanation(
        table=rule.name,
        rows=line.entries,
        keys=line.rows,
        commit=line.commit,
        subject=build.snapshot.subject(line.commit),
        would_start_anew=tuple(differences(rule.name, known, build.manifest(rule))),
        runs=tuple(_explain_run(trace, run) for run in runs if run in newest),
    )


def _explain_run(trace: CauseTrace, run: TableRun) -> RunExplanation:
    commit, subject = trace.commit(run.build)
    last = trace.before(run)
    # What the changed rows go back to, and some of these rows.
    rows = changes_between(
        trace.build.state.database, run.table, run.build - 1, run.build, _COUNTED_ROWS
    )
    counted = Counter(_root_cause(trace.reasons(change)) for change in rows)
    causes = counted.most_common(_EXAMPLES)
    return RunExplanation(
        build=run.build,
        commit=commit,
        subject=subject,
        full=run.full,
        looked=run.looked,
        changed=run.changed,
        seconds=run.seconds,
        reasons=tuple(trace.full_run_reasons(run)) if run.full else (),
        inputs=tuple(
            InputChange(name, last.inputs.get(name, "") if last else "", digest)
            for name, digest in run.inputs.items()
            if not last or last.inputs.get(name) != digest
        ),
        causes=tuple(CauseCount(count, *cause) for cause, count in causes),
        counted=len(rows),
        more_causes=len(counted) - len(causes),
        examples=tuple(change.key for change in rows[:_EXAMPLES]),
    )


class _RootCause(NamedTuple):
    table: str = ""
    key: str = ""
    cause: str = ""
    commit: str = ""


def _root_cause(reasons: Sequence[Reason]) -> _RootCause:
    """Return where a row's first reason leads in the end."""
    if not reasons:
        return _RootCause()
    reason = reasons[0]
    while reason.because:
        reason = reason.because[0]
    key = reason.key or reason.name
    return _RootCause(reason.table, key, reason.cause.value, reason.commit)


# ----------------------------------------------------------------- an unknown name


def unknown_key_error(build: BuildContext, key: str) -> BuildError:
    """Return the error for a name that nothing has, with the nearest known one."""
    if not build.state.lines():
        return StaleError(f"nothing is built yet\nrun `{program()}` first")
    names = list(build.rules)
    for rule in build.rules.values():
        if rule.kind in ("source", "view") and build.state.line(rule.name):
            names += _similar_keys(build, rule.name, key)
    names = [name for name in names if name != key]  # it has just failed
    return UsageError(
        f'no table, element, sample or adapter "{key}"{nearest(key, names)}\n'
        "an element is named path::qualified.name, a sample as "
        f"`{program()} show` lists"
    )


def _similar_keys(build: BuildContext, table: str, key: str) -> list[str]:
    """Return keys that have the first half of a key, or the last half of its name."""
    head, name = key[: len(key) // 2], key.rpartition("::")[2]
    tail = name[-(len(name) // 2) :]
    query = (
        f'SELECT key FROM "rows_{table}" WHERE substr(key, 1, ?) = ? '
        "OR substr(key, -?) = ? LIMIT ?"
    )
    values = (len(head), head, len(name) // 2, tail, _MAX_NAMES)
    return [key for (key,) in build.state.database.execute(query, values)]
