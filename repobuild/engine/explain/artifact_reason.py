"""Why an artifact was made: against the one that its commit starts from.

A task's row says what it was made of (`manifest`, `inputs`, `follows`, see tasking.py),
so the reasons are the difference of two rows, and behind a changed input table the rows
that changed between the two builds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from repobuild.engine.build import Build
from repobuild.engine.digest import inflate, unpack
from repobuild.engine.explain.cause_trace import CauseTrace
from repobuild.engine.explain.reason import Cause, Reason, differences
from repobuild.engine.rule import Rule
from repobuild.engine.run.task import row_key
from repobuild.engine.storage.row_changes import RowChange, of_builds, of_row
from repobuild.errors import UsageError
from repobuild.git.snapshot import resolve

_SHORTEST = 6  # characters of a digest or commit
_EXAMPLES = 2
_TOLD = ("object", "mode", "reason", "follows")

Told = dict[str, Any]
Row = Mapping[str, Any]


def matching(build: Build, key: str) -> Iterator[tuple[Rule, str]]:
    """Yield task and row key of what a commit, a digest or a revision names."""
    tasks = [rule for rule in build.rules.values() if rule.kind == "task"]
    commit = _commit(build, key)
    for rule in tasks:
        keys = _keys(build, rule)
        found = [k for k in keys if _names(build, rule, k, key)]
        if rule.chain and commit and commit not in found:
            found.append(commit)
        yield from ((rule, row) for row in found)


def newest(trail: CauseTrace, rule: Rule) -> list[Told]:
    """Tell a task's row at the commit that is looked at."""
    if rule.kind != "task":
        return []
    key = row_key(trail.build, rule)
    return [explained(trail, rule, key)] if key else []


def explained(trail: CauseTrace, rule: Rule, key: str) -> Told:
    """Tell one artifact; it may be gone, or not built yet."""
    build = trail.build
    row = build.table(rule.name).get(key)
    history = of_row(build.state.database, rule.name, key)
    if row is None:
        return _missing(trail, rule, key, history)
    number = int(row["build"])
    commit, subject = trail.commit(number)
    told = {"table": rule.name, "key": key, "what": "built", "build": number}
    told |= {"commit": commit, "subject": subject, "fields": []}
    told |= {name: row.get(name, "") for name in _TOLD}
    before = _before(build, rule, key, row, history)
    told["before"] = before[0] if before else ""
    reasons = [*_evictions(history), *_reasons(trail, rule, key, row, before)]
    return {**told, "row": dict(row), "reasons": [reason.plain() for reason in reasons]}


def _missing(trail: CauseTrace, rule: Rule, key: str, history: list[RowChange]) -> Told:
    gone = _evictions(history)
    reasons = gone or [Reason(rule.name, key, Cause.NEVER_BUILT)]
    number = gone[0].build if gone else 0
    commit, subject = trail.commit(number)
    return {
        "table": rule.name,
        "key": key,
        "what": "evicted" if gone else "never built",
        "build": number,
        "commit": commit,
        "subject": subject,
        "fields": [],
        "reasons": [reason.plain() for reason in reasons],
    }


def _evictions(history: list[RowChange]) -> list[Reason]:
    """Return the newest collection of an artifact under this key."""
    return [
        Reason(
            change.table, change.key, Cause.EVICTED, "object",
            change.detail["evicted"], build=change.build,
        )
        for change in history
        if change.detail.get("evicted")
    ][:1]  # fmt: skip


def _before(
    build: Build, rule: Rule, key: str, row: Row, history: list[RowChange]
) -> tuple[str, Row] | None:
    """Return what an artifact is compared with: what it replaced, followed, or the
    one before it."""
    replaced = [c for c in history if c.detail.get("old") and c.build == row["build"]]
    if replaced:
        return key, unpack(inflate(replaced[0].detail["old"]))
    rows = dict(build.table(rule.name).items())
    for commit, other in rows.items():
        if rule.chain and other["object"] == row["follows"] and commit != key:
            return commit, other
    earlier = [item for item in rows.items() if item[1]["build"] < row["build"]]
    return max(earlier, key=lambda item: int(item[1]["build"]), default=None)


def _reasons(
    trail: CauseTrace, rule: Rule, key: str, row: Row, before: tuple[str, Row] | None
) -> Iterator[Reason]:
    if before is None:
        yield Reason(rule.name, key, Cause.NEVER_BUILT)
        return
    _, old = before
    yield from _settings(trail.build, rule, old, row)
    parents = old.get("follows") or None, row["follows"] or None
    if rule.chain and parents[0] != parents[1]:
        yield Reason(rule.name, key, Cause.PARENT_CHANGED, "parent", *parents)
    was, now = old.get("inputs", {}), row.get("inputs", {})
    told = False  # one table's rows tell what changed, the others go back to the same
    for table in now:
        if was.get(table) != now[table]:
            span = int(old["build"]), int(row["build"])
            because = () if told else _examples(trail, table, *span)
            told = told or bool(because)
            yield Reason(
                table, "", Cause.INPUT_CHANGED, "digest", was.get(table), now[table],
                because=because,
            )  # fmt: skip


def _settings(build: Build, rule: Rule, old: Row, new: Row) -> list[Reason]:
    bodies = [_manifest(build, str(row.get("manifest", ""))) for row in (old, new)]
    return differences(rule.name, *bodies) if all(bodies) else []


def _manifest(build: Build, digest: str) -> dict[str, Any]:
    found = build.state.database.execute(
        "SELECT body FROM manifests WHERE digest = ?", (bytes.fromhex(digest),)
    ).fetchone()
    return dict(unpack(found[0])) if found else {}


def _examples(
    trail: CauseTrace, table: str, after: int, until: int
) -> tuple[Reason, ...]:
    rule = trail.build.rules[table]
    if rule.kind == "task":
        return ()
    found = of_builds(trail.build.state.database, table, after, until, _EXAMPLES)
    return tuple(trail.reason(change) for change in found)


def _names(build: Build, rule: Rule, row: str, key: str) -> bool:
    if len(key) < _SHORTEST:
        return False
    if row.startswith(key):
        return True
    value = build.table(rule.name).get(row) or {}
    return str(value.get("object", "")).startswith(key)


def _keys(build: Build, rule: Rule) -> list[str]:
    """Return the rows of a task, those that gc took included."""
    gone = build.state.database.execute(
        "SELECT DISTINCT key FROM changes WHERE tbl = ?", (rule.name,)
    )
    there = set(build.table(rule.name).keys())
    return sorted(there | {key for (key,) in gone})


def _commit(build: Build, key: str) -> str:
    try:
        return str(resolve(build.snapshot.repository, key).id)
    except UsageError:
        return ""
